//! Live capture on a real kernel: a veth pair in a network namespace of the test's own, fed by tcpreplay.
//!
//! Needs root, iproute2, util-linux and tcpreplay, therefore ignored: `cargo test --test live -- --ignored --test-threads=1`.
//! Another capture is replayed with `PFWATCH_TEST_CAPTURE=FILE`, as fast as `PFWATCH_TEST_PACE=--multiplier=1` says (an option of
//! tcpreplay), and the figures are shown with `--nocapture`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

use pfwatch::capture::file::{FileInput, FileSource};
use pfwatch::capture::live::{LiveInput, LiveSource, Options};
use pfwatch::capture::{ErrorClass, GapCause, Input, Net, Source};
use pfwatch::time::Timestamp;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Runs the test again inside a namespace of its own; true if we are inside already.
fn inside(test: &str) -> bool {
    const MARK: &str = "PFWATCH_TEST_NAMESPACE";
    if std::env::var_os(MARK).is_some() {
        ip("link set lo up");
        ip("link add pft0 type veth peer name pft1");
        for end in ["pft0", "pft1"] {
            // Nothing but what is replayed shall be heard.
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").unwrap();
            ip(&format!("link set {end} up"));
        }
        return true;
    }
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new("unshare");
    command
        .arg("--net")
        .arg(this)
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(MARK, "1");
    assert!(command.status().unwrap().success());
    false
}

fn ip(arguments: &str) {
    assert!(
        Command::new("ip")
            .args(arguments.split(' '))
            .status()
            .unwrap()
            .success(),
        "ip {arguments}"
    );
}

fn capture() -> String {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/captures/golden/openbsd6.eth.pcap");
    std::env::var("PFWATCH_TEST_CAPTURE").unwrap_or_else(|_| golden.to_owned())
}

/// Frames of the capture.
fn frames() -> u64 {
    let mut source = FileSource::open(&[FileInput::new(capture(), Net::Sync)]);
    while let Input::Frame(_) = source.next(Timestamp::MAX).unwrap() {}
    source.files()[0].frames
}

