//! Whether what was heard is fit to judge by.
//!
//! The sentences are the engine's.

use super::finding::{Finding, ok, problem, warning};
use super::listen::Heard;

const CHECK: &str = "capture quality";

/// One finding for each problem, or that there is none.
pub(super) fn check(heard: &Heard) -> Vec<Finding> {
    let found = heard.engine.quality();
    let findings = found.problems.iter().map(|p| {
        let grave = p.fatal && !found.judged();
        let tell = if grave { problem } else { warning };
        tell(CHECK, p.detail.clone())
    });
    let findings: Vec<_> = findings.collect();
    if findings.is_empty() {
        vec![ok(CHECK, "what is heard is whole, once, and from this link")]
    } else {
        findings
    }
}
