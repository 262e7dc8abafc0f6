//! The memory of a process.

use super::proc_file::{field, read};
use crate::load::float;
use anyhow::{Context, Result};

/// What the process holds now, in MiB.
pub(crate) fn resident(pid: u32) -> Result<f64> {
    status(pid, "VmRSS")
}

/// The most that it ever held, in MiB.
pub(crate) fn high_water(pid: u32) -> Result<f64> {
    status(pid, "VmHWM")
}

fn status(pid: u32, name: &str) -> Result<f64> {
    let text = read(&format!("/proc/{pid}/status"))?;
    mebibytes(&text, name).with_context(|| format!("the status of process {pid} has no {name}"))
}

fn mebibytes(text: &str, name: &str) -> Option<f64> {
    let kibibytes: u64 = field(text, name)?.strip_suffix(" kB")?.parse().ok()?;
    Some(float(kibibytes) / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::{high_water, mebibytes, resident};

    #[test]
    fn sizes_are_read_in_mebibytes() {
        let text = "Name:\tingest\nVmHWM:\t   10240 kB\nVmRSS:\t    5120 kB\n";
        assert_eq!(mebibytes(text, "VmHWM"), Some(10.0));
        assert_eq!(mebibytes(text, "VmRSS"), Some(5.0));
        assert_eq!(mebibytes(text, "VmSwap"), None);
    }

    #[test]
    fn a_process_never_holds_more_than_its_high_water() {
        let pid = std::process::id();
        let now = resident(pid).unwrap();
        assert!(now > 0.0 && now <= high_water(pid).unwrap());
    }
}
