//! One analysis has several faces: headline, timeline, tables, plans, advice, as text, as a page and as JSON. They must hold each
//! other up, for every capture that is shipped and every scenario of `simulate`.
//!
//! Nothing here knows what happened: that is the business of `verdicts` and of the scoreboard. Here a sentence is held against
//! the numbers beside it.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

#[path = "agree/cases.rs"]
mod cases;
#[path = "agree/faces.rs"]
mod faces;
#[path = "agree/health.rs"]
mod health;
#[path = "agree/rules.rs"]
mod rules;

use cases::{Case, drills, shipped};
use faces::Faces;
use pfwatch::capture::Net;
use pfwatch::event::Health;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// All faults of all cases, shared out over threads.
fn faults(cases: &[Case]) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let faces = Faces::of(case);
            let mut faults = rules::faults(&faces);
            faults.extend(health::faults(&faces));
            let named = faults.into_iter().map(|fault| format!("{}: {fault}", case.name));
            found.lock().unwrap().extend(named);
        }
    };
    thread::scope(|threads| {
        let cores = thread::available_parallelism().map_or(2, usize::from).min(4);
        (0..cores).for_each(|_| {
            threads.spawn(work);
        });
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

#[test]
fn headline_timeline_tables_and_json_of_shipped_captures_agree() {
    let cases = shipped();
    assert!(cases.len() >= 10, "{}", cases.len());
    let faults = faults(&cases);
    assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
}

#[test]
fn headline_timeline_tables_and_json_of_every_scenario_agree() {
    let folder = tempfile::tempdir().unwrap();
    let cases = drills(folder.path());
    assert!(cases.len() >= 45, "{}", cases.len());
    let faults = faults(&cases);
    assert!(faults.is_empty(), "{} faults: {faults:#?}", faults.len());
}

/// A shipped capture with its CARP, seen from the backup.
fn capture(base: &str) -> Case {
    let name = format!("{base} from 172.16.0.2 with 2 segments");
    shipped().into_iter().find(|c| c.name == name).unwrap()
}

#[test]
fn pfsync_that_was_routed_is_told_and_nobody_is_asked_for_an_address() {
    let steady = capture("steady2");
    // Ethernet, IPv4: the last octet of the source, then the TTL.
    let routed = |whose: &'static [u8]| {
        move |net: Net, frame: &mut Vec<u8>| {
            if net == Net::Sync && whose.contains(&frame[29]) && frame[23] == 240 {
                frame[22] = 254;
            }
        }
    };
    let f = Faces::showing(steady.analyze_changed(routed(&[1])));
    let next = f
        .next
        .iter()
        .find(|l| l.starts_with("no pfsync of fw1 counts: "))
        .unwrap();
    assert!(
        next.contains("from 172.16.0.1 were refused") && next.contains("TTL of 254"),
        "{next}"
    );
    assert!(f.headline.contains("TTL of 254"), "{}", f.headline);
    assert!(
        !f.text.contains("is the address right") && !f.text.contains("went down:"),
        "{}",
        f.text
    );
    let f = Faces::showing(steady.analyze_changed(routed(&[1, 2])));
    assert!(f.headline.contains("TTL"), "{}", f.headline);
    assert!(!f.headline.starts_with("No firewall"), "{}", f.headline);
}

#[test]
fn carp_that_does_not_count_is_told_by_what_is_wrong_with_it() {
    let steady = capture("steady2");
    let f = Faces::showing(steady.analyze_changed(|net, frame| {
        if net == Net::Segment(0) {
            frame[22] = 64;
        }
    }));
    let next = f
        .next
        .iter()
        .find(|l| l.starts_with("no CARP on lan counts: "))
        .unwrap();
    assert!(next.contains("TTL of 64"), "{next}");
    assert!(!f.text.contains("no CARP in the capture"), "{}", f.text);
}

/// What CARP loses a minute after it is another fault, and makes the first one nobody's.
#[test]
fn what_carp_shows_much_later_is_no_reason_for_a_down() {
    let headline = |after: u64| {
        let (mut report, engine) = capture("far_drop_low").analyze();
        let down = report.verdicts.iter().find(|v| v.to == Health::Down).unwrap().at;
        let from = down + Duration::from_secs(after);
        let span = (from, Some(from + Duration::from_secs(4)));
        report.no_master.insert((1, 12), vec![span]);
        Faces::showing((report, engine)).headline
    };
    assert!(headline(5).starts_with("fw1 (172.16.0.1) went DOWN"), "{}", headline(5));
    assert!(
        headline(60).contains("nothing shows a fault of fw1 itself"),
        "{}",
        headline(60)
    );
}

#[test]
fn what_may_lie_beyond_both_is_not_blamed_on_one() {
    let beyond = Faces::of(&capture("far_drop_low"));
    assert!(
        beyond
            .headline
            .starts_with("What went out through fw1 (172.16.0.1) did not come back from 01:58:11."),
        "{}",
        beyond.headline
    );
    assert!(
        beyond
            .headline
            .contains("CARP was in sync and nothing shows a fault of fw1 itself")
    );
    assert!(
        beyond.next[0].starts_with("look beyond fw1 on the side of the servers"),
        "{:?}",
        beyond.next
    );
    let torn = Faces::of(&capture("awan_port_dead"));
    assert!(
        torn.headline.starts_with("fw1 (172.16.0.1) went DOWN at 01:58:10."),
        "{}",
        torn.headline
    );
}

#[test]
fn a_flush_is_no_deed_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let flush = drills(folder.path())
        .into_iter()
        .find(|c| c.name == "state-flush")
        .unwrap();
    let f = Faces::of(&flush);
    assert!(f.timeline.iter().any(|l| l.text.contains("were flushed")));
    assert!(
        f.deeds.is_empty(),
        "{:?}",
        f.deeds.iter().map(|d| &d.text).collect::<Vec<_>>()
    );
}

#[test]
fn what_could_not_be_judged_is_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let cut = drills(folder.path())
        .into_iter()
        .find(|c| c.name == "sync-cable-out")
        .unwrap();
    let f = Faces::of(&cut);
    assert!(
        f.headline
            .starts_with("No firewall was found down, but fw1 could not be judged for ")
            && f.headline.contains("its CARP advertisements go on"),
        "{}",
        f.headline
    );
}
