//! Captures whose clocks were set, that end before each other, or hear nothing for a while: real ones with other times in them.
//!
//! Whatever is wrong with the capture, a firewall that is well is never down because of it, and what is said is true.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

#[expect(dead_code, reason = "it can do more than is asked here")]
#[path = "replay/pair.rs"]
mod pair;

use jiff::tz::TimeZone;
use pair::{Pair, pairs};
use pfwatch::capture::Net;
use pfwatch::capture::file::write::Writer;
use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::drive;
use pfwatch::engine::Engine;
use pfwatch::event::{Action, Health};
use pfwatch::report::Report;
use pfwatch::report::text::{self, Look};
use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::time::Duration;

const LAN: Net = Net::Segment(0);
const WAN: Net = Net::Segment(1);
/// When the port died, in seconds after the first frame.
const DIED: f64 = 71.83;

/// What `analyze` says beside fw2 of a capture with these times; a frame without one is left out.
struct Said {
    report: Report,
    engine: Engine,
    page: String,
}

impl Said {
    fn of(pair: &Pair, time: impl Fn(Net, f64) -> Option<f64>) -> Self {
        Self::rotated(pair, &[0.0..f64::MAX], time)
    }

    /// Of a capture with a file of each net for each of these times.
    fn rotated(pair: &Pair, files: &[Range<f64>], time: impl Fn(Net, f64) -> Option<f64>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let begin = pair.frames[0].at;
        let nets = [(Net::Sync, "sync"), (LAN, "lan"), (WAN, "wan")];
        let all = nets.iter().flat_map(|net| files.iter().map(move |times| (net, times)));
        let inputs = all.map(|((net, name), times)| {
            let path = dir.path().join(format!("{name}{}.pcap", times.start));
            let mut writer = Writer::new(BufWriter::new(File::create(&path).unwrap())).unwrap();
            for frame in pair.frames.iter().filter(|f| f.net == *net) {
                let t = frame.at.since(begin).as_secs_f64();
                if let Some(t) = times.contains(&t).then(|| time(*net, t)).flatten() {
                    let at = begin - Duration::from_secs(10_000) + Duration::from_secs_f64(t + 10_000.0);
                    writer.frame(at, &frame.data).unwrap();
                }
            }
            writer.finish().unwrap();
            FileInput::new(path, *net)
        });
        let inputs: Vec<_> = inputs.collect();
        let nodes = pair.nodes();
        let mut settings = pair.settings(&nodes[1]);
        settings.policy.live.observes = true;
        let mut source = FileSource::open(&inputs);
        let mut engine = Engine::new(settings, 1);
        let mut report = Report::new();
        while drive::step(&mut source, &mut engine).unwrap() {
            report.collect(&mut engine);
        }
        report.times = source.times();
        report.finish(source.files(), &mut engine);
        let look = Look {
            width: 100,
            colour: false,
            unicode: true,
            zone: TimeZone::UTC,
        };
        let page = text::render(&report, &engine, &look);
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { report, engine, page }
    }

    fn downs(&self) -> Vec<String> {
        let downs = self.report.verdicts.iter().filter(|v| v.to == Health::Down);
        downs.map(|v| self.engine.label(v.node)).collect()
    }

    fn actions(&self) -> Vec<Action> {
        self.report.decisions.iter().map(|d| d.action).collect()
    }

    fn says(&self, what: &str) -> bool {
        self.page.contains(what)
    }
}

fn shipped(name: &str) -> Pair {
    pairs("openbsd-pair").into_iter().find(|p| p.name == name).unwrap()
}

fn later(t: f64, from: f64, by: f64) -> f64 {
    if t >= from { t + by } else { t }
}

/// Of the port that died: fw1 alone went down, and what fw2 would have done for it is done.
fn is_as_ever(said: &Said, what: &str) {
    assert_eq!(said.downs(), ["fw1"], "{what}");
    assert_eq!(said.actions(), [Action::Promote, Action::Restore], "{what}");
    assert_eq!(said.report.unsynchronised.len(), 1, "{what}");
}

