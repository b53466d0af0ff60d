//! FreeBSD, pfSense and OPNsense: what ifconfig(8) and sysctl(8) show of carp(4), and how attractiveness is changed.
//!
//! Called by `preset` (plans) and `thing` (values). Reads text and plans; runs nothing but what shows values.
//!
//! The kernel adds `net.inet.carp.demotion` to each advskew and keeps the sum within 0 and 240. Writing to it ADDS.

use super::openbsd::number as byte;
use super::{Carp, Look, PlanError};
use crate::act::ask::ask;
use crate::act::run::Run;
use crate::act::thing::{Counter, Thing};

/// Shows all interfaces.
const INTERFACES: &[&str] = &["ifconfig"];
/// Shows the demotion.
pub const DEMOTION: &[&str] = &["sysctl", "-n", "net.inet.carp.demotion"];
/// OPNsense's service check takes bit 20 of the demotion for "I have demoted", and any small negative number has that bit
/// set: it would then "take back" 2^20 that were never there. In the middle between -2^20 and -2^21 the bit is clear, stays
/// clear whatever the kernel adds in hundreds, and is set as it should be when that check itself adds 2^20.
const BIT_20_CLEAR: i64 = -(3 << 19);

/// The vhids in what ifconfig shows; there are several on an interface.
#[must_use]
pub fn interfaces(text: &str) -> Vec<Carp> {
    let mut all = Vec::new();
    let mut name = "";
    for line in text.lines() {
        if !line.starts_with([' ', '\t']) {
            name = line.split(':').next().unwrap_or_default();
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["carp:", state, rest @ ..] = words.as_slice() else {
            continue;
        };
        let read = || Some((byte(rest, "vhid")?, byte(rest, "advbase")?, byte(rest, "advskew")?));
        if let Some((vhid, advbase, advskew)) = read() {
            all.push(Carp {
                name: name.to_owned(),
                dev: name.to_owned(),
                vhid,
                is_master: *state == "MASTER",
                advbase,
                advskew,
                balances: false,
            });
        }
    }
    all
}

/// A number alone on its line.
#[must_use]
pub fn number(text: &str) -> Option<i64> {
    text.lines().find_map(|l| l.trim().parse().ok())
}

/// What this node is now.
pub(super) fn look(run: &mut dyn Run) -> Result<Look, PlanError> {
    let carp = interfaces(&ask(run, INTERFACES)?);
    let demotion = Counter::Demotion.read(run)?;
    let preempt = super::preempt(run)?;
    Ok(Look {
        carp,
        demotion,
        preempt,
    })
}

/// As much less as the highest advskew, so that all announce 0. What others have added is not outbid: a node that the
/// kernel demoted for a dead interface has no business being promoted.
pub(super) fn promote(look: &Look, opnsense: bool) -> Option<Thing> {
    let highest = look.carp.iter().map(|c| i64::from(c.advskew)).max().unwrap_or(0);
    (highest > 0).then(|| added(look, if opnsense { BIT_20_CLEAR } else { -highest }))
}

/// Less attractive by that much.
pub(super) fn demote(look: &Look, amount: u8) -> Thing {
    added(look, i64::from(amount))
}

fn added(look: &Look, added: i64) -> Thing {
    Thing::Counter {
        counter: Counter::Demotion,
        found: look.demotion,
        added,
    }
}
