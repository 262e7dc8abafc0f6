//! Whether deliveries could be verified.

use super::check::Check;
use crate::print::text::counted;
use settings::{Problems, SignatureArgs};

/// Whether all signing secrets can be read.
pub(super) fn check(args: &SignatureArgs) -> Check {
    let mut problems = Problems::new();
    let signatures = args.validate(&mut problems);
    match problems.into_result(signatures) {
        Ok(signatures) => {
            let count = i64::try_from(signatures.secrets.len()).unwrap_or(i64::MAX);
            Check::ok("signing secrets", counted(count, "usable secret"))
        }
        Err(problems) => Check::failed_saying("signing secrets", &problems),
    }
}
