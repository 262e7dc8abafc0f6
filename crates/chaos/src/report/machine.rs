//! The machine that a run was made on.

use std::path::Path;
use testkit::clock::real_now;

/// One line: date, processor, memory, system.
pub(super) fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let member = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let processor = member(&read("/proc/cpuinfo"), "model name");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kilobytes: u64 =
        member(&read("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    format!(
        "{} (a machine with {cores} cores of {processor}, {} GiB, Linux {})",
        real_now().format("%Y-%m-%d"),
        kilobytes >> 20,
        kernel.split('-').next().unwrap_or_default().trim()
    )
}
