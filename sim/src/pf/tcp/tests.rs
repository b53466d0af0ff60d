use super::*;
use crate::packet::flags::{ACK, FIN, RST, SYN};

/// Initial sequence numbers and windows of a connection that an OpenBSD 7.6 pair announced
/// (captures/openbsd-pair/far_drop_low, id 6b024be600000008): 64240 and 65160 with a scale of 10 on both sides.
const CLIENT: u32 = 2_032_651_111;
const SERVER: u32 = 1_271_049_760;

fn segment(flags: u8, seq: u32, ack: u32, window: u16, len: u16) -> Segment {
    Segment {
        ports: [53289, 22],
        flags,
        seq,
        ack,
        window,
        wscale: (flags & SYN != 0).then_some(10),
        mss: None,
        len,
    }
}

/// `(state, seqlo, seqhi, max_win)`
fn short(peer: &Peer) -> (u8, u32, u32, u16) {
    (peer.state, peer.seqlo, peer.seqhi, peer.max_win)
}

fn syn() -> Segment {
    segment(SYN, CLIENT, 0, 64240, 0)
}

fn syn_ack() -> Segment {
    segment(SYN | ACK, SERVER, CLIENT + 1, 65160, 0)
}

/// After the three-way handshake.
fn established() -> [Peer; 2] {
    let [mut c, mut s] = open(&syn());
    assert_eq!(track(&mut s, &mut c, &syn_ack()), Fate::Pass(Some(pftm::TCP_OPENING)));
    let ack = segment(ACK, CLIENT + 1, SERVER + 1, 63, 0);
    assert_eq!(track(&mut c, &mut s, &ack), Fate::Pass(Some(pftm::TCP_ESTABLISHED)));
    [c, s]
}

#[test]
fn a_handshake_announces_what_the_live_kernel_announced() {
    let [mut c, mut s] = open(&syn());
    assert_eq!(short(&c), (2, 2_032_651_111, 2_032_651_113, 63));
    assert_eq!(short(&s), (0, 0, 1, 1));
    assert_eq!((c.wscale, s.wscale), (138, 0));
    track(&mut s, &mut c, &syn_ack());
    assert_eq!(short(&c), (4, 2_032_651_111, 2_032_716_648, 63));
    assert_eq!(short(&s), (2, 1_271_049_761, 1_271_114_273, 64));
    assert_eq!(s.wscale, 138);
    // 135 octets from each side, each acknowledged: the next line of the capture, one octet of it later.
    track(&mut c, &mut s, &segment(ACK, CLIENT + 1, SERVER + 1, 63, 135));
    track(&mut s, &mut c, &segment(ACK, SERVER + 1, CLIENT + 136, 64, 135));
    track(&mut c, &mut s, &segment(ACK, CLIENT + 136, SERVER + 136, 63, 0));
    assert_eq!(short(&c), (4, 2_032_651_247, 2_032_716_783, 63));
    assert_eq!(short(&s), (4, 1_271_049_896, 1_271_114_408, 64));
}

#[test]
fn repeated_syns_move_once_and_never_again() {
    let [mut c, mut s] = open(&syn());
    assert_eq!(track(&mut c, &mut s, &syn()), Fate::Pass(Some(pftm::TCP_OPENING)));
    // As a FreeBSD pair announced it (captures/freebsd-pair/fb_far_drop): the window of the SYN is taken unscaled.
    assert_eq!(short(&c), (2, CLIENT + 1, CLIENT + 2, 64240));
    assert_eq!(short(&s), (0, 0, 64240, 1));
    let before = [c, s];
    for _ in 0..4 {
        track(&mut c, &mut s, &syn());
        assert_eq!([c, s], before);
    }
}

#[test]
fn retransmissions_keepalives_and_duplicate_acks_move_nothing() {
    let [mut c, mut s] = established();
    track(&mut c, &mut s, &segment(ACK, CLIENT + 1, SERVER + 1, 63, 500));
    track(&mut s, &mut c, &segment(ACK, SERVER + 1, CLIENT + 501, 64, 700));
    let before = [c, s];
    for again in [
        segment(ACK, CLIENT + 1, SERVER + 1, 63, 500),
        segment(ACK, CLIENT + 1, SERVER + 1, 63, 200),
        segment(ACK, CLIENT + 500, SERVER + 1, 63, 0),
        segment(ACK, CLIENT + 500, SERVER + 1, 63, 1),
        segment(ACK, CLIENT + 501, SERVER + 1, 63, 0),
    ] {
        assert_eq!(
            track(&mut c, &mut s, &again),
            Fate::Pass(Some(pftm::TCP_ESTABLISHED)),
            "{again:?}"
        );
        assert_eq!([c, s], before, "{again:?}");
    }
    // An acknowledgement of the 700 octets moves the server's edge only.
    track(&mut c, &mut s, &segment(ACK, CLIENT + 501, SERVER + 701, 63, 0));
    assert_eq!(c, before[0]);
    assert_eq!(short(&s), (4, SERVER + 701, SERVER + 701 + (63 << 10), 64));
}

