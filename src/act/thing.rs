//! What we change in a system, and the commands that read it, change it and change it back.
//!
//! Planned by `preset`, kept in the `ledger`, carried out by `change`. The ledger keeps WHAT was changed, never a command:
//! whoever can write that file still cannot have a program of his run. Nothing here decides whether to undo.

use super::ask::{AskError, ask, ask_shell};
use super::preset::{freebsd, openbsd};
use super::run::Run;
use serde::{Deserialize, Serialize};
use std::fmt;

/// While it exists, the shipped script in rc.carp_service_status.d answers that this node is not well.
pub const MARKER: &str = "/var/run/pfwatch.demoted";
/// Runs all those scripts and demotes by 2^20 or takes that back.
const ASK_SERVICES: &str = "configctl interface update carp service_status";
/// OPNsense adds 2^20 once for all services together; others may have taken some hundreds away from it.
const SERVICES: i64 = 1 << 19;

/// A counter to which several parties add.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counter {
    /// OpenBSD: the demotion of an interface group; 0 to 255, and the kernel refuses what leads beyond.
    Group(String),
    /// FreeBSD: `net.inet.carp.demotion`; what is written is ADDED.
    Demotion,
}

/// One thing that is changed, the value found and ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Thing {
    /// OpenBSD: the advskew of a carp interface.
    Advskew {
        /// Such as `carp0`.
        interface: String,
        /// Before us.
        found: u8,
        /// Ours.
        set: u8,
    },
    /// A demotion counter.
    Counter {
        /// Which.
        counter: Counter,
        /// Before us.
        found: i64,
        /// What we add; negative for a promotion.
        added: i64,
    },
    /// OPNsense: the service status of this node. Ours alone, so there is nothing to be found.
    Service,
    /// Programs of the operator; only his `restore` takes them back.
    Hook,
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(group) => write!(f, "the demotion of group {group}"),
            Self::Demotion => f.write_str("net.inet.carp.demotion"),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advskew { interface, found, set } => write!(f, "advskew of {interface} ({found} -> {set})"),
            Self::Counter { counter, found, added } => write!(f, "{counter} ({found}{added:+})"),
            Self::Service => f.write_str("carp service status"),
            Self::Hook => f.write_str("hooks"),
        }
    }
}

impl Thing {
    /// The kernel forgets it at a reboot.
    #[must_use]
    pub fn is_kernel(&self) -> bool {
        matches!(self, Self::Advskew { .. } | Self::Counter { .. })
    }
}

/// The advskew of an interface; none where that is gone.
///
/// # Errors
/// ifconfig fails.
pub(super) fn read_advskew(run: &mut dyn Run, interface: &str) -> Result<Option<u8>, AskError> {
    let all = openbsd::interfaces(&ask(run, openbsd::INTERFACES)?);
    Ok(all.iter().find(|c| c.name == interface).map(|c| c.advskew))
}

/// Gives an interface this advskew.
///
/// # Errors
/// ifconfig fails; then it may or may not have been carried out.
pub(super) fn set_advskew(run: &mut dyn Run, interface: &str, to: u8) -> Result<(), AskError> {
    ask(run, &["ifconfig", interface, "advskew", &to.to_string()]).map(drop)
}

impl Counter {
    /// Its value.
    ///
    /// # Errors
    /// The command fails, or says something else.
    pub(super) fn read(&self, run: &mut dyn Run) -> Result<i64, AskError> {
        let name;
        let argv: &[&str] = match self {
            Self::Group(group) => {
                name = ["ifconfig", "-g", group.as_str()];
                &name
            }
            Self::Demotion => freebsd::DEMOTION,
        };
        let text = ask(run, argv)?;
        let value = match self {
            Self::Group(_) => openbsd::demotion(&text),
            Self::Demotion => freebsd::number(&text),
        };
        value.ok_or_else(|| not_understood(argv, &text))
    }

    /// Adds to it.
    ///
    /// # Errors
    /// The command fails; then it may or may not have been carried out.
    pub(super) fn add(&self, run: &mut dyn Run, amount: i64) -> Result<(), AskError> {
        let number = amount.unsigned_abs().to_string();
        match self {
            Self::Group(name) => {
                let verb = if amount < 0 { "-carpdemote" } else { "carpdemote" };
                ask(run, &["ifconfig", "-g", name, verb, &number]).map(drop)
            }
            Self::Demotion => ask(run, &["sysctl", &format!("net.inet.carp.demotion={amount}")]).map(drop),
        }
    }
}

/// An answer that is no answer counts as a failure.
pub(super) fn not_understood(argv: &[&str], text: &str) -> AskError {
    AskError {
        command: argv.join(" "),
        end: "its answer is not understood".to_owned(),
        output: text.lines().next().unwrap_or_default().trim().to_owned(),
    }
}

/// Tells OPNsense that this node is not well. The marker names the boot, so that one that outlives a reboot is ignored by
/// the script even if pfwatch never runs again.
///
/// # Errors
/// The marker cannot be written or configd does not answer; then it may or may not have been carried out.
pub(super) fn demote_services(run: &mut dyn Run) -> Result<(), AskError> {
    ask_shell(run, &format!("sysctl -n kern.boottime >{MARKER} && {ASK_SERVICES}")).map(drop)
}

/// The opposite; harmless where nothing is to be taken back.
///
/// # Errors
/// As [`demote_services`].
pub(super) fn restore_services(run: &mut dyn Run) -> Result<(), AskError> {
    ask_shell(run, &format!("rm -f {MARKER} && {ASK_SERVICES}")).map(drop)
}

/// OPNsense counts some service of this node as failed.
///
/// # Errors
/// sysctl fails or says something else.
pub(super) fn services_demoted(run: &mut dyn Run) -> Result<bool, AskError> {
    Ok(Counter::Demotion.read(run)? >= SERVICES)
}
