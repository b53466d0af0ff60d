//! Fencing by a system on paper: what agents and commands are given, and what their answers mean.

use super::*;
use crate::act::fake::{Fake, done};
use crate::act::run::End;
use crate::config::model::Command;

fn fence(kind: FenceKind) -> Fence {
    Fence {
        kind,
        node: "fw2".into(),
        command: Some(Command::Argv(vec!["fence_ipmilan".into()])),
        options_file: None,
        mac: None,
        interface: None,
        device: None,
        delay: Duration::ZERO,
        timeout: Duration::from_secs(20),
    }
}

/// Fences with programs that end as told, in order; what was run, and what was written to it.
fn fenced(fence: &Fence, ends: &[End]) -> (Report, Vec<Job>) {
    let mut jobs = Vec::new();
    let mut ends = ends.iter();
    let mut system = Fake(|job: &Job| {
        jobs.push(job.clone());
        done(ends.next().unwrap().clone(), "password=s3cret")
    });
    let occasion = Occasion {
        event: "fence".into(),
        node: "fw2".into(),
        ..Occasion::default()
    };
    let report = carry_out(&mut system, fence, &occasion);
    (report, jobs)
}

fn why(report: &Report) -> &str {
    match &report.outcome {
        Outcome::Failed(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_agent_switches_off_and_is_asked_whether_it_did() {
    let (report, jobs) = fenced(&fence(FenceKind::Agent), &[End::Exit(0), End::Exit(2)]);
    assert_eq!((&report.outcome, report.succeeded()), (&Outcome::Off, true));
    let inputs: Vec<_> = jobs.iter().map(|j| j.input.as_slice()).collect();
    assert_eq!(inputs, [b"action=off\n".as_slice(), b"action=status\n"]);
    for job in &jobs {
        assert!(job.env.contains(&("PFWATCH_EVENT".into(), "fence".into())));
        assert_eq!(job.timeout, Duration::from_secs(20));
    }
    let said: Vec<_> = report.sentences().collect();
    assert_eq!(said.len(), 3);
    assert!(said[0].starts_with("fence `fence_ipmilan`, off: ok"), "{said:?}");
    assert!(
        said[1].starts_with("fence `fence_ipmilan`, status: exit code 2"),
        "{said:?}"
    );
    assert!(
        said[2].starts_with("fw2 was switched off by `fence_ipmilan`"),
        "{said:?}"
    );
    assert!(said.iter().all(|s| !s.contains("s3cret")), "{said:?}");
}

/// Whatever is not certain is a failure.
#[test]
fn an_agent_that_does_not_end_at_off_has_failed() {
    let table = [
        (vec![End::Exit(1)], "action off of `fence_ipmilan` failed (exit code 1)"),
        (vec![End::Exit(2)], "action off of `fence_ipmilan` failed (exit code 2)"),
        (vec![End::Timeout], "action off of `fence_ipmilan` failed (timeout)"),
        (
            vec![End::Signal(9)],
            "action off of `fence_ipmilan` failed (killed by signal 9)",
        ),
        (vec![End::Exit(0), End::Exit(0)], "its status says on"),
        (
            vec![End::Exit(0), End::Exit(1)],
            "its status is not known (exit code 1)",
        ),
        (vec![End::Exit(0), End::Timeout], "its status is not known (timeout)"),
        (
            vec![End::Exit(0), End::Signal(2)],
            "its status is not known (killed by signal 2)",
        ),
    ];
    for (ends, expected) in table {
        let (report, jobs) = fenced(&fence(FenceKind::Agent), &ends);
        assert!(why(&report).contains(expected), "{report:?}");
        assert!(!report.succeeded());
        assert_eq!((jobs.len(), report.steps.len()), (ends.len(), ends.len()));
        let last = report.sentences().last().unwrap();
        assert!(last.starts_with("fw2 was not fenced after"), "{last}");
    }
}

#[test]
fn without_its_options_no_agent_is_started() {
    let fence = Fence {
        options_file: Some("/no/such/file".into()),
        ..fence(FenceKind::Agent)
    };
    let (report, jobs) = fenced(&fence, &[]);
    assert!(why(&report).contains("/no/such/file"));
    assert!(jobs.is_empty());
}

#[test]
fn a_command_is_told_and_its_word_is_taken_for_no_more_than_that() {
    let (report, jobs) = fenced(&fence(FenceKind::Command), &[End::Exit(0)]);
    assert_eq!((&report.outcome, report.succeeded()), (&Outcome::Told, true));
    assert!(jobs[0].input.is_empty());
    assert!(jobs[0].env.contains(&("PFWATCH_NODE".into(), "fw2".into())));
    let (report, _) = fenced(&fence(FenceKind::Command), &[End::Timeout]);
    assert_eq!(why(&report), "`fence_ipmilan` failed (timeout)");
}

#[test]
fn in_a_dry_run_nothing_happens() {
    let occasion = Occasion {
        dry_run: true,
        ..Occasion::default()
    };
    for kind in [
        FenceKind::Agent,
        FenceKind::Command,
        FenceKind::SerialBreak,
        FenceKind::Wol,
    ] {
        let mut nobody = Fake(|_: &Job| -> Done { panic!("nothing is to be run") });
        let report = carry_out(&mut nobody, &fence(kind), &occasion);
        assert_eq!((&report.outcome, report.succeeded()), (&Outcome::DryRun, false));
    }
}

#[test]
fn what_is_no_serial_line_gets_no_break() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cua00");
    let on = |path: &std::path::Path| Fence {
        device: Some(path.to_owned()),
        ..fence(FenceKind::SerialBreak)
    };
    let (report, _) = fenced(&on(&file), &[]);
    assert!(why(&report).contains("there is no such line"), "{report:?}");
    std::fs::write(&file, "kept").unwrap();
    let (report, _) = fenced(&on(&file), &[]);
    assert!(why(&report).contains("it is no serial line"), "{report:?}");
    assert_eq!(std::fs::read(&file).unwrap(), b"kept");
}

#[test]
fn a_magic_packet_is_never_a_success() {
    let report = Report {
        node: "fw2".into(),
        device: device(&Fence {
            interface: Some("em0".into()),
            ..fence(FenceKind::Wol)
        }),
        outcome: Outcome::Woken,
        steps: Vec::new(),
        took: Duration::ZERO,
    };
    assert!(!report.succeeded());
    let said: Vec<_> = report.sentences().collect();
    assert_eq!(
        said,
        ["a magic packet for fw2 was sent by Wake-on-LAN on em0; nothing was switched off"]
    );
}
