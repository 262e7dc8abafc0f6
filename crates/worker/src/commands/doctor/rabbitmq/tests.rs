use super::super::check::Verdict;
use super::*;

#[test]
fn only_tested_versions_pass_without_a_warning() {
    for (version, verdict) in [
        (Some("3.10.8"), Verdict::Ok),
        (Some("4.1.3"), Verdict::Ok),
        (Some("3.9.1"), Verdict::Warning),
        (Some("5.0.0"), Verdict::Warning),
        (Some("unknown"), Verdict::Warning),
        (None, Verdict::Ok),
    ] {
        assert_eq!(version_check(version).status, verdict, "{version:?}");
    }
}
