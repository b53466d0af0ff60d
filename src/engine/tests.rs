//! What the engine lets in, told by frames.

use super::*;
use crate::capture::LinkType;
use crate::decide::{Past, Role};
use crate::settings::{Node as Configured, Segment};
use pfsync_proto::Vrrp;

mod quality;

const SECRET: &[u8] = b"secret";

fn at(seconds: f64) -> Timestamp {
    Timestamp::from_nanos(1_790_000_000_000_000_000) + Duration::from_secs_f64(seconds)
}

/// fw1 (10.0.S.1) and fw2 (10.0.S.2, self) on segments S = lan, wan, with shared addresses.
fn pair(shared: &[IpAddr], password: bool) -> Engine {
    let node = |i: u8| {
        let mut local: Vec<IpAddr> = (0..2).map(|s| IpAddr::from([10, 0, s, i])).collect();
        local.extend(shared);
        Configured {
            name: format!("fw{i}"),
            addresses: vec![IpAddr::from([172, 30, 0, i])],
            is_self: i == 2,
            local,
        }
    };
    let segment = |name: &str| Segment {
        name: name.into(),
        password: password.then(|| SECRET.to_vec()),
        vlan: None,
    };
    let settings = Settings {
        nodes: vec![node(1), node(2)],
        segments: vec![segment("lan"), segment("wan")],
        ..Settings::default()
    };
    Engine::new(settings, 1)
}

fn carp(vhid: u8, counter: u64, shared: &[IpAddr]) -> Carp {
    let mut carp = Carp {
        vhid,
        advskew: 0,
        advbase: 1,
        demote: 0,
        authlen: 7,
        counter,
        hmac: [0; 20],
        cksum_ok: true,
        bow_out: false,
    };
    carp.hmac = carp.sign(SECRET, shared);
    carp
}

fn ip(src: [u8; 4], proto: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let mut octets = vec![0x45, 0, length[0], length[1], 0, 0, 0, 0, 255, proto, 0, 0];
    octets.extend(src);
    octets.extend([224, 0, 0, 18]);
    octets.extend(payload);
    octets
}

fn feed(engine: &mut Engine, t: f64, net: Net, data: &[u8]) {
    let frame = Frame::whole(at(t), net, LinkType(101), data);
    engine.frame(&frame);
}

fn advertise(engine: &mut Engine, t: f64, segment: usize, node: u8, carp: &Carp) {
    let source = [10, 0, u8::try_from(segment).unwrap(), node];
    feed(engine, t, Net::Segment(segment), &ip(source, 112, &carp.encode()));
}

fn notices(engine: &mut Engine) -> Vec<String> {
    let text = |e| match e {
        Event::Notice(n) => Some(n.text),
        _ => None,
    };
    std::iter::from_fn(|| engine.poll()).filter_map(text).collect()
}

#[test]
fn carp_on_the_sync_net_is_no_segment_where_segments_are_configured() {
    let mut engine = pair(&[], true);
    for i in 0..10_u8 {
        let forged = ip([10, 0, 0, 1], 112, &carp(1, 1, &[]).encode());
        feed(&mut engine, f64::from(i), Net::Sync, &forged);
    }
    assert!(!engine.carp.informs());
    assert_eq!(engine.counters.carp_on_sync, 10);
    assert_eq!(notices(&mut engine).len(), 1);
}

/// An advertisement to a unicast peer that came through a router.
fn to_peer(from: [u8; 4], to: [u8; 4], carp: &Carp) -> Vec<u8> {
    let mut octets = ip(from, 112, &carp.encode());
    octets[8] = 254;
    octets[16..20].copy_from_slice(&to);
    octets
}

#[test]
fn carp_to_a_peer_through_a_router_counts_between_the_nodes_own_addresses_and_nowhere_else() {
    let shared = [IpAddr::from([10, 0, 0, 9])];
    let taken = |net: Net, from: [u8; 4], to: [u8; 4]| {
        let mut engine = pair(&shared, false);
        feed(&mut engine, 0.0, net, &to_peer(from, to, &carp(1, 1, &[])));
        let refused = engine.counters.errors.get(&pfsync_proto::ErrorKind::Badttl) == Some(&1);
        assert_ne!(engine.carp.informs(), refused || net == Net::Sync, "{from:?} {to:?}");
        engine.carp.informs()
    };
    let lan = Net::Segment(0);
    let (one, two, stranger) = ([10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 77]);
    assert!(taken(lan, one, two) && taken(lan, two, one));
    assert!(!taken(lan, one, one), "to itself");
    assert!(!taken(lan, one, [10, 0, 0, 9]), "to a shared address");
    assert!(!taken(lan, [10, 0, 0, 9], two), "from a shared address");
    assert!(!taken(lan, stranger, two) && !taken(lan, one, stranger));
    assert!(!taken(Net::Sync, one, two), "not on a segment");
}

