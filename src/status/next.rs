//! What would happen next: what would be done if something failed now, and what keeps it from being done.
//!
//! Called by `make`. Sentences about the policy's table, made from its role, its limits and its outlook; nobody decides by
//! them.

#[cfg(test)]
mod tests;

use super::Facts;
use crate::absence::{Wanted, Why, why};
use crate::decide::{Outlook, Role};
use crate::engine::Engine;
use crate::event::Health;
use crate::settings::Policy;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A sentence without its full stop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Next {
    /// What.
    pub text: String,
    /// It holds until then.
    pub until: Option<f64>,
}

/// See the module.
pub(super) fn next(engine: &Engine, facts: &Facts, unix: impl Fn(Timestamp) -> f64) -> Vec<Next> {
    let Some(me) = engine.node_ids().find(|n| engine.is_self(*n)) else {
        return vec![always(
            "Nothing is ever decided: no node in the configuration has `self = true`",
        )];
    };
    let settings = engine.settings();
    let limits = &settings.policy;
    let outlook = engine.outlook();
    let labels = |own: bool| {
        engine
            .node_ids()
            .filter(move |n| (*n == me) == own)
            .map(|n| engine.label(n))
    };
    let all = Words {
        me: labels(true).collect(),
        peers: labels(false).collect::<Vec<_>>().join(" or "),
        limits,
        outlook: &outlook,
        acts: facts.acts && !facts.dry_run,
        deaf: why(engine, Wanted::Carp(None, None), None).filter(|_| engine.role() == Role::Unknown),
    };
    let mut list = Vec::new();
    // What follows must not be taken for what will be, or was.
    if facts.dry_run {
        list.push(always(
            "Dry run: nothing is carried out, and what follows is what would be done",
        ));
    } else if !facts.acts {
        list.push(always(
            "This daemon only observes: nothing is carried out, and what follows is what would be done",
        ));
    }
    if let Some(m) = &facts.maintenance {
        list.push(Next {
            text: "Maintenance: nothing is decided, whatever fails".into(),
            until: m.until,
        });
    }
    let mut pause = |at: Option<Timestamp>, text: &str| {
        list.extend(at.map(|t| Next {
            text: text.into(),
            until: Some(unix(t)),
        }));
    };
    pause(
        outlook.paused_until,
        "Nothing is decided, because pfwatch has just begun or was just blind",
    );
    pause(outlook.due, "Something is being confirmed before it is decided");
    // An action that never was does not settle, and nobody used it up.
    if all.acts {
        pause(
            outlook.settles_until,
            "An action of ours settles; nothing is decided from CARP",
        );
        pause(
            outlook.held_until,
            "Hold-down: no further promotion, because the last one is too short a while ago",
        );
    }
    if outlook.busy {
        list.push(always(
            "An action is being carried out; nothing else is decided until it is done",
        ));
    }
    let down = engine
        .node_ids()
        .any(|n| n != me && engine.node_health(n).0 == Health::Down);
    list.extend(all.of_role(engine.role(), down).into_iter().map(always));
    if all.acts && outlook.actions.0 > 0 {
        let (done, most) = outlook.actions;
        list.push(always(format!(
            "{done} of at most {most} actions within an hour are used up"
        )));
    }
    list
}

fn always(text: impl Into<String>) -> Next {
    Next {
        text: text.into(),
        until: None,
    }
}

/// What the sentences are made of.
struct Words<'a> {
    me: String,
    peers: String,
    limits: &'a Policy,
    outlook: &'a Outlook,
    /// Decisions are carried out; otherwise nothing is, but would be.
    acts: bool,
    /// Why no CARP counts, where none does.
    deaf: Option<Why>,
}

