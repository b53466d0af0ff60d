//! What the user felt, from what the user wrote.

use crate::clock;
use crate::error::LabError;
use crate::traffic::user::{EVERY, PATIENCE};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// One try.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Try {
    /// Unix time.
    pub at: f64,
    /// Somebody answered.
    pub served: bool,
}

/// All tries so far, by time.
pub fn tries(path: &Path) -> Result<Vec<Try>, LabError> {
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
    let mut tries: Vec<Try> = text.lines().filter_map(parse).collect();
    tries.sort_by(|a, b| a.at.total_cmp(&b.at));
    Ok(tries)
}

fn parse(line: &str) -> Option<Try> {
    let (at, served) = line.split_once(' ')?;
    Some(Try {
        at: at.parse().ok()?,
        served: match served {
            "1" => true,
            "0" => false,
            _ => return None,
        },
    })
}

/// Whether all tries of the last `length` were served, as far as is known: the newest may still be open.
pub fn served(path: &Path, length: Duration) -> Result<bool, LabError> {
    let end = clock::unix() - PATIENCE.as_secs_f64();
    let from = end - length.as_secs_f64();
    let all = tries(path)?;
    let mut within = all.iter().filter(|t| t.at >= from && t.at <= end).peekable();
    Ok(within.peek().is_some() && within.all(|t| t.served))
}

/// Seconds without service between two moments: each try that failed stands for the tenth of a second that it began.
#[must_use]
pub fn seconds_without(tries: &[Try], from: f64, to: f64) -> f64 {
    let failed = tries.iter().filter(|t| t.at >= from && t.at < to && !t.served).count();
    u32::try_from(failed).map_or(f64::INFINITY, f64::from) * EVERY.as_secs_f64()
}

/// When the last try of a span failed, if one did.
#[must_use]
pub fn last_failure(tries: &[Try], from: f64, to: f64) -> Option<f64> {
    tries
        .iter()
        .rfind(|t| t.at >= from && t.at < to && !t.served)
        .map(|t| t.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_counts_for_the_moment_at_which_it_was_made() {
        let lines = [
            "10.000 1", "10.100 0", "10.300 1", "10.200 0", "11.000 0", "half", "12 2",
        ];
        let mut tries: Vec<Try> = lines.iter().filter_map(|l| parse(l)).collect();
        tries.sort_by(|a, b| a.at.total_cmp(&b.at));
        assert_eq!(tries.len(), 5);
        assert!((seconds_without(&tries, 10.0, 11.0) - 0.2).abs() < 1e-9);
        assert!((seconds_without(&tries, 10.15, 12.0) - 0.2).abs() < 1e-9);
        assert_eq!(last_failure(&tries, 10.0, 11.0), Some(10.2));
        assert_eq!(last_failure(&tries, 10.25, 11.0), None);
    }
}
