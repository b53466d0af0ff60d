//! Hooks by a system on paper: order, retries, what a failure means, what they are told.

use super::*;
use crate::act::fake::{Fake, done};
use crate::act::run::End;

fn sh(line: &str) -> Command {
    Command::Shell(line.into())
}

fn hooks(on_failure: OnFailure) -> Hooks {
    Hooks {
        promote: vec![sh("first"), sh("second"), sh("third")],
        notify: vec![sh("first"), sh("second")],
        on_failure,
        retries: 2,
        ..Hooks::default()
    }
}

const PROMOTE: Kind = Kind::Action(Action::Promote);

/// Runs them where `second` fails for the first `failures` times; what was run, in order.
fn run(hooks: &Hooks, kind: Kind, failures: u32) -> (Report, Vec<String>) {
    let mut ran = Vec::new();
    let mut left = failures;
    let mut system = Fake(|job: &Job| {
        let name = shown(&job.command);
        let fails = name == "second" && left > 0;
        left -= u32::from(fails);
        ran.push(name);
        done(if fails { End::Exit(1) } else { End::Exit(0) }, "said")
    });
    let report = carry_out(&mut system, hooks, kind, &Occasion::default());
    (report, ran)
}

fn tries(report: &Report) -> Vec<Option<(bool, u32)>> {
    let one = |h: &Hook| match &h.outcome {
        Outcome::Ran { last, tries, .. } => Some((last.end.ok(), *tries)),
        Outcome::Skipped | Outcome::DryRun => None,
    };
    report.hooks.iter().map(one).collect()
}

#[test]
fn all_run_in_order() {
    let (report, ran) = run(&hooks(OnFailure::Escalate), PROMOTE, 0);
    assert_eq!(ran, ["first", "second", "third"]);
    assert!(report.succeeded);
    assert_eq!(report.failures(), 0);
}

#[test]
fn who_fails_is_tried_again_and_no_oftener() {
    let (report, ran) = run(&hooks(OnFailure::Escalate), PROMOTE, 2);
    assert_eq!(ran, ["first", "second", "second", "second", "third"]);
    assert!(report.succeeded);
    assert_eq!(tries(&report), [Some((true, 1)), Some((true, 3)), Some((true, 1))]);
    let Outcome::Ran { took, .. } = report.hooks[1].outcome else {
        panic!()
    };
    assert_eq!(took, Duration::from_millis(60));
}

#[test]
fn what_a_failure_means() {
    let (good, bad) = (Some((true, 1)), Some((false, 3)));
    for (on_failure, last, succeeded) in [
        (OnFailure::Continue, good, true),
        (OnFailure::Stop, None, true),
        (OnFailure::Escalate, None, false),
    ] {
        let (report, _) = run(&hooks(on_failure), PROMOTE, 9);
        assert_eq!(tries(&report), [good, bad, last], "{on_failure:?}");
        assert_eq!(report.succeeded, succeeded, "{on_failure:?}");
        assert_eq!(report.failures(), 1);
    }
}

#[test]
fn who_is_only_told_fails_no_action() {
    let (report, _) = run(&hooks(OnFailure::Escalate), Kind::Notify, 9);
    assert!(report.succeeded);
    assert_eq!(report.failures(), 1);
}

#[test]
fn the_log_gets_a_sentence_for_each() {
    let mut runs = 0;
    let mut system = Fake(|_: &Job| {
        runs += 1;
        done(End::Spawn("it is not there".into()), "")
    });
    let report = carry_out(&mut system, &hooks(OnFailure::Stop), PROMOTE, &Occasion::default());
    assert_eq!(runs, 3);
    assert_eq!(
        report.sentences().collect::<Vec<_>>(),
        [
            "promote hook `first`: cannot be started: it is not there after 3 tries, 0.1 s",
            "promote hook `second`: not run, because the one before it failed",
            "promote hook `third`: not run, because the one before it failed",
        ]
    );
}

#[test]
fn a_dry_run_runs_nothing_and_says_what() {
    let mut system = Fake(|_: &Job| panic!("it ran something"));
    let occasion = Occasion {
        dry_run: true,
        ..Occasion::default()
    };
    let mut hooks = hooks(OnFailure::Escalate);
    hooks.demote = vec![Command::Argv(vec![
        "/etc/a hook".into(),
        "it's".into(),
        "-x=1".into(),
        String::new(),
    ])];
    let report = carry_out(&mut system, &hooks, Kind::Action(Action::Demote), &occasion);
    assert!(report.succeeded);
    assert_eq!(
        report.sentences().collect::<Vec<_>>(),
        [r"demote hook `'/etc/a hook' 'it'\''s' -x=1 ''`: would be run"]
    );
}

#[test]
fn hooks_are_told_everything() {
    let occasion = Occasion {
        name: "outer".into(),
        event: "promote".into(),
        seq: 7,
        node: "fw2".into(),
        path: String::new(),
        cause: "blackhole-forward".into(),
        role: "promoted".into(),
        previous_role: "backup".into(),
        evidence: r#"{"failed":9}"#.into(),
        dry_run: false,
    };
    let mut told = Vec::new();
    let mut system = Fake(|job: &Job| {
        told.clone_from(&job.env);
        assert_eq!(job.timeout, Duration::from_secs(10));
        assert!(job.input.is_empty());
        done(End::Exit(0), "")
    });
    carry_out(&mut system, &hooks(OnFailure::Stop), PROMOTE, &occasion);
    let told: Vec<String> = told.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        told,
        [
            "PFWATCH_EVENT=promote",
            "PFWATCH_SEQ=7",
            "PFWATCH_NODE=fw2",
            "PFWATCH_NAME=outer",
            "PFWATCH_PATH=",
            "PFWATCH_CAUSE=blackhole-forward",
            "PFWATCH_ROLE=promoted",
            "PFWATCH_PREVIOUS_ROLE=backup",
            r#"PFWATCH_EVIDENCE={"failed":9}"#,
            "PFWATCH_DRY_RUN=0",
        ]
    );
}

#[test]
fn a_name_that_no_environment_takes_loses_what_is_wrong() {
    let occasion = Occasion {
        node: "a\0b".into(),
        ..Occasion::default()
    };
    assert!(occasion.env().contains(&("PFWATCH_NODE".into(), "ab".into())));
}

#[test]
fn fencing_has_no_hooks() {
    let (report, ran) = run(&hooks(OnFailure::Escalate), Kind::Action(Action::Fence), 9);
    assert!(report.succeeded && report.hooks.is_empty() && ran.is_empty());
}
