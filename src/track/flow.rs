//! One pf state as heard, and what a message about it proves (docs/wire.md sections 4 and 6).
//!
//! Called by `track` with each INS, UPD and UPD_C. Movement is measured in serial arithmetic against the highest
//! value heard for the state from ANY node: an unsynchronised pair imports each other's progress and announces it
//! again, late. A round trip through node N needs data that N itself was first to announce, and a fresh
//! acknowledgement that N was first to announce. Never looks at addresses or clocks.

use pfsync_proto::Peer;
use std::time::Duration;

/// `TCPS_ESTABLISHED`; pf sets 0, 2, 4, 7, 9, 10 and with synproxy 11, 12.
const ESTABLISHED: u8 = 4;
const SYN_SENT: u8 = 2;
const CLOSING: u8 = 7;
const FIN_WAIT_2: u8 = 9;
const TIME_WAIT: u8 = 10;
/// `PFSTATE_SLOPPY`: such states never move their sequence numbers.
pub const FLAG_SLOPPY: u16 = 0x2;
/// `PFSTATE_ACK`: the sender waits for INS_ACK and flushes at once, before any answer can have come.
pub const FLAG_ACK: u16 = 0x10;

/// Data and its acknowledgement belong to one round trip if no more than a flush interval and some queueing lies
/// between the messages.
const ROUND_TRIP: Duration = Duration::from_millis(1_500);
/// Both halves of a flow must have been proven within this long to say that it passes two nodes as a whole.
const TOGETHER: Duration = Duration::from_secs(3);
/// A state heard within this long was active.
pub const RECENT: Duration = Duration::from_millis(3_000);

/// What the timeout octet says about a state whose protocol was never heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `PFTM_TCP_*`.
    Tcp,
    /// `PFTM_UDP_*`.
    Udp,
    /// `PFTM_ICMP_*`.
    Icmp,
    /// `PFTM_OTHER_*`, SCTP and whatever comes later.
    Other,
}

impl Transport {
    /// From `PFTM_*`.
    #[must_use]
    pub fn of_timeout(timeout: u8) -> Self {
        match timeout {
            0..=5 => Self::Tcp,
            6..=8 => Self::Udp,
            9 | 10 => Self::Icmp,
            _ => Self::Other,
        }
    }
}

/// Which kind of try a message reports on; success rates are learned per kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// First message of a TCP state.
    NewTcp,
    /// First message of a UDP state (or another protocol's).
    NewUdp,
    /// First message of an ICMP state.
    NewIcmp,
    /// A TCP state that was not established when last heard.
    HalfOpen,
    /// A UDP state without an answer when last heard.
    OneWay,
    /// An established TCP state that moved when last heard, a moment ago.
    Active,
    /// An established TCP state that did not move when last heard, or was quiet for long.
    Stalled,
    /// What a responder sent, on its last leg: whether the initiator acknowledges it.
    Delivery,
}

impl Class {
    /// A try to open something new, or to go on with one that was never answered.
    #[must_use]
    pub const fn opens(self) -> bool {
        !matches!(self, Self::Active | Self::Stalled | Self::Delivery)
    }
}

/// How many classes there are.
pub const CLASSES: usize = 8;

/// What became of a try, or of an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It got there.
    Success,
    /// Something moved, and whether it got there stays open.
    Partial,
    /// Packets came and nothing moved.
    Failure,
    /// It got there, one half of it through another node. A success of the pair, and of this node only as long as nothing
    /// is said against it.
    Pair,
}

impl Outcome {
    /// What it is worth for one node: whether `pair` = what the pair achieves is its achievement too.
    #[must_use]
    pub const fn alone(self, pair: bool) -> Self {
        match self {
            Self::Pair if pair => Self::Success,
            Self::Pair => Self::Partial,
            other => other,
        }
    }
}

/// What a message proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// A packet passed, nothing moved.
    Attempt,
    /// Initiator to responder.
    Forward,
    /// Responder to initiator.
    Reverse,
    /// Both, without proof of a round trip.
    Both,
    /// A round trip through the sender.
    EndToEnd,
    /// A round trip of which the sender saw one half and another node the other.
    PairEndToEnd,
}

