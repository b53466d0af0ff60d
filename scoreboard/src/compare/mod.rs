//! Does the simulator announce what real kernels announce? Per second, beside the captures of a real pair.
//!
//! The simulated site has the laboratory's traffic (counted in its steady capture), and the same things happen to it at
//! the same times. Every number is read by the same engine. Printed by `pfwatch-scoreboard compare`; what the
//! differences mean is in docs/simulator.md.

mod count;

use crate::scene::ETHERNET;
use count::Counter;
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
use pfwatch::time::Timestamp;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

const fn secs(n: u64) -> Time {
    Duration::from_secs(n)
}

/// A stretch of time in a capture.
type Span = (&'static str, Time, Time);

/// A capture, what happened in it, and the spans to compare.
struct Case {
    capture: &'static str,
    title: &'static str,
    faults: &'static [(Time, Fault)],
    spans: &'static [Span],
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

/// What is counted, in the order of the table; all but the last two per second, those as shares.
pub const COLUMNS: [&str; 12] = [
    "frames",
    "INS",
    "UPD_C",
    "DEL_C",
    "attempt",
    "forward",
    "reverse",
    "both",
    "end-to-end",
    "through the pair",
    "new TCP answered",
    "new UDP answered",
];

/// Numbers of one node in one span, as [`COLUMNS`] has them; none where there was nothing to answer.
pub type Numbers = [Option<f64>; 12];

/// What both say about one node in one span.
#[derive(Clone, Debug)]
pub struct Row {
    /// The capture.
    pub capture: &'static str,
    /// The span.
    pub span: &'static str,
    /// `A` or `B`.
    pub node: &'static str,
    /// What real kernels did.
    pub real: Numbers,
    /// What the simulated ones do.
    pub simulated: Numbers,
}

/// Whether two numbers differ by more than a fifth of the greater one, and by one a second or by ten of a hundred.
#[must_use]
pub fn differ(column: usize, real: f64, simulated: f64) -> bool {
    let much = if column < 10 { 1.0 } else { 0.1 };
    let by = (real - simulated).abs();
    by > 0.2 * real.max(simulated) && by >= much
}

fn real(case: &Case, captures: &Path) -> Result<Vec<[Numbers; 2]>, SourceError> {
    let mut source = FileSource::open(&[FileInput::new(
        captures.join(format!("{}.sync.pcap.zst", case.capture)),
        Where::Sync,
    )]);
    let truth = std::fs::read_to_string(captures.join(format!("{}.truth.json", case.capture))).unwrap_or_default();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap_or_default();
    let from = truth.pointer("/traffic/from").and_then(serde_json::Value::as_f64);
    let mut counter = Counter::new(case.spans, from.map(unix));
    loop {
        match source.next(Timestamp::MAX)? {
            Input::Frame(frame) => counter.frame(&frame),
            Input::End => return Ok(counter.numbers()),
            _ => {}
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "Unix times of captures fit")]
fn unix(seconds: f64) -> Timestamp {
    Timestamp::from_nanos((seconds * 1e9) as i64)
}

fn simulated(case: &Case, seed: u64) -> Vec<[Numbers; 2]> {
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
        } = heard
        {
            counter.frame(&Frame::whole(epoch + at, Where::Sync, ETHERNET, &octets));
        }
    }
    counter.numbers()
}

/// Put what the simulator announces beside captures of a real pair, per second and kind of evidence, as Markdown
#[derive(clap::Args, Clone, Debug)]
pub struct CompareArgs {
    /// The captures of the real pair
    #[arg(long, value_name = "FOLDER", default_value = "captures/openbsd-pair")]
    pub captures: PathBuf,
    /// Simulated runs of each capture, of which the mean is printed; seeds count from 1
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub seeds: u64,
}

/// Prints the table.
///
/// # Errors
/// A capture that cannot be read, a reader that left.
pub fn print(args: &CompareArgs, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    out.write_all(markdown(&rows(&args.captures, args.seeds)?).as_bytes())?;
    Ok(())
}

/// Everything, in the order of the tables; the simulated numbers are the mean of these seeds.
///
/// # Errors
/// A capture that cannot be read.
pub fn rows(captures: &Path, seeds: u64) -> Result<Vec<Row>, SourceError> {
    let mut rows = Vec::new();
    for case in CASES {
        let real = real(case, captures)?;
        let runs = thread::scope(|scope| {
            let runs: Vec<_> = (1..=seeds)
                .map(|seed| scope.spawn(move || simulated(case, seed)))
                .collect();
            let done = |run: ScopedJoinHandle<'_, _>| run.join().unwrap_or_else(|e| std::panic::resume_unwind(e));
            runs.into_iter().map(done).collect::<Vec<_>>()
        });
        for (i, (span, ..)) in case.spans.iter().enumerate() {
            for (n, node) in ["A", "B"].into_iter().enumerate() {
                let runs: Vec<Numbers> = runs.iter().filter_map(|run| Some(*run.get(i)?.get(n)?)).collect();
                rows.push(Row {
                    capture: case.capture,
                    span,
                    node,
                    real: real[i][n],
                    simulated: std::array::from_fn(|column| mean(runs.iter().filter_map(|r| r[column]))),
                });
            }
        }
    }
    Ok(rows)
}

#[expect(clippy::cast_precision_loss, reason = "a number of runs")]
fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let all: Vec<f64> = numbers.collect();
    (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
}

/// As Markdown: real / simulated, bold where they [`differ`].
#[must_use]
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    for case in CASES {
        let _ = writeln!(text, "\n`{}`: {}.\n", case.capture, case.title);
        let _ = writeln!(text, "| span | node | {} |", COLUMNS.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(COLUMNS.len() + 2));
        for row in rows.iter().filter(|r| r.capture == case.capture) {
            let cells: Vec<String> = (0..COLUMNS.len())
                .map(|c| cell(c, row.real[c], row.simulated[c]))
                .collect();
            let _ = writeln!(text, "| {} | {} | {} |", row.span, row.node, cells.join(" | "));
        }
    }
    text
}

fn cell(column: usize, real: Option<f64>, simulated: Option<f64>) -> String {
    let show = |x: Option<f64>| match x {
        None => "-".to_owned(),
        Some(x) if column < 10 => format!("{x:.1}"),
        Some(x) => format!("{:.0} %", x * 100.0),
    };
    let text = format!("{} / {}", show(real), show(simulated));
    match (real, simulated) {
        (Some(r), Some(s)) if differ(column, r, s) => format!("**{text}**"),
        _ => text,
    }
}
