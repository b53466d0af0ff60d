//! Clocks that were set, frames out of line, and times of which nothing was captured.

use crate::build::{Ng, plain};
use pfwatch::capture::file::{FileInput, FileSource, Times, Unrecorded};
use pfwatch::capture::{GapCause, Input, Net, Source};
use pfwatch::time::Timestamp;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

const LAN: Net = Net::Segment(0);
const WAN: Net = Net::Segment(1);
/// When captures begin, in seconds.
const BEGIN: f64 = 1_790_000_000.0;

/// Frames of one file: when on its own clock, in seconds after [`BEGIN`].
type Own = Vec<f64>;

/// What a source said.
#[derive(Default)]
struct Heard {
    /// Net, moment on the timeline, number of the frame in its file.
    frames: Vec<(Net, f64, usize)>,
    gaps: Vec<(GapCause, f64, Duration)>,
    /// Nets whose files were told to have ended while others went on, when.
    ended: Vec<(Net, f64)>,
    times: Times,
}

impl Heard {
    fn of(&self, net: Net) -> Vec<(f64, usize)> {
        let here = self.frames.iter().filter(|f| f.0 == net);
        here.map(|f| (f.1, f.2)).collect()
    }

    fn causes(&self) -> Vec<GapCause> {
        self.gaps.iter().map(|g| g.0).collect()
    }

    /// What a moment of the timeline is on the capture's own clock.
    fn own(&self, at: f64) -> f64 {
        seconds(self.times.own.shows(moment(at)))
    }
}

fn moment(at: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "times of tests")]
    Timestamp::from_nanos(((BEGIN + at) * 1e6).round() as i64 * 1000)
}

fn seconds(at: Timestamp) -> f64 {
    ((at.as_secs_f64() - BEGIN) * 1e4).round() / 1e4
}

/// `count` frames from `first` on, `every` so many seconds.
fn steady(first: f64, every: f64, count: u32) -> Own {
    (0..count).map(|i| first + f64::from(i) * every).collect()
}

/// The clock is set by so much from the frame on that comes at `at` or later.
fn set(own: &mut Own, at: f64, by: f64) {
    own.iter_mut().filter(|t| **t >= at).for_each(|t| *t += by);
}

fn capture(own: &[f64]) -> Vec<u8> {
    let data: Vec<_> = (0..own.len()).map(|i| i.to_string().into_bytes()).collect();
    let time = |t: f64| u64::try_from(moment(t).as_nanos()).unwrap();
    let records: Vec<_> = own.iter().zip(&data).map(|(t, d)| (time(*t), &d[..])).collect();
    plain(&records)
}

fn hear(files: &[(Net, Own)]) -> Heard {
    let dir = TempDir::new().unwrap();
    let input = |(i, (net, own)): (usize, &(Net, Own))| {
        let path = dir.path().join(i.to_string());
        fs::write(&path, capture(own)).unwrap();
        FileInput::new(path, *net)
    };
    let inputs: Vec<_> = files.iter().enumerate().map(input).collect();
    let mut source = FileSource::open(&inputs);
    let mut heard = Heard::default();
    loop {
        match source.next(Timestamp::MAX).unwrap() {
            Input::Frame(f) => {
                let number = std::str::from_utf8(f.data).unwrap().parse().unwrap();
                heard.frames.push((f.net, seconds(f.at), number));
            }
            Input::Gap {
                at,
                cause: GapCause::Ended(net),
                ..
            } => heard.ended.push((net, seconds(at))),
            Input::Gap { at, length, cause, .. } => heard.gaps.push((cause, seconds(at), length)),
            Input::Idle(at) => panic!("idle until {at}"),
            Input::End => break,
        }
    }
    heard.times = source.times();
    let mut last = f64::MIN;
    for f in heard.frames.iter().filter(|_| heard.times.timeless.is_empty()) {
        assert!(f.1 >= last - 3.0, "the timeline goes on: {} after {last}", f.1);
        last = f.1.max(last);
    }
    heard
}

fn said_nothing(heard: &Heard) {
    assert_eq!(heard.gaps, []);
    assert_eq!(heard.times, Times::default());
}

/// The pair as it is captured: ten frames a second of pfsync, one of CARP on each segment.
fn pair() -> [(Net, Own); 3] {
    [
        (Net::Sync, steady(0.0, 0.1, 2000)),
        (LAN, steady(0.4, 1.0, 200)),
        (WAN, steady(0.7, 1.0, 200)),
    ]
}