/// A message's worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// For the counters.
    pub movement: Movement,
    /// Whether what the initiator sent was answered by the responder; `None` where the message does not tell.
    pub trial: Option<(Class, Outcome)>,
    /// Whether what the responder sent got through to the initiator: only its acknowledgement tells, so only TCP does.
    /// These are two questions. Data and its acknowledgement both pass pf although the segment behind swallows the
    /// latter, so a round trip of one side's data proves nothing about the other side's.
    pub delivery: Option<Outcome>,
    /// Of a [`Outcome::Pair`]: the node through which the other half went.
    pub partner: Option<u16>,
    /// On this flow both was seen lately: what the initiator sent through one node was acknowledged through another, and so
    /// was what the responder sent. How long ago the older of the two was sent. One of them alone proves no way through:
    /// beyond a dead port the acknowledgement is lost.
    pub whole: Option<Duration>,
}

impl Finding {
    const fn new(movement: Movement, trial: Option<(Class, Outcome)>) -> Self {
        Self {
            movement,
            trial,
            delivery: None,
            partner: None,
            whole: None,
        }
    }

    const fn plain(movement: Movement) -> Self {
        Self::new(movement, None)
    }

    const fn with(self, partner: u16) -> Self {
        Self {
            partner: Some(partner),
            ..self
        }
    }

    const fn delivering(self, delivery: Option<Outcome>) -> Self {
        Self { delivery, ..self }
    }

    const fn across(self, whole: Option<Duration>) -> Self {
        Self { whole, ..self }
    }
}

/// One side of a TCP state.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    /// Highest `seqlo` from any node; 0 = this side never sent.
    seq: u32,
    /// Highest `seqhi` from any node.
    edge: u32,
    /// A `seqlo` first announced by `owner`, waiting to be acknowledged.
    owned: u32,
    /// Whether `owned` still waits.
    waiting: bool,
    owner: u16,
    /// Milliseconds since `owned` was announced, at least.
    age: u32,
}

/// What is remembered of one state.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    src: Side,
    dst: Side,
    /// Furthest peer states from any node.
    states: [u8; 2],
    /// Packet counters of the last full message and its sender.
    packets: [u32; 2],
    counted_by: u16,
    sloppy: bool,
    moved: bool,
    /// What is told of it lies behind what was heard before a pause.
    stale: bool,
    transport: Transport,
    /// Milliseconds since that was announced of each side which another node was last to see acknowledged.
    across: [u32; 2],
}

/// Whether `a` is later than `b` in sequence space.
fn after(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000_0000
}

impl Flow {
    /// A state heard for the first time, from `sender`; `fresh` = it has just been created (INS).
    #[must_use]
    pub fn new(sender: u16, fresh: bool, transport: Transport, flags: u16, src: &Peer, dst: &Peer) -> Self {
        let side = |p: &Peer| Side {
            seq: p.seqlo,
            edge: if p.seqlo == 0 { 0 } else { p.seqhi },
            owned: p.seqlo,
            waiting: p.seqlo != 0,
            owner: sender,
            age: if fresh { 0 } else { u32::MAX },
        };
        let mut flow = Self {
            src: side(src),
            dst: side(dst),
            states: [src.state, dst.state],
            packets: [0; 2],
            counted_by: u16::MAX,
            sloppy: flags & FLAG_SLOPPY != 0,
            moved: fresh,
            stale: false,
            transport,
            across: [u32::MAX; 2],
        };
        // What is acknowledged already proves nothing later.
        if flow.bound(src, dst).is_some_and(|b| !after(flow.src.owned, b)) {
            flow.src.waiting = false;
        }
        if flow.bound(dst, src).is_some_and(|b| !after(flow.dst.owned, b)) {
            flow.dst.waiting = false;
        }
        flow
    }

