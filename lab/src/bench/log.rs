//! What a guard said: the JSON lines of `pfwatch run`.

use crate::error::LabError;
use serde_json::Value;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// One line that matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Unix time at which it was known.
    pub at: f64,
    /// `verdict`, `decision`, `action` and so on.
    pub event: String,
    /// The whole line.
    pub json: Value,
}

impl Said {
    /// A key as text; empty if there is none.
    #[must_use]
    pub fn word(&self, key: &str) -> &str {
        self.json.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Reads a log as far as it is written.
pub fn read(path: &Path) -> Result<Vec<Said>, LabError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
        Err(source) => {
            return Err(LabError::File {
                path: path.to_owned(),
                source,
            });
        }
    };
    let said = text.lines().filter_map(|line| {
        let json: Value = serde_json::from_str(line).ok()?;
        Some(Said {
            at: json.get("at").and_then(Value::as_f64).unwrap_or_default(),
            event: json.get("event")?.as_str()?.to_owned(),
            json,
        })
    });
    Ok(said.collect())
}