#[test]
fn a_clock_set_back_in_all_files_moves_them_all_by_the_same_amount() {
    for by in [-3600.0, -10.0, -5.0] {
        let mut files = pair();
        files.iter_mut().for_each(|f| set(&mut f.1, 100.0, by));
        let heard = hear(&files);
        assert_eq!(heard.frames.len(), 2400, "{by}");
        let [step] = &heard.times.steps[..] else {
            panic!("{:?}", heard.times)
        };
        assert!((step.by.as_secs_f64() + by).abs() <= 1.0, "{step:?}");
        assert!(step.all && step.back && step.files.len() == 3, "{step:?}");
        assert!(heard.causes().iter().all(|c| *c == GapCause::ClockStep));
        assert_eq!(heard.times.apart, None);
        // Between files everything is as far apart as on the wire.
        let (sync, lan) = (heard.of(Net::Sync), heard.of(LAN));
        assert!(
            (lan[150].0 - sync[1504].0).abs() < 1e-3,
            "{:?} {:?}",
            lan[150],
            sync[1504]
        );
        assert!((lan[99].0 - sync[994].0).abs() < 1e-3);
        // What is printed is what the capture says.
        assert_eq!(heard.own(sync[500].0), 50.0);
        assert_eq!(heard.own(sync[1500].0), 150.0 + by);
        assert_eq!(heard.own(lan[150].0), 150.4 + by);
    }
}

/// On a net with a frame a second a step of four goes back by three: no more than queues do.
#[test]
fn a_small_step_back_is_found_in_slow_files_by_that_of_a_busy_one() {
    for by in [-3.5, -4.0, -5.0] {
        for takeover in [false, true] {
            let mut files = pair();
            if takeover {
                // A backup waits for three and a half intervals, just then.
                files[2].1.retain(|t| !(99.0..102.5).contains(t));
            }
            files.iter_mut().for_each(|f| set(&mut f.1, 100.0, by));
            let heard = hear(&files);
            let what = format!("{by} {takeover}");
            let [step] = &heard.times.steps[..] else {
                panic!("{what}: {:?}", heard.times)
            };
            assert!(step.all && step.back && step.files.len() == 3, "{what}: {step:?}");
            assert!((step.by.as_secs_f64() + by).abs() <= 1.0, "{what}: {step:?}");
            assert_eq!(heard.times.apart, None, "{what}");
            let (sync, wan) = (heard.of(Net::Sync), heard.of(WAN));
            let apart = wan[wan.len() - 1].0 - sync[1999].0;
            assert!((apart + 0.2).abs() < 1e-3, "{what}: {apart}");
        }
    }
}

/// A backup waits before it takes over, and what it says after the step lies ahead of what was said before it.
#[test]
fn a_small_step_back_in_all_files_is_one_though_a_takeover_hides_it_in_one_of_them() {
    for by in [-2.5, -2.9, -3.5] {
        let mut files = pair();
        files[2].1.retain(|t| *t < 99.0 || *t > 102.5);
        files.iter_mut().for_each(|f| set(&mut f.1, 100.0, by));
        let heard = hear(&files);
        let [step] = &heard.times.steps[..] else {
            panic!("{by}: {:?}", heard.times)
        };
        assert!(step.all && step.back, "{step:?}");
        let (sync, wan) = (heard.of(Net::Sync), heard.of(WAN));
        let apart = wan[120].0 - sync[1238].0;
        assert!(
            (apart - 0.0).abs() < 0.15,
            "{by}: as far apart as on the wire, not {apart}"
        );
    }
}

#[test]
fn a_small_step_of_one_file_is_none_of_the_others() {
    let mut files = pair();
    set(&mut files[0].1, 100.0, -4.0);
    let heard = hear(&files);
    let [step] = &heard.times.steps[..] else {
        panic!("{:?}", heard.times)
    };
    assert!(!step.all && step.files.len() == 1, "{step:?}");
    // And what queues of a slow net put out of order is no step of anybody.
    let mut files = pair();
    files[1].1[100] -= 2.5;
    let heard = hear(&files);
    assert_eq!((heard.frames.len(), heard.times), (2400, Times::default()));
}

#[test]
fn a_clock_set_forward_is_a_gap_although_a_backup_waited_once() {
    let mut files = pair();
    files[2].1.retain(|t| !(50.0..53.5).contains(t));
    files.iter_mut().for_each(|f| set(&mut f.1, 100.0, 6.0));
    assert_eq!(hear(&files).causes(), [GapCause::ClockStep]);
}

