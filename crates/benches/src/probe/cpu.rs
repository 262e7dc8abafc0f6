//! Processor time: of what is measured, of what measures, and of the rest of the machine.

use super::proc_file::read;
use anyhow::{Context, Result};
use std::time::Duration;

/// Linux counts in hundredths of a second, whatever its own clock does (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Counts from a moment on.
pub(crate) struct Meter {
    subject: u32,
    tools: Vec<u32>,
    before: Spent,
}

/// Processor time since the meter began, user and system, of all cores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    /// By the process that is measured.
    pub(crate) subject: Duration,
    /// By the load generator, and other stand-ins.
    pub(crate) tools: Duration,
    /// By everything else: Postgres, RabbitMQ, the kernel's own threads, and whatever else runs on the machine.
    pub(crate) rest: Duration,
}

impl Meter {
    /// Begins to count for the process `subject`; this process and `stand_ins` are the tools.
    pub(crate) fn start(subject: u32, stand_ins: &[u32]) -> Result<Self> {
        let tools = [&[std::process::id()], stand_ins].concat();
        let before = spent(subject, &tools)?;
        Ok(Self { subject, tools, before })
    }

    /// What was used since.
    pub(crate) fn read(&self) -> Result<Spent> {
        let now = spent(self.subject, &self.tools)?;
        Ok(Spent {
            subject: now.subject.saturating_sub(self.before.subject),
            tools: now.tools.saturating_sub(self.before.tools),
            rest: now.rest.saturating_sub(self.before.rest),
        })
    }
}

fn spent(subject: u32, tools: &[u32]) -> Result<Spent> {
    let subject = of_process(subject)?;
    let tools = tools.iter().map(|pid| of_process(*pid)).sum::<Result<Duration>>()?;
    let machine = of_machine(&read("/proc/stat")?).context("/proc/stat cannot be understood")?;
    Ok(Spent { subject, tools, rest: machine.saturating_sub(subject + tools) })
}

fn of_process(pid: u32) -> Result<Duration> {
    let stat = read(&format!("/proc/{pid}/stat"))?;
    in_stat(&stat).with_context(|| format!("the state of process {pid} cannot be understood"))
}

/// User and system time, the 14th and 15th field. The second is the program's name in brackets, which may hold anything.
fn in_stat(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    Some(ticks(times.next()?.parse().ok()?) + ticks(times.next()?.parse().ok()?))
}

/// All that was not idle: user, nice, system, interrupts. Waiting for a disk is idle.
fn of_machine(stat: &str) -> Option<Duration> {
    let line = stat.lines().find(|line| line.starts_with("cpu "))?;
    let times: Vec<u64> = line.split_whitespace().skip(1).filter_map(|time| time.parse().ok()).collect();
    let [user, nice, system, _idle, _waiting, interrupts, soft, ..] = times.as_slice() else { return None };
    Some(ticks(user + nice + system + interrupts + soft))
}

fn ticks(count: u64) -> Duration {
    TICK.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{in_stat, of_machine};
    use std::time::Duration;

    #[test]
    fn a_process_is_charged_for_user_and_system_time() {
        let stat = "17 (a ) name) S 1 17 17 0 -1 4194304 100 0 0 0 250 50 9 9 20 0 4 0 1 1 1";
        assert_eq!(in_stat(stat), Some(Duration::from_secs(3)));
    }

    #[test]
    fn idle_and_waiting_time_of_the_machine_is_nobodys() {
        let stat = "cpu  100 0 100 99999 88888 50 50 7 0 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(of_machine(stat), Some(Duration::from_secs(3)));
    }
}
