//! The one real clock.

use chrono::{DateTime, SubsecRound, Utc};
use domain::Clock;
use std::time::SystemTime;

/// The wall clock of this machine, in whole microseconds: what Postgres and messages keep of an instant. Only `main` chooses it; everybody else is handed a [`Clock`].
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the wall clock is read")]
    fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(SystemTime::now()).trunc_subsecs(6)
    }
}