impl Words<'_> {
    /// The verb before what is done.
    fn is(&self) -> &'static str {
        if self.acts { "is" } else { "would be" }
    }

    fn of_role(&self, role: Role, down: bool) -> Vec<String> {
        let Self { me, peers, .. } = self;
        match role {
            Role::Unknown => {
                let deaf = self
                    .deaf
                    .as_ref()
                    .map(|why| format!(", and none counts: {}", why.clause()));
                vec![format!(
                    "Nothing would be decided: the role of {me} is unknown until CARP is heard{}",
                    deaf.unwrap_or_default()
                )]
            }
            _ if peers.is_empty() => vec![format!("Nothing would be decided: {me} knows of no other node")],
            Role::Backup => self.backup(down),
            Role::Primary => vec![
                format!("If traffic through {me} fails, that is only said here: to take over is up to {peers}"),
                self.demotion(),
            ],
            // The ledger is not an observer's to change.
            Role::Promoted | Role::Demoted if !self.acts && self.outlook.stands => vec![format!(
                "{me} stays {} until `pfwatch undo`: this daemon only observes",
                role.as_str()
            )],
            Role::Promoted | Role::Demoted if self.outlook.owes => vec![format!(
                "What is left of an action that failed is taken back, and tried again until it is: then {me} is no longer {}",
                role.as_str()
            )],
            Role::Promoted => vec![self.promoted()],
            Role::Demoted => vec![self.demoted()],
        }
    }

    fn backup(&self, down: bool) -> Vec<String> {
        let Self { me, peers, .. } = self;
        let (is, confirm) = (self.is(), seconds(self.limits.confirm));
        let (torn, in_sync) = if down {
            (
                format!("If CARP is unsynchronised while {peers} is down"),
                format!("As long as CARP is in sync while {peers} is down"),
            )
        } else {
            (
                format!("If {peers} is down while CARP is unsynchronised"),
                format!("If {peers} is down while CARP is in sync"),
            )
        };
        let mut list = vec![format!("{torn}, {me} {is} promoted {confirm} later")];
        let sign = format!("a sign that the fault is {peers}'s own");
        list.push(match (self.outlook.probes.0, self.limits.require_witness) {
            (true, true) => format!(
                "{in_sync}, {me} {is} promoted, provided that all probes about {me} answer and there is {sign}: connections come \
                 in and none leaves again, or its advertisements are missing on a segment"
            ),
            (true, false) => format!(
                "{in_sync}, {me} {is} promoted, provided that all probes about {me} answer: {sign} is not asked for \
                 (require-witness = false)"
            ),
            (false, false) => format!(
                "{in_sync}, {me} {is} promoted: neither a probe nor {sign} is asked for (require-witness = false)"
            ),
            (false, true) => {
                format!("{in_sync}, that is only said here: no probe shows that traffic would get further from {me}")
            }
        });
        list.push(format!(
            "If {peers} crashes, CARP moves by itself, and nothing {is} done"
        ));
        if self.outlook.probes.0 {
            list.push(self.demotion());
        }
        list
    }

    fn promoted(&self) -> String {
        let Self { me, peers, .. } = self;
        let recover = seconds(self.limits.recover);
        if !self.acts {
            format!(
                "{me} would be promoted by now; that is over when CARP has been in sync and {peers} not down for {recover}"
            )
        } else if self.outlook.probes.1 && !self.outlook.stays {
            format!("{me} is restored when every probe about another node has been up for {recover}")
        } else {
            format!("{me} stays promoted until `pfwatch undo`: {}", self.why_it_stays())
        }
    }

    fn why_it_stays(&self) -> &'static str {
        if self.outlook.stays {
            "it was promoted more than once within an hour"
        } else {
            "no probe tells whether another node is well again"
        }
    }

    fn demoted(&self) -> String {
        let Self { me, peers, .. } = self;
        let recover = seconds(self.limits.recover);
        let by_now = if self.acts { "" } else { "would be demoted by now, and " };
        format!(
            "{me} {by_now}{} restored when its own probes have been up for {recover}, or when {peers} no longer advertises",
            self.is()
        )
    }

    fn demotion(&self) -> String {
        let Self { me, .. } = self;
        if self.outlook.probes.0 {
            let (is, delay) = (self.is(), seconds(self.limits.demote_delay));
            format!("If a probe about {me} goes down, {me} {is} demoted: at once as a backup, after {delay} as master")
        } else {
            format!(
                "{me} {} demoted: no probe is about it",
                if self.acts { "is never" } else { "would never be" }
            )
        }
    }
}

fn seconds(length: Duration) -> String {
    format!("{} s", length.as_secs_f64())
}