#[test]
fn only_what_is_signed_is_a_witness_for_fencing_if_it_came_through_a_router() {
    let shared = [IpAddr::from([10, 0, 0, 9])];
    for (password, ttl, hearsay) in [(false, 254, true), (true, 254, false), (false, 255, false)] {
        let mut engine = pair(&shared, password);
        let mut data = to_peer([10, 0, 0, 1], [10, 0, 0, 2], &carp(1, 1, &shared));
        data[8] = ttl;
        feed(&mut engine, 0.0, Net::Segment(0), &data);
        assert!(engine.carp.informs());
        assert_eq!(
            engine.carp.is_hearsay(NodeId(0)),
            hearsay,
            "password {password}, ttl {ttl}"
        );
    }
    // With no shared address known a password says nothing.
    let mut engine = pair(&[], true);
    let data = to_peer([10, 0, 0, 1], [10, 0, 0, 2], &carp(1, 1, &shared));
    feed(&mut engine, 0.0, Net::Segment(0), &data);
    assert!(engine.carp.is_hearsay(NodeId(0)));
}

/// A VRRPv3 advertisement of router 1.
fn vrrp(from: [u8; 4], prio: u8, right: bool) -> Vec<u8> {
    let vrrp = Vrrp {
        version: 3,
        vrid: 1,
        prio,
        naddr: 1,
        auth_type: 0,
        adver_int: 100,
        cksum_ok: true,
    };
    let mut payload = [0; 12];
    let ends = (IpAddr::from(from), IpAddr::from([224, 0, 0, 18]));
    vrrp.encode(&[IpAddr::from([10, 0, 0, 9])], Some(ends), &mut payload)
        .unwrap();
    payload[6] ^= u8::from(!right);
    ip(from, 112, &payload)
}

#[test]
fn vrrp_of_a_node_is_a_witness_and_that_of_a_stranger_or_beside_a_password_is_none() {
    let hear = |password: bool, from: [u8; 4], right: bool| {
        let mut engine = pair(&[IpAddr::from([10, 0, 0, 9])], password);
        for i in 0..5 {
            feed(&mut engine, f64::from(i), Net::Segment(0), &vrrp(from, 200, right));
        }
        engine
    };
    let (own, stranger) = ([10, 0, 0, 1], [10, 0, 0, 77]);
    let engine = hear(false, own, true);
    assert_eq!((engine.counters.vrrp, engine.counters.vrrp_of_nodes), (5, 5));
    assert!(engine.carp.informs() && engine.counters.advertisements() == 5);
    let mut engine = hear(false, stranger, true);
    assert_eq!((engine.counters.vrrp, engine.counters.advertisements()), (5, 0));
    assert!(!engine.carp.informs() && !engine.carp.foreign_master() && notices(&mut engine).is_empty());
    let engine = hear(false, own, false);
    assert_eq!((engine.counters.bad_checksum, engine.carp.informs()), (5, false));
    let mut engine = hear(true, own, true);
    assert!(!engine.carp.informs());
    let told = notices(&mut engine);
    assert!(
        told.len() == 1 && told[0].contains("VRRP on lan, which bears no password"),
        "{told:?}"
    );
}

