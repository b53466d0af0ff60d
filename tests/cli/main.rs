//! The real binary: what it prints, what it says, and with which exit code it ends.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod analyze;
mod contract;
mod control;
mod decode;
mod doctor;
mod html;
mod service;
mod simulate;
#[cfg(target_os = "linux")]
mod watch;
mod wrong;

use assert_cmd::Command;
use std::path::PathBuf;

/// Two nodes with a socket for everything: `awan_port_dead` as it is shipped.
pub(crate) const PORT_DEAD: &str = "openbsd-pair/awan_port_dead";

/// A file of captures/.
pub(crate) fn capture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures").join(name)
}

/// The binary in a known environment.
pub(crate) fn pfwatch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
    command.env_clear().env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command
}

/// What came of it.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs with arguments, the paths among them as they are.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Ran {
    ran(pfwatch().args(arguments))
}

/// `analyze` of the shipped pair with both segments, beside the backup.
pub(crate) fn port_dead() -> Command {
    let mut command = pfwatch();
    let file = |end: &str| capture(&format!("{PORT_DEAD}.{end}")).display().to_string();
    command
        .arg("analyze")
        .arg(file("sync.pcap.zst"))
        .arg("-c")
        .arg(capture("openbsd-pair/pair.toml"));
    command.args(["--self", "172.16.0.2"]);
    for name in ["lan", "wan"] {
        command
            .arg("--segment")
            .arg(format!("{name}={}", file(&format!("{name}.carp.pcap"))));
    }
    command
}

/// A capture in the classic format.
pub(crate) fn pcap(link: u32, frames: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 65_535, link] {
        out.extend(word.to_le_bytes());
    }
    for (i, frame) in (0..).zip(frames) {
        let length = u32::try_from(frame.len()).unwrap();
        for word in [1_790_000_000_u32 + i, 0, length, length] {
            out.extend(word.to_le_bytes());
        }
        out.extend(*frame);
    }
    out
}

/// An Ethernet frame with a TCP segment in it: nothing of ours.
pub(crate) fn tcp() -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([
        8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2,
    ]);
    frame.extend([0, 80, 4, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0, 0, 0, 0, 0, 0]);
    frame
}
