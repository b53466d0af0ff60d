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
    /// A new file that takes the place of what is there.
    File(PathBuf),
    /// What cannot be replaced: a pipe, a device, a file in a folder that is not ours to write to.
    Inside(PathBuf, File),
}

impl Target {
    /// Looks whether it can be written before the work begins, so that nobody waits for a result that cannot be kept; what
    /// is there stays there until there is a result. None of the `inputs` may be written over.
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
        // What a link leads to is replaced, not the link.
        let place = real(path).unwrap_or_else(|| path.to_owned());
        let cannot = |source| Failure::Write {
            path: path.to_owned(),
            source,
        };
        match fs::metadata(&place) {
            Ok(m) if !m.is_file() => Self::inside(&place).map_err(cannot),
            // A file that may not be written to is not replaced either, though its folder would allow it.
            Ok(_) => match (Self::inside(&place).map_err(cannot)?, whole::beside(&place)) {
                (_, Ok(_)) => Ok(Self::File(place)),
                (inside, Err(_)) => Ok(inside),
            },
            Err(_) => whole::beside(&place).map(|_| Self::File(place)).map_err(cannot),
        }
    }

    fn inside(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(Self::Inside(path.to_owned(), file))
    }

    /// A terminal reads it.
    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout) && io::stdout().is_terminal()
    }

    /// Writes the result: a file is there with all of it, or is as it was.
    pub(super) fn write(self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Stdout => Stream::flush(&mut text.as_bytes().to_vec()),
            Self::File(path) => whole::write(&path, text).map_err(|source| Failure::Write { path, source }),
            Self::Inside(path, mut file) => {
                // Not every file has a length to set: /dev/stdout and pipes are fine without.
                let regular = file.metadata().is_ok_and(|m| m.is_file());
                let cut = if regular { file.set_len(0) } else { Ok(()) };
                let written = cut.and_then(|()| file.write_all(text.as_bytes()));
                written.map_err(|source| Failure::Write { path, source })
            }
        }
    }
}

/// Files that are there as a whole or not at all.
mod whole {
    use std::fs::{self, File, OpenOptions};
    use std::io::{self, Write};
    use std::path::{Path, PathBuf};

    /// A file without a name that lasts; it is gone when this is, unless it was given its place.
    pub(super) struct Beside(PathBuf, File);

    impl Drop for Beside {
        fn drop(&mut self) {
            // It has moved, or nobody wants it.
            let _ = fs::remove_file(&self.0);
        }
    }

    /// In the same folder, where it can be moved from at once.
    pub(super) fn beside(path: &Path) -> io::Result<Beside> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let path = path.with_file_name(format!(".{name}.{}", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok(Beside(path, file))
    }

    pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
        let mut new = beside(path)?;
        if let Ok(old) = fs::metadata(path) {
            new.1.set_permissions(old.permissions())?;
        }
        new.1.write_all(text.as_bytes())?;
        new.1.sync_all()?;
        fs::rename(&new.0, path)
    }
}
