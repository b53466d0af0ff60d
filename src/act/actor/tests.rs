//! The actor with real programs of a folder of its own: what is done, written, taken back and told.

use super::*;
use crate::config::model::{Command, FenceKind, OnFailure};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const LONG: Duration = Duration::from_secs(60);

/// A host whose hooks write what they are told into `log`.
struct Host(TempDir);

impl Host {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn hook(&self, name: &str) -> Vec<Command> {
        let log = self.path("log").display().to_string();
        let line = format!(
            "echo \"{name} $PFWATCH_EVENT $PFWATCH_SEQ $PFWATCH_NODE $PFWATCH_CAUSE\" \"$PFWATCH_PREVIOUS_ROLE\" >>{log}"
        );
        vec![Command::Shell(line)]
    }

    fn means(&self) -> Means {
        Means {
            actions: Actions {
                ledger: self.path("db/ledger.json"),
                ..Actions::default()
            },
            hooks: Hooks {
                promote: self.hook("promote"),
                demote: self.hook("demote"),
                restore: self.hook("restore"),
                timeout: LONG,
                retries: 0,
                on_failure: OnFailure::Escalate,
                ..Hooks::default()
            },
            fence: None,
            dry_run: false,
        }
    }

    /// The same for one who only observes.
    fn observer(&self) -> Means {
        Means {
            dry_run: true,
            ..self.means()
        }
    }

