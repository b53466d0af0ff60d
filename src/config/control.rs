//! Where the control socket is, for a client in a hurry: one key of a file that may be wrong, missing or not a file.
//!
//! Used by the commands that talk to the daemon. They must find it while the file is being edited, so nothing is checked
//! and nothing is ever an error; what cannot be found is the default.

use super::model::Control;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// No configuration is longer.
const LONGEST: u64 = 1 << 20;

/// The socket that this configuration names.
#[must_use]
pub fn socket_in(file: &Path) -> PathBuf {
    let text = text(file).unwrap_or_default();
    named(&text).unwrap_or_else(|| Control::default().socket)
}

/// A pipe would be waited for, so only of a regular file.
fn text(file: &Path) -> Option<String> {
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut octets = Vec::new();
    File::open(file).ok()?.take(LONGEST).read_to_end(&mut octets).ok()?;
    Some(String::from_utf8_lossy(&octets).into_owned())
}

/// The grammar is TOML's own, whose parser goes on after a mistake: a search for a line that begins with `socket` would
/// fall for strings and comments.
fn named(text: &str) -> Option<PathBuf> {
    let (root, _) = DeTable::parse_recoverable(text);
    let DeValue::Table(control) = root.get_ref().get("control")?.get_ref() else {
        return None;
    };
    let DeValue::String(path) = control.get("socket")?.get_ref() else {
        return None;
    };
    path.starts_with('/').then(|| PathBuf::from(path.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_in_whatever_state_the_file_is() {
        let mine = Some(PathBuf::from("/tmp/x.sock"));
        let table = [
            ("[control]\nsocket = \"/tmp/x.sock\"", mine.clone()),
            ("control.socket = '/tmp/x.sock'", mine.clone()),
            (
                "[control]\nsocket = \"/tmp/x.sock\"\n[detect]\nrisk = 1 per 10y\n[nonsense]\n",
                mine.clone(),
            ),
            (
                "[detect]\nmin = \"x\"\n[control]\nsokcet = 1\nsocket = \"/tmp/x.sock\"",
                mine,
            ),
            ("[control]\n#socket = \"/tmp/x.sock\"", None),
            ("[web]\nsocket = \"/tmp/x.sock\"", None),
            ("[control]\nsocket = 7", None),
            ("[control]\nsocket = \"x.sock\"", None),
            ("control = 1", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(named(text), expected, "{text}");
        }
        for file in ["/no/such/file", "/dev/null", "/"] {
            assert_eq!(socket_in(Path::new(file)), Control::default().socket);
        }
    }
}
