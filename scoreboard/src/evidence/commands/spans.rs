//! Years of sites whose firewall is fine, in pieces, and how often it was called dead.

use super::super::replay::UNTIL;
use super::super::span::{Site, Span, WARM_UP, span};
use super::super::weather::Weather;
use super::{CommandError, SYSTEMS, all, recorded, site, threads};
use crate::effort::spent;
use crate::rate::{Rate, YEAR};
use clap::Args;
use pf_sim::scenario::LoadName;
use pf_sim::traffic::{Load, Mix};
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Run years of healthy firewalls by evidence alone, in all weathers, and print how often they were called dead
#[derive(Args, Clone, Debug)]
pub struct SpansArgs {
    /// Years at the load busy
    #[arg(long, value_name = "YEARS", default_value_t = 1.0)]
    pub years_busy: f64,
    /// Years at the load office
    #[arg(long, value_name = "YEARS", default_value_t = 5.0)]
    pub years_office: f64,
    /// Years at the load branch
    #[arg(long, value_name = "YEARS", default_value_t = 10.0)]
    pub years_branch: f64,
    /// Years at the load night
    #[arg(long, value_name = "YEARS", default_value_t = 15.0)]
    pub years_night: f64,
    /// Years at the load night+canary
    #[arg(long, value_name = "YEARS", default_value_t = 5.0)]
    pub years_canary: f64,
    /// Risks to set, in false alarms per year: one a decade, one a day, one an hour
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "0.1")]
    pub risk: Vec<f64>,
    /// Days of one piece
    #[arg(long, value_name = "DAYS", default_value_t = 14.0)]
    pub piece: f64,
    /// Nothing breaks but what the traffic itself contains
    #[arg(long)]
    pub calm: bool,
    /// Servers fail together every week, any share of them as often as any other
    #[arg(long, conflicts_with = "calm")]
    pub rough: bool,
    /// Record less: what the tests look at
    #[arg(long)]
    pub short: bool,
    /// Keep the results of pieces in this file, as JSON lines; what is in it already is not done again
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Pieces at the same time [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
}

/// A piece of a span. Its number is its seed, and decides which system it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Piece {
    load: String,
    risk: f64,
    calm: bool,
    #[serde(default)]
    rough: bool,
    number: u64,
    days: f64,
    #[serde(default)]
    short: bool,
    /// Which program made it; an older one did not say.
    #[serde(default)]
    build: String,
}

/// A piece and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    piece: Piece,
    span: Span,
    /// Seconds of processor time that it took.
    cost: f64,
}

/// At these parts of the busiest hour each load is recorded.
const PARTS: [f64; 3] = [1.0, 0.3, 0.08];

/// Runs what is not there yet and prints the table.
///
/// # Errors
/// What cannot be read, kept or printed.
pub fn spans(args: &SpansArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let mut lines = match &args.out {
        Some(path) => read(path)?,
        None => Vec::new(),
    };
    let build = crate::board::raw::build().map_err(|source| CommandError::File {
        path: "this program".into(),
        source,
    })?;
    lines.retain(|l| l.piece.build == build && l.piece.short == args.short);
    let wanted = [
        (LoadName::Busy, args.years_busy),
        (LoadName::Office, args.years_office),
        (LoadName::Branch, args.years_branch),
        (LoadName::Night, args.years_night),
        (LoadName::NightCanary, args.years_canary),
    ];
    for (name, years) in wanted.into_iter().filter(|w| w.1 > 0.0) {
        let pieces = pieces(args, name, years, &build);
        let left: Vec<Piece> = pieces
            .into_iter()
            .filter(|p| lines.iter().all(|l: &Line| l.piece != *p))
            .collect();
        if left.is_empty() {
            continue;
        }
        run(args, name, &left, |line| {
            if let Some(path) = &args.out {
                keep(path, &line)?;
            }
            lines.push(line);
            Ok(())
        })?;
    }
    print(args, &wanted, &mut lines, out)
}

fn pieces(args: &SpansArgs, name: LoadName, years: f64, build: &str) -> Vec<Piece> {
    // A slot is 50 ms and they are counted in 32 bits; a piece is far below that.
    let longest = UNTIL.saturating_sub(WARM_UP).as_secs_f64() / 86_400.0;
    let days = args.piece.clamp(0.01, longest);
    let mut pieces = Vec::new();
    for &risk in &args.risk {
        let mut left = years * YEAR / 86_400.0;
        for number in 1.. {
            if left < 1e-6 {
                break;
            }
            pieces.push(Piece {
                load: name.as_str().into(),
                risk,
                calm: args.calm,
                rough: args.rough,
                number,
                days: left.min(days),
                short: args.short,
                build: build.into(),
            });
            left -= days;
        }
    }
    pieces
}