    fn log(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn actor(&self) -> Actor {
        let (actor, resumed) = Actor::start(self.means()).unwrap();
        assert!(resumed.is_some_and(|r| r.outcomes.is_empty()), "{:?}", actor.idle());
        actor
    }
}

fn deed(seq: u64, action: Action) -> Deed {
    Deed {
        seq,
        action,
        occasion: Occasion {
            event: action.as_str().into(),
            seq,
            node: "fw2".into(),
            cause: "silence".into(),
            role: "promoted".into(),
            previous_role: "backup".into(),
            ..Occasion::default()
        },
        masters: Vec::new(),
        when: 1_790_000_000,
    }
}

fn news(actor: &mut Actor) -> News {
    actor.wait(LONG).unwrap()
}

#[test]
fn a_decision_is_carried_out_and_taken_back() {
    let host = Host::new();
    let mut actor = host.actor();
    assert_eq!(actor.idle(), None);
    assert!(actor.act(deed(1, Action::Promote)));
    assert!(actor.busy());
    let done = news(&mut actor);
    assert!(done.ok, "{done:?}");
    assert_eq!(done.task, Task::Decision(Action::Promote, 1));
    assert_eq!(done.text, "promote carried out: hooks");
    assert!(!actor.busy());
    assert_eq!(actor.entries().len(), 1);
    // One plan at a time: what stands is to be taken back first.
    actor.act(deed(2, Action::Demote));
    let refused = news(&mut actor);
    assert!(!refused.ok);
    assert!(refused.text.contains("promoted already"), "{}", refused.text);
    actor.act(deed(3, Action::Restore));
    assert!(news(&mut actor).ok);
    assert!(actor.entries().is_empty());
    assert_eq!(
        host.log(),
        [
            "promote promote 1 fw2 silence backup",
            "restore restore 3 fw2 silence promoted"
        ]
    );
}

/// What an earlier run did is there whoever runs now, and only an order takes it back.
#[test]
fn who_only_observes_sees_what_stands_in_the_ledger() {
    let host = Host::new();
    let (idle, resumed) = Actor::start(host.observer()).unwrap();
    assert!(idle.entries().is_empty() && resumed.is_none());
    assert!(!host.path("db").exists(), "nothing is made where nothing is done");
    drop(idle);
    let mut actor = host.actor();
    actor.act(deed(1, Action::Promote));
    assert!(news(&mut actor).ok);
    drop(actor);
    let (mut actor, resumed) = Actor::start(host.observer()).unwrap();
    assert_eq!((actor.entries().len(), actor.book().promotions.len()), (1, 1));
    assert!(resumed.is_none() && !actor.act(deed(2, Action::Restore)));
    assert_eq!(host.log().len(), 1);
    // Who acts again goes on from there.
    let resumed = actor.reload(host.means());
    assert_eq!(resumed.unwrap().role, Some(super::super::ledger::Made::Promoted));
    let ticket = actor.undo(Occasion::default());
    assert!(ticket.is_some() && news(&mut actor).ok && actor.entries().is_empty());
    assert_eq!(host.log().len(), 2);
}

#[test]
fn a_restart_goes_on_and_undo_needs_no_daemon() {
    let host = Host::new();
    let mut actor = host.actor();
    actor.act(deed(1, Action::Promote));
    assert!(news(&mut actor).ok);
    let held = undo_alone(&host.means()).unwrap_err();
    assert!(held.contains("another pfwatch holds the ledger"), "{held}");
    drop(actor);
    let (actor, resumed) = Actor::start(host.means()).unwrap();
    assert_eq!(resumed.unwrap().role, Some(super::super::ledger::Made::Promoted));
    assert_eq!(actor.book().promotions, [1_790_000_000]);
    drop(actor);
    let lines = undo_alone(&host.means()).unwrap();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(undo_alone(&host.means()), Ok(Vec::new()));
    assert_eq!(host.log().last().unwrap(), "restore restore 0  operator promoted");
}

/// Only what was seen while somebody looked takes a promotion back by itself; whoever comes next did not see it.
#[test]
fn what_was_seen_of_the_peer_is_kept_for_whoever_comes_next() {
    let host = Host::new();
    let mut actor = host.actor();
    for away in [70, 80] {
        actor.saw(away);
        let kept = news(&mut actor);
        assert!(kept.ok && kept.task == Task::Saw && kept.ledger.unwrap().away == Some(away));
    }
    actor.act(deed(1, Action::Promote));
    assert!(news(&mut actor).ok);
    drop(actor);
    let (actor, _) = Actor::start(host.means()).unwrap();
    assert_eq!(actor.book().away, Some(80));
    drop(actor);
    let (mut actor, _) = Actor::start(host.observer()).unwrap();
    actor.saw(90);
    assert!(!actor.busy() && actor.book().away == Some(80));
}

#[test]
fn a_hook_that_fails_leaves_nothing_behind() {
    let host = Host::new();
    let mut means = host.means();
    means.hooks.demote = vec![Command::Shell("echo no; exit 3".into())];
    let (mut actor, _) = Actor::start(means).unwrap();
    actor.act(deed(1, Action::Demote));
    let failed = news(&mut actor);
    assert!(!failed.ok);
    assert!(failed.text.contains("exit code 3"), "{}", failed.text);
    assert!(failed.lines.contains(&"  no".to_owned()), "{:?}", failed.lines);
    assert_eq!(failed.ledger.map(|book| book.entries), Some(Vec::new()));
    assert_eq!(host.log(), ["restore restore 1 fw2 silence demoted"]);
}

#[test]
fn what_cannot_be_taken_back_stays_whatever_on_failure_says() {
    let host = Host::new();
    let mut means = host.means();
    let gate = host.path("gate");
    means.hooks.on_failure = OnFailure::Continue;
    means.hooks.restore = vec![Command::Shell(format!("test -e {}", gate.display()))];
    let (mut actor, _) = Actor::start(means).unwrap();
    actor.act(deed(1, Action::Promote));
    assert!(news(&mut actor).ok);
    actor.act(deed(2, Action::Restore));
    assert!(!news(&mut actor).ok);
    assert_eq!(actor.entries().len(), 1);
    fs::write(&gate, "").unwrap();
    assert!(actor.undo(Occasion::default()).is_some());
    let undone = news(&mut actor);
    assert!(undone.ok, "{undone:?}");
    assert!(actor.entries().is_empty());
}

#[test]
fn a_hook_that_hangs_floods_or_vanishes_costs_its_time_limit_at_most() {
    let host = Host::new();
    for (line, says) in [
        ("sleep 1000 & sleep 1000", "timeout"),
        ("yes flood | head -c 3000000; exit 1", "exit code 1"),
        ("exec /does/not/exist", "exit code 12"),
        ("kill -9 $$", "signal 9"),
    ] {
        let mut means = host.means();
        means.hooks.timeout = Duration::from_millis(if says == "timeout" { 200 } else { 60_000 });
        means.hooks.promote = vec![Command::Shell(line.into())];
        let (mut actor, _) = Actor::start(means).unwrap();
        actor.act(deed(1, Action::Promote));
        let failed = news(&mut actor);
        assert!(!failed.ok && failed.text.contains(says), "{}", failed.text);
        assert!(failed.lines.len() < 30, "{}", failed.lines.len());
        assert!(actor.entries().is_empty());
    }
}

#[test]
fn tries_of_hooks_write_nothing() {
    let host = Host::new();
    let mut actor = host.actor();
    let occasion = Occasion {
        event: "promote".into(),
        cause: "test".into(),
        ..Occasion::default()
    };
    let dry = Occasion {
        dry_run: true,
        ..occasion.clone()
    };
    actor.test(Kind::Action(Action::Promote), dry);
    let would = news(&mut actor);
    assert!(would.ok && would.lines[0].ends_with("would be run"), "{would:?}");
    assert!(host.log().is_empty());
    let ticket = actor.test(Kind::Action(Action::Promote), occasion);
    let done = news(&mut actor);
    assert_eq!((done.ticket, done.ok, done.ledger), (ticket, true, None));
    assert_eq!(host.log(), ["promote promote 0  test "]);
}

#[test]
fn who_is_only_told_delays_no_action() {
    let host = Host::new();
    let mut means = host.means();
    means.hooks.notify = vec![Command::Shell("sleep 1000".into())];
    let (mut actor, _) = Actor::start(means).unwrap();
    actor.notify(Occasion::default());
    actor.act(deed(1, Action::Promote));
    assert!(news(&mut actor).ok);
}

#[test]
fn a_peer_is_switched_off_by_the_device_and_failure_is_told() {
    let host = Host::new();
    let mut means = host.means();
    let device = |line: &str| Fence {
        kind: FenceKind::Command,
        node: "fw1".into(),
        command: Some(Command::Shell(line.into())),
        options_file: None,
        mac: None,
        interface: None,
        device: None,
        delay: Duration::ZERO,
        timeout: LONG,
    };
    for (fence, ok, says) in [
        (None, false, "no fencing device is configured"),
        (Some(device("exit 4")), false, "exit code 4"),
        (Some(device("true")), true, "was told to stop fw1"),
    ] {
        means.fence = fence;
        let (mut actor, _) = Actor::start(means.clone()).unwrap();
        assert!(actor.act(deed(7, Action::Fence)));
        let became = news(&mut actor);
        assert!(became.ok == ok && became.text.contains(says), "{}", became.text);
        assert!(actor.entries().is_empty());
    }
}

#[test]
fn nothing_is_done_where_nothing_is_to_be_done() {
    let host = Host::new();
    let mut ifstated = host.means();
    ifstated.actions.preset = Some(Preset::Ifstated);
    let mut empty = host.means();
    empty.hooks = Hooks::default();
    for means in [host.observer(), ifstated, empty] {
        let (mut actor, resumed) = Actor::start(means).unwrap();
        assert!(resumed.is_none() && actor.idle().is_some() && actor.unable().is_none());
        assert!(!actor.act(deed(1, Action::Promote)));
        assert_eq!(actor.undo(Occasion::default()), None);
    }
    assert!(!host.path("db").exists());
}

#[test]
fn a_ledger_that_cannot_be_used_keeps_us_from_acting_and_says_why() {
    let host = Host::new();
    fs::create_dir(host.path("db")).unwrap();
    fs::write(host.path("db/ledger.json"), "not a ledger").unwrap();
    let (mut actor, _) = Actor::start(host.means()).unwrap();
    assert!(actor.unable().unwrap().contains("put aside"), "{:?}", actor.unable());
    assert!(!actor.act(deed(1, Action::Promote)));
    drop(actor);
    // Nobody says that there was nothing to be taken back.
    let unknown = undo_alone(&host.means()).unwrap_err();
    assert!(unknown.contains("put aside"), "{unknown}");
    let (mut actor, _) = Actor::start(host.observer()).unwrap();
    assert!(actor.unable().is_none() && actor.closed().unwrap().contains("put aside"));
    assert!(actor.undo(Occasion::default()).is_none());
    // The operator looked, took the file away and loads the configuration again.
    fs::remove_file(host.path("db/ledger.json.damaged")).unwrap();
    assert!(actor.reload(host.means()).is_some());
    assert_eq!(actor.idle(), None);
    // A ledger elsewhere is taken when this one is empty.
    let mut moved = host.means();
    moved.actions.ledger = host.path("other/ledger.json");
    assert!(actor.reload(moved.clone()).is_some());
    actor.act(deed(1, Action::Promote));
    assert!(news(&mut actor).ok);
    assert!(actor.reload(host.means()).is_none());
    assert!(Path::new(&moved.actions.ledger).exists());
    assert_eq!(actor.entries().len(), 1);
    // And this one when that is taken back and the configuration is loaded again.
    actor.undo(Occasion::default());
    assert!(news(&mut actor).ok);
    assert!(actor.reload(host.means()).is_some());
    actor.act(deed(2, Action::Demote));
    assert!(news(&mut actor).ok);
    let text = fs::read_to_string(host.path("db/ledger.json")).unwrap();
    assert!(text.contains("demoted"), "{text}");
}
