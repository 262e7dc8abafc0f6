//! Waiting for a state.

use anyhow::{Result, bail};
use std::time::Duration;
use testkit::eventually;

const SOON: Duration = Duration::from_millis(100);

#[tokio::test]
async fn errors_of_a_probe_mean_not_yet() -> Result<()> {
    let mut looks = 0;
    let value = eventually(Duration::from_secs(5), "a third look", async || {
        looks += 1;
        anyhow::ensure!(looks >= 3, "look {looks}");
        Ok(Some(looks))
    })
    .await?;
    assert_eq!(value, 3);
    Ok(())
}

#[tokio::test]
async fn a_failure_tells_what_was_awaited_and_what_was_seen_last() {
    let failed = eventually::<()>(SOON, "five rows", async || bail!("four rows")).await;
    let text = format!("{:#}", failed.expect_err("there never are five"));
    assert!(text.contains("five rows") && text.ends_with("four rows"), "{text}");
}

#[tokio::test]
async fn a_probe_that_hangs_is_cut_off() {
    let failed = eventually::<()>(SOON, "nothing", async || std::future::pending().await).await;
    let text = format!("{:#}", failed.expect_err("the probe never answers"));
    assert!(text.contains("did not return"), "{text}");
}
