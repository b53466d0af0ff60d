//! What people and programs see of a running daemon: a real Prometheus scrapes it, a real browser opens its page, and every name
//! in grafana/ is one that it has.
//!
//! Needs root for the network namespace, and Prometheus, Chromium, tcpreplay, curl, openssl and Python with venv; `.ci/with test` installs
//! them on Debian. What is missing elsewhere is said, and that test left out; where CI is set it fails.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod ask;
mod browser;
#[path = "../run/cut.rs"]
mod cut;
mod grafana;
mod live;
#[path = "../run/namespace.rs"]
mod namespace;
mod prometheus;
mod tls;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Longer than anything takes that we wait for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file of this repository.
fn ours(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Whether a program can be started; says so if not, and fails where a change is judged.
fn have(test: &str, program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    let there = command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        namespace::left_out(test, &format!("it needs {program}"));
    }
    there
}

/// Asks again and again until there is an answer.
fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    const PAUSE: Duration = Duration::from_millis(100);
    let tries = PATIENCE.as_millis() / PAUSE.as_millis();
    for _ in 0..tries {
        if let Some(found) = answer() {
            return found;
        }
        thread::park_timeout(PAUSE);
    }
    panic!("waited in vain: {what}");
}