    /// Time goes by: `gap` since the state was last heard.
    pub fn elapse(&mut self, gap: Duration) {
        let gap = u32::try_from(gap.as_millis()).unwrap_or(u32::MAX);
        let [asked, told] = &mut self.across;
        for age in [&mut self.src.age, &mut self.dst.age, asked, told] {
            *age = age.saturating_add(gap);
        }
    }

    /// How long ago the older of what both sides sent across nodes was sent, if that is not long ago.
    fn whole(&self) -> Option<Duration> {
        let age = Duration::from_millis(u64::from(self.across[0].max(self.across[1])));
        (age <= TOGETHER).then_some(age)
    }

    /// TCP: asked for, never answered.
    #[must_use]
    pub fn half_open(&self) -> bool {
        self.transport == Transport::Tcp && self.states[0] == SYN_SENT && self.states[1] == 0
    }

    /// synproxy: the firewall answers by itself.
    fn proxied(&self) -> bool {
        self.states.iter().any(|&s| s > TIME_WAIT)
    }

    /// How far `by` has acknowledged what `of` sent, at least; `None` where the guard of docs/wire.md section 4.4
    /// forbids to say.
    fn bound(&self, of: &Peer, by: &Peer) -> Option<u32> {
        let guarded = [of.state, by.state]
            .iter()
            .all(|s| (ESTABLISHED..=FIN_WAIT_2).contains(s));
        if self.sloppy || !guarded || of.seqlo == 0 || by.seqlo == 0 {
            return None;
        }
        // Both announced one (0x80), be it a shift of 0: then pf counts by them.
        let scaled = of.wscale != 0 && by.wscale != 0;
        let shift = if scaled { u32::from(by.wscale & 0xf).min(14) } else { 0 };
        Some(of.seqhi.wrapping_sub((u32::from(by.max_win) << shift).max(1)))
    }

    /// Whether an INS only says again what is known: a frame sent twice, or replayed by somebody.
    #[must_use]
    pub fn repeats(&self, src: &Peer, dst: &Peer, packets: [u64; 2]) -> bool {
        self.packets == packets.map(|p| u32::try_from(p).unwrap_or(u32::MAX))
            && !after(src.seqlo, self.src.seq)
            && !after(dst.seqlo, self.dst.seq)
            && src.state <= self.states[0]
            && dst.state <= self.states[1]
    }

    /// A fresh INS with its packet counters [initiator, responder].
    pub fn on_insert(&mut self, sender: u16, flags: u16, packets: [u64; 2]) -> Finding {
        self.count(sender, packets);
        if self.proxied() {
            return Finding::plain(Movement::Attempt);
        }
        let [forth, back] = packets.map(|p| p > 0);
        let [src, dst] = self.states;
        let class = match self.transport {
            Transport::Tcp => Class::NewTcp,
            Transport::Icmp => Class::NewIcmp,
            Transport::Udp | Transport::Other => Class::NewUdp,
        };
        if !back {
            // Deferred states are announced before an answer is possible; where answers may take another way (sloppy), one
            // that was not seen is none that was missing.
            let judged = forth && flags & FLAG_ACK == 0 && !self.sloppy;
            let trial = judged.then_some((class, Outcome::Failure));
            return Finding::new(Movement::Attempt, trial);
        }
        // TCP: the handshake must be complete, or be refused by the responder (RST), which is a round trip too.
        let complete = self.transport != Transport::Tcp
            || (src >= ESTABLISHED && dst >= ESTABLISHED)
            || (src == TIME_WAIT || dst == TIME_WAIT);
        let delivery = match self.transport {
            Transport::Tcp if src >= ESTABLISHED && (ESTABLISHED..TIME_WAIT).contains(&dst) => Some(Outcome::Success),
            // It said SYN|ACK more than once.
            Transport::Tcp if src == ESTABLISHED && dst == SYN_SENT && packets[1] > 1 => Some(Outcome::Failure),
            _ => None,
        };
        let movement = match (forth, complete) {
            (true, true) => Movement::EndToEnd,
            (true, false) => Movement::Both,
            (false, _) => Movement::Reverse,
        };
        // SYN|ACK is an answer, whether or not it arrives.
        let outcome = if forth { Outcome::Success } else { Outcome::Partial };
        Finding::new(movement, Some((class, outcome))).delivering(delivery)
    }