#[test]
fn more_senders_than_are_remembered_are_said_once() {
    let mut engine = Engine::new(Settings::default(), 1);
    for host in 0..40 {
        feed(
            &mut engine,
            1.0,
            Net::Sync,
            &ip(
                [10, 9, 0, host],
                240,
                &[5, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ),
        );
    }
    let told = notices(&mut engine);
    assert!(
        told.len() == 1 && told[0].starts_with("more than 32 senders"),
        "{told:?}"
    );
}

#[test]
fn carp_in_a_tunnel_counts_where_none_of_a_node_is_heard_outside() {
    let mirror = |inner: &[u8]| {
        let vxlan = [
            &[0xc0, 0, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0][..],
            &[0; 12],
            &[8, 0],
            inner,
        ]
        .concat();
        ip([192, 0, 2, 1], 17, &vxlan)
    };
    let frame = |vhid: u8, from: u8| ip([10, 0, 0, from], 112, &carp(vhid, 1, &[]).encode());
    let lan = Net::Segment(0);
    let mut engine = pair(&[], false);
    // A third machine, whose own net has CARP of others.
    feed(&mut engine, 0.0, lan, &frame(9, 77));
    feed(&mut engine, 0.1, lan, &mirror(&frame(1, 1)));
    assert!(engine.carp.informs());
    assert_eq!(engine.counters.elsewhere, 0);
    // A net above the one that is captured has vhids of its own.
    let mut engine = pair(&[], false);
    feed(&mut engine, 0.0, lan, &frame(1, 1));
    feed(&mut engine, 0.1, lan, &mirror(&frame(1, 2)));
    assert_eq!(engine.counters.elsewhere, 1);
    assert_eq!(engine.carp.witness(at(0.1), NodeId(1)).held, 0);
}

#[test]
fn a_stranger_on_the_sync_net_takes_no_server_out_of_the_evidence() {
    let server = [192, 0, 2, 80];
    let mut pfsync = [0; 20];
    (pfsync[0], pfsync[3]) = (6, 20);
    let mut engine = pair(&[], false);
    feed(&mut engine, 0.0, Net::Sync, &ip(server, 240, &pfsync));
    assert!(!engine.tracker.is_local(IpAddr::from(server)));
    assert!(engine.tracker.is_local(IpAddr::from([172, 30, 0, 1])));
    let mut engine = Engine::new(Settings::default(), 1);
    feed(&mut engine, 0.0, Net::Sync, &ip([172, 30, 0, 1], 240, &pfsync));
    assert!(
        engine.tracker.is_local(IpAddr::from([172, 30, 0, 1])),
        "nobody else tells"
    );
}

fn address(segment: u8, host: u8) -> IpAddr {
    IpAddr::from([10, 0, segment, host])
}

/// Both segments held by fw1, whose vhid 1 has these addresses, from `from` to `to`; fw2's view of it.
fn reign(engine: &mut Engine, sets: [&[IpAddr]; 2], from: u32, to: u32) {
    for i in from..to {
        for (segment, set) in sets.iter().enumerate() {
            advertise(engine, f64::from(i), segment, 1, &carp(1, u64::from(i), set));
        }
        for tenth in 1..10 {
            engine.idle(at(f64::from(i) + f64::from(tenth) / 10.0));
        }
    }
}

#[test]
fn an_alias_that_comes_or_goes_does_not_refuse_advertisements_for_good() {
    let all: Vec<_> = (100..104).map(|i| address(0, i)).chain([address(1, 100)]).collect();
    let mut engine = pair(&all, true);
    let wan = &all[4..];
    reign(&mut engine, [&all[..2], wan], 0, 10);
    reign(&mut engine, [&all[..1], wan], 10, 20);
    reign(&mut engine, [&all[..3], wan], 20, 30);
    assert_eq!(engine.counters.bad_hmac, 0);
    assert_eq!(engine.carp.witness(at(29.9), NodeId(0)).present, 2);
    assert!(notices(&mut engine).is_empty());
}

#[test]
fn each_of_many_shared_addresses_can_be_that_of_a_vhid() {
    let all: Vec<_> = (0..2).flat_map(|s| (100..116).map(move |i| address(s, i))).collect();
    let mut engine = pair(&all, true);
    for i in 0..10 {
        for (n, a) in all.iter().enumerate() {
            let (segment, vhid) = (n / 16, u8::try_from(1 + n % 16).unwrap());
            advertise(&mut engine, f64::from(i), segment, 1, &carp(vhid, 1, &[*a]));
        }
    }
    assert_eq!(engine.counters.bad_hmac, 0);
    // All on one vhid.
    let mut engine = pair(&all, true);
    reign(&mut engine, [&all[..16], &all[16..]], 0, 5);
    assert_eq!(engine.counters.bad_hmac, 0);
}

#[test]
fn a_vhid_that_ceases_to_verify_is_told_and_is_not_taken_for_a_lost_segment() {
    let all = [address(0, 100), address(1, 100)];
    let unknown = [address(0, 100), address(0, 200)];
    let mut engine = pair(&all, true);
    reign(&mut engine, [&all[..1], &all[1..]], 0, 10);
    assert_eq!(engine.carp.witness(at(9.9), NodeId(0)).segments, 2);
    for i in 10..30 {
        reign(&mut engine, [&unknown, &all[1..]], i, i + 1);
        assert_eq!(engine.carp.lost(at(f64::from(i) + 0.9), NodeId(0)), None, "at {i}");
    }
    let w = engine.carp.witness(at(29.9), NodeId(0));
    assert_eq!((w.segments, w.gone), (1, 0));
    let told = notices(&mut engine);
    assert_eq!(
        told,
        ["advertisements of vhid 1 on lan do not verify: wrong password, or its addresses are not in `local`"]
    );
    // Set right: it counts again.
    reign(&mut engine, [&all[..1], &all[1..]], 30, 40);
    assert_eq!(engine.carp.witness(at(39.9), NodeId(0)).present, 2);
}

#[test]
fn forged_advertisements_do_not_hide_a_dead_port() {
    let all = [address(0, 100), address(1, 100)];
    let mut engine = pair(&all, true);
    for i in 0..20 {
        reign(&mut engine, [&all[..1], &all[1..]], i, i + 1);
        let forged = Carp {
            hmac: [1; 20],
            ..carp(1, 1, &all)
        };
        advertise(&mut engine, f64::from(i) + 0.95, 0, 1, &forged);
    }
    for i in 20..26 {
        advertise(&mut engine, f64::from(i), 1, 1, &carp(1, 1, &all[1..]));
        let forged = Carp {
            hmac: [1; 20],
            ..carp(1, 1, &all)
        };
        advertise(&mut engine, f64::from(i) + 0.4, 0, 1, &forged);
    }
    assert!(engine.carp.lost(at(25.5), NodeId(0)).is_some_and(|l| l.0 > 3.0));
}

#[test]
fn damaged_frames_are_told_once_and_cut_captures_are_not_damaged() {
    let short = [6, 0, 0, 40, 1, 0, 0, 9];
    let told = |length: u8| {
        let mut engine = pair(&[], false);
        for i in 0..5_u8 {
            let mut data = ip([172, 30, 0, 1], 240, &short);
            data[3] = length;
            engine.frame(&Frame {
                wire_len: length.into(),
                ..Frame::whole(at(f64::from(i)), Net::Sync, LinkType(101), &data)
            });
        }
        (engine.counters.damaged, notices(&mut engine))
    };
    let (damaged, whole) = told(28);
    assert!(
        damaged > 0 && whole.len() == 1 && whole[0].contains("damaged"),
        "{whole:?}"
    );
    assert_eq!(told(200), (0, Vec::new()));
}

#[test]
fn states_that_a_kernel_unlinked_already_are_refused_and_no_damage() {
    let told = |timeout: u8| {
        let mut engine = pair(&[], false);
        let mut pfsync = [0; 20 + 4 + 84];
        (pfsync[0], pfsync[3]) = (6, 108);
        (pfsync[20], pfsync[21], pfsync[23], pfsync[24 + 80]) = (4, 21, 1, timeout);
        feed(&mut engine, 0.0, Net::Sync, &ip([172, 30, 0, 1], 240, &pfsync));
        assert_eq!(engine.counters.errors[&pfsync_proto::ErrorKind::Badval], 1);
        (engine.counters.damaged, notices(&mut engine).len())
    };
    assert_eq!((told(22), told(200)), ((0, 0), (1, 1)));
}

#[test]
fn a_crash_is_seen_at_the_moment_its_advertisements_are_missing_for_long_enough() {
    let mut engine = pair(&[], false);
    let hello = |i: u8| {
        let mut pfsync = [0; 20];
        (pfsync[0], pfsync[3]) = (6, 20);
        ip([172, 30, 0, i], 240, &pfsync)
    };
    let mut t = 0.0;
    while t < 130.0 {
        for node in [1, 2] {
            if node == 2 || t < 120.0 {
                feed(&mut engine, t, Net::Sync, &hello(node));
            }
        }
        for segment in (0..2).filter(|_| t < 120.0) {
            advertise(&mut engine, t, segment, 1, &carp(1, 1, &[]));
        }
        t += 1.0;
        while engine.next_deadline() < at(t) {
            engine.idle(engine.next_deadline());
        }
    }
    let down = std::iter::from_fn(|| engine.poll()).find_map(|e| match e {
        Event::Verdict(v) if v.to == Health::Down => Some(v.at.since(at(119.0)).as_secs_f64()),
        _ => None,
    });
    assert!(down.is_some_and(|t| (2.2..2.22).contains(&t)), "{down:?}");
}

#[test]
fn what_became_of_a_decision_is_told_back_and_what_is_ours_is_taken_back() {
    let mut settings = pair(&[], false).settings;
    settings.probes = vec![crate::settings::Probe {
        name: "internet".into(),
        about: About::SelfNode,
        fall: 2,
        rise: 2,
    }];
    settings.policy.live.results = true;
    let mut engine = Engine::new(settings, 1);
    reign(&mut engine, [&[], &[]], 0, 10);
    assert!(engine.signs(at(10.0)).is_empty(), "nothing of ours stands");
    let decisions = |engine: &mut Engine| {
        let decision = |e| match e {
            Event::Decision(d) => Some((d.action.as_str(), d.seq)),
            _ => None,
        };
        std::iter::from_fn(|| engine.poll())
            .filter_map(decision)
            .collect::<Vec<_>>()
    };
    (0..2).for_each(|i| engine.probe(at(10.0 + f64::from(i) / 10.0), 0, false));
    assert_eq!(decisions(&mut engine), [("demote", 1)]);
    assert_eq!(engine.role(), Role::Demoted);
    assert!(engine.result(at(10.2), 1, false) && !engine.result(at(10.2), 1, false));
    assert_eq!(engine.role(), Role::Backup);
    assert!(notices(&mut engine)[0].contains("demote (decision 1) failed"));
    engine.maintenance(at(10.3), true);
    assert!(engine.in_maintenance() && !engine.undo(at(10.3)));
    engine.resume(&Past {
        role: Role::Demoted,
        since: at(9.0),
        ..Past::default()
    });
    for segment in 0..2 {
        let demoted = Carp {
            demote: 1,
            ..carp(1, 11, &[])
        };
        advertise(&mut engine, 10.4, segment, 1, &demoted);
    }
    let signs = engine.signs(at(10.4));
    assert!(signs[0].advertises && signs[0].demoted && !signs[0].missing && signs[0].heard == Some(at(10.4)));
    assert!(engine.undo(at(10.5)));
    assert_eq!(decisions(&mut engine), [("restore", 2)]);
}

/// Both segments for half a minute, fw1 before fw2.
fn half_a_minute(engine: &mut Engine) {
    for i in 0..30_u8 {
        for segment in 0..2 {
            advertise(engine, f64::from(i), segment, 1, &carp(1, u64::from(i), &[]));
        }
    }
}

#[test]
fn five_minutes_without_a_capture_change_no_master_and_miss_no_advertisement() {
    let mut engine = pair(&[], false);
    half_a_minute(&mut engine);
    while engine.poll().is_some() {}
    engine.gap(at(330.0), Duration::from_secs(300), GapCause::Unrecorded, 0);
    engine.idle(at(330.5));
    let witness = engine.carp.witness(at(330.5), NodeId(0));
    assert_eq!((witness.present, witness.gone), (2, 0));
    let mut events = std::iter::from_fn(|| engine.poll());
    assert!(events.all(|e| matches!(e, Event::Gap { .. })));
    // Those that do not come then are missing.
    assert_eq!(engine.carp.witness(at(335.0), NodeId(0)).gone, 2);
}

#[test]
fn where_clocks_went_apart_carp_is_shown_and_is_no_witness_and_no_role() {
    let mut engine = pair(&[], false);
    half_a_minute(&mut engine);
    assert_eq!(engine.carp_role(), Role::Backup);
    while engine.poll().is_some() {}
    for t in [30.0, 40.0] {
        engine.gap(at(t), Duration::ZERO, GapCause::ClocksApart, 0);
    }
    assert_eq!(engine.carp_role(), Role::Unknown);
    // On one segment fw2 is master now, on the other fw1.
    for i in 40..60_u8 {
        for segment in 0..2_u8 {
            advertise(
                &mut engine,
                f64::from(i),
                segment.into(),
                segment + 1,
                &carp(1, u64::from(i), &[]),
            );
        }
    }
    assert!(!engine.carp.informs());
    assert_eq!(engine.carp.split(), None);
    let events: Vec<_> = std::iter::from_fn(|| engine.poll()).collect();
    let notices = events.iter().filter(|e| matches!(e, Event::Notice(_)));
    assert_eq!(notices.count(), 1);
    let mut masters = events.iter().filter_map(|e| match e {
        Event::Master { segment, master, .. } => Some((*segment, *master)),
        _ => None,
    });
    assert_eq!(masters.next_back(), Some((1, Some(IpAddr::from([10, 0, 1, 2])))));
    assert!(
        !events
            .iter()
            .any(|e| matches!(e, Event::Unsynchronised { .. } | Event::Decision(_)))
    );
}
