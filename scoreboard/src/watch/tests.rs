//! Watchers on streams made by hand: what they say, and exactly when.

use super::carp::Carp;
use super::phi::Phi;
use super::ping::{self, Pings};
use super::silence::Silence;
use super::*;
use crate::pair::{Away, Pair};
use crate::run::{everywhere, watch};
use pf_sim::heard::{Blindness, Target};
use pf_sim::site::{self, Net};
use std::net::IpAddr;
use std::time::Duration;

fn ms(ms: u64) -> Time {
    Duration::from_millis(ms)
}

/// Ethernet and IPv4 around a payload.
fn frame(at: Time, net: Net, src: IpAddr, proto: u8, payload: &[u8]) -> Heard {
    let IpAddr::V4(src) = src else { unreachable!() };
    let len = u8::try_from(20 + payload.len()).unwrap();
    let mut octets = vec![0; 12];
    octets.extend([0x08, 0x00]);
    octets.extend([0x45, 0, 0, len, 0, 0, 0, 0, 255, proto, 0, 0]);
    octets.extend(src.octets());
    octets.extend([224, 0, 0, 18]);
    octets.extend(payload);
    Heard::Frame { at, net, octets }
}

fn pfsync(at: u64, node: Node) -> Heard {
    // A version 6 header and nothing else.
    let payload = [6, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    frame(ms(at), Net::Sync, site::address(Net::Sync, node), 240, &payload)
}

fn advertise(at: u64, net: Net, node: Node, demote: u8) -> Heard {
    let carp = pfsync_proto::Carp {
        vhid: 1,
        advskew: 0,
        advbase: 1,
        demote,
        authlen: 7,
        counter: 0,
        hmac: [0; 20],
        cksum_ok: true,
        bow_out: false,
    };
    frame(ms(at), net, site::address(net, node), 112, &carp.encode())
}

fn ping(at: u64, node: Node, target: Target, ok: bool) -> Heard {
    Heard::Ping {
        at: ms(at),
        node,
        target,
        ok,
    }
}

const BOTH: [Net; 2] = [Net::Lan, Net::Wan];

/// A node as master of these segments, from `from` every second up to and including `to`.
fn master(node: Node, nets: &[Net], from: u64, to: u64) -> Vec<Heard> {
    let times = (from..=to).step_by(1000);
    times
        .flat_map(|at| nets.iter().map(move |&net| advertise(at, net, node, 0)))
        .collect()
}

fn say(watcher: impl Watch + 'static, pair: &Pair, streams: &[&[Heard]]) -> Said {
    let mut stream = streams.concat();
    stream.sort_by_key(Heard::at);
    let mut watchers: [Box<dyn Watch>; 1] = [Box::new(watcher)];
    watch(pair, everywhere(pair, stream.into_iter()), &mut watchers);
    watchers[0].said().clone()
}

fn turns(said: &Said) -> Vec<(u64, Node, bool)> {
    let turn = |t: &Turn| (u64::try_from(t.at.as_millis()).unwrap(), t.node, t.down);
    said.turns.iter().map(turn).collect()
}

fn deeds(said: &Said) -> Vec<(u64, Node, Act)> {
    let deed = |d: &Deed| (u64::try_from(d.at.as_millis()).unwrap(), d.me, d.act);
    said.deeds.iter().map(deed).collect()
}

fn minute() -> Pair {
    Pair::plain(Duration::from_secs(60))
}

#[test]
fn silence_is_timed_from_the_last_frame_and_ends_with_the_next() {
    let pair = minute();
    let sync: Vec<Heard> = (100..=10_000)
        .step_by(500)
        .chain([15_000])
        .map(|at| pfsync(at, 0))
        .collect();
    let said = say(Silence::new(&pair, 3), &pair, &[&master(0, &BOTH, 0, 16_000), &sync]);
    assert_eq!(turns(&said), [(12_600, 0, true), (15_000, 0, false), (18_000, 0, true)]);
    let wanted = [
        (12_600, 1, Act::Promote),
        (15_000, 1, Act::Restore),
        (18_000, 1, Act::Promote),
    ];
    assert_eq!(deeds(&said), wanted);
}

#[test]
fn a_frame_exactly_when_the_timeout_ends_is_in_time() {
    let pair = minute();
    let sync: Vec<Heard> = (1000..60_000).step_by(3000).map(|at| pfsync(at, 0)).collect();
    let said = say(Silence::new(&pair, 3), &pair, &[&master(0, &BOTH, 0, 59_000), &sync]);
    assert_eq!(turns(&said), []);
}

#[test]
fn the_silence_of_a_backup_and_of_one_that_gave_way_is_nobodys_concern() {
    let pair = minute();
    let given_way = [advertise(5000, Net::Lan, 0, 1), advertise(5000, Net::Wan, 0, 1)];
    let sync = [
        pfsync(500, 1),
        pfsync(1000, 0),
        pfsync(4000, 0),
        pfsync(5500, 1),
        pfsync(8000, 1),
        pfsync(10_000, 1),
    ];
    let streams = [
        &master(0, &BOTH, 0, 4000)[..],
        &given_way,
        &master(1, &BOTH, 5001, 59_001),
        &sync,
    ];
    let said = say(Silence::new(&pair, 3), &pair, &streams);
    // Node 1 is master now, and it is its silence that counts.
    assert_eq!(turns(&said), [(13_000, 1, true)]);
    assert_eq!(deeds(&said), [(13_000, 0, Act::Promote)]);
}

#[test]
fn a_crash_is_silence_even_after_carp_has_moved_until_the_node_is_heard_again() {
    let pair = minute();
    let streams = [
        &master(0, &BOTH, 0, 5000)[..],
        &master(1, &BOTH, 8391, 58_391),
        &[pfsync(4800, 0), pfsync(30_000, 0)],
    ];
    let said = say(Silence::new(&pair, 10), &pair, &streams);
    assert_eq!(turns(&said), [(14_800, 0, true), (30_000, 0, false)]);
}

/// After 20 intervals of a second the deviation is the smallest allowed one: 1 s + 5.612 * 0.1 s after the last.
#[test]
fn phi_is_at_its_threshold_at_a_time_that_can_be_worked_out() {
    let pair = minute();
    let sync: Vec<Heard> = (500..=20_500).step_by(1000).map(|at| pfsync(at, 0)).collect();
    let said = say(Phi::new(&pair), &pair, &[&master(0, &BOTH, 0, 59_000), &sync]);
    assert_eq!(turns(&said), [(22_061, 0, true)]);
    assert_eq!(deeds(&said), [(22_061, 1, Act::Promote)]);
    let said = say(Phi::patient(&pair), &pair, &[&master(0, &BOTH, 0, 59_000), &sync]);
    assert_eq!(turns(&said), [(25_061, 0, true)]);
}

#[test]
fn phi_does_not_learn_the_interval_that_ended_a_suspicion() {
    let pair = minute();
    let sync: Vec<Heard> = (500..=20_500)
        .step_by(1000)
        .chain([30_500])
        .map(|at| pfsync(at, 0))
        .collect();
    let said = say(Phi::new(&pair), &pair, &[&master(0, &BOTH, 0, 59_000), &sync]);
    assert_eq!(turns(&said), [(22_061, 0, true), (30_500, 0, false), (32_061, 0, true)]);
}

#[test]
fn carp_waits_three_intervals_and_its_skew_and_takes_over_one_segment_after_the_other() {
    let pair = minute();
    let back = [
        ping(40_000, 1, Target::Peer(0, Net::Lan), true),
        ping(40_500, 1, Target::Peer(0, Net::Wan), true),
    ];
    let taken = [advertise(8391, Net::Lan, 1, 0), advertise(8393, Net::Wan, 1, 0)];
    let streams = [
        &master(0, &BOTH, 0, 5000)[..],
        &taken,
        &master(1, &BOTH, 9400, 59_000),
        &back,
    ];
    let said = say(Carp::new(&pair), &pair, &streams);
    assert_eq!(said.turns[0].at, Duration::from_nanos(8_390_625_000));
    assert_eq!(turns(&said), [(8390, 0, true), (40_500, 0, false)]);
    assert_eq!(deeds(&said), [(8391, 1, Act::Split), (8393, 1, Act::TakeOver)]);
}

#[test]
fn carp_knows_giving_way_from_vanishing() {
    let pair = minute();
    let given_way = [advertise(5000, Net::Lan, 0, 1), advertise(5000, Net::Wan, 0, 1)];
    let streams = [
        &master(0, &BOTH, 0, 4000)[..],
        &given_way,
        &master(1, &BOTH, 5001, 59_001),
    ];
    let said = say(Carp::new(&pair), &pair, &streams);
    assert_eq!((turns(&said), deeds(&said)), (vec![], vec![]));
    // And back again, as preemption does it: the better one simply comes first.
    let streams = [&master(1, &BOTH, 0, 4000)[..], &master(0, &BOTH, 4500, 59_500)];
    let said = say(Carp::new(&pair), &pair, &streams);
    assert_eq!((turns(&said), deeds(&said)), (vec![], vec![]));
}

#[test]
fn carp_on_one_segment_alone_makes_a_split_and_nothing_more() {
    let pair = minute();
    let streams = [
        &master(0, &[Net::Lan], 0, 59_000)[..],
        &master(0, &[Net::Wan], 0, 5000),
        &master(1, &[Net::Wan], 8391, 58_391),
    ];
    let said = say(Carp::new(&pair), &pair, &streams);
    assert_eq!(turns(&said), [(8390, 0, true)]);
    assert_eq!(deeds(&said), [(8391, 1, Act::Split)]);
}

#[test]
fn carp_alarms_once_when_advertisements_are_lost_for_a_while() {
    let pair = minute();
    let streams = [&master(0, &BOTH, 0, 5000)[..], &master(0, &BOTH, 9000, 59_000)];
    let said = say(Carp::new(&pair), &pair, &streams);
    assert_eq!(turns(&said), [(8390, 0, true), (9000, 0, false)]);
    // A ping that is answered takes it back too, and the same wait does not run out twice.
    let answered = [
        ping(8500, 1, Target::Peer(0, Net::Lan), true),
        ping(8600, 1, Target::Peer(0, Net::Wan), true),
    ];
    let said = say(Carp::new(&pair), &pair, &[streams[0], &answered, streams[1]]);
    assert_eq!(turns(&said), [(8390, 0, true), (8600, 0, false)]);
    // Two missing ones are none of its business.
    let streams = [&master(0, &BOTH, 0, 5000)[..], &master(0, &BOTH, 8000, 59_000)];
    assert_eq!(turns(&say(Carp::new(&pair), &pair, &streams)), []);
}

/// Pings of a node every second, all answered but those in `lost`.
fn pings(node: Node, target: Target, lost: std::ops::Range<u64>) -> Vec<Heard> {
    let one = |second: u64| ping(second * 1000 + 20, node, target, !lost.contains(&second));
    (0..60).map(one).collect()
}

#[test]
fn a_script_wants_three_failures_and_one_success() {
    let pair = minute();
    let master = master(0, &BOTH, 0, 59_000);
    let script = |lost| {
        say(
            Pings::script_gateway(&pair),
            &pair,
            &[&master, &pings(0, Target::Gateway, lost)],
        )
    };
    let said = script(20..25);
    assert_eq!(turns(&said), [(22_020, 0, true), (25_020, 0, false)]);
    assert_eq!(deeds(&said), [(22_020, 0, Act::Demote), (25_020, 0, Act::Restore)]);
    assert_eq!(turns(&script(20..22)), []);
    // It asks the router; the far host is another script.
    let far = [&master[..], &pings(0, Target::Internet, 20..25)];
    assert_eq!(turns(&say(Pings::script_gateway(&pair), &pair, &far)), []);
    let said = say(Pings::script_internet(&pair), &pair, &far);
    assert_eq!(turns(&said), [(22_020, 0, true), (25_020, 0, false)]);
}

#[test]
fn of_two_targets_each_is_enough_and_both_must_answer_again() {
    let pair = minute();
    let (far, near) = (pings(0, Target::Internet, 20..30), pings(0, Target::Inside, 25..40));
    let streams = [&master(0, &BOTH, 0, 59_000)[..], &far, &near];
    let said = say(Pings::script_both(&pair), &pair, &streams);
    assert_eq!(turns(&said), [(22_020, 0, true), (40_020, 0, false)]);
    assert_eq!(deeds(&said), [(22_020, 0, Act::Demote), (40_020, 0, Act::Restore)]);
    // Two failures here and two there are no three in a row.
    let (far, near) = (pings(0, Target::Internet, 20..22), pings(0, Target::Inside, 22..24));
    let said = say(
        Pings::script_both(&pair),
        &pair,
        &[&master(0, &BOTH, 0, 59_000), &far, &near],
    );
    assert_eq!(turns(&said), []);
    let streams = [
        &master(0, &BOTH, 0, 59_000)[..],
        &pings(0, Target::Gateway, 70..70),
        &pings(0, Target::Inside, 20..35),
    ];
    assert_eq!(turns(&say(Pings::ifstated_both(&pair), &pair, &streams)).len(), 2);
}

#[test]
fn a_backup_that_reaches_nothing_demotes_itself_and_is_not_called_down() {
    let pair = minute();
    let streams = [&master(0, &BOTH, 0, 59_000)[..], &pings(1, Target::Gateway, 20..60)];
    let said = say(Pings::script_gateway(&pair), &pair, &streams);
    assert_eq!((turns(&said), deeds(&said)), (vec![], vec![(22_020, 1, Act::Demote)]));
}

#[test]
fn ifstated_looks_every_ten_seconds_and_believes_each_look() {
    let mut pair = minute();
    for seed in 1..50 {
        pair.seed = seed;
        let phase = ping::phase(seed, 0, Duration::from_secs(10));
        // The first look at or after 20 s, which sees the first answer (20 ms past a second) that is not before it.
        let look = (0..4)
            .map(|k| phase + Duration::from_secs(10 * k))
            .find(|t| *t > ms(19_020))
            .unwrap();
        let second = u64::try_from(look.saturating_sub(ms(20)).as_nanos().div_ceil(1_000_000_000)).unwrap();
        let streams = [&master(0, &BOTH, 0, 59_000)[..], &pings(0, Target::Gateway, 20..35)];
        let said = say(Pings::ifstated(&pair), &pair, &streams);
        assert_eq!(turns(&said)[0], (second * 1000 + 20, 0, true), "seed {seed}");
        assert!((20..=30).contains(&second), "seed {seed}");
        let seen = if second < 25 { second + 20 } else { second + 10 };
        assert_eq!(turns(&said)[1], (seen * 1000 + 20, 0, false), "seed {seed}");
    }
}

#[test]
fn a_crashed_node_says_nothing_and_comes_back_without_its_demotion() {
    let mut pair = minute();
    pair.away = vec![Away {
        node: 0,
        from: ms(24_000),
        to: ms(40_000),
    }];
    let streams = [&master(0, &BOTH, 0, 24_000)[..], &pings(0, Target::Gateway, 20..40)];
    let said = say(Pings::script_gateway(&pair), &pair, &streams);
    assert_eq!(deeds(&said), [(22_020, 0, Act::Demote)]);
    let streams = [&master(0, &BOTH, 0, 24_000)[..], &pings(0, Target::Gateway, 30..40)];
    assert_eq!(deeds(&say(Pings::script_gateway(&pair), &pair, &streams)), []);
}

#[test]
fn who_stood_still_did_not_see_the_time_pass() {
    let pair = minute();
    let stall = Heard::Gap {
        at: ms(20_000),
        length: ms(9000),
        lost: 0,
        cause: Blindness::Stall,
    };
    // Until 11 s it was heard, and after the stall the rest comes out of the buffer.
    let sync: Vec<Heard> = (500..=11_000)
        .chain(20_001..60_000)
        .step_by(500)
        .map(|at| pfsync(at, 0))
        .collect();
    let carp = [master(0, &BOTH, 0, 11_000), master(0, &BOTH, 20_002, 59_002)].concat();
    let streams = [&carp[..], &sync, &[stall]];
    // A script's alarm comes when it wakes up; the kernel's CARP was never asleep.
    let said = say(Silence::new(&pair, 3), &pair, &streams);
    assert_eq!(turns(&said), [(20_000, 0, true), (20_500, 0, false)]);
    assert_eq!(turns(&say(Carp::new(&pair), &pair, &streams)), []);
}

#[test]
fn everybody_takes_part_under_a_name_of_his_own() {
    assert_eq!(all(&minute()).len(), 13);
    // One more where there is a canary.
    let names: std::collections::BTreeSet<String> = names().into_iter().collect();
    assert_eq!(names.len(), 14);
}
