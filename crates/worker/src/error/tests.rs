use super::*;
use anyhow::Context;

#[test]
fn what_an_operator_must_mend_in_the_call_is_a_usage_error() {
    assert_eq!(exit_of(&Error::NothingSelected.into()), Exit::Usage);
    assert_eq!(exit_of(&settings::Problems::new().into()), Exit::Usage);
    assert_eq!(exit_of(&broker::Error::InvalidUrl.into()), Exit::Usage);
}

#[test]
fn a_store_that_is_away_is_temporary_however_deep_it_lies() {
    let lost = ops::dead::SettleError::Broker(broker::Error::ConnectionLost);
    assert_eq!(exit_of(&anyhow::Error::from(lost)), Exit::Temporary);
    let lost: anyhow::Result<()> = Err(broker::Error::ConnectionLost.into());
    assert_eq!(exit_of(&lost.context("while settling").unwrap_err()), Exit::Temporary);
}

#[test]
fn everything_else_is_a_failure() {
    assert_eq!(exit_of(&Error::NoEvent { id: "whe_1".to_owned() }.into()), Exit::Failure);
    assert_eq!(exit_of(&store::Error::NotMigrated { source: None }.into()), Exit::Failure);
    assert_eq!(exit_of(&anyhow::anyhow!("a surprise")), Exit::Failure);
}
