//! Who looks after the pair: pfwatch, pfwatch that only observes, a ping script, or nobody but CARP.

use super::process::{Process, spawn};
use super::{Bench, LabError};
use crate::net::plan::{Net, Node, TARGET, client};
use crate::net::shell;
use clap::ValueEnum;
use nix::sys::signal::Signal;
use std::fs;
use std::path::{Path, PathBuf};

/// What people write today.
pub(super) const PING_SCRIPT: &str = include_str!("ping.sh");

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Guard {
    /// pfwatch on both nodes.
    Pfwatch,
    /// pfwatch on both nodes, which does nothing.
    Observe,
    /// A script on both nodes that pings every 10 s.
    Ping,
    /// CARP alone.
    Nobody,
}

impl Bench {
    /// Starts whoever guards.
    pub fn guard(&mut self) -> Result<(), LabError> {
        Node::ALL.iter().try_for_each(|node| self.start_guard(*node))
    }

    /// Starts the guard of one node.
    pub fn start_guard(&mut self, node: Node) -> Result<(), LabError> {
        let name = format!("{}.guard", node.name());
        self.guards.retain(|p| p.name != name);
        let folder = self.place.folder();
        let file = |what: &str| {
            folder
                .join(format!("{}.{what}", node.name()))
                .to_string_lossy()
                .into_owned()
        };
        let process = match self.guard {
            Guard::Nobody => return Ok(()),
            Guard::Ping => {
                let arguments = [file("carp"), TARGET.to_string(), client(0).to_string()];
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
                spawn(&self.place, node.name(), &name, &folder.join("ping.sh"), &arguments)?
            }
            Guard::Pfwatch | Guard::Observe => {
                let (config, memory, socket) = (file("toml"), file("memory"), file("sock"));
                let mut arguments = vec!["run", "-v", "--log-format", "json", "-c", &config];
                arguments.extend(["--state", &memory, "--socket", &socket]);
                if self.guard == Guard::Observe {
                    arguments.push("--dry-run");
                }
                spawn(&self.place, node.name(), &name, &self.pfwatch()?, &arguments)?
            }
        };
        self.guards.push(process);
        Ok(())
    }

    /// Sends a signal to the guard of a node.
    pub fn signal_guard(&self, node: Node, signal: Signal) {
        if let Some(process) = self.guard_of(node) {
            process.signal(signal);
        }
    }

    /// Ends the guard of a node: SIGTERM, and waits; or SIGKILL.
    pub fn end_guard(&mut self, node: Node, kindly: bool) {
        let name = format!("{}.guard", node.name());
        for process in self.guards.iter_mut().filter(|p| p.name == name) {
            if kindly {
                process.end();
            } else {
                process.reap();
            }
        }
        self.guards.retain(|p| p.name != name);
    }

    fn guard_of(&self, node: Node) -> Option<&Process> {
        let name = format!("{}.guard", node.name());
        self.guards.iter().find(|p| p.name == name)
    }

    /// What a node's guard logs.
    #[must_use]
    pub fn guard_log(&self, node: Node) -> PathBuf {
        self.place.folder().join(format!("{}.guard.log", node.name()))
    }

    /// `pfwatch undo` on a node, as an operator would type it; nothing where another guard is.
    pub fn undo(&self, node: Node) -> Result<(), LabError> {
        if self.guard != Guard::Pfwatch {
            return Ok(());
        }
        let config = self.place.folder().join(format!("{}.toml", node.name()));
        let command = format!("{} undo -c {}", self.pfwatch()?.display(), config.display());
        shell::within(&self.place.namespace(node.name()), &command).map(drop)
    }

    /// The pfwatch that is used.
    pub fn pfwatch(&self) -> Result<PathBuf, LabError> {
        let beside = || std::env::current_exe().map(|me| me.with_file_name("pfwatch"));
        let path = self.setup.pfwatch.clone().map_or_else(beside, Ok)?;
        if path.exists() {
            return Ok(path);
        }
        Err(LabError::Missing(format!(
            "there is no {}: build pfwatch first, or name it with --pfwatch",
            path.display()
        )))
    }

    /// Forgets what a guard that has ended did, but not what it learned: ledgers and logs.
    pub fn forget(&self) -> Result<(), LabError> {
        for node in Node::ALL {
            for path in [self.guard_log(node), self.ledger(node)] {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// Where a node's ledger is.
    #[must_use]
    pub fn ledger(&self, node: Node) -> PathBuf {
        self.place.folder().join(format!("{}.ledger", node.name()))
    }

    /// The address that the sync net knows a node by.
    #[must_use]
    pub fn address(node: Node) -> String {
        Net::Sync.own(node).to_string()
    }
}

fn remove(path: &Path) -> Result<(), LabError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(LabError::File {
            path: path.to_owned(),
            source,
        }),
        _ => Ok(()),
    }
}
