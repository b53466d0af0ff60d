//! Reading a secret from its own file, so that the configuration can be shown to anybody.
//!
//! Called by `cli` for the segments' CARP passwords. Never prints what it has read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No password is longer; whoever names the wrong file shall not wait for it to be read.
const MOST: u64 = 4096;

/// Why a file gave no password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It could not be read.
    #[error("cannot read the password file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing on its first line.
    #[error("the password file {} has an empty first line; write the password there", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Anybody may read it.
    #[error("the password file {} can be read by everybody; chmod 0600 it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// More on its first line than any password has.
    #[error("the first line of the password file {} is longer than {MOST} octets; is it the right file?", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}

/// The first line of the file, without its line end.
///
/// # Errors
/// It cannot be read, is open to everybody, or has nothing on its first line.
pub fn read_password(path: &Path) -> Result<Vec<u8>, PasswordError> {
    let unreadable = |source| PasswordError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    if is_exposed(&file).map_err(unreadable)? {
        return Err(PasswordError::Exposed { path: path.to_owned() });
    }
    let mut octets = Vec::new();
    file.take(MOST + 1).read_to_end(&mut octets).map_err(unreadable)?;
    let cut = octets.iter().position(|b| *b == b'\n').unwrap_or(octets.len());
    if cut as u64 > MOST {
        return Err(PasswordError::TooLong { path: path.to_owned() });
    }
    octets.truncate(cut);
    if octets.last() == Some(&b'\r') {
        octets.pop();
    }
    if octets.is_empty() {
        Err(PasswordError::Empty { path: path.to_owned() })
    } else {
        Ok(octets)
    }
}

/// Others than the owner and the group may read it.
#[cfg(unix)]
fn is_exposed(file: &File) -> std::io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o004 != 0)
}

/// No such thing here.
#[cfg(not(unix))]
fn is_exposed(_: &File) -> std::io::Result<bool> {
    Ok(false)
}
