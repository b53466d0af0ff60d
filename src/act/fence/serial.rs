//! A BREAK on the line to the peer's serial console, which drops a system into its debugger where that is allowed.
//!
//! The line must not become our controlling terminal, and a modem that is not there must not hold us up. What the other end
//! makes of it cannot be seen from here.

use crate::config::model::Fence;
use nix::sys::termios::{FlushArg, tcflush, tcsendbreak};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;

/// Sends it; why not, if not.
pub(super) fn send_break(fence: &Fence) -> Result<(), String> {
    let path = fence
        .device
        .clone()
        .ok_or("no line is configured; set `device` in [fence]")?;
    let shown = path.display().to_string();
    // The kernel waits for what is being sent, and for ever where flow control holds that back: in a thread of its own, so
    // that the timeout is one.
    let (tell, told) = sync_channel(1);
    thread::Builder::new()
        .name("break".into())
        .spawn(move || tell.send(open(&path).and_then(|line| on(&line))))
        .map_err(|e| format!("the system has no thread left ({e})"))?;
    match told.recv_timeout(fence.timeout) {
        Ok(result) => result.map_err(|why| format!("no BREAK on {shown}: {why}")),
        Err(RecvTimeoutError::Timeout) => Err(format!("no BREAK on {shown}: timeout")),
        Err(RecvTimeoutError::Disconnected) => Err(format!("no BREAK on {shown}")),
    }
}

/// Whether there is such a line. It is not opened: that would raise its signals.
pub(super) fn look(fence: &Fence) -> Result<String, String> {
    let path = fence.device.as_deref().unwrap_or(Path::new(""));
    let kind = std::fs::metadata(path).map(|m| m.file_type());
    if kind.is_ok_and(|k| k.is_char_device()) {
        Ok(format!(
            "there is a line {}; what its other end makes of a BREAK cannot be seen",
            path.display()
        ))
    } else {
        Err(format!(
            "{} is no serial line; name the tty that the console of the peer is on",
            path.display()
        ))
    }
}

fn open(path: &Path) -> Result<File, String> {
    let flags = nix::libc::O_NOCTTY | nix::libc::O_NONBLOCK;
    let opened = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
    opened.map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => "there is no such line; name the tty that the console of the peer is on".into(),
        io::ErrorKind::PermissionDenied => "permission denied; run pfwatch as a user who may write to it".into(),
        _ => format!("it cannot be opened ({e})"),
    })
}

fn on(line: &File) -> Result<(), String> {
    use nix::errno::Errno;
    let why = |e| match e {
        Errno::ENOTTY => "it is no serial line; name the tty that the console of the peer is on".to_owned(),
        other => format!("the line refuses it ({})", other.desc()),
    };
    // What others still want to say must not come first.
    tcflush(line, FlushArg::TCOFLUSH).map_err(why)?;
    // For as long as the system finds right: a quarter to half a second.
    tcsendbreak(line, 0).map_err(why)
}
