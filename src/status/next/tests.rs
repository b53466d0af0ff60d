//! Each role has its sentences, and what keeps everything from happening is said first.

use super::*;
use crate::settings::{self, Settings};

fn node(name: &str, last: u8, is_self: bool) -> settings::Node {
    settings::Node {
        name: name.into(),
        addresses: vec![[172, 16, 0, last].into()],
        is_self,
        local: Vec::new(),
    }
}

#[test]
fn what_keeps_everything_from_happening_is_said() {
    let says = |is_self: bool, facts: &Facts| {
        let settings = Settings {
            nodes: vec![node("fw1", 1, false), node("fw2", 2, is_self)],
            ..Settings::default()
        };
        let all = next(&Engine::new(settings, 1), facts, |t| t.as_secs_f64());
        all.into_iter().map(|n| n.text).collect::<Vec<_>>().join("\n")
    };
    let facts = Facts::default();
    assert!(says(false, &facts).contains("no node in the configuration has `self = true`"));
    let text = says(true, &facts);
    assert!(text.contains("the role of fw2 is unknown"), "{text}");
    assert!(text.starts_with("This daemon only observes"), "{text}");
    let dry = Facts {
        acts: true,
        dry_run: true,
        maintenance: Some(crate::status::Maintenance::default()),
        ..facts
    };
    let text = says(true, &dry);
    assert!(
        text.starts_with("Dry run: ") && text.contains("\nMaintenance: "),
        "{text}"
    );
}

/// What is said of fw2 in this role, with probes about itself and about others, while fw1 is down or not.
fn of_role(limits: &Policy, probes: (bool, bool), role: Role, down: bool) -> String {
    let outlook = Outlook {
        probes,
        ..Outlook::default()
    };
    said(limits, &outlook, true, role, down)
}

fn said(limits: &Policy, outlook: &Outlook, acts: bool, role: Role, down: bool) -> String {
    let words = Words {
        me: "fw2".into(),
        peers: "fw1".into(),
        limits,
        outlook,
        acts,
        deaf: None,
    };
    words.of_role(role, down).join("\n")
}

#[test]
fn every_role_has_its_sentences() {
    let limits = Policy::default();
    let says = |role, down, own, peers| of_role(&limits, (own, peers), role, down);
    let table = [
        (
            says(Role::Backup, false, false, false),
            "no probe shows that traffic would get further from fw2",
        ),
        (
            says(Role::Backup, false, true, false),
            "provided that all probes about fw2 answer and there is a sign that the fault is fw1's own",
        ),
        (
            says(Role::Backup, true, false, false),
            "If CARP is unsynchronised while fw1 is down, fw2 is promoted 1 s later",
        ),
        (
            says(Role::Primary, false, false, false),
            "fw2 is never demoted: no probe is about it",
        ),
        (
            says(Role::Primary, false, true, false),
            "fw2 is demoted: at once as a backup, after 5 s as master",
        ),
        (
            says(Role::Promoted, true, true, false),
            "until `pfwatch undo`: no probe tells",
        ),
        (says(Role::Promoted, true, true, true), "has been up for 30 s"),
        (
            says(Role::Demoted, false, true, false),
            "or when fw1 no longer advertises",
        ),
    ];
    for (text, expected) in table {
        assert!(text.contains(expected), "{text}");
    }
}

/// Nothing was promoted, settles or is used up where nothing is carried out; and there is nothing to undo.
#[test]
fn who_only_observes_claims_nothing() {
    let limits = Policy::default();
    for (role, peers, stays, expected) in [
        (Role::Backup, false, false, "fw2 would be promoted 1 s later"),
        (Role::Primary, false, false, "fw2 would be demoted: at once"),
        (
            Role::Promoted,
            true,
            false,
            "fw2 would be promoted by now; that is over",
        ),
        (
            Role::Promoted,
            false,
            false,
            "that is over when CARP has been in sync and fw1 not down for 30 s",
        ),
        (
            Role::Demoted,
            false,
            false,
            "fw2 would be demoted by now, and would be restored",
        ),
    ] {
        let outlook = Outlook {
            probes: (true, peers),
            stays,
            ..Outlook::default()
        };
        let text = said(&limits, &outlook, false, role, false);
        assert!(text.contains(expected), "{text}");
        assert!(
            ["undo", " is promoted", " is demoted", " is restored"]
                .iter()
                .all(|claim| !text.contains(claim)),
            "{text}"
        );
    }
}

#[test]
fn what_stands_is_told_by_who_may_take_it_back() {
    let limits = Policy::default();
    for (acts, owes, role, expected) in [
        (false, false, Role::Demoted, "fw2 stays demoted until `pfwatch undo`"),
        (false, true, Role::Promoted, "fw2 stays promoted until `pfwatch undo`"),
        (
            true,
            true,
            Role::Promoted,
            "tried again until it is: then fw2 is no longer promoted",
        ),
        (true, false, Role::Demoted, "fw2 is restored when its own probes"),
    ] {
        let outlook = Outlook {
            stands: true,
            owes,
            ..Outlook::default()
        };
        let text = said(&limits, &outlook, acts, role, false);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_a_promotion_in_sync_takes_depends_on_what_is_asked_for() {
    for (own, require_witness, expected) in [
        (
            true,
            true,
            "none leaves again, or its advertisements are missing on a segment",
        ),
        (
            true,
            false,
            "all probes about fw2 answer: a sign that the fault is fw1's own is not asked for",
        ),
        (
            false,
            false,
            "is promoted: neither a probe nor a sign that the fault is fw1's own is asked for",
        ),
        (false, true, "that is only said here"),
    ] {
        let limits = Policy {
            require_witness,
            ..Policy::default()
        };
        let text = of_role(&limits, (own, false), Role::Backup, false);
        assert!(text.contains(expected), "{text}");
    }
}
