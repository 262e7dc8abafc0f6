//! `simulator state`.

use std::process::ExitCode;

use reqwest::Method;

use crate::cli::{
    args::State,
    client::{Control, print_json},
};

/// Prints the counters.
pub(crate) async fn state(args: &State) -> anyhow::Result<ExitCode> {
    let state = Control::new(&args.target.simulator)?.call(Method::GET, "state", None).await?;
    print_json(&state)?;
    Ok(ExitCode::SUCCESS)
}
