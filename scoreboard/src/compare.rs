//! Does the simulator announce what real kernels announce? Per second, beside the captures of a real pair.
//!
//! The simulated site has the laboratory's traffic (counted in its steady capture), and the same things happen to it at
//! the same times. Every number is read by the same engine.

use crate::scene::ETHERNET;
use pf_sim::Time;
use pf_sim::fault::{Fault, Loss, Way};
use pf_sim::firewall::System;
use pf_sim::heard::Heard;
use pf_sim::setup::Setup;
use pf_sim::site::Net;
use pf_sim::traffic::{Load, Mix};
use pf_sim::world::World;
use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::{Frame, Input, Net as Where, Source, SourceError};
use pfwatch::engine::Engine;
use pfwatch::event::NodeId;
use pfwatch::settings::{Node, Settings};
use pfwatch::time::Timestamp;
use pfwatch::track::flow::{Class, Movement, Outcome};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

const fn secs(n: u64) -> Time {
    Duration::from_secs(n)
}

/// A capture, what happened in it, and the spans to compare.
struct Case {
    capture: &'static str,
    title: &'static str,
    faults: &'static [(Time, Fault)],
    spans: &'static [(&'static str, Time, Time)],
}

/// What happened in the laboratory, from the truth beside each capture; spans leave out the seconds in which it began.
const CASES: &[Case] = &[
    Case {
        capture: "steady2",
        title: "nothing happens",
        faults: &[],
        spans: &[("all the time", secs(30), secs(230))],
    },
    Case {
        capture: "awan_port_dead",
        title: "the outside port of the active node dies after 60 s and returns after 150 s",
        faults: &[
            (secs(60), Fault::Port(0, Net::Wan, Way::Both, Loss::ALL)),
            (secs(150), Fault::Port(0, Net::Wan, Way::Both, Loss::NONE)),
        ],
        spans: &[
            ("before", secs(30), secs(60)),
            ("its first 10 s", secs(61), secs(71)),
            ("dead", secs(71), secs(150)),
            ("after", secs(160), secs(230)),
        ],
    },
    Case {
        capture: "lull2",
        title: "clients fall quiet after 60 s, until 150 s",
        faults: &[(secs(60), Fault::Quiet(1.0)), (secs(150), Fault::Quiet(0.0))],
        spans: &[
            ("before", secs(30), secs(60)),
            ("its first 10 s", secs(61), secs(71)),
            ("quiet", secs(71), secs(150)),
            ("after", secs(155), secs(230)),
        ],
    },
    Case {
        capture: "crash_reboot2",
        title: "the active node stands still after 60 s, and boots after 125 s",
        faults: &[(secs(60), Fault::Crash(0)), (secs(125), Fault::Boot(0))],
        spans: &[
            ("before", secs(30), secs(60)),
            ("gone", secs(66), secs(125)),
            ("after", secs(160), secs(230)),
        ],
    },
];

/// Things counted in one span.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    frames: f64,
    inserts: f64,
    updates: f64,
    deletes: f64,
    /// attempt, forward, reverse, both, end to end, end to end through the pair
    kinds: [f64; 6],
    /// Of first messages of TCP states: success, partial, failure.
    new_tcp: [f64; 3],
    new_udp: [f64; 3],
}

/// Counts spans of both nodes; shared by what is read from files and what is simulated.
struct Counter {
    engine: Engine,
    from: Option<Timestamp>,
    /// Per span and node.
    counts: Vec<[Counts; 2]>,
    spans: &'static [(&'static str, Time, Time)],
    last: [[u64; 4]; 2],
}

impl Counter {
    fn new(spans: &'static [(&'static str, Time, Time)], from: Option<Timestamp>) -> Self {
        let node = |n: u8| Node {
            name: String::new(),
            addresses: vec![std::net::Ipv4Addr::new(172, 16, 0, n).into()],
            is_self: false,
            local: Vec::new(),
        };
        let settings = Settings {
            nodes: vec![node(1), node(2)],
            ..Settings::default()
        };
        let mut engine = Engine::new(settings, 1);
        engine.observations();
        Self {
            engine,
            from,
            counts: vec![[Counts::default(); 2]; spans.len()],
            spans,
            last: [[0; 4]; 2],
        }
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let from = *self.from.get_or_insert(frame.at);
        let at = if frame.at < from {
            Time::MAX
        } else {
            frame.at.since(from)
        };
        self.engine.frame(frame);
        while self.engine.poll().is_some() {}
        let told = self.engine.observations();
        let now: Vec<[u64; 4]> = (0..2).map(|n| totals(&self.engine, n)).collect();
        if let Some(span) = self.spans.iter().position(|(_, from, to)| (*from..*to).contains(&at)) {
            for node in 0..2 {
                let more = |i: usize| delta(now[node][i], self.last[node][i]);
                let c = &mut self.counts[span][node];
                c.frames += more(0);
                c.inserts += more(1);
                c.updates += more(2);
                c.deletes += more(3);
            }
            for t in told {
                let NodeId(n) = t.node;
                let Some(c) = self.counts[span].get_mut(usize::from(n)) else {
                    continue;
                };
                c.kinds[kind(t.observation.movement)] += 1.0;
                match t.observation.trial {
                    Some((Class::NewTcp, o)) => c.new_tcp[outcome(o)] += 1.0,
                    Some((Class::NewUdp, o)) => c.new_udp[outcome(o)] += 1.0,
                    _ => {}
                }
            }
        }
        self.last = [now[0], now[1]];
    }
}

