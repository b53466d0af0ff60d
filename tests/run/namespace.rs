//! A network namespace with three pairs of virtual interfaces, and replays into them.
//!
//! The namespace belongs to the processes in it: when the last of them ends, however it ends, nothing is left.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

const MARK: &str = "PFWATCH_TEST_NAMESPACE";

pub(super) fn say(what: std::fmt::Arguments<'_>) {
    // Not captured, so that a test that is left out says so.
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// Runs the test again inside a namespace of its own; true if we are inside already. Where that cannot be, says why.
pub(super) fn inside(test: &str) -> bool {
    if std::env::var_os(MARK).is_some() {
        build();
        return true;
    }
    if let Some(reason) = missing() {
        say(format_args!("{test} is left out: {reason}"));
        return false;
    }
    let mut command = Command::new("unshare");
    command.arg("--net").arg(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", test]).env(MARK, "1");
    assert!(command.status().unwrap().success());
    false
}

/// Why there can be no namespace, if there is a reason.
fn missing() -> Option<String> {
    if fs::metadata("/proc/self").map(|m| m.uid()).ok() != Some(0) {
        return Some("it needs root".into());
    }
    for (tool, argument) in [("unshare", "--version"), ("ip", "-V"), ("tcpreplay", "--version")] {
        if quiet(Command::new(tool).arg(argument)).status().is_err() {
            return Some(format!("it needs {tool}"));
        }
    }
    let tried = quiet(Command::new("unshare").args(["--net", "ip", "link", "add", "pft", "type", "veth"])).status();
    let allowed = tried.is_ok_and(|status| status.success());
    (!allowed).then(|| "this system does not let it make a network namespace with virtual interfaces".into())
}

fn quiet(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// What is sent into `NET-in` is heard on `NET`.
fn build() {
    for net in super::cut::NETS {
        let far = format!("{net}-in");
        ip(&["link", "add", net, "type", "veth", "peer", "name", &far]);
        for end in [net, &far] {
            // Nothing but what is replayed shall be heard.
            fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").unwrap();
            ip(&["link", "set", end, "up"]);
        }
    }
}

fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().unwrap();
    assert!(status.success(), "ip {arguments:?}");
}

/// A process that does not outlive the test.
pub(super) struct Owned(pub(super) Child);

impl Drop for Owned {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Replays all files at once, each into its network, at the speed of the capture. Returns when the last is done.
pub(super) fn replay(files: &[PathBuf; 3], within: Duration) {
    let (done, wait) = channel();
    for (net, file) in super::cut::NETS.into_iter().zip(files) {
        let (mut child, done) = (Owned(start(net, file)), done.clone());
        thread::spawn(move || {
            let status = child.0.wait().unwrap();
            let _ = done.send((net, status));
        });
    }
    drop(done);
    await_all(&wait, within);
}

fn start(net: &str, file: &Path) -> Child {
    let mut command = Command::new("tcpreplay");
    command.args(["--quiet", "--preload-pcap", "--multiplier=1", "-i"]);
    command.arg(format!("{net}-in")).arg(file);
    quiet(&mut command).spawn().unwrap()
}

fn await_all(wait: &Receiver<(&str, std::process::ExitStatus)>, within: Duration) {
    for _ in super::cut::NETS {
        let (net, status) = wait.recv_timeout(within).unwrap();
        assert!(status.success(), "the replay into {net} failed");
    }
}
