//! The watcher that wraps pfwatch says on a real capture exactly what `analyze` says on the file: same engine, same
//! frames, same times, whoever drives it.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

use pf_sim::heard::Heard;
use pf_sim::site::{self, Node};
use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Input, LinkType, Net, Source};
use pfwatch::engine::Engine;
use pfwatch::event::Health;
use pfwatch::report::Report;
use pfwatch::settings::{Segment, Settings};
use pfwatch::time::Timestamp;
use pfwatch_scoreboard::pair::Pair;
use pfwatch_scoreboard::run;
use pfwatch_scoreboard::watch::watchdog::Watchdog;
use pfwatch_scoreboard::watch::{Act, Watch};
use std::path::Path;
use std::time::Duration;

fn source(capture: &str) -> FileSource {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures/openbsd-pair");
    let file = |end: &str, net| FileInput::new(folder.join(format!("{capture}.{end}")), net);
    FileSource::as_recorded(&[
        file("sync.pcap.zst", Net::Sync),
        file("lan.carp.pcap", Net::Segment(0)),
        file("wan.carp.pcap", Net::Segment(1)),
    ])
}

/// The pair of that folder, as its pair.toml has it.
fn settings(me: Node) -> Settings {
    let node = |n: Node| {
        let local = |a: [u8; 4]| std::net::IpAddr::from(a);
        let last = u8::try_from(n).unwrap() + 2;
        pfwatch::settings::Node {
            name: format!("fw{}", n + 1),
            addresses: vec![site::address(site::Net::Sync, n)],
            is_self: n == me,
            local: [[10, 0, 1, last], [198, 51, 100, last], [10, 0, 1, 1], [198, 51, 100, 1]]
                .map(local)
                .into(),
        }
    };
    let segment = |name: &str| Segment {
        name: name.into(),
        password: None,
        vlan: None,
    };
    Settings {
        nodes: vec![node(0), node(1)],
        segments: vec![segment("lan"), segment("wan")],
        ..Settings::default()
    }
}

/// Turns of health and decisions, as nanoseconds, node, and word.
type Words = Vec<(i64, usize, String)>;

fn by_analysis(capture: &str) -> Words {
    let mut words = Vec::new();
    for me in 0..2 {
        let (mut source, mut engine, mut report) = (source(capture), Engine::new(settings(me), 1), Report::new());
        while pfwatch::drive::step(&mut source, &mut engine).unwrap() {
            report.collect(&mut engine);
        }
        let turns = report
            .verdicts
            .iter()
            .filter(|v| (v.from == Health::Down) != (v.to == Health::Down));
        let turn = |v: &pfwatch::event::Verdict| {
            (
                v.at.as_nanos(),
                v.node.index(),
                format!("down {}", v.to == Health::Down),
            )
        };
        if me == 1 {
            words.extend(turns.map(turn));
        }
        words.extend(
            report
                .decisions
                .iter()
                .map(|d| (d.at.as_nanos(), me, d.action.as_str().to_owned())),
        );
    }
    words.sort();
    words
}

fn by_watching(capture: &str) -> Words {
    let mut source = source(capture);
    let (mut heard, mut epoch, mut at) = (Vec::new(), None, Duration::ZERO);
    while let Input::Frame(f) = source.next(Timestamp::MAX).unwrap() {
        let start = *epoch.get_or_insert(f.at);
        assert_eq!((f.link, f.wire_len as usize), (LinkType(1), f.data.len()));
        at = f.at.since(start);
        let net = match f.net {
            Net::Sync => site::Net::Sync,
            Net::Segment(0) => site::Net::Lan,
            Net::Segment(_) => site::Net::Wan,
        };
        let octets = f.data.to_vec();
        heard.push(Heard::Frame { at, net, octets });
    }
    let mut pair = Pair::plain(at);
    pair.epoch = epoch.unwrap().as_nanos();
    let beside = (0..2).map(|me| (me, settings(me), Vec::new()));
    let mut watchers: [Box<dyn Watch>; 1] = [Box::new(Watchdog::configured(&pair, "pfwatch", beside))];
    run::watch(&pair, run::everywhere(&pair, heard.into_iter()), &mut watchers);
    let said = watchers[0].said();
    let on_the_clock = |at: Duration| pair.epoch + i64::try_from(at.as_nanos()).unwrap();
    let turns = said
        .turns
        .iter()
        .map(|t| (on_the_clock(t.at), t.node, format!("down {}", t.down)));
    let word = |act: Act| format!("{act:?}").to_lowercase();
    let deeds = said.deeds.iter().map(|d| (on_the_clock(d.at), d.me, word(d.act)));
    let mut words: Words = turns.chain(deeds).collect();
    words.sort();
    words
}

#[test]
fn a_dead_port_is_found_and_acted_on_at_the_same_nanosecond() {
    let words = by_analysis("awan_port_dead");
    assert_eq!(by_watching("awan_port_dead"), words);
    let has = |node, word: &str| words.iter().any(|(_, n, w)| (*n, w.as_str()) == (node, word));
    assert!(has(0, "down true") && has(1, "promote"), "{words:?}");
}

#[test]
fn dead_servers_are_seen_the_same_way() {
    assert_eq!(by_watching("servers_dead"), by_analysis("servers_dead"));
}