fn totals(engine: &Engine, node: usize) -> [u64; 4] {
    let Some(n) = engine.counters().nodes.get(node) else {
        return [0; 4];
    };
    let of = |names: &[&str]| names.iter().filter_map(|name| n.messages.get(name)).sum();
    [n.frames, of(&["INS"]), of(&["UPD_C", "UPD"]), of(&["DEL_C"])]
}

#[expect(clippy::cast_precision_loss, reason = "counts of minutes")]
fn delta(now: u64, before: u64) -> f64 {
    now.saturating_sub(before) as f64
}

fn kind(m: Movement) -> usize {
    match m {
        Movement::Attempt => 0,
        Movement::Forward => 1,
        Movement::Reverse => 2,
        Movement::Both => 3,
        Movement::EndToEnd => 4,
        Movement::PairEndToEnd => 5,
    }
}

fn outcome(o: Outcome) -> usize {
    match o {
        Outcome::Success | Outcome::Pair => 0,
        Outcome::Partial => 1,
        Outcome::Failure => 2,
    }
}

fn real(case: &Case, captures: &Path) -> Result<Vec<[Counts; 2]>, SourceError> {
    let mut source = FileSource::open(&[FileInput {
        path: captures.join(format!("{}.sync.pcap.zst", case.capture)),
        net: Where::Sync,
    }]);
    let truth = std::fs::read_to_string(captures.join(format!("{}.truth.json", case.capture))).unwrap_or_default();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap_or_default();
    let from = truth.pointer("/traffic/from").and_then(serde_json::Value::as_f64);
    let mut counter = Counter::new(case.spans, from.map(unix));
    loop {
        match source.next(Timestamp::MAX)? {
            Input::Frame(frame) => counter.frame(&frame),
            Input::End => return Ok(counter.counts),
            _ => {}
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "Unix times of captures fit")]
fn unix(seconds: f64) -> Timestamp {
    Timestamp::from_nanos((seconds * 1e9) as i64)
}

fn simulated(case: &Case, seed: u64) -> Vec<[Counts; 2]> {
    let mut setup = Setup::pair(System::OpenBsd, Load::LABORATORY, seed).lasting(secs(240));
    setup.mix = Mix::laboratory();
    setup.carp_states = true;
    setup.faults = case.faults.to_vec();
    let epoch = Timestamp::from_nanos(setup.epoch);
    let mut world = World::new(setup);
    let mut counter = Counter::new(case.spans, Some(epoch));
    while let Some(heard) = world.next() {
        if let Heard::Frame {
            at,
            net: Net::Sync,
            octets,
            ..
        } = heard
        {
            counter.frame(&Frame {
                at: epoch + at,
                net: Where::Sync,
                link: ETHERNET,
                data: &octets,
                wire_len: u32::try_from(octets.len()).unwrap_or(u32::MAX),
            });
        }
    }
    counter.counts
}

/// The table, as Markdown: real | simulated, per second of each span.
///
/// # Errors
/// A capture that cannot be read.
pub fn table(captures: &Path, seed: u64) -> Result<String, SourceError> {
    let mut text = String::new();
    for case in CASES {
        let (real, simulated) = (real(case, captures)?, simulated(case, seed));
        let _ = writeln!(
            text,
            "\n`{}`: {}. Real / simulated, per second.\n",
            case.capture, case.title
        );
        text.push_str(
            "| span | node | frames | INS | UPD_C | DEL_C | attempt | forward | reverse | both | end-to-end | through the pair | new TCP answered | new UDP answered |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        );
        for (i, (name, from, to)) in case.spans.iter().enumerate() {
            let length = (*to - *from).as_secs_f64();
            for node in 0..2 {
                let (r, s) = (&real[i][node], &simulated[i][node]);
                let per = |f: &dyn Fn(&Counts) -> f64| format!("{:.1} / {:.1}", f(r) / length, f(s) / length);
                let share = |f: &dyn Fn(&Counts) -> [f64; 3]| format!("{} / {}", answered(f(r)), answered(f(s)));
                let _ = write!(text, "| {name} | {} ", ["A", "B"][node]);
                let columns: [&dyn Fn(&Counts) -> f64; 4] =
                    [&|c| c.frames, &|c| c.inserts, &|c| c.updates, &|c| c.deletes];
                for column in columns {
                    let _ = write!(text, "| {} ", per(column));
                }
                for k in 0..6 {
                    let _ = write!(text, "| {} ", per(&|c: &Counts| c.kinds[k]));
                }
                let _ = writeln!(text, "| {} | {} |", share(&|c| c.new_tcp), share(&|c| c.new_udp));
            }
        }
    }
    Ok(text)
}

fn answered(outcomes: [f64; 3]) -> String {
    let all: f64 = outcomes.iter().sum();
    if all < 1.0 {
        return "-".into();
    }
    format!("{:.0} %", outcomes[0] / all * 100.0)
}