    /// A full UPD (request, bulk, stale correction): knowledge, not fresh movement, unless two of the same sender
    /// within `fresh` show both counters moving.
    pub fn on_full_update(&mut self, sender: u16, fresh: bool, src: &Peer, dst: &Peer, packets: [u64; 2]) -> Finding {
        let before = (self.counted_by == sender).then_some(self.packets);
        self.absorb(src, dst);
        self.count(sender, packets);
        let both = before.is_some_and(|b| self.packets[0] > b[0] && self.packets[1] > b[1]);
        if fresh && both && !self.proxied() {
            return Finding::new(Movement::EndToEnd, Some((Class::Active, Outcome::Success)));
        }
        Finding::plain(Movement::Attempt)
    }

    fn count(&mut self, sender: u16, packets: [u64; 2]) {
        self.packets = packets.map(|p| u32::try_from(p).unwrap_or(u32::MAX));
        self.counted_by = sender;
    }

    /// Takes over what is further on, without judging it.
    fn absorb(&mut self, src: &Peer, dst: &Peer) {
        for (side, peer) in [(&mut self.src, src), (&mut self.dst, dst)] {
            if side.seq == 0 || after(peer.seqlo, side.seq) {
                side.waiting = false;
            }
            side.take(peer);
        }
        self.states = [self.states[0].max(src.state), self.states[1].max(dst.state)];
    }

    /// A compressed update, `gap` after the state was last heard.
    pub fn on_update(&mut self, sender: u16, gap: Duration, src: &Peer, dst: &Peer) -> Finding {
        self.elapse(gap);
        match self.transport {
            Transport::Tcp => self.on_tcp(sender, gap, src, dst),
            Transport::Udp | Transport::Other => self.on_datagram(sender, src.state, dst.state),
            Transport::Icmp => Finding::plain(Movement::Attempt),
        }
    }

    fn on_datagram(&mut self, sender: u16, src: u8, dst: u8) -> Finding {
        let [src0, dst0] = self.states;
        self.states = [src0.max(src), dst0.max(dst)];
        if dst == 0 {
            self.src.owner = sender;
            // Such states never run back: of one that was answered this is news of long ago.
            let trial = (dst0 == 0).then_some((Class::OneWay, Outcome::Failure));
            return Finding::new(Movement::Attempt, trial);
        }
        if (dst0 == 0 && dst > 0) || (src0 < 2 && src >= 2) {
            // A reply, first heard of now, to a packet that this node passed, or another one.
            let (movement, outcome) = if self.src.owner == sender {
                (Movement::EndToEnd, Outcome::Success)
            } else {
                (Movement::PairEndToEnd, Outcome::Pair)
            };
            return Finding::new(movement, Some((Class::OneWay, outcome))).with(self.src.owner);
        }
        if dst0 < 2 && dst >= 2 {
            return Finding::plain(Movement::Forward); // The initiator spoke again; whether it was answered stays open.
        }
        Finding::plain(Movement::Attempt)
    }

