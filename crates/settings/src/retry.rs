//! How often an event is tried.

use crate::problems::Problems;
use chrono::TimeDelta;
use clap::Args;
use domain::RetryPolicy;

/// Tries
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tries")]
pub struct RetryArgs {
    /// Tries before an event goes to the dead-letter queue
    #[arg(long, env = "HOLDFAST_TRIES", value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=15))]
    tries: u32,

    /// Rest after the first failed try, after the second, and so on; each is spread by 10 % either way
    #[arg(long, env = "HOLDFAST_RETRY_DELAYS", value_name = "TIMES", default_value = "10s,60s")]
    retry_delays: String,
}

impl RetryArgs {
    /// Checks the group.
    pub fn validate(&self, problems: &mut Problems) -> Option<RetryPolicy> {
        let delays = match delays(&self.retry_delays) {
            Ok(delays) => delays,
            Err(problem) => {
                problems.note(format!("--retry-delays (HOLDFAST_RETRY_DELAYS) {problem}"));
                return None;
            }
        };
        RetryPolicy::new(self.tries, delays)
            .map_err(|error| problems.note(format!("--tries and --retry-delays: {error}")))
            .ok()
    }
}

/// Reads a list of durations such as `10s,60s`.
///
/// # Errors
/// When a part is no duration, or longer than a day; the text says which.
pub fn delays(text: &str) -> Result<Vec<TimeDelta>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let problem =
                || format!("must be durations such as 10s,60s (at most 1day each), and {part:?} is none");
            let delay = humantime::parse_duration(part).map_err(|_| problem())?;
            let delay = TimeDelta::from_std(delay).map_err(|_| problem())?;
            if delay > TimeDelta::days(1) { Err(problem()) } else { Ok(delay) }
        })
        .collect()
}
