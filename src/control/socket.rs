//! The socket's file: made so that it is never open to more than it should be, and taken away by whoever made it.
//!
//! Used by the server. A file that a dead daemon left is replaced; one that somebody answers on is not.

use super::client::{self, Absent};
use super::clock::Clock;
use super::server::ServerError;
use nix::sys::socket::{Backlog, listen};
use nix::unistd::Group;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Owner and group may ask.
const MODE: u32 = 0o660;
/// Who waits in a longer queue has no time left when his turn comes.
const QUEUE: i32 = 128;
/// A living daemon answers sooner; one that takes longer is alive all the same.
const PATIENCE: Duration = Duration::from_millis(500);

/// A listening socket's file.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode: another daemon may have put its own there since.
    id: (u64, u64),
}

impl SocketFile {
    /// Makes it, and listens.
    pub(super) fn make(path: &Path, group: Option<&str>) -> Result<(Self, UnixListener), ServerError> {
        let failed = |source: io::Error| ServerError::Make {
            path: path.to_owned(),
            source,
        };
        vacant(path)?;
        let gid = match group {
            None => None,
            Some(name) => match Group::from_name(name) {
                Ok(Some(group)) => Some(group.gid.as_raw()),
                _ => return Err(ServerError::Group(name.to_owned())),
            },
        };
        // Under a name of its own until everything is right: what stands under the real one is ready to be used.
        let mut new = path.as_os_str().to_owned();
        new.push(format!(".{}", std::process::id()));
        let new = PathBuf::from(new);
        remove(&new).map_err(failed)?;
        let listener = UnixListener::bind(&new).map_err(failed)?;
        let ready = || {
            if gid.is_some() {
                chown(&new, None, gid)?;
            }
            fs::set_permissions(&new, Permissions::from_mode(MODE))?;
            listener.set_nonblocking(true)?;
            listen(&listener, Backlog::new(QUEUE)?)?;
            let id = identity(&new)?;
            fs::rename(&new, path)?;
            Ok(id)
        };
        match ready() {
            Ok(id) => {
                let path = path.to_owned();
                Ok((Self { path, id }, listener))
            }
            Err(e) => {
                // What cannot be used helps nobody.
                let _ = fs::remove_file(&new);
                Err(failed(e))
            }
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|id| id == self.id) {
            // If it stays, the next daemon replaces it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|m| (m.dev(), m.ino()))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Nothing is there, or only what a dead daemon left.
fn vacant(path: &Path) -> Result<(), ServerError> {
    match fs::symlink_metadata(path) {
        Ok(m) if m.file_type().is_socket() => {}
        Ok(_) => return Err(ServerError::NoSocket(path.to_owned())),
        Err(_) => return Ok(()),
    }
    let clock = Clock::start();
    match client::connect(path, &clock, clock.now() + PATIENCE) {
        Err(Absent::Nobody) => Ok(()),
        Err(Absent::Denied) => Err(ServerError::Make {
            path: path.to_owned(),
            source: io::ErrorKind::PermissionDenied.into(),
        }),
        Ok(_) | Err(_) => Err(ServerError::Taken(path.to_owned())),
    }
}
