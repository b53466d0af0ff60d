//! A running `pfwatch run` whose log is read while it is written.

use super::namespace::Owned;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than anything takes that we wait for.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Daemon {
    process: Owned,
    lines: Receiver<Value>,
    /// Everything that was read.
    pub(super) log: Vec<Value>,
}

impl Daemon {
    /// With its memory in `state`.
    pub(super) fn start(config: &Path, state: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfwatch"));
        command.args(["run", "-v", "--log-format", "json", "-c"]).arg(config);
        command.arg("--state").arg(state);
        // Not the usual one, which may be that of a real daemon.
        command.arg("--socket").arg(state.with_extension("sock"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = Owned(command.spawn().unwrap());
        let (out, lines) = channel();
        let log = BufReader::new(process.0.stderr.take().unwrap());
        thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                let _ = out.send(serde_json::from_str(&line).unwrap_or(Value::String(line)));
            }
        });
        Self {
            process,
            lines,
            log: Vec::new(),
        }
    }

    /// Reads on until a line has this text.
    pub(super) fn until(&mut self, text: &str) {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no line with `{text}` came after {:#?}", self.log);
            };
            self.log.push(line);
            if self.log.last().unwrap()["text"]
                .as_str()
                .is_some_and(|t| t.contains(text))
            {
                return;
            }
        }
    }

    pub(super) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.0.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Ends it by a signal and reads the rest of the log. Tells the exit code, and how long it took.
    #[expect(clippy::disallowed_methods, reason = "a test of how long something takes")]
    pub(super) fn end(mut self, signal: &str) -> (Option<i32>, Duration, Vec<Value>) {
        let asked = Instant::now();
        self.signal(signal);
        let status = self.process.0.wait().unwrap();
        let took = asked.elapsed();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.log.push(line);
        }
        (status.code(), took, std::mem::take(&mut self.log))
    }
}