#[test]
fn a_step_of_all_clocks_in_an_outage_takes_nothing_from_it() {
    let pair = shipped("awan_port_dead");
    for (from, by) in [
        (-20.0, -3.5),
        (-20.0, -4.0),
        (-0.8, -5.0),
        (0.0, -5.0),
        (30.0, -3.5),
        (30.0, -4.0),
        (30.0, 4.0),
        (30.0, 5.0),
        (30.0, 6.0),
        (30.0, 10.0),
    ] {
        let what = format!("{by} s, {from} s after");
        let said = Said::of(&pair, |_, t| Some(later(t, DIED + from, by)));
        is_as_ever(&said, &what);
        assert_eq!(said.report.times.apart, None, "{what}");
        assert!(
            !said.says("no master") && !said.says("other captures went on"),
            "{what}: {}",
            said.page
        );
        assert!(!said.report.quality.problems.is_empty(), "{what}");
    }
}

#[test]
fn where_clocks_went_apart_nothing_is_said_of_what_carp_saw() {
    let pair = shipped("awan_port_dead");
    for alone in [Net::Sync, LAN, WAN] {
        let said = Said::of(&pair, |net, t| {
            Some(if net == alone { later(t, DIED - 20.0, -10.0) } else { t })
        });
        assert_eq!(said.downs(), ["fw1"]);
        assert!(said.says("CARP cannot be put together with pfsync"), "{}", said.page);
        for wrong in ["CARP was in sync", "CARP saw nothing", "CARP moves by itself"] {
            assert!(!said.says(wrong), "{alone:?}: {wrong}");
        }
    }
}

/// A segment that falls silent because its clock is ahead by ten minutes makes nobody down, and CARP moves nothing by itself.
#[test]
fn a_segment_on_which_nobody_is_heard_says_nothing_about_whose_fault_it_is() {
    let pair = shipped("awan_port_dead");
    let said = Said::of(&pair, |net, t| {
        Some(if net == LAN { later(t, DIED - 20.0, 600.0) } else { t })
    });
    assert_eq!(said.downs(), ["fw1"]);
    assert!(
        !said.says("CARP moves by itself") && !said.says("before the others"),
        "{}",
        said.page
    );
}

#[test]
fn the_end_of_a_file_is_not_silence() {
    let well = shipped("steady2");
    for (ended, says) in [
        (&[LAN, WAN][..], "the captures of lan and wan end 60"),
        (&[LAN], "the capture of lan ends 60"),
        (&[Net::Sync], "the capture of the sync net ends 1 min"),
    ] {
        let said = Said::of(&well, |net, t| (!ended.contains(&net) || t < 200.0).then_some(t));
        assert!(
            said.report
                .verdicts
                .iter()
                .all(|v| v.to != Health::Down && v.to != Health::Unknown)
        );
        assert!(
            said.says(says.trim_end_matches(char::is_numeric)),
            "{says}: {}",
            said.page
        );
        assert!(
            !said.says("nobody advertised") && !said.says("sync link"),
            "{}",
            said.page
        );
    }
    let torn = shipped("awan_port_dead");
    for (ended, from) in [
        (&[LAN][..], -10.0),
        (&[LAN], 20.0),
        (&[WAN], -10.0),
        (&[LAN, WAN], 20.0),
    ] {
        let said = Said::of(&torn, |net, t| (!ended.contains(&net) || t < DIED + from).then_some(t));
        assert_eq!(said.downs(), ["fw1"], "{ended:?} {from}");
        assert!(!said.says("no master"), "{}", said.page);
    }
}

