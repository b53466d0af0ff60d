//! A laboratory that runs: the network with its hosts, both firewalls with CARP and pfsync, and whoever guards them.

pub mod config;
pub mod guard;
pub mod log;
pub mod process;
pub mod service;

use crate::clock;
use crate::emit::Speech;
use crate::error::LabError;
use crate::net::fault::addresses;
use crate::net::plan::{Net, Node, Place};
use crate::net::{build, shell};
use clap::ValueEnum;
use guard::Guard;
use nix::fcntl::Flock;
use nix::unistd::Pid;
use process::{Process, spawn};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The scripts that are shipped: the laboratory uses exactly these.
const SCRIPTS: [(&str, &str); 3] = [
    ("carp", include_str!("../../../dist/ucarp/carp")),
    ("vip-up", include_str!("../../../dist/ucarp/vip-up")),
    ("vip-down", include_str!("../../../dist/ucarp/vip-down")),
];
/// Longer than anything takes that we wait for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a laboratory is.
#[derive(Clone, Debug, clap::Args)]
pub struct Setup {
    /// New flows each second
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    pub rate: f64,
    /// Which kernel the emitters speak like
    #[arg(long, value_enum, default_value_t)]
    pub speech: Speech,
    /// pfsync to the peer rather than to the group
    #[arg(long)]
    pub unicast: bool,
    /// The pfwatch to use [default: the one beside this program]
    #[arg(long, value_name = "FILE")]
    pub pfwatch: Option<PathBuf>,
}

/// See the module. Takes itself down when dropped.
#[derive(Debug)]
pub struct Bench {
    /// Which one.
    pub place: Place,
    /// What it is.
    pub setup: Setup,
    /// Who guards it.
    pub guard: Guard,
    hosts: Vec<Process>,
    emitters: Vec<Process>,
    guards: Vec<Process>,
    end: Arc<AtomicBool>,
    _lock: Flock<File>,
}

impl Bench {
    /// Builds everything and waits until the clients are served through fw1.
    pub fn up(place: Place, setup: Setup, guard: Guard, end: &Arc<AtomicBool>) -> Result<Self, LabError> {
        let lock = build::lock(&place)?;
        empty(&place)?;
        build::up(&place)?;
        let mut bench = Self {
            place,
            setup,
            guard,
            hosts: Vec::new(),
            emitters: Vec::new(),
            guards: Vec::new(),
            end: Arc::clone(end),
            _lock: lock,
        };
        bench.files()?;
        bench.hosts()?;
        for node in Node::ALL {
            bench.boot(node)?;
            bench.until("fw1 has both addresses", PATIENCE, |b| b.holder(Node::Fw1))?;
        }
        bench.until_served(Duration::from_secs(2))?;
        bench.guard()?;
        Ok(bench)
    }

    /// Whether a node has both shared addresses, and the other none.
    pub fn holder(&self, node: Node) -> Result<bool, LabError> {
        let has = addresses(&self.place, node)?;
        Ok(has == Net::SHARED && addresses(&self.place, node.peer())?.is_empty())
    }

