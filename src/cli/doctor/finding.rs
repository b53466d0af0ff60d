//! What a check found: its name, how bad it is, and one sentence with what to do.
//!
//! Made by the checks, printed by `doctor`.

use super::super::Format;
use serde_json::json;
use std::fmt::Write;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should be.
    Ok,
    /// Something will be missed, or may be wrong.
    Warning,
    /// Something does not work.
    Problem,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// A word for programs. Several findings may have the same.
    pub(super) check: &'static str,
    pub(super) outcome: Outcome,
    pub(super) text: String,
}

/// As it should be.
pub(super) fn ok(check: &'static str, text: impl Into<String>) -> Finding {
    found(check, Outcome::Ok, text)
}

/// Something will be missed.
pub(super) fn warning(check: &'static str, text: impl Into<String>) -> Finding {
    found(check, Outcome::Warning, text)
}

/// Something does not work.
pub(super) fn problem(check: &'static str, text: impl Into<String>) -> Finding {
    found(check, Outcome::Problem, text)
}

fn found(check: &'static str, outcome: Outcome, text: impl Into<String>) -> Finding {
    let text = text.into();
    Finding { check, outcome, text }
}

/// How many are as bad as that.
pub(super) fn count(findings: &[Finding], outcome: Outcome) -> usize {
    findings.iter().filter(|f| f.outcome == outcome).count()
}

/// All of them, for eyes or for programs.
pub(super) fn printed(findings: &[Finding], format: Format) -> String {
    let (problems, warnings) = (count(findings, Outcome::Problem), count(findings, Outcome::Warning));
    if format == Format::Json {
        let checks: Vec<_> = findings
            .iter()
            .map(|f| json!({"check": f.check, "outcome": f.outcome.as_str(), "text": f.text}))
            .collect();
        let all = json!({"schema": 1, "problems": problems, "warnings": warnings, "checks": checks});
        return format!("{all}\n");
    }
    let mut text = String::new();
    for f in findings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:7}  {:13}  {}", f.outcome.as_str(), f.check, f.text);
    }
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let _ = writeln!(text, "\n{}, {}", many(problems, "problem"), many(warnings, "warning"));
    text
}