    fn on_tcp(&mut self, sender: u16, gap: Duration, src: &Peer, dst: &Peer) -> Finding {
        let before = self.states;
        if gap > ROUND_TRIP {
            // Data this old may have been acknowledged long ago; a late window update would say so only now.
            self.src.waiting = false;
            self.dst.waiting = false;
        }
        if src.state > TIME_WAIT || dst.state > TIME_WAIT {
            self.absorb(src, dst);
            return Finding::plain(Movement::Attempt);
        }
        if self.proxied() {
            // The firewall has joined both halves of a synproxy connection: from here on it is one like others.
            let flags = if self.sloppy { FLAG_SLOPPY } else { 0 };
            *self = Self::new(sender, true, self.transport, flags, src, dst);
            return Finding::plain(Movement::Attempt);
        }
        if self.sloppy {
            // pf guesses how far it is, and follows no number: what it says of it is no proof, and no failure.
            self.absorb(src, dst);
            return Finding::plain(Movement::Attempt);
        }
        // Told again from long ago (a capture in a loop, a state that a kernel took back): what lies behind and does not move
        // neither worked just now nor failed, until it goes on.
        self.stale |= gap > RECENT && (self.src.is_ahead_of(src) || self.dst.is_ahead_of(dst));
        let asked_by = self.src.owner;
        let told_by = self.dst.owner;
        let asked_age = self.src.age;
        let (src_seq, src_edge) = self.src.moves(src);
        let (dst_seq, dst_edge) = self.dst.moves(dst);
        let forth = src_seq || dst_edge;
        let back = dst_seq || src_edge;
        self.stale &= !forth && !back;
        let guarded = before.iter().all(|s| (ESTABLISHED..=FIN_WAIT_2).contains(s));
        // Each side's data against the other side's fresh acknowledgement.
        let bound_src = if guarded && src_edge {
            self.bound(src, dst)
        } else {
            None
        };
        let bound_dst = if guarded && dst_edge {
            self.bound(dst, src)
        } else {
            None
        };
        let acked_src = self.src.acknowledged(bound_src);
        let acked_dst = self.dst.acknowledged(bound_dst);
        let own = |side: &Side, acked: bool| acked && side.owner == sender;
        // New data and the acknowledgement of that very data in one window is a round trip as well.
        let covers = |bound: Option<u32>, seq: u32| bound.is_some_and(|b| !after(seq, b));
        let at_once_src = src_seq && covers(bound_src, src.seqlo);
        let at_once_dst = dst_seq && covers(bound_dst, dst.seqlo);
        let all = guarded && src_seq && src_edge && dst_seq && dst_edge;
        let answered = own(&self.src, acked_src) || at_once_src || all;
        let delivered = own(&self.dst, acked_dst) || at_once_dst || all;
        let mut movement = if answered || delivered {
            Movement::EndToEnd
        } else if acked_src || acked_dst {
            Movement::PairEndToEnd
        } else {
            match (forth, back) {
                (true, true) => Movement::Both,
                (true, false) => Movement::Forward,
                (false, true) => Movement::Reverse,
                (false, false) => Movement::Attempt,
            }
        };
        let delivery = if delivered {
            Some(Outcome::Success)
        } else if acked_dst {
            Some(Outcome::Pair)
        } else if guarded && movement == Movement::Attempt && self.dst.waiting {
            Some(Outcome::Failure)
        } else {
            None
        };
        let mut crossed = false;
        let sides = [(&mut self.src, acked_src), (&mut self.dst, acked_dst)];
        for ((side, acked), across) in sides.into_iter().zip(&mut self.across) {
            if acked && side.owner != sender {
                *across = side.age;
                crossed = true;
            }
            side.waiting &= !acked;
        }
        self.src.advance(src, src_seq, sender);
        self.dst.advance(dst, dst_seq, sender);
        self.src.waiting &= !at_once_src;
        self.dst.waiting &= !at_once_dst;
        self.states = [before[0].max(src.state), before[1].max(dst.state)];

        let closed = src.state == TIME_WAIT || dst.state == TIME_WAIT;
        if !guarded && before.iter().any(|&s| s < ESTABLISHED) {
            let opened = src.state >= ESTABLISHED && dst.state >= ESTABLISHED && !closed;
            // SYN|ACK and its acknowledgement, first heard of now; a round trip here if the SYN passed here.
            let here = if asked_by == sender {
                Outcome::Success
            } else {
                Outcome::Pair
            };
            if opened {
                movement = if asked_by == sender {
                    Movement::EndToEnd
                } else {
                    Movement::PairEndToEnd
                };
            }
            if movement == Movement::Attempt && self.states == [SYN_SENT, 0] {
                // Whoever asks again is the one through whom an answer can be had.
                (self.src.owner, self.src.age) = (sender, 0);
            }
            let outcome = match dst.state {
                // Answered before: this message is about the answer, or older.
                _ if before[1] > 0 => None,
                0 if src.state == SYN_SENT => Some(Outcome::Failure),
                0 => Some(Outcome::Partial),
                _ => Some(here),
            };
            self.moved = outcome != Some(Outcome::Failure);
            let unacknowledged = [ESTABLISHED, SYN_SENT];
            let delivery = if opened {
                Some(here)
            } else {
                // SYN or SYN|ACK again, although it was answered.
                let again = before == unacknowledged && self.states == unacknowledged;
                again.then_some(Outcome::Failure)
            };
            // SYN through one node, SYN|ACK through another, and its acknowledgement: both halves at once.
            if opened && asked_by == sender && told_by != sender {
                self.across = [asked_age; 2];
                crossed = true;
            }
            let whole = if crossed { self.whole() } else { None };
            let trial = outcome.filter(|_| !closed).map(|o| (Class::HalfOpen, o));
            return Finding::new(movement, trial)
                .delivering(delivery)
                .with(asked_by)
                .across(whole);
        }
        let class = if self.moved && gap <= RECENT {
            Class::Active
        } else {
            Class::Stalled
        };
        let outcome = match movement {
            _ if answered => Some(Outcome::Success),
            _ if acked_src => Some(Outcome::Pair),
            Movement::Attempt => Some(Outcome::Failure),
            // The responder spoke and was heard: nothing was asked.
            Movement::EndToEnd | Movement::PairEndToEnd => None,
            _ => Some(Outcome::Partial),
        };
        self.moved = outcome != Some(Outcome::Failure);
        // Closing connections trail off without answers; only what they prove counts.
        let closing = closed || src.state >= CLOSING || dst.state >= CLOSING || self.stale;
        let trial = outcome
            .filter(|o| !closing || *o == Outcome::Success)
            .map(|o| (class, o));
        let delivery = delivery.filter(|d| !closing || *d != Outcome::Failure);
        // Whose half it was: the one that asked, or else the one that answered.
        let partner = if acked_src { asked_by } else { told_by };
        let whole = if crossed { self.whole() } else { None };
        Finding::new(movement, trial)
            .delivering(delivery)
            .with(partner)
            .across(whole)
    }
}