    fn files(&self) -> Result<(), LabError> {
        let folder = self.place.folder();
        let write = |path: PathBuf, text: &str, mode: u32| {
            let done =
                fs::write(&path, text).and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)));
            done.map_err(|source| LabError::File { path, source })
        };
        for (name, text) in SCRIPTS {
            write(folder.join(name), text, 0o755)?;
        }
        write(folder.join("ping.sh"), guard::PING_SCRIPT, 0o755)?;
        write(folder.join("password"), "laboratory\n", 0o600)?;
        for node in Node::ALL {
            write(
                folder.join(format!("{}.carp", node.name())),
                &config::carp(&self.place, node),
                0o644,
            )?;
            let text = config::pfwatch(&self.place, node);
            write(folder.join(format!("{}.toml", node.name())), &text, 0o644)?;
        }
        Ok(())
    }

    fn hosts(&mut self) -> Result<(), LabError> {
        let rate = self.setup.rate.to_string();
        let service = self.service_file();
        let service = service.to_string_lossy();
        for (space, arguments) in [
            ("servers", vec!["serve"]),
            ("clients", vec!["clients", "--rate", &rate]),
            ("clients", vec!["user", "--out", &service]),
        ] {
            let process = self.own(space, arguments[0], &arguments)?;
            self.hosts.push(process);
        }
        Ok(())
    }

    /// Another part of this program, in a namespace.
    fn own(&self, space: &str, name: &str, arguments: &[&str]) -> Result<Process, LabError> {
        let program = std::env::current_exe()?;
        spawn(&self.place, space, name, &program, arguments)
    }

    /// Where the user writes.
    #[must_use]
    pub fn service_file(&self) -> PathBuf {
        self.place.folder().join("service")
    }

    /// Starts a firewall: pfsync and CARP, as at boot. Its guard is another matter.
    pub fn boot(&mut self, node: Node) -> Result<(), LabError> {
        self.start_emitter(node)?;
        self.carp(node, "start")
    }

    /// Starts the emitter of a node.
    pub fn start_emitter(&mut self, node: Node) -> Result<(), LabError> {
        let local = Net::SHARED.map(|n| format!("{},{}", n.own(node), n.shared())).join(",");
        let own = Net::Sync.own(node).to_string();
        let speech = self
            .setup
            .speech
            .to_possible_value()
            .map_or_else(String::new, |v| v.get_name().to_owned());
        let peer = Net::Sync.own(node.peer()).to_string();
        let mut arguments = vec![
            "emit",
            "--inside",
            "inside",
            "--outside",
            "outside",
            "--own",
            &own,
            "--local",
            &local,
            "--speech",
            &speech,
        ];
        if self.setup.unicast {
            arguments.extend(["--peer", &peer]);
        }
        let process = self.own(node.name(), &format!("{}.emit", node.name()), &arguments)?;
        self.emitters.push(process);
        Ok(())
    }

    /// What the script for CARP does on a node: start, promote, demote, restore, stop.
    pub fn carp(&self, node: Node, what: &str) -> Result<(), LabError> {
        let folder = self.place.folder();
        let script = folder.join("carp");
        let conf = folder.join(format!("{}.carp", node.name()));
        let space = self.place.namespace(node.name());
        shell::within(&space, &format!("{} -f {} {what}", script.display(), conf.display())).map(drop)
    }

    /// Everything on a node dies at once; its ports as well, since a dead host answers nothing.
    pub fn crash(&mut self, node: Node) -> Result<(), LabError> {
        let space = self.place.namespace(node.name());
        build::kill_all(&space);
        for net in Net::SHARED {
            // It may not have it.
            let _ = shell::line(&format!(
                "ip -n {space} address delete {}/32 dev {}",
                net.shared(),
                net.name()
            ));
        }
        let mine = |p: &&mut Process| p.name.starts_with(node.name());
        self.emitters
            .iter_mut()
            .chain(&mut self.guards)
            .filter(mine)
            .for_each(Process::reap);
        self.emitters.retain(|p| !p.name.starts_with(node.name()));
        Ok(())
    }

    /// Every ucarp of a node.
    #[must_use]
    pub fn ucarps(&self, node: Node) -> Vec<Pid> {
        let mut all = build::pids(&self.place.namespace(node.name()));
        all.retain(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|c| c == "ucarp\n"));
        all
    }

    /// Waits until the user was served for so long without a break.
    pub fn until_served(&self, length: Duration) -> Result<(), LabError> {
        self.until("the user is served", PATIENCE, |b| {
            service::served(&b.service_file(), length)
        })
    }

    /// Waits for something.
    pub fn until(
        &self,
        what: &str,
        patience: Duration,
        mut is: impl FnMut(&Self) -> Result<bool, LabError>,
    ) -> Result<(), LabError> {
        let begun = clock::now();
        while !is(self)? {
            if begun.elapsed() > patience {
                return Err(LabError::Never {
                    what: what.to_owned(),
                    seconds: patience.as_secs(),
                    log: self.place.folder(),
                });
            }
            self.pause(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Waits, unless a signal ends everything.
    pub fn pause(&self, length: Duration) -> Result<(), LabError> {
        let begun = clock::now();
        while let Some(left) = length.checked_sub(begun.elapsed()).filter(|l| !l.is_zero()) {
            if self.end.load(Ordering::Relaxed) {
                return Err(LabError::Ended);
            }
            clock::pause(left.min(Duration::from_millis(100)));
        }
        Ok(())
    }
}

/// Logs, ledgers and memories of another run are not ours. The lock stays.
fn empty(place: &Place) -> Result<(), LabError> {
    let fail = |source| LabError::File {
        path: place.folder(),
        source,
    };
    for entry in fs::read_dir(place.folder()).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let removed = match path.file_name() {
            Some(name) if name == "lock" => Ok(()),
            _ if path.is_dir() => fs::remove_dir_all(&path),
            _ => fs::remove_file(&path),
        };
        removed.map_err(fail)?;
    }
    Ok(())
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Whatever fails here is found by `clean`.
        let _ = build::down(&self.place);
        for process in self.hosts.iter_mut().chain(&mut self.emitters).chain(&mut self.guards) {
            process.reap();
        }
    }
}
