//! What only capture files can have: clocks that were set, frames out of line, times that no file tells of.
//!
//! Put into words here, beside what the engine found wrong with what it heard.

use super::Report;
use super::tell::words::file;
use crate::capture::Net;
use crate::capture::file::{Ended, FileInfo, Step, Strays, Times, Unrecorded};
use crate::engine::quality::{Found, Problem, Quality};
use crate::time::{Timestamp, spell};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// Two times are the same to the pause between two frames.
const SAME: Duration = Duration::from_secs(3);
/// Two shorter times may be the same by chance.
const LONG: Duration = Duration::from_secs(10);

/// Whose clock alone went forward was not silent meanwhile: that nobody advertised there is withdrawn.
pub(super) fn withdraw(report: &mut Report, segment_of: impl Fn(usize) -> Option<usize>) {
    ahead(report, &segment_of);
    for step in report.times.steps.iter().filter(|s| !s.back && !s.all) {
        let its = |f: &&FileInfo| step.files.contains(&f.path);
        let nets: Vec<Net> = report.files.iter().filter(its).map(|f| f.net).collect();
        let meanwhile = |(from, to): &(Timestamp, Option<Timestamp>)| {
            *from + SAME >= step.at - step.by && to.is_some_and(|to| to <= step.at + SAME)
        };
        for ((network, _), spans) in &mut report.no_master {
            if segment_of(*network).is_some_and(|s| nets.contains(&Net::Segment(s))) {
                spans.retain(|span| !meanwhile(span));
            }
        }
    }
}

/// A segment on which nobody was heard for as long as its file ends after those of all others: its clock went forward then, for
/// captures of one pair are stopped together.
fn ahead(report: &mut Report, segment_of: impl Fn(usize) -> Option<usize>) {
    let [ended] = &report.times.ended[..] else { return };
    let by = ended.until.since(ended.at);
    let goes_on = |f: &&FileInfo| f.frames > 0 && !ended.nets.contains(&f.net);
    let (nets, files): (BTreeSet<Net>, Vec<PathBuf>) = report
        .files
        .iter()
        .filter(goes_on)
        .map(|f| (f.net, f.path.clone()))
        .unzip();
    let same = |(from, to): &(Timestamp, Option<Timestamp>)| {
        let to = (*to)?;
        (to.since(*from).abs_diff(by) <= SAME).then_some(to)
    };
    let here = |network: usize| segment_of(network).is_some_and(|s| nets.contains(&Net::Segment(s)));
    let spans = report.no_master.iter().filter(|((network, _), _)| here(*network));
    let at = spans.flat_map(|(_, spans)| spans).filter_map(same).max();
    if let (1, Some(at), true) = (nets.len(), at, by > LONG) {
        report.times.ended.clear();
        report.times.steps.push(Step {
            at,
            files,
            by,
            back: false,
            all: false,
        });
    }
}

/// Adds it.
pub(super) fn add(
    times: &Times,
    files: &[FileInfo],
    ends: impl Fn(&Ended) -> String,
    of: impl Fn(Net) -> String,
    quality: &mut Quality,
) {
    let all = [
        timeless(times, files),
        stepped(times),
        strays(&times.strays),
        missing(&times.unrecorded, &times.ended, ends, of),
    ];
    all.into_iter().flatten().for_each(|found| quality.add(found));
}

fn names(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|f| file(f)).collect();
    names.join(", ")
}

fn found(kind: Problem, count: u64, first: Option<Timestamp>, detail: String) -> Found {
    Found {
        kind,
        count,
        share: None,
        first,
        last: first,
        detail,
        fatal: false,
        node: None,
    }
}

/// Without times in any capture of the sync net nothing can be judged.
fn timeless(times: &Times, read: &[FileInfo]) -> Option<Found> {
    let files = &times.timeless;
    let mut sync = read.iter().filter(|f| f.net == Net::Sync && f.frames > 0);
    let detail = || {
        format!(
            "all frames of {} have one and the same time, or times that run to and fro, so that nothing can be told of what came \
             when: capture anew, or convert the file with a program that keeps the times",
            names(files)
        )
    };
    (!files.is_empty()).then(|| Found {
        fatal: sync.all(|f| files.contains(&f.path)),
        ..found(Problem::NoTime, files.len() as u64, None, detail())
    })
}

