//! A network namespace with three pairs of virtual interfaces, and a replay into them.
//!
//! The namespace belongs to the processes in it: when the last of them ends, however it ends, nothing is left.

use super::cut::{NETS, Sent};
use pcap::Capture;
use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

const MARK: &str = "PFWATCH_TEST_NAMESPACE";

pub(super) fn say(what: std::fmt::Arguments<'_>) {
    // Not captured, so that a test that is left out says so.
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// Says why a test is left out. Where a change is judged nothing may be: a test that silently tests nothing is none.
pub(super) fn left_out(test: &str, reason: &str) {
    assert!(
        std::env::var_os("CI").is_none(),
        "{test} cannot be left out here: {reason}"
    );
    say(format_args!("{test} is left out: {reason}"));
}

/// Runs the test again inside a namespace of its own; true if we are inside already. Where that cannot be, says why.
pub(super) fn inside(test: &str) -> bool {
    if std::env::var_os(MARK).is_some() {
        build();
        return true;
    }
    if let Some(reason) = missing() {
        left_out(test, &reason);
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
    for (tool, argument) in [("unshare", "--version"), ("ip", "-V")] {
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
    for net in NETS {
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

/// Sends each frame into its network when its time has come. One clock for all networks, and no time relative to the frame
/// before: who is late once catches up. Three of tcpreplay drift apart on a busy host, by a second or two in a minute.
#[expect(clippy::disallowed_methods, reason = "the clock of a replay")]
pub(super) fn replay(frames: &[Sent]) {
    let open = |net| {
        Capture::from_device(format!("{net}-in").as_str())
            .unwrap()
            .open()
            .unwrap()
    };
    let mut nets = NETS.map(open);
    let start = Instant::now();
    for (at, net, data) in frames {
        while let Some(wait) = at.checked_sub(start.elapsed()).filter(|w| !w.is_zero()) {
            thread::park_timeout(wait);
        }
        nets[*net].sendpacket(data.as_slice()).unwrap();
    }
}
