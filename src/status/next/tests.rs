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
    assert!(text.contains("this daemon only observes"), "{text}");
    let dry = Facts {
        acts: true,
        dry_run: true,
        maintenance: Some(crate::status::Maintenance::default()),
        ..facts
    };
    let text = says(true, &dry);
    assert!(
        text.starts_with("Maintenance: ") && text.contains("(--dry-run)"),
        "{text}"
    );
}

#[test]
fn every_role_has_its_sentences() {
    let limits = Policy::default();
    let says = |role, down, own: bool, peers: bool| {
        let outlook = Outlook {
            probes: (own, peers),
            ..Outlook::default()
        };
        let words = Words {
            me: "fw2".into(),
            peers: "fw1".into(),
            limits: &limits,
            outlook: &outlook,
        };
        words.of_role(role, down).join("\n")
    };
    let table = [
        (
            says(Role::Backup, false, false, false),
            "no probe shows that traffic would get further from fw2",
        ),
        (
            says(Role::Backup, false, true, false),
            "provided that all probes about fw2 answer",
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
