//! `fence_ipmilan` as Debian ships it, against a simulated BMC.

use crate::bmc::{Bmc, PASSWORD};
use crate::{fence, fenced};
use pfwatch::act::fence::{Outcome, Report};
use pfwatch::act::run::End;
use pfwatch::config::{Command, Fence, FenceKind};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

fn agent(bmc: &Bmc, password: &str) -> Fence {
    Fence {
        command: Some(Command::Argv(vec!["fence_ipmilan".into()])),
        options_file: Some(bmc.options(password)),
        ..fence(FenceKind::Agent)
    }
}

fn why(report: &Report) -> &str {
    match &report.outcome {
        Outcome::Failed(why) => why,
        other => panic!("{other:?}\n{report:?}"),
    }
}

fn ends(report: &Report) -> Vec<(&str, &End)> {
    report.steps.iter().map(|s| (s.what, &s.done.end)).collect()
}

/// Until the simulator answers: asked as an agent that only looks, so that nothing is switched off.
fn wait_for(bmc: &Bmc) {
    let line = "sed \"s/^action=off$/action=status/\" | fence_ipmilan";
    let looks = Fence {
        command: Some(Command::Shell(line.into())),
        ..agent(bmc, PASSWORD)
    };
    for _ in 0..100 {
        let report = fenced(&looks);
        if report.steps[0].done.end.ok() {
            return;
        }
    }
    panic!("ipmi_sim does not answer");
}

#[test]
fn a_machine_is_switched_off_and_seen_to_be_off() {
    let Some(mut bmc) = Bmc::start("a_machine_is_switched_off_and_seen_to_be_off") else {
        return;
    };
    wait_for(&bmc);
    assert!(bmc.orders().is_empty());

    // Whoever does not know the password switches nothing off.
    let report = fenced(&agent(&bmc, "wrong"));
    assert!(why(&report).contains("action off of `fence_ipmilan` failed (exit code 1)"));
    assert!(bmc.runs() && bmc.orders().is_empty());

    // A BMC that takes the order and does not carry it out: the agent waits for `power_timeout` and says so.
    bmc.stick(true);
    let report = fenced(&agent(&bmc, PASSWORD));
    assert!(
        why(&report).contains("action off of `fence_ipmilan` failed"),
        "{report:?}"
    );
    assert!(bmc.runs() && bmc.orders().contains(&"set power 0".to_owned()));

    // An agent that believes the BMC is not believed: its status says on.
    let believes = Fence {
        command: Some(Command::Shell(
            "options=$(cat); case $options in *action=off*) exit 0;; esac; echo \"$options\" | fence_ipmilan".into(),
        )),
        ..agent(&bmc, PASSWORD)
    };
    let report = fenced(&believes);
    assert!(why(&report).contains("its status says on"), "{report:?}");
    assert_eq!(ends(&report), [("off", &End::Exit(0)), ("status", &End::Exit(0))]);
    bmc.stick(false);
    assert!(bmc.runs());

    // A BMC that does not answer is a failure when the time is over, whatever the agent still hopes for.
    bmc.hang(true);
    let report = fenced(&Fence {
        timeout: Duration::from_secs(2),
        ..agent(&bmc, PASSWORD)
    });
    assert!(why(&report).contains("timeout"), "{report:?}");
    assert_eq!(ends(&report), [("off", &End::Timeout)]);
    bmc.hang(false);
    assert!(bmc.runs());

    // And now for real.
    let report = fenced(&agent(&bmc, PASSWORD));
    assert_eq!(report.outcome, Outcome::Off, "{report:?}");
    assert!(report.succeeded());
    assert_eq!(ends(&report), [("off", &End::Exit(0)), ("status", &End::Exit(2))]);
    assert_eq!(bmc.ended_by(), Some(9));

    // Who is off already is off.
    assert_eq!(fenced(&agent(&bmc, PASSWORD)).outcome, Outcome::Off);
}

#[test]
fn a_password_that_everybody_may_read_is_not_used() {
    let Some(bmc) = Bmc::start("a_password_that_everybody_may_read_is_not_used") else {
        return;
    };
    let agent = agent(&bmc, PASSWORD);
    fs::set_permissions(agent.options_file.as_ref().unwrap(), Permissions::from_mode(0o644)).unwrap();
    let report = fenced(&agent);
    assert!(why(&report).contains("chmod 0600"), "{report:?}");
    assert!(report.steps.is_empty() && bmc.runs());
}
