//! Asking the system: a short command through [`Run`], its answer as text, its failure as a sentence.
//!
//! Used by `boot`, `thing` and `preset`. It runs what it is given and understands none of it.

use super::run::{Job, Run};
use crate::config::model::Command;
use std::time::Duration;

/// ifconfig(8) and sysctl(8) answer at once; what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// A command that did not do what it was for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{command}` failed ({end}){}", said(output))]
pub struct AskError {
    /// As one would type it.
    pub command: String,
    /// How it ended.
    pub end: String,
    /// The first line that it wrote.
    pub output: String,
}

fn said(output: &str) -> String {
    if output.is_empty() {
        String::new()
    } else {
        format!(": {output}")
    }
}

/// Runs a program with its arguments and returns what it wrote.
///
/// # Errors
/// It could not be started, took too long or did not end with exit code 0.
pub fn ask(run: &mut dyn Run, argv: &[&str]) -> Result<String, AskError> {
    let words = argv.iter().map(|w| (*w).to_owned()).collect();
    ask_for(run, Command::Argv(words), argv.join(" "))
}

/// The same for a line of the shell.
///
/// # Errors
/// As [`ask`].
pub fn ask_shell(run: &mut dyn Run, line: &str) -> Result<String, AskError> {
    ask_for(run, Command::Shell(line.to_owned()), line.to_owned())
}

fn ask_for(run: &mut dyn Run, what: Command, typed: String) -> Result<String, AskError> {
    let done = run.run(&Job {
        command: what,
        env: Vec::new(),
        input: Vec::new(),
        timeout: PATIENCE,
    });
    let text = String::from_utf8_lossy(&done.output).into_owned();
    if done.end.ok() {
        return Ok(text);
    }
    Err(AskError {
        command: typed,
        end: done.end.to_string(),
        output: text.lines().next().unwrap_or_default().trim().to_owned(),
    })
}
