//! What ends a command early, as sentences and as an exit code.
//!
//! Made by the commands, reported once by `cli`. Files that cannot be read do not end a command: what is wrong with them
//! is reported after everything readable was shown (`report_problems`).

use super::exit;
use crate::capture::SourceError;
use crate::config::LoadError;
use std::error::Error;
use std::io;
use std::path::PathBuf;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// What was asked for makes no sense; the text says what would.
    #[error("{0}")]
    Usage(String),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] LoadError),
    /// A file that was asked for cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// As it was named.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The standard output does not take what we have; a reader that left is none of these.
    #[error("cannot write to the standard output")]
    Output(#[source] io::Error),
    /// Nobody reads any more: no reason to complain.
    #[error("nobody reads the output")]
    NobodyReads,
}

impl Failure {
    /// Says it and returns the exit code.
    pub(super) fn report(&self) -> u8 {
        match self {
            Self::NobodyReads => {}
            // One sentence for each mistake, each with its line.
            Self::Config(LoadError::Invalid(errors)) => {
                errors.to_string().lines().for_each(|line| tracing::error!("{line}"));
            }
            _ => tracing::error!("{}", sentence(self)),
        }
        let denied = |e: &io::Error| e.kind() == io::ErrorKind::PermissionDenied;
        match self {
            Self::NobodyReads => exit::OK,
            Self::Usage(_) => exit::USAGE,
            Self::Config(LoadError::Read { source, .. }) | Self::Write { source, .. } if denied(source) => {
                exit::PERMISSION
            }
            Self::Config(_) => exit::CONFIG,
            Self::Write { .. } | Self::Output(_) => exit::UNAVAILABLE,
        }
    }
}

impl From<io::Error> for Failure {
    /// For what is written to the standard output.
    fn from(e: io::Error) -> Self {
        if e.kind() == io::ErrorKind::BrokenPipe {
            Self::NobodyReads
        } else {
            Self::Output(e)
        }
    }
}

/// Says what was wrong with each file; the exit code is that of the first, if there is one.
pub(super) fn report_problems(problems: &[SourceError]) -> Option<u8> {
    for problem in problems {
        let text = sentence(problem);
        // `-` is how it was named, but no name to read.
        match text.strip_prefix("- ") {
            Some(rest) => tracing::error!("the standard input {rest}"),
            None => tracing::error!("{text}"),
        }
    }
    problems.first().map(|p| p.class().exit_code())
}

/// An error and its causes as one sentence, without the numbers that only programs know.
pub(super) fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let said = e.to_string();
        let said = said.split(" (os error").next().unwrap_or_default();
        let mut letters = said.chars();
        let first = letters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
        text = format!("{text}: {first}{}", letters.as_str());
        cause = e.source();
    }
    text
}
