//! OpenBSD: what ifconfig(8) shows of carp(4), and how a node is made more or less attractive there.
//!
//! Called by `preset` (plans) and `thing` (values). Reads text and plans; runs nothing but what shows values.
//!
//! promote: advskew 0 on each carp interface. demote: adds to the demotion of group `carp`, which carp(4) announces beside
//! the advskew and compares first, with or without preempt.

use super::{Carp, Look, PlanError};
use crate::act::ask::ask;
use crate::act::run::Run;
use crate::act::thing::{Counter, Thing};

/// Shows all carp interfaces.
pub const INTERFACES: &[&str] = &["ifconfig", "carp"];
/// The group in which every carp interface is.
pub const GROUP: &str = "carp";
/// The kernel refuses what leads beyond.
const HIGHEST: i64 = 255;

/// The carp interfaces in what ifconfig shows. One that balances over several vhids comes once for each of them.
#[must_use]
pub fn interfaces(text: &str) -> Vec<Carp> {
    let mut all: Vec<Carp> = Vec::new();
    let mut name = "";
    // Of an interface that balances: its carpdev and advbase stand above its vhids.
    let mut above = ("", 1);
    for line in text.lines() {
        if !line.starts_with([' ', '\t']) {
            name = line.split(':').next().unwrap_or_default();
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["carp:", "carpdev", dev, rest @ ..] => above = (dev, number(rest, "advbase").unwrap_or(1)),
            ["carp:", state, rest @ ..] => {
                let dev = after(rest, "carpdev").unwrap_or_default();
                let advbase = number(rest, "advbase").unwrap_or(1);
                all.extend(carp(name, dev, state, advbase, rest, false));
            }
            ["state", state, rest @ ..] => all.extend(carp(name, above.0, state, above.1, rest, true)),
            _ => {}
        }
    }
    all
}

fn carp(name: &str, dev: &str, state: &str, advbase: u8, words: &[&str], balances: bool) -> Option<Carp> {
    Some(Carp {
        name: name.to_owned(),
        dev: dev.to_owned(),
        vhid: number(words, "vhid")?,
        is_master: state == "MASTER",
        advbase,
        advskew: number(words, "advskew")?,
        balances,
    })
}

/// The word behind a word.
pub(super) fn after<'t>(words: &[&'t str], key: &str) -> Option<&'t str> {
    let at = words.iter().position(|w| *w == key)?;
    words.get(at + 1).copied()
}

/// The number behind a word.
pub(super) fn number(words: &[&str], key: &str) -> Option<u8> {
    after(words, key)?.parse().ok()
}

/// `carp: carp demote count 0`
#[must_use]
pub fn demotion(text: &str) -> Option<i64> {
    let line = text.lines().find(|l| l.contains("carp demote count"))?;
    line.split_whitespace().last()?.parse().ok()
}

/// What this node is now.
pub(super) fn look(run: &mut dyn Run) -> Result<Look, PlanError> {
    let carp = interfaces(&ask(run, INTERFACES)?);
    let demotion = Counter::Group(GROUP.to_owned()).read(run)?;
    let preempt = super::preempt(run)?;
    Ok(Look {
        carp,
        demotion,
        preempt,
    })
}

/// Each interface that is not at 0 already.
pub(super) fn promote(look: &Look) -> Result<Vec<Thing>, PlanError> {
    if let Some(carp) = look.carp.iter().find(|c| c.balances) {
        // Its advskews are a list that one command replaces; who serves what is the operator's arrangement.
        return Err(PlanError::Balances {
            interface: carp.name.clone(),
        });
    }
    let lower = look.carp.iter().filter(|c| c.advskew != 0);
    Ok(lower
        .map(|c| Thing::Advskew {
            interface: c.name.clone(),
            found: c.advskew,
            set: 0,
        })
        .collect())
}

/// As much as fits: who is at 255 cannot be less attractive.
pub(super) fn demote(look: &Look, amount: u8) -> Option<Thing> {
    let added = i64::from(amount).min(HIGHEST - look.demotion);
    (added > 0).then(|| Thing::Counter {
        counter: Counter::Group(GROUP.to_owned()),
        found: look.demotion,
        added,
    })
}