impl Side {
    /// Whether `peer` says less than what was heard already.
    fn is_ahead_of(&self, peer: &Peer) -> bool {
        let spoke = self.seq != 0 && peer.seqlo != 0;
        spoke && (after(self.seq, peer.seqlo) || after(self.edge, peer.seqhi))
    }

    /// Whether `peer` announces (a sequence end, a window edge) beyond everything heard so far.
    fn moves(&self, peer: &Peer) -> (bool, bool) {
        let spoke = self.seq != 0;
        // The edge is seeded by the side's own first packet: no movement while the side had not spoken.
        let speaks = spoke && peer.seqlo != 0;
        (
            speaks && after(peer.seqlo, self.seq),
            speaks && after(peer.seqhi, self.edge),
        )
    }

    /// Whether `bound` covers the data that waits.
    fn acknowledged(&self, bound: Option<u32>) -> bool {
        self.waiting && bound.is_some_and(|b| !after(self.owned, b))
    }

    fn advance(&mut self, peer: &Peer, seq_moved: bool, sender: u16) {
        let spoke_first = self.seq == 0 && peer.seqlo != 0;
        self.take(peer);
        if (seq_moved || spoke_first) && (!self.waiting || self.owner != sender) {
            self.owned = peer.seqlo;
            self.owner = sender;
            self.waiting = true;
            self.age = 0;
        }
    }

    /// The furthest values. While a side has not spoken its edge is a placeholder (1), and a kernel that lost track says
    /// so with zeros: neither is a place in sequence space.
    fn take(&mut self, peer: &Peer) {
        if peer.seqlo == 0 {
            return;
        }
        if self.seq == 0 {
            (self.seq, self.edge) = (peer.seqlo, peer.seqhi);
            return;
        }
        if after(peer.seqlo, self.seq) {
            self.seq = peer.seqlo;
        }
        if after(peer.seqhi, self.edge) {
            self.edge = peer.seqhi;
        }
    }
}
