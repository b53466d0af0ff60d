//! Where results go: the standard output or a file.
//!
//! Used by the commands. A reader that leaves (`| head`) ends the command without a word; that rule is in `failure`.

use super::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Written out when this much has come together.
const FULL: usize = 64 * 1024;

/// The standard output, whose buffer the writer of frames fills itself.
pub(super) struct Stream {
    /// Whoever sits there wants to see each frame when it is known.
    impatient: bool,
}

impl Stream {
    pub(super) fn new() -> Self {
        Self {
            impatient: io::stdout().is_terminal(),
        }
    }

    /// Writes `buffer` out if it is time to, and empties it then.
    pub(super) fn offer(&self, buffer: &mut Vec<u8>) -> Result<(), Failure> {
        if buffer.len() < FULL && !self.impatient {
            Ok(())
        } else {
            Self::flush(buffer)
        }
    }

    /// Writes everything out.
    pub(super) fn flush(buffer: &mut Vec<u8>) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(buffer)?;
        out.flush()?;
        buffer.clear();
        Ok(())
    }
}

/// Where one result goes as a whole.
pub(super) enum Target {
    Stdout,
    File(PathBuf, File),
}

impl Target {
    /// Opens it before the work begins, so that nobody waits for a result that cannot be kept; what is in the file
    /// stays there until there is a result. None of the `inputs` may be written over.
    pub(super) fn open(path: Option<&Path>, inputs: &[PathBuf]) -> Result<Self, Failure> {
        let Some(path) = path.filter(|p| *p != Path::new("-")) else {
            return Ok(Self::Stdout);
        };
        let real = |p: &Path| fs::canonicalize(p).ok();
        if let Some(same) = real(path)
            && inputs.iter().any(|i| real(i).as_ref() == Some(&same))
        {
            let path = path.display();
            return Err(Failure::Usage(format!(
                "-o {path} would write over an input: name another file"
            )));
        }
        match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
            Ok(file) => Ok(Self::File(path.to_owned(), file)),
            Err(source) => Err(Failure::Write {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// A terminal reads it.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout) && io::stdout().is_terminal()
    }

    /// Writes the result.
    pub(super) fn write(self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Stdout => Stream::flush(&mut text.as_bytes().to_vec()),
            Self::File(path, mut file) => {
                // Not every file has a length to set: /dev/stdout and pipes are fine without.
                let regular = file.metadata().is_ok_and(|m| m.is_file());
                let cut = if regular { file.set_len(0) } else { Ok(()) };
                let written = cut.and_then(|()| file.write_all(text.as_bytes()));
                written.map_err(|source| Failure::Write { path, source })
            }
        }
    }
}