fn stepped(times: &Times) -> Option<Found> {
    let steps = &times.steps;
    let first = steps.first()?;
    let by: Vec<String> = steps.iter().take(3).map(step).collect();
    let more = match steps.len().saturating_sub(3) {
        0 => String::new(),
        n => format!(" and {n} times more"),
    };
    let whose = if steps.iter().all(|s| s.all) {
        "the times printed are the capture's own, and around a step nothing is judged"
    } else if times.apart.is_none() && steps.iter().all(|s| !s.back) {
        "the other captures went on, which shows only at their end: after it what CARP told there came late by as much"
    } else {
        "the other captures went on, so that afterwards nothing is concluded from two of them together"
    };
    let detail = format!("the clock of the capturing host {}{more}: {whose}", by.join(", "));
    Some(found(Problem::ClockStep, steps.len() as u64, Some(first.at), detail))
}

fn step(step: &Step) -> String {
    let by = spell(step.by);
    let how = if step.back {
        format!("went back by {by}")
    } else {
        format!("went forward by {by} (or nothing was captured for that long)")
    };
    if step.all {
        how
    } else {
        format!("{how} in {}", names(&step.files))
    }
}

fn strays(strays: &[Strays]) -> Option<Found> {
    let first = strays.first()?;
    let count = strays.iter().map(|s| s.count).sum();
    let (by, where_to) = (spell(first.by), if first.behind { "behind" } else { "ahead of" });
    let frames = if count == 1 {
        "1 frame is".into()
    } else {
        format!("{count} frames are")
    };
    let detail = format!(
        "{frames} out of line, the first {by} {where_to} those around it in {}: left out, because its time cannot be",
        file(&first.file)
    );
    Some(found(Problem::OutOfLine, count, None, detail))
}

/// What no file tells of: all of them, or those of one net.
fn missing(
    gaps: &[Unrecorded],
    ended: &[Ended],
    ends: impl Fn(&Ended) -> String,
    of: impl Fn(Net) -> String,
) -> Option<Found> {
    let first = gaps.iter().map(|g| g.from).chain(ended.iter().map(|e| e.at)).min()?;
    let end = |e: &Ended| {
        format!(
            "{}: what was there after that is not known, and nothing is concluded from its absence",
            ends(e)
        )
    };
    let nets: BTreeSet<Option<Net>> = gaps.iter().map(|g| g.net).collect();
    let gaps_of = |net: &Option<Net>| {
        let gaps = gaps.iter().filter(|g| g.net == *net);
        unrecorded(*net, &gaps.map(|g| g.to.since(g.from)).collect::<Vec<_>>(), &of)
    };
    let said: Vec<String> = nets.iter().map(gaps_of).chain(ended.iter().map(end)).collect();
    let count = (gaps.len() + ended.len()) as u64;
    Some(found(Problem::Gap, count, Some(first), said.join("; ")))
}

fn unrecorded(net: Option<Net>, gaps: &[Duration], of: impl Fn(Net) -> String) -> String {
    let times = match gaps.len() {
        1 => "once".into(),
        n => format!("{n} times"),
    };
    let (of, whom) = match net {
        None => (String::new(), "nobody is blamed for it"),
        Some(net) => (format!(" of {}", of(net)), "nothing is concluded from its absence"),
    };
    format!(
        "nothing{of} was captured {times}, for {} in all: whatever happened then is not known, and {whom}",
        spell(gaps.iter().sum())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_told_with_its_size_and_one_time_for_all_is_why_nothing_can_be_judged() {
        let step = Step {
            at: Timestamp::from_nanos(0),
            files: vec!["sync.pcap".into()],
            by: Duration::from_secs(3_600),
            back: true,
            all: true,
        };
        let mut times = Times {
            steps: vec![step.clone()],
            ..Times::default()
        };
        let mut quality = Quality::default();
        add(&times, &[], |_| String::new(), |_| String::new(), &mut quality);
        assert!(quality.problems[0].detail.contains("went back by 1 h"), "{quality:?}");
        assert!(quality.judged());
        times.steps = vec![Step { all: false, ..step }];
        times.timeless = vec!["x.pcap".into()];
        let mut quality = Quality::default();
        add(&times, &[], |_| String::new(), |_| String::new(), &mut quality);
        assert_eq!(quality.why_not().unwrap().kind, Problem::NoTime);
        assert!(quality.problems[1].detail.contains("in sync.pcap"), "{quality:?}");
    }
}