fn run(
    args: &SpansArgs,
    name: LoadName,
    pieces: &[Piece],
    mut keep: impl FnMut(Line) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let (load, canaries) = site(name);
    let daily = !matches!(name, LoadName::Night | LoadName::NightCanary);
    let parts = if daily { &PARTS[..] } else { &PARTS[..1] };
    let jobs: Vec<(usize, f64)> = (0..SYSTEMS.len())
        .flat_map(|system| parts.iter().map(move |part| (system, *part)))
        .collect();
    let mut recordings: Vec<(usize, _)> = Vec::new();
    let record = |&(system, part): &(usize, f64)| recorded(name, part, system, args.short);
    all(&jobs, threads(args.threads), record, |i, library| {
        recordings.push((i, library));
        Ok::<_, CommandError>(())
    })?;
    recordings.sort_by_key(|r| r.0);
    let libraries: Vec<_> = recordings.into_iter().map(|r| r.1).collect();
    let mix = Mix::standard();
    let work = |piece: &Piece| {
        let before = spent();
        let system = usize::from(piece.number.is_multiple_of(2));
        let site = Site {
            levels: &libraries[system * parts.len()..(system + 1) * parts.len()],
            load: Load { daily, ..load },
            mix: &mix,
            canaries: &canaries,
            weather: match (piece.calm, piece.rough) {
                (true, _) => Weather::CALM,
                (_, true) => Weather::ROUGH,
                _ => Weather::ORDINARY,
            },
        };
        let length = Duration::from_secs_f64(piece.days * 86_400.0);
        Line {
            piece: piece.clone(),
            span: span(&site, piece.risk, length, piece.number),
            cost: (spent() - before).as_secs_f64(),
        }
    };
    all(pieces, threads(args.threads), work, |_, line| keep(line))
}

fn read(path: &Path) -> Result<Vec<Line>, CommandError> {
    let text = match fs::read_to_string(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|source| CommandError::File {
            path: path.to_owned(),
            source,
        })?,
    };
    // A last line that was cut short is dropped: its piece is done again.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    if whole.len() < text.len() {
        fs::write(path, whole).map_err(|source| CommandError::File {
            path: path.to_owned(),
            source,
        })?;
    }
    let lines = whole.lines().zip(1..).map(|(line, n)| {
        serde_json::from_str(line).map_err(|source| CommandError::Format {
            path: path.to_owned(),
            line: n,
            source,
        })
    });
    lines.collect()
}

fn keep(path: &Path, line: &Line) -> Result<(), CommandError> {
    let file = |source| CommandError::File {
        path: path.to_owned(),
        source,
    };
    let mut text = serde_json::to_string(line).map_err(|e| file(e.into()))?;
    text.push('\n');
    let mut open = OpenOptions::new().create(true).append(true).open(path).map_err(file)?;
    open.write_all(text.as_bytes()).map_err(file)
}

fn print(
    args: &SpansArgs,
    wanted: &[(LoadName, f64)],
    lines: &mut [Line],
    out: &mut impl Write,
) -> Result<(), CommandError> {
    lines.sort_by_key(|l| l.piece.number);
    writeln!(
        out,
        "| load | risk set, a year | years | false alarms | a year (95 %) | suspected, a year | told a second | simulated s/s |\n|---|---|---|---|---|---|---|---|"
    )?;
    let mut words = Vec::new();
    for (name, _) in wanted {
        for &risk in &args.risk {
            let weather = (args.calm, args.rough);
            let asked = |l: &&Line| {
                let same = l.piece.load == name.as_str() && (l.piece.calm, l.piece.rough) == weather;
                same && l.piece.risk.total_cmp(&risk).is_eq()
            };
            let these: Vec<&Line> = lines.iter().filter(asked).collect();
            if these.is_empty() {
                continue;
            }
            row(name.as_str(), risk, &these, out)?;
            for line in these {
                for a in &line.span.alarms {
                    words.push(format!(
                        "* {}, risk {risk}, piece {}, day {:.3}: {} ({})",
                        name.as_str(),
                        line.piece.number,
                        a.at / 86_400.0,
                        a.words,
                        a.mood
                    ));
                }
            }
        }
    }
    for line in words.iter().take(MOST) {
        writeln!(out, "{line}")?;
    }
    if words.len() > MOST {
        writeln!(out, "* and {} more", words.len() - MOST)?;
    }
    Ok(())
}

/// So many alarms are told in words.
const MOST: usize = 60;

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn row(name: &str, risk: f64, lines: &[&Line], out: &mut impl Write) -> Result<(), CommandError> {
    let sum = |f: &dyn Fn(&Line) -> f64| lines.iter().map(|l| f(l)).sum::<f64>();
    let (length, cost) = (sum(&|l| l.span.length), sum(&|l| l.cost));
    let alarms: u64 = lines.iter().map(|l| l.span.alarms.len() as u64).sum();
    let rate = Rate::new(alarms, Duration::from_secs_f64(length));
    let rate = rate.map_or("-".into(), |r| {
        format!("{:.3} ({:.3} to {:.3})", r.seen, r.bounds.0, r.bounds.1)
    });
    let years = length / YEAR;
    writeln!(
        out,
        "| {name} | {risk} | {years:.2} | {alarms} | {rate} | {:.1} | {:.0} | {:.0} |",
        sum(&|l| l.span.suspected as f64) / years,
        sum(&|l| l.span.told as f64) / length,
        length / cost.max(1e-9),
    )?;
    Ok(())
}
