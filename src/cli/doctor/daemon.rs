//! The daemon and what it left behind: whether it answers, and what its ledger holds. Neither is touched.

use super::super::failure::sentence;
use super::configuration::acts;
use super::finding::{Finding, ok, problem, warning};
use crate::act::boot::this_boot;
use crate::act::ledger::disk::Disk;
use crate::act::ledger::{Ledger, LedgerError};
use crate::act::run::Run;
use crate::config::Config;
use crate::control::client::{Absent, converse};
use crate::control::{Clock, Reply, Request};
use crate::status::role::role;
use crate::status::{Node, Status};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A daemon answers within 50 ms.
const PATIENCE: Duration = Duration::from_secs(2);

/// See the module.
pub(super) fn check(config: &Config, run: &mut dyn Run) -> Vec<Finding> {
    let mut all = vec![answers(&config.control.socket)];
    all.extend(ledger(config, run));
    all
}

fn answers(socket: &Path) -> Finding {
    const NAME: &str = "daemon";
    let clock = Clock::start();
    let until = clock.now() + PATIENCE;
    let path = socket.display();
    match converse(socket, &Request::Status, &clock, until) {
        Ok(Reply::Status { status }) if status.stuck => problem(
            NAME,
            format!(
                "pfwatch {} answers on {path} and hangs: look at its log, and start it again",
                status.version
            ),
        ),
        Ok(Reply::Status { status }) if status.version != env!("CARGO_PKG_VERSION") => warning(
            NAME,
            format!(
                "pfwatch {} answers on {path}, and this is {}: start it again after an update",
                status.version,
                env!("CARGO_PKG_VERSION")
            ),
        ),
        Ok(Reply::Status { status }) => says(&status),
        Err(Absent::Nobody) => warning(NAME, format!("no pfwatch answers on {path}: start `pfwatch run`")),
        Err(Absent::Denied) => warning(NAME, format!("you may not ask on {path}: run this as root")),
        Err(Absent::Late) => problem(
            NAME,
            format!("pfwatch does not answer on {path}: it may hang, so look at its log"),
        ),
        Ok(_) | Err(_) => problem(
            NAME,
            format!("what answers on {path} does not speak as pfwatch does: name another `socket` in [control]"),
        ),
    }
}

/// What the daemon knows stands in `status`; that a firewall is down is worth a word here too.
fn says(status: &Status) -> Finding {
    const NAME: &str = "daemon";
    let down: Vec<&str> = status
        .firewalls()
        .filter(|n| n.health == "down")
        .map(Node::label)
        .collect();
    let role = role(status);
    if down.is_empty() {
        return ok(NAME, format!("pfwatch runs, and this node {role}"));
    }
    let text = format!(
        "pfwatch runs, this node {role}, and {} is DOWN: see `pfwatch status`",
        down.join(" and ")
    );
    problem(NAME, text)
}

fn ledger(config: &Config, run: &mut dyn Run) -> Option<Finding> {
    const NAME: &str = "ledger";
    let path = &config.actions.ledger;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let place = path.display();
    if acts(config) && !folder.is_dir() && !folder.parent().is_some_and(Path::is_dir) {
        return Some(problem(
            NAME,
            format!("the folder of the ledger {place} cannot be made, so nothing could be done: make its parent"),
        ));
    }
    let ledger = match Ledger::open(Box::new(Untouched(path.clone()))) {
        Ok(ledger) => ledger,
        Err(LedgerError::Read { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            return Some(warning(
                NAME,
                format!("the ledger {place} is not for this user: run this as root"),
            ));
        }
        Err(e) => return Some(problem(NAME, sentence(&e))),
    };
    // Where the boot is not known nothing is void.
    let entries = match this_boot(run) {
        Ok(boot) => ledger.standing(&boot).entries,
        Err(_) => ledger.entries().to_vec(),
    };
    match (entries.last(), entries.len()) {
        (Some(last), n) => Some(warning(
            NAME,
            format!(
                "this node was {} by pfwatch, with {n} {} to take back: `pfwatch undo` does that",
                last.role,
                if n == 1 { "change" } else { "changes" }
            ),
        )),
        (None, _) => acts(config).then(|| ok(NAME, "there is nothing to take back")),
    }
}

/// The ledger's file, looked at alone: a daemon that holds it is not disturbed, and nothing is put aside.
struct Untouched(PathBuf);

impl Disk for Untouched {
    fn load(&mut self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(&self.0) {
            Ok(octets) => Ok(Some(octets)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn store(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn put_aside(&mut self) -> io::Result<String> {
        Err(io::Error::other(
            "it is damaged; the daemon puts it aside when it starts",
        ))
    }

    fn aside(&self) -> Option<String> {
        let mut name = self.0.clone().into_os_string();
        name.push(".damaged");
        let aside = PathBuf::from(name);
        aside.symlink_metadata().is_ok().then(|| aside.display().to_string())
    }

    fn place(&self) -> String {
        self.0.display().to_string()
    }
}