#[test]
fn a_net_whose_files_end_before_others_is_told_and_by_how_much() {
    let heard = hear(&pair());
    assert_eq!(
        (heard.ended, heard.times),
        (vec![(LAN, 199.4), (WAN, 199.7)], Times::default())
    );
    let mut files = pair();
    files[1].1.truncate(150);
    files[2].1.truncate(150);
    let heard = hear(&files);
    assert_eq!(heard.ended, [(LAN, 149.4), (WAN, 149.7)]);
    let [ended] = &heard.times.ended[..] else {
        panic!("{:?}", heard.times)
    };
    assert_eq!(
        (&ended.nets, seconds(ended.at), seconds(ended.until)),
        (&vec![LAN, WAN], 149.4, 199.9)
    );
}

/// It is read, counted, and no witness of anything from its beginning on.
#[test]
fn a_segment_of_one_time_is_passed_over() {
    for time in [0.0 - BEGIN, 50.0] {
        let mut files = pair();
        files[1].1 = vec![time; 200];
        let heard = hear(&files);
        assert_eq!((heard.of(LAN), heard.frames.len()), (vec![], 2200));
        assert_eq!(heard.times.timeless.len(), 1);
        assert_eq!(heard.ended[0], (LAN, 0.0));
        assert_eq!(heard.times.ended, []);
    }
}

#[test]
fn a_clock_set_back_in_one_file_alone_parts_it_from_the_others() {
    for (alone, count) in [(0, 2000), (1, 200), (2, 200)] {
        let mut files = pair();
        set(&mut files[alone].1, 100.0, -3600.0);
        let heard = hear(&files);
        let net = files[alone].0;
        let frames: Vec<_> = heard.of(net);
        assert_eq!(
            frames.iter().map(|f| f.1).collect::<Vec<_>>(),
            (0..count).collect::<Vec<_>>()
        );
        assert!(frames.last().unwrap().0 < 210.0, "it goes on where it was");
        let [step] = &heard.times.steps[..] else {
            panic!("{:?}", heard.times)
        };
        assert!(!step.all && step.files.len() == 1, "{step:?}");
        assert_eq!(heard.causes().last(), Some(&GapCause::ClocksApart));
        let apart = heard.times.apart.map(seconds).unwrap();
        assert!((100.0..105.0).contains(&apart), "{apart}");
        // Told by the clock of the sync net.
        let shown = heard.own(heard.of(Net::Sync)[1500].0);
        assert_eq!(shown, if alone == 0 { 150.0 - 3600.0 } else { 150.0 });
    }
}

#[test]
fn of_two_files_of_one_net_the_one_that_was_set_is_given_up() {
    let mut files = [
        (Net::Sync, steady(0.0, 0.1, 2000)),
        (Net::Sync, steady(0.05, 0.1, 2000)),
    ];
    set(&mut files[1].1, 100.0, -3600.0);
    let heard = hear(&files);
    assert_eq!(heard.frames.len(), 3000);
    assert_eq!(heard.times.given_up.len(), 1);
    assert_eq!(heard.times.apart, None);
}

#[test]
fn a_clock_set_forward_is_a_gap_of_that_length_in_all_files() {
    for by in [3600.0, 100.0, 12.0] {
        let mut files = pair();
        files.iter_mut().for_each(|f| set(&mut f.1, 100.0, by));
        let heard = hear(&files);
        let [(cause, at, length)] = heard.gaps[..] else {
            panic!("{:?}", heard.gaps)
        };
        assert_eq!(cause, GapCause::ClockStep);
        assert!((length.as_secs_f64() - by).abs() <= 1.0, "{length:?}");
        assert!((at - 100.0 - by).abs() <= 1.0);
        let [step] = &heard.times.steps[..] else {
            panic!("{:?}", heard.times)
        };
        assert!(step.all && !step.back, "{step:?}");
        assert_eq!(heard.own(heard.of(Net::Sync)[1500].0), 150.0 + by);
    }
}

#[test]
fn a_clock_set_forward_in_one_file_parts_it_from_the_others_once_they_are_over() {
    let mut files = pair();
    set(&mut files[0].1, 100.0, 3600.0);
    let heard = hear(&files);
    assert_eq!(heard.causes(), [GapCause::ClocksApart]);
    let [step] = &heard.times.steps[..] else {
        panic!("{:?}", heard.times)
    };
    assert!(!step.all && !step.back, "{step:?}");
    assert_eq!(step.by.as_secs(), 3600);
}

#[test]
fn silence_of_one_net_is_silence() {
    let mut files = pair();
    files[0].1.retain(|t| !(60.0..160.0).contains(t));
    said_nothing(&hear(&files));
}

