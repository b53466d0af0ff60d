//! What is not fit to judge by is not judged by, and that is said: real captures, of which frames were refused or cut.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

#[path = "replay/pair.rs"]
#[allow(dead_code, reason = "others ask for more of a pair")]
mod pair;

use jiff::tz::TimeZone;
use pair::{Owned, Pair, pairs};
use pfwatch::capture::Net;
use pfwatch::engine::Engine;
use pfwatch::engine::quality::Problem;
use pfwatch::event::Health;
use pfwatch::report::{Report, html};
use pfwatch::time::Timestamp;
use std::time::Duration;

fn pair(folder: &str, name: &str) -> Pair {
    pairs(folder).into_iter().find(|p| p.name == name).unwrap()
}

/// Behind the Ethernet header.
const TTL: usize = 14 + 8;
const SOURCE: std::ops::Range<usize> = 14 + 12..14 + 16;

fn analyzed(mut pair: Pair, change: impl Fn(&mut Owned)) -> (Report, Engine) {
    pair.frames.iter_mut().for_each(change);
    pair.analyze("172.16.0.2", Timestamp::MAX)
}

fn cut(pair: Pair, length: usize) -> (Report, Engine) {
    analyzed(pair, |f| {
        if f.net == Net::Sync {
            f.data.truncate(length);
        }
    })
}

fn downs(report: &Report) -> usize {
    report.verdicts.iter().filter(|v| v.to == Health::Down).count()
}

fn page((report, engine): &(Report, Engine)) -> String {
    html::render(report, engine, TimeZone::UTC)
}

fn node(report: &Report) -> Option<(Problem, Option<&str>)> {
    report.quality.why_not().map(|p| (p.kind, p.node.as_deref()))
}

#[test]
fn of_a_master_whose_pfsync_is_all_refused_nothing_can_be_said_and_of_a_backup_nothing_need_be() {
    let refused = |of: u8| {
        analyzed(pair("openbsd-pair", "awan_port_dead"), |f| {
            if f.net == Net::Sync && f.data[SOURCE] == [172, 16, 0, of] {
                f.data[TTL] = 254;
            }
        })
    };
    let master = refused(1);
    assert_eq!(node(&master.0), Some((Problem::Ttl, Some("fw1"))));
    let page = page(&master);
    assert!(page.contains("fw1 cannot be judged") && !page.contains("No firewall went down"));
    let backup = refused(2);
    assert_eq!((node(&backup.0), downs(&backup.0)), (None, 1));
}

#[test]
fn what_was_missed_while_frames_were_cut_is_no_reason_to_call_anybody_down() {
    for (folder, name, length) in [
        ("openbsd-pair", "awan_port_dead", 1_000),
        ("freebsd-pair", "fb_awan_port_dead", 512),
    ] {
        let cut = cut(pair(folder, name), length);
        assert_eq!(downs(&cut.0), 0, "{name}: {:?}", cut.0.verdicts);
        assert_eq!(node(&cut.0), Some((Problem::Cut, Some("fw1"))), "{name}");
    }
}

#[test]
fn of_whom_nothing_was_known_most_of_the_time_it_is_not_said_that_he_did_not_go_down() {
    let third = analyzed(pair("openbsd-pair", "lull2"), |f| {
        if f.net == Net::Sync && f.data[14 + 5] % 3 == 0 {
            f.data.truncate(200);
        }
    });
    assert!(third.0.quality.judged());
    let page = page(&third);
    assert!(page.contains("Whether a firewall went down is not known"), "{page}");
    assert!(!page.contains("No firewall w"));
}

#[test]
fn carp_that_does_not_count_is_among_what_is_wrong_with_the_capture() {
    for (words, change) in [
        ("a TTL of 254", (|f| f.data[TTL] = 254) as fn(&mut Owned)),
        ("cut by the snapshot length", |f| f.data.truncate(60)),
        ("cut by the snapshot length", |f| f.data.truncate(34)),
        ("a wrong checksum", |f| f.data[14 + 20 + 6] ^= 1),
    ] {
        let (report, _) = analyzed(pair("openbsd-pair", "lull2"), |f| {
            if f.net != Net::Sync {
                change(f);
            }
        });
        let found = report.quality.problems.iter().find(|p| p.kind == Problem::Refused);
        assert!(found.unwrap().detail.contains(words), "{words}");
        assert!(report.quality.judged());
    }
}

#[test]
fn a_capture_that_is_given_twice_with_different_clocks_cannot_be_judged_and_that_is_said_with_what_to_do() {
    let twice = |name: &str, later: u64| {
        let mut pair = pair("openbsd-pair", name);
        let sync = pair.frames.iter().filter(|f| f.net == Net::Sync);
        let again: Vec<Owned> = sync
            .map(|f| Owned {
                at: f.at + Duration::from_secs(later),
                net: f.net,
                link: f.link,
                data: f.data.clone(),
                wire_len: f.wire_len,
            })
            .collect();
        pair.frames.extend(again);
        pair.frames.sort_by_key(|f| f.at);
        analyzed(pair, |_| {})
    };
    for (name, later) in [("steady2", 5), ("awan_port_dead", 60)] {
        let twice = twice(name, later);
        assert_eq!(
            (node(&twice.0), downs(&twice.0)),
            (Some((Problem::Repeated, Some("fw1"))), 0),
            "{name}"
        );
        assert!(page(&twice).contains("give one of the two"), "{name}");
    }
}
