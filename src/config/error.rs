//! What can be wrong with a configuration, said so that the operator can go to the line and mend it.
//!
//! Made by every file of this room, printed by `cli`. Holds no rules of its own.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Line in the file, from 1.
    pub line: usize,
    /// The key as the operator would find it, such as `node[1].address`; empty for mistakes of TOML itself.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.key, self.message)
        }
    }
}

/// All mistakes of one file, in the order of the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    /// The file, where it came from one.
    pub path: Option<PathBuf>,
    /// At least one.
    pub errors: Vec<ConfigError>,
}

impl ConfigErrors {
    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }
}

impl fmt::Display for ConfigErrors {
    /// One line for each, `FILE:LINE: KEY: MESSAGE`, as compilers and editors know it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.errors.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            match &self.path {
                Some(path) => write!(f, "{}:{}: {error}", path.display(), error.line)?,
                None => write!(f, "line {}: {error}", error.line)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Why a configuration file gave no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It could not be read at all.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It holds octets that are no UTF-8.
    #[error("{} is not a text file in UTF-8, as a configuration must be", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// It says something that a configuration may not say.
    #[error(transparent)]
    Invalid(#[from] ConfigErrors),
}