#[test]
fn a_quiet_night_is_silence() {
    // An hour of half a frame a minute, with pauses of up to five minutes.
    let night: Own = (0..40)
        .map(|i| f64::from(i) * 120.0 + f64::from(i % 3) * 55.0)
        .collect();
    said_nothing(&hear(&[(Net::Sync, night)]));
    // Too few frames to know any pace.
    said_nothing(&hear(&[(
        Net::Sync,
        [steady(0.0, 0.1, 20), steady(900.0, 0.1, 20)].concat(),
    )]));
    // A lull of a busy net.
    said_nothing(&hear(&[(
        Net::Sync,
        [steady(0.0, 0.1, 500), steady(95.0, 0.1, 500)].concat(),
    )]));
}

#[test]
fn ten_steps_are_ten_steps() {
    let mut files = pair();
    for i in 0..10 {
        let by = if i % 2 == 0 { -500.0 } else { 700.0 };
        // Behind what was set before, in the order of the file.
        for (net, own) in &mut files {
            let every = if *net == Net::Sync { 10 } else { 1 };
            own.iter_mut().skip((15 + i * 15) * every).for_each(|t| *t += by);
        }
    }
    let heard = hear(&files);
    assert_eq!(heard.frames.len(), 2400);
    assert_eq!(heard.times.steps.len(), 10, "{:?}", heard.times);
    assert!(heard.times.steps.iter().all(|s| s.all), "{:?}", heard.times.steps);
    assert_eq!(heard.times.apart, None);
    assert_eq!(heard.own(heard.of(Net::Sync)[1900].0), 190.0 + 1000.0);
}

#[test]
fn a_few_frames_out_of_line_are_left_out_wherever_they_are() {
    for at in [0, 1, 640, 1998, 1999] {
        for by in [3600.0, -3600.0] {
            let mut files = pair();
            files[0].1[at] += by;
            let heard = hear(&files);
            let what = format!("frame {at} by {by}");
            assert_eq!(heard.frames.len(), 2399, "{what}");
            assert_eq!(heard.gaps, [], "{what}");
            let [strays] = &heard.times.strays[..] else {
                panic!("{what}: {:?}", heard.times)
            };
            assert_eq!((strays.count, strays.behind), (1, by < 0.0), "{what}");
            assert!((strays.by.as_secs_f64() - 3600.0).abs() < 1.0, "{what}: {strays:?}");
            assert_eq!(heard.times.steps, [], "{what}");
        }
    }
}

#[test]
fn a_frame_of_the_far_future_or_of_the_beginning_of_time_moves_nothing() {
    for time in [0.0 - BEGIN, 4_102_444_800.0 - BEGIN] {
        let mut files = pair();
        files[0].1[700] = time;
        let heard = hear(&files);
        assert_eq!((heard.frames.len(), heard.gaps.len()), (2399, 0));
        assert_eq!(heard.times.strays.len(), 1);
    }
}

#[test]
fn a_capture_of_one_time_tells_no_time() {
    let heard = hear(&[(Net::Sync, vec![0.0 - BEGIN; 100]), (LAN, vec![0.0 - BEGIN; 5])]);
    assert_eq!(heard.frames.len(), 105);
    assert_eq!(heard.times.timeless.len(), 1);
}

#[test]
fn times_that_run_to_and_fro_are_no_times() {
    let heard = hear(&[(Net::Sync, (0..2000).rev().map(|i| f64::from(i) * 10.0).collect())]);
    assert!(heard.times.steps.len() <= 64);
    assert_eq!(heard.times.timeless.len(), 1);
    let wild: Own = (0..5000_u32)
        .map(|i| f64::from(i.wrapping_mul(2_654_435_761) % 1_000_000))
        .collect();
    let heard = hear(&[(Net::Sync, wild)]);
    assert!(heard.times.steps.len() <= 64);
    assert_eq!(heard.times.timeless.len(), 1);
}

/// Ticks of seconds with an offset: times at both ends of what can be said.
#[test]
fn the_ends_of_time_panic_nobody() {
    for offset in [i64::MIN, -9_223_372_036, 0, 9_223_372_036, i64::MAX] {
        let mut ng = Ng::new(false);
        ng.interface(1, 0, &[(9, &[0]), (14, &offset.to_le_bytes())]);
        for i in 0..200_u64 {
            let ticks = if i % 7 == 0 { u64::MAX / (i + 1) } else { i };
            ng.enhanced(0, ticks, b"x", &[]);
        }
        let mut source = crate::source(&ng.out);
        let (seen, failed) = crate::drain(&mut source);
        assert!(failed.is_none() && seen.len() > 100);
        assert!(source.times().steps.len() <= 64);
    }
}

