//! The options of a fence agent, from a file of their own: a password stands in it.
//!
//! Read anew for each fencing, so that a password that was changed needs no reload. Never prints what it has read.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// No options are longer; whoever names the wrong file shall not wait for it to be read.
const MOST: u64 = 64 << 10;
/// What pfwatch decides, under both names that agents know it by.
const OURS: [&str; 2] = ["action", "option"];

/// Why a file gave no options.
#[derive(Debug, thiserror::Error)]
pub(super) enum OptionsError {
    #[error("cannot read the agent's options in {} ({source})", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the agent's options in {} can be read or changed by everybody; chmod 0600 it", path.display())]
    Exposed { path: PathBuf },
    #[error("the agent's options in {} are longer than {MOST} octets; is it the right file?", path.display())]
    TooLong { path: PathBuf },
    #[error("line {line} of the agent's options in {} is not key=value; see the manual of the agent", path.display())]
    Line { path: PathBuf, line: usize },
}

/// Lines for an agent's standard input.
pub(super) struct Options(Vec<u8>);

impl Options {
    /// From the file, if there is one.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, OptionsError> {
        let Some(path) = path else {
            return Ok(Self(Vec::new()));
        };
        let unreadable = |source| OptionsError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o006 != 0 {
            return Err(OptionsError::Exposed { path: path.to_owned() });
        }
        let mut octets = Vec::new();
        file.take(MOST + 1).read_to_end(&mut octets).map_err(unreadable)?;
        if octets.len() as u64 > MOST {
            return Err(OptionsError::TooLong { path: path.to_owned() });
        }
        Self::parse(&octets).map_err(|line| OptionsError::Line {
            path: path.to_owned(),
            line,
        })
    }

    /// Whole lines, without comments, blanks around them, and an action; or the number of the line that is none.
    fn parse(octets: &[u8]) -> Result<Self, usize> {
        let mut kept = Vec::new();
        for (i, line) in octets.split(|b| *b == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let key = line.split(|b| *b == b'=').next().unwrap_or_default();
            if key.len() == line.len() || key.is_empty() {
                return Err(i + 1);
            }
            if !OURS.iter().any(|ours| key.trim_ascii() == ours.as_bytes()) {
                kept.extend(line);
                kept.push(b'\n');
            }
        }
        Ok(Self(kept))
    }

    /// All of it and what is to be done.
    pub(super) fn with_action(&self, action: &str) -> Vec<u8> {
        [&self.0, format!("action={action}\n").as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    fn written(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("options");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    fn given(text: &str) -> Result<String, String> {
        let (_folder, path) = written(text, 0o600);
        let options = Options::read(Some(&path)).map_err(|e| e.to_string())?;
        Ok(String::from_utf8(options.with_action("off")).unwrap())
    }

    #[test]
    fn the_action_is_ours() {
        let text =
            "# the BMC of fw2\nip=192.0.2.9\r\n\n  password=a = b # c\naction=on\n option = reboot\nactions=kept";
        let wanted = "ip=192.0.2.9\npassword=a = b # c\nactions=kept\naction=off\n";
        assert_eq!(given(text).unwrap(), wanted);
        assert_eq!(Options::read(None).unwrap().with_action("status"), b"action=status\n");
    }

    #[test]
    fn what_is_no_option_is_told_by_its_line_alone() {
        let why = given("ip=192.0.2.9\ns3cret\n").unwrap_err();
        assert!(why.contains("line 2 of") && !why.contains("s3cret"), "{why}");
        assert!(given("=x").is_err());
        assert!(given(&"a=b\n".repeat(20_000)).unwrap_err().contains("right file"));
    }

    #[test]
    fn a_file_that_everybody_can_read_or_change_is_refused() {
        for (mode, good) in [
            (0o600, true),
            (0o640, true),
            (0o644, false),
            (0o602, false),
            (0o604, false),
        ] {
            let (_folder, path) = written("ip=192.0.2.9\n", mode);
            assert_eq!(Options::read(Some(&path)).is_ok(), good, "{mode:o}");
        }
        let why = Options::read(Some(Path::new("/no/such/file")))
            .err()
            .unwrap()
            .to_string();
        assert!(why.contains("/no/such/file"), "{why}");
    }
}