fn replay(how: &[&str]) -> Child {
    let mut command = Command::new("tcpreplay");
    command.args(["--quiet", "-i", "pft1"]).args(how).arg(capture());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn listen(options: Options) -> LiveSource {
    LiveSource::open(
        &[LiveInput {
            interface: "pft0".into(),
            net: Net::Sync,
        }],
        options,
    )
    .unwrap()
}

fn say(what: std::fmt::Arguments) {
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// Listens until the replay is over and all is quiet; every frame with its lateness, and the gaps.
fn hear(source: &mut LiveSource, mut replay: Child) -> (Vec<Duration>, Vec<(GapCause, u64)>) {
    let (mut late, mut gaps) = (vec![], vec![]);
    let mut last = Timestamp::MIN;
    let mut end = None;
    loop {
        let deadline = source.now() + Duration::from_millis(100);
        let (at, frame) = match source.next(deadline).unwrap() {
            Input::Frame(f) => {
                assert!(f.at <= deadline);
                assert!(f.at >= last, "one interface is heard in order");
                last = f.at;
                (f.at, true)
            }
            Input::Idle(at) => {
                assert!(at <= deadline);
                (at, false)
            }
            Input::Gap { cause, lost, at, .. } => {
                gaps.push((cause, lost));
                (at, false)
            }
            Input::End => panic!("an interface has no end"),
        };
        if frame {
            late.push(source.now().since(at));
        }
        if end.is_none() && replay.try_wait().unwrap().is_some() {
            // Long enough for the drop counters to be polled.
            end = Some(source.now() + Duration::from_millis(1500));
        }
        if end.is_some_and(|end| source.now() > end) {
            return (late, gaps);
        }
    }
}

fn report(what: &str, mut late: Vec<Duration>, gaps: &[(GapCause, u64)]) {
    late.sort_unstable();
    let at = |n: usize| {
        late.get((late.len() * n / 1000).min(late.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    };
    let (median, most, worst) = (at(500), at(990), at(1000));
    say(format_args!(
        "{what}: {} frames, late by {median:?} (99 %: {most:?}, worst {worst:?}); gaps {gaps:?}",
        late.len()
    ));
}

#[test]
#[ignore = "needs root and tcpreplay"]
fn every_frame_arrives_in_time() {
    if !inside("every_frame_arrives_in_time") {
        return;
    }
    let mut source = listen(Options::default());
    let pace = std::env::var("PFWATCH_TEST_PACE").unwrap_or_else(|_| "--pps=2000".to_owned());
    let (late, gaps) = hear(&mut source, replay(&[&pace, "--loop=2"]));
    assert_eq!(late.len() as u64, 2 * frames());
    assert_eq!(gaps, []);
    assert!(
        late.iter().filter(|l| **l > Duration::from_millis(50)).count() * 100 < late.len(),
        "a busy host?"
    );
    report(&pace, late, &gaps);
}

#[test]
#[ignore = "needs root and tcpreplay"]
fn a_flood_is_heard_or_counted() {
    if !inside("a_flood_is_heard_or_counted") {
        return;
    }
    let mut source = listen(Options::default());
    let (late, gaps) = hear(&mut source, replay(&["--topspeed", "--loop=5"]));
    let lost: u64 = gaps.iter().filter(|g| g.0 == GapCause::KernelDrop).map(|g| g.1).sum();
    assert_eq!(late.len() as u64 + lost, 5 * frames());
    assert_eq!(source.interfaces()[0].dropped(), lost);
    report("as fast as it goes", late, &gaps);
}

#[test]
#[ignore = "needs root and tcpreplay"]
fn an_interface_that_goes_and_comes_back() {
    if !inside("an_interface_that_goes_and_comes_back") {
        return;
    }
    let mut source = listen(Options::default());
    let heard = |source: &mut LiveSource| {
        let (late, gaps) = hear(source, replay(&["--pps=2000"]));
        (
            late.len() as u64,
            gaps.iter().filter(|g| g.0 == GapCause::InterfaceDown).count(),
        )
    };
    assert_eq!(heard(&mut source), (frames(), 0));
    let quiet = |source: &mut LiveSource, length: u64| {
        hear(source, Command::new("sleep").arg(length.to_string()).spawn().unwrap())
            .1
            .len()
    };
    ip("link set pft0 down");
    let down = quiet(&mut source, 2);
    ip("link set pft0 up");
    let up = quiet(&mut source, 2);
    say(format_args!("down: {down} gaps, up again: {up} more"));
    assert!(down >= 2, "told while it lasts");
    assert_eq!(heard(&mut source), (frames(), 0));
    ip("link del pft0");
    let gone = quiet(&mut source, 2);
    assert!(!source.interfaces()[0].is_up());
    assert!(gone >= 2, "told while it lasts");
    ip("link add pft0 type veth peer name pft1");
    for end in ["pft0", "pft1"] {
        std::fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").unwrap();
        ip(&format!("link set {end} up"));
    }
    let back = quiet(&mut source, 2);
    say(format_args!("gone: {gone} gaps, back: {back} more"));
    assert!(source.interfaces()[0].is_up());
    assert_eq!(heard(&mut source), (frames(), 0));
}

#[test]
#[ignore = "needs root and tcpreplay"]
fn deadlines_are_kept_in_silence() {
    if !inside("deadlines_are_kept_in_silence") {
        return;
    }
    let mut source = listen(Options::default());
    let mut worst = Duration::ZERO;
    for _ in 0..50 {
        let deadline = source.now() + Duration::from_millis(37);
        let mut told = Timestamp::MIN;
        while told < deadline {
            match source.next(deadline).unwrap() {
                Input::Idle(at) => told = at,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(told, deadline);
        worst = worst.max(source.now().since(deadline));
    }
    say(format_args!("a silence is known at most {worst:?} after its deadline"));
    assert!(worst < Duration::from_millis(200));
}

#[test]
#[ignore = "needs root and tcpreplay"]
fn a_stopped_process_says_so() {
    if !inside("a_stopped_process_says_so") {
        return;
    }
    let mut source = listen(Options::default());
    let this = std::process::id();
    // Half a second of frames comes while the process stands still; the kernel keeps them for it.
    let mut replay = replay(&["--pps=100", "--limit=50", "--loop=100"]);
    let stop = format!("sleep 0.1; kill -STOP {this}; sleep 2; kill -CONT {this}");
    let (late, gaps) = hear(&mut source, Command::new("sh").args(["-c", &stop]).spawn().unwrap());
    replay.wait().unwrap();
    assert_eq!(late.len(), 50);
    assert!(
        late.iter().any(|l| *l > Duration::from_secs(1)),
        "stamped when they came, not when they were read"
    );
    assert!(gaps.iter().any(|g| g.0 == GapCause::Stall), "{gaps:?}");
    report("stopped for two seconds", late, &gaps);
}

#[test]
#[ignore = "needs root and tcpreplay"]
fn interfaces_that_cannot_be_opened() {
    if !inside("interfaces_that_cannot_be_opened") {
        return;
    }
    let open = |name: &str| {
        let input = LiveInput {
            interface: name.into(),
            net: Net::Sync,
        };
        LiveSource::open(&[input], Options::default()).map(|_| ()).unwrap_err()
    };
    let error = open("pft9");
    assert_eq!(error.class(), ErrorClass::Unavailable);
    let sentence = error.to_string();
    assert!(
        sentence.starts_with("there is no interface pft9: this host has "),
        "{sentence}"
    );
    assert!(sentence.contains("pft0"), "{sentence}");
    say(format_args!("{sentence}"));
}
