//! Whether a promotion can win, judged from what the master announces, before anything is touched.
//!
//! Called before a promotion is carried out. A function of what it is given: it runs nothing. Who cannot win must not try:
//! changing the advskew of a backup starts its wait for the master anew.
//!
//! OpenBSD's carp(4) compares the demotion first and then the interval; FreeBSD's adds the demotion to the advskew. In both
//! a backup with preempt takes over from a master whose interval is strictly longer than its own, and that master gives way
//! to an interval that is not longer than its own.

use super::{Carp, Look};
use crate::config::model::Preset;

/// Largest advskew that FreeBSD announces.
const MAX_SKEW: i64 = 240;

/// The last advertisement of a foreign master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The interface that it was heard on; none where that is not known.
    pub interface: Option<String>,
    /// Of which vhid.
    pub vhid: u8,
    /// As announced.
    pub advbase: u8,
    /// As announced.
    pub advskew: u8,
    /// As announced; always 0 on FreeBSD.
    pub demotion: u8,
}

/// Why a promotion cannot win.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotWin {
    /// Nobody to win against.
    #[error("no foreign master is heard, so CARP moves by itself and a promotion would only delay it")]
    NoMaster,
    /// Not ours.
    #[error("vhid {vhid} is announced by a master, and this node has no such vhid{}; configure it", on(interface.as_deref()))]
    NoSuchVhid {
        /// Which.
        vhid: u8,
        /// Where it was heard.
        interface: Option<String>,
    },
    /// Nobody gives way.
    #[error("preempt is off, so a promotion cannot win; set net.inet.carp.preempt=1 on both nodes")]
    NoPreempt,
    /// Somebody else made us less attractive, for a reason.
    #[error(
        "this node is demoted by {own}, the master of vhid {vhid} by {master}: a promotion cannot win until that is gone"
    )]
    Demoted {
        /// Our demotion.
        own: i64,
        /// The master's.
        master: i64,
        /// Which.
        vhid: u8,
    },
    /// Nothing is shorter than its interval.
    #[error(
        "the master of vhid {vhid} advertises every {advbase} s and {advskew}/256, and the least this node can do is \
         {own_advbase} s and {own_advskew}/256: a promotion cannot win; give the primary advskew >= 1 and both the same advbase"
    )]
    NotShorter {
        /// Which.
        vhid: u8,
        /// The master's.
        advbase: u8,
        /// The master's.
        advskew: u8,
        /// Ours, once promoted.
        own_advbase: u8,
        /// Ours, once promoted.
        own_advskew: i64,
    },
}

fn on(interface: Option<&str>) -> String {
    interface.map(|i| format!(" on {i}")).unwrap_or_default()
}

/// Whether all masters that are heard would give way to this node, once promoted by its preset. Where the preset has no way
/// to know, nothing speaks against it.
///
/// # Errors
/// The first reason why not.
pub fn can_win(preset: Option<Preset>, look: Option<&Look>, heard: &[Heard]) -> Result<(), CannotWin> {
    let Some(look) = look else { return Ok(()) };
    if heard.is_empty() {
        return Err(CannotWin::NoMaster);
    }
    for master in heard {
        let own = look.carp.iter().find(|c| is_for(c, master));
        let Some(own) = own else {
            return Err(CannotWin::NoSuchVhid {
                vhid: master.vhid,
                interface: master.interface.clone(),
            });
        };
        match preset {
            Some(Preset::Openbsd) => openbsd(look, own, master)?,
            Some(Preset::Opnsense) => {
                // Its promotion outbids whatever others have added, so their reason is heeded here.
                not_demoted(look, 0, master)?;
                shorter(look, own, 0, master)?;
            }
            _ => freebsd(look, own, master)?,
        }
    }
    Ok(())
}

fn is_for(own: &Carp, master: &Heard) -> bool {
    own.vhid == master.vhid && master.interface.as_ref().is_none_or(|i| *i == own.dev)
}

fn openbsd(look: &Look, own: &Carp, master: &Heard) -> Result<(), CannotWin> {
    let theirs = i64::from(master.demotion);
    not_demoted(look, theirs, master)?;
    if look.demotion < theirs {
        // Then the backup takes over whatever the intervals and preempt are.
        return Ok(());
    }
    shorter(look, own, 0, master)
}

fn freebsd(look: &Look, own: &Carp, master: &Heard) -> Result<(), CannotWin> {
    let highest = look.carp.iter().map(|c| i64::from(c.advskew)).max().unwrap_or(0);
    let skew = (i64::from(own.advskew) + look.demotion - highest).clamp(0, MAX_SKEW);
    let lost = shorter(look, own, skew, master);
    // Without the demotion it would win: then that is what to say.
    if look.demotion > 0 && matches!(lost, Err(CannotWin::NotShorter { .. })) && shorter(look, own, 0, master).is_ok() {
        not_demoted(look, 0, master)?;
    }
    lost
}

fn not_demoted(look: &Look, theirs: i64, master: &Heard) -> Result<(), CannotWin> {
    if look.demotion > theirs {
        return Err(CannotWin::Demoted {
            own: look.demotion,
            master: theirs,
            vhid: master.vhid,
        });
    }
    Ok(())
}

fn shorter(look: &Look, own: &Carp, skew: i64, master: &Heard) -> Result<(), CannotWin> {
    if !look.preempt {
        return Err(CannotWin::NoPreempt);
    }
    if (own.advbase, skew) < (master.advbase, i64::from(master.advskew)) {
        return Ok(());
    }
    Err(CannotWin::NotShorter {
        vhid: master.vhid,
        advbase: master.advbase,
        advskew: master.advskew,
        own_advbase: own.advbase,
        own_advskew: skew,
    })
}
