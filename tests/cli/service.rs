//! A daemon among others: what systemd hears from it, and that nobody who stops reading its log stops it.

use super::ran;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// On `lo`, with a control socket `s` in this folder.
fn daemon(folder: &TempDir) -> Command {
    let config = folder.path().join("c.toml");
    let socket = folder.path().join("s");
    fs::write(
        &config,
        format!(
            "[sync]\ninterface = \"lo\"\n[control]\nsocket = \"{}\"\n",
            socket.display()
        ),
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
    command.args(["run", "-c"]).arg(config).stdin(Stdio::null());
    command
}

/// Where nobody may listen there is nothing to test.
fn may_listen() -> bool {
    let folder = TempDir::new().unwrap();
    let mut child = Owned(daemon(&folder).stderr(Stdio::piped()).spawn().unwrap());
    for _ in 0..2_000 {
        if folder.path().join("s").exists() {
            return true;
        }
        if child.0.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("neither did it start nor end");
}

#[test]
fn systemd_hears_that_it_is_ready_goes_round_and_ends() {
    if !may_listen() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = daemon(&folder);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut child = Owned(command.stderr(Stdio::null()).spawn().unwrap());
    let hears = |what: &str| {
        let mut heard = Vec::new();
        let mut octets = [0; 1024];
        loop {
            match manager.recv(&mut octets) {
                Ok(n) => heard.push(String::from_utf8_lossy(&octets[..n]).trim().to_owned()),
                Err(e) if e.kind() == ErrorKind::WouldBlock => panic!("no {what} among {heard:?}"),
                Err(e) => panic!("{e}"),
            }
            if heard.last().is_some_and(|l| l.contains(what)) {
                return;
            }
        }
    };
    hears("READY=1");
    hears("STATUS=observing: nothing will be done");
    hears("WATCHDOG=1");
    hears("WATCHDOG=1");
    let kill = |name: &str| {
        let line = format!("kill -{name} {}", child.0.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    };
    kill("HUP");
    hears("RELOADING=1");
    hears("READY=1");
    kill("TERM");
    hears("STOPPING=1");
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    if !may_listen() {
        return;
    }
    let folder = TempDir::new().unwrap();
    // Its end of the pipe stays open, and nobody ever reads.
    let (_reader, writer) = std::io::pipe().unwrap();
    #[cfg(target_os = "linux")]
    nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETPIPE_SZ(4096)).unwrap();
    let _child = Owned(daemon(&folder).stderr(writer).spawn().unwrap());
    let socket = folder.path().join("s");
    let ask = |arguments: &[&str]| {
        let mut command = super::pfwatch();
        ran(command.args(arguments).arg("--socket").arg(&socket))
    };
    while ask(&["status"]).code != 0 {
        std::thread::park_timeout(Duration::from_millis(10));
    }
    // A line each, of a hundred octets and more.
    for _ in 0..50 {
        assert_eq!(ask(&["maintenance", "on"]).code, 0);
        assert_eq!(ask(&["maintenance", "off"]).code, 0);
    }
    assert_eq!(ask(&["check", "--self", "--on-unreachable", "fail"]).code, 0);
}