fn rotated(missing: f64, every: f64) -> Heard {
    let half = |first: f64| steady(first, every, 1000);
    let length = every * 1000.0;
    hear(&[(Net::Sync, half(0.0)), (Net::Sync, half(length + missing))])
}

#[test]
fn a_stretch_without_a_file_is_a_gap_where_it_can_be_no_pause() {
    let heard = rotated(300.0, 0.1);
    let [(cause, at, length)] = heard.gaps[..] else {
        panic!("{:?}", heard.gaps)
    };
    assert_eq!((cause, at), (GapCause::Unrecorded, 400.0));
    assert!((300.0..301.0).contains(&length.as_secs_f64()));
    let [stretch] = heard.times.unrecorded[..] else {
        panic!("{:?}", heard.times)
    };
    assert_eq!((seconds(stretch.from), seconds(stretch.to)), (99.9, 400.0));
    assert_eq!(heard.times.steps, []);
    // tcpdump rotates when a frame comes: between files of a quiet net there is a pause like others.
    said_nothing(&rotated(0.0, 120.0));
    said_nothing(&rotated(90.0, 30.0));
}

type Hole = (Vec<(Net, f64)>, Vec<(GapCause, f64)>, Vec<(Option<Net>, f64)>);

/// Before the end of all: when a net was told to have ended, when to go on, and how long nothing of it was captured.
fn hole(heard: &Heard) -> Hole {
    let gaps = heard.gaps.iter().map(|g| (g.0, g.1)).collect();
    let stretch = |s: &Unrecorded| (s.net, s.to.since(s.from).as_secs_f64().round());
    let stretches = heard.times.unrecorded.iter().map(stretch).collect();
    let before = heard.ended.iter().copied().filter(|e| e.1 < 200.0);
    (before.collect(), gaps, stretches)
}

/// Three nets; of these nothing is captured from 100 s on, until 200 s.
fn without(missing: &[Net]) -> Heard {
    let rotate = |(net, own): (Net, Own)| {
        let (first, rest): (Own, Own) = own.iter().partition(|t| **t < 100.0);
        let rest = rest.into_iter().filter(|t| !missing.contains(&net) || *t >= 200.0);
        [(net, first), (net, rest.collect())]
    };
    let long = [
        (Net::Sync, steady(0.0, 0.1, 3000)),
        (LAN, steady(0.4, 1.0, 300)),
        (WAN, steady(0.7, 1.0, 300)),
    ];
    hear(&long.into_iter().flat_map(rotate).collect::<Vec<_>>())
}

#[test]
fn what_is_missing_between_files_of_one_net_is_a_gap_of_that_net() {
    said_nothing(&without(&[]));
    assert_eq!(
        hole(&without(&[Net::Sync])),
        (
            vec![(Net::Sync, 99.9)],
            vec![(GapCause::Resumed(Net::Sync), 200.0)],
            vec![(Some(Net::Sync), 100.0)]
        )
    );
    assert_eq!(
        hole(&without(&[LAN])),
        (
            vec![(LAN, 99.4)],
            vec![(GapCause::Resumed(LAN), 200.4)],
            vec![(Some(LAN), 101.0)]
        )
    );
}

#[test]
fn what_is_missing_of_all_nets_is_a_gap_of_all_and_none_has_ended_when_it_is_over() {
    let (ended, gaps, stretches) = hole(&without(&[Net::Sync, LAN, WAN]));
    let resumed = |net: Net| (GapCause::Resumed(net), 200.0);
    let mut told: Vec<_> = ended.iter().map(|(net, _)| resumed(*net)).collect();
    told.sort_by_key(|t| t.0);
    told.push((GapCause::Unrecorded, 200.0));
    assert_eq!(gaps, told);
    assert_eq!(stretches, [(None, 100.0)]);
}

#[test]
fn a_net_that_ends_where_the_others_pause_has_ended_there() {
    let heard = hear(&[
        (Net::Sync, steady(0.0, 0.1, 1000)),
        (Net::Sync, steady(400.0, 0.1, 1000)),
        (LAN, steady(0.4, 1.0, 100)),
        (WAN, steady(0.95, 1.0, 100)),
    ]);
    let [ended] = &heard.times.ended[..] else {
        panic!("{:?}", heard.times)
    };
    assert_eq!((&ended.nets[..], seconds(ended.at)), (&[LAN, WAN][..], 99.4));
    assert_eq!(hole(&heard).2, [(None, 300.0)]);
}