#[test]
fn each_edge_moves_by_the_other_side_only() {
    let [mut c, mut s] = established();
    let (c0, s0) = (c, s);
    track(&mut c, &mut s, &segment(ACK, CLIENT + 1, SERVER + 1, 63, 1000));
    assert_eq!((c.seqlo, c.seqhi), (CLIENT + 1001, c0.seqhi));
    assert_eq!((s.seqlo, s.seqhi), (s0.seqlo, s0.seqhi));
    track(&mut s, &mut c, &segment(ACK, SERVER + 1, CLIENT + 1001, 64, 0));
    assert_eq!((c.seqlo, c.seqhi), (CLIENT + 1001, CLIENT + 1001 + (64 << 10)));
    assert_eq!(s.seqlo, s0.seqlo);
}

#[test]
fn what_is_outside_the_window_is_dropped_and_moves_nothing() {
    let [mut c, mut s] = established();
    let before = [c, s];
    let beyond = c.seqhi.wrapping_add(1);
    for bad in [
        segment(ACK, beyond, SERVER + 1, 63, 100),
        segment(ACK, CLIENT.wrapping_sub(200_000), SERVER + 1, 63, 100),
        segment(ACK, CLIENT + 1, SERVER + 200_000, 63, 100),
        segment(RST, CLIENT + 5000, 0, 0, 0),
        segment(SYN, CLIENT + 999, 0, 64240, 0),
    ] {
        assert_eq!(track(&mut c, &mut s, &bad), Fate::Drop, "{bad:?}");
        assert_eq!([c, s], before, "{bad:?}");
    }
}

#[test]
fn closing_walks_through_the_states_of_pf() {
    let [mut c, mut s] = established();
    let mut go = |from_client: bool, flags, seq, ack| {
        let one = segment(flags, seq, ack, 63, 0);
        let fate = if from_client {
            track(&mut c, &mut s, &one)
        } else {
            track(&mut s, &mut c, &one)
        };
        (fate, c.state, s.state)
    };
    let passed = |timeout| Fate::Pass(Some(timeout));
    assert_eq!(
        go(true, FIN | ACK, CLIENT + 1, SERVER + 1),
        (passed(pftm::TCP_CLOSING), 7, 4)
    );
    assert_eq!(
        go(false, ACK, SERVER + 1, CLIENT + 2),
        (passed(pftm::TCP_CLOSING), 9, 4)
    );
    assert_eq!(
        go(false, FIN | ACK, SERVER + 1, CLIENT + 2),
        (passed(pftm::TCP_FIN_WAIT), 9, 7)
    );
    assert_eq!(go(true, ACK, CLIENT + 2, SERVER + 2), (passed(pftm::TCP_CLOSED), 9, 9));
    // The same ports again: the old state goes, the SYN has to be repeated.
    assert_eq!(go(true, SYN, CLIENT + 90_000, 0).0, Fate::Replace);
}

#[test]
fn a_reset_ends_both_sides() {
    let [mut c, mut s] = established();
    assert_eq!(
        track(&mut s, &mut c, &segment(RST | ACK, SERVER + 1, CLIENT + 1, 0, 0)),
        Fate::Pass(Some(pftm::TCP_CLOSED))
    );
    assert_eq!((c.state, s.state), (10, 10));
    // Refused connections: RST|ACK from a responder that never said anything.
    let [mut c, mut s] = open(&syn());
    assert_eq!(
        track(&mut s, &mut c, &segment(RST | ACK, 0, CLIENT + 1, 0, 0)),
        Fate::Pass(Some(pftm::TCP_CLOSED))
    );
    assert_eq!((c.state, s.state), (10, 10));
}

#[test]
fn a_side_without_window_scaling_switches_it_off_for_both() {
    let [mut c, mut s] = open(&syn());
    let plain = Segment {
        wscale: None,
        ..syn_ack()
    };
    track(&mut s, &mut c, &plain);
    assert_eq!((c.wscale, s.wscale), (0, 0));
    assert_eq!((c.max_win, s.max_win), (64512, 65160));
    assert_eq!(c.seqhi, CLIENT + 1 + 65160);
    assert_eq!(s.seqhi, SERVER + 1 + 64512);
}
