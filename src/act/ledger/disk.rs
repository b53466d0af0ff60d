//! The ledger's file: whole or as it was, readable by its owner only, locked while we live.
//!
//! Used by the ledger alone, behind a trait so that tests can have it fail and die wherever they want. Octets in, octets
//! out; what they mean is not known here.

use super::LedgerError;
use nix::fcntl::{Flock, FlockArg};
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What no ledger fills; a larger file is cut and then not believed.
const LARGEST: u64 = 1 << 20;

/// The end of the name of one that was put aside.
const DAMAGED: &str = ".damaged";

/// Where the ledger lies.
pub trait Disk {
    /// What is there; none is not yet.
    ///
    /// # Errors
    /// It is there and cannot be read.
    fn load(&mut self) -> io::Result<Option<Vec<u8>>>;
    /// Replaces it, so that even after a loss of power there is the old one or the new one.
    ///
    /// # Errors
    /// It could not be made sure that the new one is there; the old one may be.
    fn store(&mut self, text: &[u8]) -> io::Result<()>;
    /// Puts it aside and tells where to.
    ///
    /// # Errors
    /// It cannot be moved.
    fn put_aside(&mut self) -> io::Result<String>;
    /// Where one lies that was put aside.
    fn aside(&self) -> Option<String>;
    /// Its name, for people.
    fn place(&self) -> String;
}

/// A file. The lock is on a file beside it, because the ledger itself is another file after every write.
#[derive(Debug)]
pub struct FileDisk {
    path: PathBuf,
    _lock: Flock<File>,
}

impl FileDisk {
    /// Makes the folder if need be and takes the lock, which ends with this value or with the process.
    ///
    /// # Errors
    /// The folder cannot be made, or another pfwatch has the lock.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let path = path.to_owned();
        let folder = folder(&path);
        if !folder.is_dir() {
            let made = DirBuilder::new().mode(0o700).create(folder);
            if let Err(source) = made {
                return Err(LedgerError::Folder { path, source });
            }
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(beside(&path, ".lock"));
        let file = match file {
            Ok(file) => file,
            Err(source) => return Err(LedgerError::Lock { path, source }),
        };
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self { path, _lock: lock }),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(LedgerError::Held { path }),
            Err((_, e)) => Err(LedgerError::Lock { path, source: e.into() }),
        }
    }
}

impl FileDisk {
    /// Something lies there, or was put aside there; or that cannot be told.
    #[must_use]
    pub fn is_there(path: &Path) -> bool {
        let absent = |p: &Path| p.symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
        !absent(path) || !absent(&beside(path, DAMAGED))
    }
}

impl Disk for FileDisk {
    fn load(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut octets = Vec::new();
        match File::open(&self.path) {
            Ok(file) => file.take(LARGEST).read_to_end(&mut octets)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        Ok(Some(octets))
    }

    fn store(&mut self, text: &[u8]) -> io::Result<()> {
        let new = beside(&self.path, ".new");
        // Left behind by a crash, or a trap: never written through.
        match fs::remove_file(&new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let written = write(&new, text).and_then(|()| fs::rename(&new, &self.path));
        if written.is_err() {
            // It may be all that fits on the disk.
            let _ = fs::remove_file(&new);
        }
        written?;
        // Without this the new name may be forgotten at a loss of power.
        File::open(folder(&self.path))?.sync_all()
    }

    fn put_aside(&mut self) -> io::Result<String> {
        let aside = beside(&self.path, DAMAGED);
        fs::rename(&self.path, &aside)?;
        Ok(aside.display().to_string())
    }

    fn aside(&self) -> Option<String> {
        let aside = beside(&self.path, DAMAGED);
        // A link that leads nowhere was put there by somebody, too.
        aside.symlink_metadata().is_ok().then(|| aside.display().to_string())
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Its folder; a bare name lies in the folder where we are.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}
