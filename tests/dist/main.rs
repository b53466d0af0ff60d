//! What is shipped in dist/ is tried as far as this system allows: every script is run, every command in a file is run against
//! a daemon, and what only a BSD has is played by stubs. What needs a program that is not there says so and is left out.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

mod daemon;
mod ifstated;
mod install;
mod others;
mod rc;
mod scripts;
mod unit;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Where the binary is in every file that is shipped.
const INSTALLED: &str = "/usr/local/bin/pfwatch";
const BUILT: &str = env!("CARGO_BIN_EXE_pfwatch");

/// A file of dist/.
fn dist(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dist").join(name)
}

fn read(name: &str) -> String {
    let path = dist(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn say(what: std::fmt::Arguments<'_>) {
    // Not captured, so that a test that is left out says so.
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// That program is here; otherwise it is said that the test is left out.
fn here(program: &str, test: &str) -> bool {
    let tried = Command::new(program).arg("--version").output();
    if tried.is_err() {
        say(format_args!("{test} is left out: it needs {program}"));
    }
    tried.is_ok()
}

/// What came of a command: exit code, standard output, standard error.
fn ran(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A folder with programs that only tell how they were called, and scripts that find those first.
struct Stage {
    folder: TempDir,
}

impl Stage {
    /// Each stub writes its name and its arguments into `called`; then it does what the text says.
    fn new(stubs: &[(&str, &str)]) -> Self {
        let stage = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::create_dir(stage.path("bin")).unwrap();
        for (name, does) in stubs {
            let called = stage.path("called");
            let text = format!("#!/bin/sh\necho {name} \"$@\" >>'{}'\n{does}\n", called.display());
            stage.script(&format!("bin/{name}"), &text);
        }
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A shell, with the stubs before everything else.
    fn sh(&self) -> Command {
        let mut command = Command::new("sh");
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.path("bin").display()));
        command
    }

    /// What the stubs were called with since this was last asked.
    fn called(&self) -> Vec<String> {
        let path = self.path("called");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        text.lines().map(str::to_owned).collect()
    }
}
