//! Programs that are run and waited for: `ip`, `nft`, `sysctl`.

use crate::error::LabError;
use std::process::{Command, Stdio};

/// Runs a program; what it says is the error if it fails, and the answer if it does not.
pub fn run(program: &str, arguments: &[&str]) -> Result<String, LabError> {
    let shown = || format!("{program} {}", arguments.join(" "));
    let fail = |said: String| LabError::Program { command: shown(), said };
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| fail(e.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(fail(if said.is_empty() {
        output.status.to_string()
    } else {
        said
    }))
}

/// The same with the words of a line as arguments.
pub fn line(line: &str) -> Result<String, LabError> {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or_default();
    run(program, &words.collect::<Vec<_>>())
}

/// The same inside a namespace.
pub fn within(namespace: &str, command: &str) -> Result<String, LabError> {
    line(&format!("ip netns exec {namespace} {command}"))
}

/// A rule or more for nft, which takes them as one argument.
pub fn nft(namespace: &str, rules: &str) -> Result<(), LabError> {
    run("ip", &["netns", "exec", namespace, "nft", rules]).map(drop)
}