/// Only at the end of the others is it known that a segment was not silent.
#[test]
fn a_segment_whose_clock_alone_was_set_was_never_without_a_master() {
    let well = shipped("steady2");
    for by in [-600.0, -20.0, 20.0, 60.0, 600.0] {
        let said = Said::of(&well, |net, t| Some(if net == LAN { later(t, 135.0, by) } else { t }));
        assert_eq!(said.downs(), [""; 0], "{by}");
        assert!(
            !said.says("nobody advertised") && !said.says("no master"),
            "{by}: {}",
            said.page
        );
        assert!(said.says(if by > 0.0 { "went forward" } else { "went back" }), "{by}");
    }
    // Nobody was there, and all ends together.
    let silent = |net: Net, t: f64| (net != LAN || !(135.0..155.0).contains(&t)).then_some(t);
    assert!(Said::of(&well, silent).says("no master of lan"));
}

#[test]
fn a_file_that_is_missing_between_others_is_not_silence() {
    const FILES: [Range<f64>; 3] = [0.0..90.0, 90.0..180.0, 180.0..f64::MAX];
    let (well, torn) = (shipped("steady2"), shipped("awan_port_dead"));
    for (missing, says) in [
        (&[][..], ""),
        (&[Net::Sync], "nothing of the sync net was captured once, for 1 min"),
        (&[LAN], "nothing of lan was captured once, for 1 min"),
        (&[Net::Sync, LAN], "nothing of lan was captured once, for 1 min"),
        (&[Net::Sync, LAN, WAN], "nothing was captured once, for 1 min"),
    ] {
        let there = |net: Net, t: f64| (!missing.contains(&net) || !FILES[1].contains(&t)).then_some(t);
        let said = Said::rotated(&well, &FILES, there);
        assert_eq!(said.downs(), [""; 0], "{missing:?}");
        assert!(said.says(says), "{missing:?}: {}", said.page);
        let absent = |said: &Said| said.says("nobody advertised") || said.says("sync link") || said.says("no master");
        assert!(!absent(&said), "{missing:?}: {}", said.page);
        let apart = missing.contains(&LAN) && !missing.contains(&WAN);
        assert_eq!(said.engine.carp_parted().is_some(), apart, "{missing:?}");
        let said = Said::rotated(&torn, &FILES, there);
        assert_eq!(said.downs(), ["fw1"], "{missing:?}");
        assert!(!absent(&said), "{missing:?}: {}", said.page);
    }
    // And of a net alone whose usual pause is so long that inside a file this would be none of ours.
    let slow = pairs("freebsd-pair")
        .into_iter()
        .find(|p| p.name == "fb_awan_port_dead")
        .unwrap();
    let alone = |net: Net, t: f64| (net == Net::Sync && !(60.0..135.0).contains(&t)).then_some(t);
    let said = Said::rotated(&slow, &[0.0..60.0, 135.0..f64::MAX], alone);
    assert!(said.says("nothing was captured once"), "{}", said.page);
}

#[test]
fn a_file_of_one_time_is_no_witness() {
    let pair = shipped("awan_port_dead");
    for timeless in [&[LAN][..], &[LAN, WAN]] {
        for time in [0.0, DIED] {
            let said = Said::of(&pair, |net, t| Some(if timeless.contains(&net) { time } else { t }));
            assert_eq!(said.downs(), ["fw1"], "{timeless:?} {time}");
            assert!(
                said.says("one and the same time") && !said.says("CARP was in sync"),
                "{}",
                said.page
            );
        }
    }
}

/// A hiccup of the capture: whoever is heard first after it says nothing about those who are not yet.
#[test]
fn silence_of_everybody_is_nobodys_silence() {
    let pair = shipped("lull2");
    for length in [1.8, 2.2, 2.6, 3.0, 3.6, 5.0] {
        for from in [13.0, 22.0, 60.3, 97.5, 141.2] {
            let hiccup = |t: f64| (from..from + length).contains(&t);
            let said = Said::of(&pair, |_, t| (!hiccup(t)).then_some(t));
            assert_eq!(said.downs(), [""; 0], "{length} s from {from} on");
        }
    }
}
