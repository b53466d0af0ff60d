//! The pure core: frames and times in, events out. No I/O, no clock, no dice, no log.
//!
//! Live capture, files and simulation drive it the same way: `frame`, `idle` and `gap` tell it what happened and when;
//! `next_deadline` says until when it may be left alone; `poll` hands out what it concluded. A wake-up too early is a
//! no-op; time that runs backwards is clamped and counted.

mod acting;
mod apart;
pub mod aside;
mod authentic;
mod copies;
pub mod counters;
mod echo;
mod memory;
mod networks;
pub mod quality;
#[cfg(test)]
mod tests;
mod unfit;
mod view;

use crate::capture::{Frame, GapCause, Net, Vlan};
use crate::decide::{Policy, Situation, Unclear};
use crate::detect::Detector;
use crate::detect::carp::{Advert, CarpView, Protocol, Split};
use crate::dissect::{Ip, Kind, Packet as Dissected, Refusal, dissect};
use crate::event::{Event, Health, NodeId, Notice, NoticeKind};
use crate::settings::{About, Settings};
use crate::time::Timestamp;
use crate::track::{Observation, Tracker};
use aside::{Key, Proto, Reason};
use authentic::{Proofs, Proven};
use copies::{Copies, said_once};
use counters::{Counters, NodeCounters};
use networks::{Found, MAX_NETWORKS, Networks};
use pfsync_proto::{Action, BusStatus, Carp, DecodeError, ErrorKind, Message, Packet, Proto112};
use quality::Problem;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Senders that become nodes, at most; a hostile host can invent any number of addresses.
const MAX_NODES: usize = 32;
/// A bulk update without an end is over after this long.
const BULK_LIMIT: Duration = Duration::from_secs(600);

/// Between two looks at something that stays due.
const RESPITE: Duration = Duration::from_millis(50);

/// What is known of a node beside its health.
struct Node {
    address: IpAddr,
    name: Option<String>,
    me: bool,
    bulk_since: Option<Timestamp>,
    /// A canary was among what failed when it was called down.
    canary: bool,
    last_config_sync: Option<Timestamp>,
}

/// The engine.
pub struct Engine {
    settings: Settings,
    nodes: Vec<Node>,
    by_address: BTreeMap<IpAddr, NodeId>,
    by_local: BTreeMap<IpAddr, NodeId>,
    networks: Networks,
    copies: Copies,
    proofs: Proofs,
    tracker: Tracker,
    detector: Detector,
    carp: CarpView,
    /// CARP of another clock than pfsync, or of some segments only, for the eye alone.
    shown: Option<CarpView>,
    /// Since when that is so.
    parted: Option<Timestamp>,
    /// Segments of which no capture tells any more, and since when.
    ended: Vec<(usize, Timestamp)>,
    policy: Policy,
    recalled: memory::Recalled,
    counters: Counters,
    /// The first moment that we know of.
    began: Timestamp,
    /// When the last frame of any kind came, and how long nothing had come before it.
    last_frame: Option<Timestamp>,
    silence: Duration,
    now: Timestamp,
    concluded: Timestamp,
    /// A node was called down.
    proven_down: bool,
    /// When advertisements that were awaited then would be missing for long enough to mean something.
    carp_due: Option<Timestamp>,
    events: VecDeque<Event>,
    verdicts: Vec<crate::event::Verdict>,
    scratch: Vec<Event>,
    tap: Option<Vec<Heard>>,
    /// It was told that VRRP does not count beside a password.
    unsigned_told: bool,
    /// It was told that states are forgotten.
    full: bool,
}

/// An observation with its time and sender, as the detector was told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    /// When.
    pub at: Timestamp,
    /// Whose message.
    pub node: NodeId,
    /// What it proves.
    pub observation: Observation,
}

impl Engine {
    /// A fresh engine; `seed` only makes hash collisions unpredictable, it never changes a conclusion.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let me = settings
            .nodes
            .iter()
            .position(|n| n.is_self)
            .and_then(|i| u16::try_from(i).ok())
            .map(NodeId);
        let tracker = Tracker::new(&settings, seed);
        let mut engine = Self {
            detector: Detector::new(&settings.detect, tracker.path_count(), seed),
            policy: Policy::new(me, &settings.policy, &settings.probes),
            tracker,
            nodes: Vec::new(),
            by_address: BTreeMap::new(),
            by_local: BTreeMap::new(),
            networks: Networks::new(&settings),
            copies: Copies::new(seed),
            proofs: Proofs::default(),
            carp: CarpView::new(settings.segments.iter().map(|s| s.name.clone()).collect())
                .anonymous(settings.nodes.iter().all(|n| n.local.is_empty())),
            shown: None,
            parted: None,
            ended: Vec::new(),
            recalled: memory::Recalled::default(),
            counters: Counters::default(),
            began: Timestamp::MIN,
            last_frame: None,
            silence: Duration::ZERO,
            now: Timestamp::MIN,
            proven_down: false,
            concluded: Timestamp::MIN,
            carp_due: None,
            events: VecDeque::new(),
            verdicts: Vec::new(),
            scratch: Vec::new(),
            tap: None,
            unsigned_told: false,
            full: false,
            settings,
        };
        engine.detector.watch(&engine.settings.canaries);
        for (i, node) in engine.settings.nodes.clone().into_iter().enumerate() {
            if let Some(&address) = node.addresses.first() {
                engine.add_node(address, Some(node.name).filter(|n| !n.is_empty()), node.is_self);
            }
            #[expect(clippy::cast_possible_truncation, reason = "configured by hand")]
            for address in node.addresses {
                engine.by_address.insert(address, NodeId(i as u16));
            }
        }
        engine.by_local = sole_owners(&engine.settings);
        let local = engine.settings.nodes.iter().flat_map(|n| &n.local).copied();
        let shared = local.filter(|a| !engine.by_local.contains_key(a)).collect();
        engine.proofs = Proofs::new(shared);
        engine
    }

    fn add_node(&mut self, address: IpAddr, name: Option<String>, me: bool) -> NodeId {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "bounded by MAX_NODES and the configuration"
        )]
        let id = NodeId(self.nodes.len() as u16);
        self.nodes.push(Node {
            address,
            name,
            me,
            bulk_since: None,
            canary: false,
            last_config_sync: None,
        });
        self.by_address.insert(address, id);
        self.detector.add_node();
        self.counters.nodes.push(NodeCounters::new(self.tracker.path_count()));
        self.events.push_back(Event::Node { node: id, address });
        id
    }

    fn node_of(&mut self, ip: Option<Ip>) -> Option<NodeId> {
        // A pfsync0 tap has no addresses and shows only what this host itself sends.
        let address = ip.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ip| ip.src);
        if let Some(&id) = self.by_address.get(&address) {
            return Some(id);
        }
        if ip.is_none()
            && let Some(me) = self.me()
        {
            return Some(me);
        }
        if self.nodes.len() >= MAX_NODES {
            self.counters.foreign += 1;
            if self.counters.foreign == 1 {
                let text = format!(
                    "more than {MAX_NODES} senders of pfsync: what the others say is counted and not looked at"
                );
                self.notice(self.now, NoticeKind::Limit, text);
            }
            return None;
        }
        let id = self.add_node(address, None, false);
        self.tracker.add_local(address);
        self.recall_nodes();
        Some(id)
    }

    /// The node that pfwatch runs beside.
    fn me(&self) -> Option<NodeId> {
        let me = self.nodes.iter().position(|n| n.me)?;
        u16::try_from(me).ok().map(NodeId)
    }

    /// When something must be looked at even if nothing is heard.
    #[must_use]
    pub fn next_deadline(&self) -> Timestamp {
        if self.now == Timestamp::MIN {
            return Timestamp::MAX; // The source's clock is not known before its first word.
        }
        let all = [
            self.detector.next_deadline(),
            self.carp.next_deadline(self.now),
            self.policy.next_deadline(self.now),
        ];
        let due = all.into_iter().flatten().min().unwrap_or(Timestamp::MAX);
        // What could not be settled when last looked at waits for news or the next tick; it must not spin.
        if due <= self.concluded {
            self.concluded + RESPITE
        } else {
            due
        }
    }

    /// What was concluded, in order.
    pub fn poll(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// From now on keeps what the tracker tells the detector; returns what was kept since the last call. For those who
    /// study evidence: a watchdog has no use for it.
    pub fn observations(&mut self) -> Vec<Heard> {
        self.tap.replace(Vec::new()).unwrap_or_default()
    }

    fn advance(&mut self, at: Timestamp) -> Timestamp {
        if at < self.now {
            self.counters.clamped += 1;
        }
        let first = self.now == Timestamp::MIN;
        self.now = self.now.max(at);
        if first {
            self.began = self.now;
            self.recall_nodes();
        }
        self.now
    }

    /// Nothing was heard until `at`.
    pub fn idle(&mut self, at: Timestamp) {
        let now = self.advance(at);
        self.conclude(now);
    }

    /// We were blind for `length` until `at`.
    pub fn gap(&mut self, at: Timestamp, length: Duration, cause: GapCause, lost: u64) {
        let now = self.advance(at);
        if let GapCause::Ended(net) = cause {
            return self.over(now, net);
        }
        let cause = match cause {
            GapCause::Resumed(net) => match self.hear_again(now, net, length) {
                true => GapCause::Unrecorded,
                false => return,
            },
            cause => cause,
        };
        self.last_frame = Some(now);
        self.counters.gap(cause, length, lost);
        self.counters.problem(quality::of_gap(cause), now);
        self.tracker.forgive();
        self.detector.gap(now);
        self.carp.forgive(now, length);
        self.policy.blind(now);
        if cause == GapCause::ClocksApart {
            let why = "the clock of one capture was set and that of another was not";
            self.part(now, why);
        }
        self.events.push_back(Event::Gap { at: now, length, cause });
    }

    /// A node is heard. Where nothing at all was, for longer than any master keeps silent, and a master goes on as before, nobody
    /// died: we heard nothing.
    fn wake(&mut self, now: Timestamp, node: NodeId) {
        let silence = std::mem::take(&mut self.silence);
        if silence > Duration::ZERO && self.carp.missed_all(now, silence, node) {
            self.gap(now, silence, GapCause::Unrecorded, 0);
        }
    }

    /// A probe answered or did not.
    pub fn probe(&mut self, at: Timestamp, index: usize, ok: bool) {
        let now = self.advance(at);
        self.policy.probe(now, index, ok);
        match self.settings.probes.get(index).map(|p| p.about) {
            Some(About::SelfNode) => self.detector.cut_off(now, self.me().filter(|_| self.policy.fails(now))),
            Some(About::Node(about)) => {
                if let Ok(node) = u16::try_from(about) {
                    self.detector.probe(now, NodeId(node), index, ok);
                }
            }
            None => {}
        }
        self.conclude(now);
    }

    /// A frame was heard.
    pub fn frame(&mut self, frame: &Frame<'_>) {
        let now = self.advance(frame.at);
        self.silence = now.since(self.last_frame.unwrap_or(now));
        self.last_frame = Some(now);
        self.counters.frames += 1;
        let packet = dissect(frame.link, frame.data, frame.wire_len);
        match packet.kind {
            Kind::Pfsync(payload) => {
                self.counters.pfsync += 1;
                self.counters.tapped += u64::from(packet.ip.is_none());
                if !self.is_copy(now, frame, &packet) {
                    self.sync_frame(now, frame.net, &packet, payload);
                }
            }
            Kind::Proto112(payload) => {
                self.counters.carp += 1;
                if !self.is_copy(now, frame, &packet) {
                    self.refuse(packet.refused);
                    match (packet.refused, packet.ip) {
                        (Some(refusal), Some(ip)) => {
                            self.carp_aside(now, frame, packet.vlan, ip, payload, refusal.into());
                        }
                        (None, Some(ip)) if !self.is_overlay(frame, &packet, ip.src) => {
                            self.proto112(now, frame, packet.vlan, ip, payload);
                        }
                        _ => {}
                    }
                }
            }
            Kind::TcpSyn { dst_port, .. } => {
                self.counters.other += 1;
                if let Some(ip) = packet.ip {
                    self.config_sync(now, ip, dst_port);
                }
            }
            Kind::Other => {
                self.counters.other += 1;
                self.counters.nested += u64::from(packet.nested);
            }
            Kind::Unsupported => self.counters.unsupported += 1,
        }
        // A frame exactly at the deadline is in time.
        if self.next_deadline() <= now {
            self.conclude(now);
        }
    }

    /// Whether the same datagram was heard just now; then it is counted, and says nothing more.
    fn is_copy(&mut self, now: Timestamp, frame: &Frame<'_>, packet: &Dissected<'_>) -> bool {
        let id = packet.ip.map_or(0, |ip| ip.id);
        // Wherever it is heard, pfsync is of the sync net: one capture of everything may be given as a segment, too.
        let net = if matches!(packet.kind, Kind::Pfsync(_)) {
            Net::Sync
        } else {
            frame.net
        };
        let heard = self
            .copies
            .heard_before(now, net, id, said_once(&packet.kind), packet.datagram);
        if !(heard.before && self.came_back(now, frame, packet)) {
            (0..heard.copies).for_each(|_| self.problem(now, Problem::Duplicate));
        }
        heard.before
    }

    fn sync_frame(&mut self, now: Timestamp, net: Net, packet: &Dissected<'_>, payload: &[u8]) {
        if let Some(refusal) = packet.refused {
            self.aside(now, Proto::Pfsync, net, packet.ip, refusal);
        }
        match packet.refused {
            None => {}
            Some(Refusal::Cut) => return self.cut_frame(now, packet.ip, payload),
            Some(refusal) => {
                if let Some(ip) = packet.ip.filter(|_| refusal == Refusal::BadTtl) {
                    self.counters.routed_ttl = ip.ttl;
                    self.problem(now, Problem::Ttl);
                }
                return self.refuse(Some(refusal));
            }
        }
        let damaged = self.counters.damaged;
        let whole = self.pfsync(now, packet.ip, payload).unwrap_or_else(|e| {
            self.counters.error(e);
            self.aside(now, Proto::Pfsync, net, packet.ip, e.kind);
            false
        });
        if !whole {
            self.problem(now, Problem::Unread);
        }
        // Of another net nobody believes anything.
        if net == Net::Sync && self.counters.damaged > damaged && self.detector.damaged(now) {
            let text = "damaged frames on the sync net: as long as they come, `down` takes more evidence";
            self.notice(now, NoticeKind::Damaged, text);
        }
    }

    /// Its sender lives. What the rest of it said is not known, so that what was read of it proves nothing: successes would be
    /// missed as well as failures.
    fn cut_frame(&mut self, now: Timestamp, ip: Option<Ip>, payload: &[u8]) {
        self.problem(now, Problem::Cut);
        if let Ok(packet) = Packet::new_checked(payload)
            && let Some(node) = self.node_of(ip)
        {
            self.counters.nodes[node.index()].frame(now, packet.version());
            if self.is_stranger(node, ip) {
                return;
            }
            self.detector.frame(now, node);
            self.carp.heard(now, node);
            self.detector.blurred();
        }
    }

    fn refuse(&mut self, refused: Option<Refusal>) {
        if let Some(refusal) = refused {
            self.counters.error(DecodeError::from(refusal));
        }
    }

    /// What was heard, and why it did not count.
    fn aside(&mut self, now: Timestamp, proto: Proto, net: Net, ip: Option<Ip>, reason: impl Into<Reason>) {
        let Some(ip) = ip else { return };
        let known = self.by_address.contains_key(&ip.src) || self.by_local.contains_key(&ip.src);
        let key = Key::of(proto, net, ip, reason);
        self.counters.aside.note(now, key, ip.ttl, known);
    }

    /// CARP that was heard and does not count. In place of what did, it shows that its sender lives.
    fn carp_aside(&mut self, now: Timestamp, frame: &Frame<'_>, vlan: Vlan, ip: Ip, payload: &[u8], reason: Reason) {
        self.aside(now, Proto::Carp, frame.net, Some(ip), reason);
        let node = self.by_local.get(&ip.src).copied();
        let here = frame.net != Net::Sync || self.settings.segments.is_empty();
        if let Some(node) = node.filter(|_| here && reason.is_of_frame()) {
            self.counters.refused = Some((node, reason, ip.ttl));
            self.problem(now, Problem::Refused);
        }
        // CARP and VRRP have their number in the same place.
        let Some(&vhid) = payload.get(1).filter(|_| here && reason.is_of_frame()) else {
            return;
        };
        let Some(network) = self.network(now, frame, vlan) else {
            return;
        };
        let node = self
            .carp
            .discount(now, (network, vhid), ip.src, node, &mut self.scratch);
        self.publish();
        if let Some(node) = node {
            self.detector.signal(now, node);
        }
    }

    /// Whether it is pfsync of a node that nobody named, where a pair is named: whoever reaches the sync net can send it, so it
    /// is counted and nothing more. A pfsync0 tap shows no addresses.
    fn is_stranger(&self, node: NodeId, ip: Option<Ip>) -> bool {
        ip.is_some() && self.is_unnamed(node)
    }

    /// Whether all of it was read; fails where not even its header can be. An unknown action that says how long it is can be
    /// passed over, as receivers do.
    fn pfsync(&mut self, now: Timestamp, ip: Option<Ip>, payload: &[u8]) -> Result<bool, DecodeError> {
        let packet = Packet::new_checked(payload)?;
        let Some(node) = self.node_of(ip) else { return Ok(true) };
        self.counters.nodes[node.index()].frame(now, packet.version());
        if self.is_stranger(node, ip) {
            return Ok(true);
        }
        self.wake(now, node);
        self.detector.frame(now, node);
        self.carp.heard(now, node);
        let (mut known, mut passed_over, mut lost, mut has_length) = (0_u32, 0_u32, false, false);
        for section in packet.sections() {
            let section = match section {
                Ok(section) => section,
                Err(e) => {
                    self.counters.error(e);
                    passed_over += 1;
                    lost |= e.kind != ErrorKind::Badact || !has_length;
                    continue;
                }
            };
            known += 1;
            has_length = section.stride > 0 && section.count > 0;
            let mut count = 0;
            section.visit(|decoded| {
                count += 1;
                match decoded.refused {
                    Some(e) => self.counters.error(e),
                    None => self.message(now, node, section.action, &decoded.message),
                }
            });
            self.counters.nodes[node.index()].action(section.action, count.max(u64::from(section.count == 0)));
        }
        Ok(!lost && (passed_over == 0 || known > passed_over))
    }

    fn message(&mut self, now: Timestamp, node: NodeId, action: Action, message: &Message) {
        let sender = node.0;
        let observation = match message {
            Message::UpdC(m) => self.tracker.update(now, sender, m),
            Message::State(state) => {
                let observation = match action {
                    Action::Ins => {
                        self.counters.nodes[node.index()].creator(state.key.creator);
                        self.tracker.insert(now, sender, state)
                    }
                    Action::Del => {
                        self.tracker.delete(sender, state.key);
                        None
                    }
                    _ => {
                        let bulk = self.nodes[node.index()]
                            .bulk_since
                            .is_some_and(|t| now.since(t) < BULK_LIMIT);
                        self.tracker.update_full(now, sender, bulk, state)
                    }
                };
                if observation.is_none() {
                    self.counters.nodes[node.index()].sender_alive += 1;
                }
                observation
            }
            other => {
                self.counters.nodes[node.index()].sender_alive += 1;
                match other {
                    Message::DelC { key, .. } => self.tracker.delete(sender, *key),
                    Message::Clr(clr) => {
                        let flushed = self.tracker.clear(clr);
                        if flushed == 0 {
                            return;
                        }
                        let text = format!("{flushed} states of {} were flushed (CLR)", clr.creator);
                        let notice = Notice::new(now, NoticeKind::Flush, text).about(node);
                        self.events.push_back(Event::Notice(notice));
                    }
                    Message::Bus(bus) => {
                        self.counters.nodes[node.index()].creator(bus.creator);
                        self.nodes[node.index()].bulk_since = (bus.status == BusStatus::Start).then_some(now);
                    }
                    _ => {}
                }
                None
            }
        };
        if let Some((first, o)) = self.tracker.confirmed() {
            self.observed(now, NodeId(first), o);
        }
        if let Some(o) = observation {
            self.observed(now, node, o);
        }
    }

    fn observed(&mut self, now: Timestamp, node: NodeId, o: Observation) {
        self.counters.evidence(node, &o, now);
        if let Some(tap) = &mut self.tap {
            tap.push(Heard {
                at: now,
                node,
                observation: o,
            });
        }
        self.detector.observe(now, node, &o, self.carp.divided());
    }

    fn proto112(&mut self, now: Timestamp, frame: &Frame<'_>, vlan: Vlan, ip: Ip, payload: &[u8]) {
        let aside = |engine: &mut Self, reason| engine.carp_aside(now, frame, vlan, ip, payload, reason);
        let said = match Proto112::decode(payload, Some(ip.ends())) {
            Ok(said) => said,
            Err(e) => {
                self.counters.error(e);
                return aside(self, e.kind.into());
            }
        };
        let node = self.by_local.get(&ip.src).copied();
        let (ad, cksum_ok) = match &said {
            Proto112::Carp(carp) => (Advert::from(carp), carp.cksum_ok),
            Proto112::Vrrp(vrrp) => {
                self.counters.vrrp += 1;
                // Of strangers it is other routers' business.
                if node.is_none() {
                    self.counters.problem(Problem::Vrrp, now);
                    return aside(self, Reason::Vrrp);
                }
                (Advert::from(vrrp), vrrp.cksum_ok)
            }
        };
        if !cksum_ok {
            self.counters.bad_checksum += 1;
            return aside(self, Reason::Checksum);
        }
        let routed = ip.ttl != 255;
        if routed && !self.between_nodes(ip) {
            self.refuse(Some(Refusal::BadTtl));
            if !ip.dst.is_multicast() {
                return aside(self, Reason::Peer);
            }
            return aside(self, Reason::Ttl);
        }
        // One capture of everything has no segments. Where there are some, no password would protect what is said on the sync
        // net of one.
        if frame.net == Net::Sync && !self.settings.segments.is_empty() {
            self.carp_on_sync(now, ip.src);
            return aside(self, Reason::OnSync);
        }
        let Some(segment) = self.network(now, frame, vlan) else {
            let deeper = vlan.is_deeper();
            return aside(self, if deeper { Reason::Tags } else { Reason::Elsewhere });
        };
        let signed = match &said {
            Proto112::Carp(carp) => self.authentic(now, carp, segment, ip.src),
            Proto112::Vrrp(_) => self.unsigned(now, segment, ip.src),
        };
        let Some(signed) = signed else {
            self.counters.bad_hmac += u64::from(ad.protocol == Protocol::Carp);
            return aside(self, Reason::Password);
        };
        self.counters.vrrp_of_nodes += u64::from(ad.protocol != Protocol::Carp);
        self.tracker.add_local(ip.src);
        if node.is_none() {
            aside(self, Reason::Stranger);
        }
        if let Some(shown) = &mut self.shown {
            shown.advertisement(now, segment, ip.src, node, ad, &mut self.scratch);
            return self.show_masters();
        }
        if let Some(node) = node {
            self.wake(now, node);
        }
        let node = self
            .carp
            .advertisement(now, segment, ip.src, node, ad, &mut self.scratch);
        if let Some(node) = node {
            self.detector.signal(now, node);
        } else if !self.settings.nodes.is_empty() {
            self.counters.problem(Problem::Foreign, now);
        }
        if routed && !signed {
            self.carp.hearsay((segment, ad.vhid));
        }
        self.publish();
    }

    /// Whether CARP came in a tunnel while that of a node is heard outside of one: what is inside is of a net that lies above this
    /// one, with vhids of its own.
    fn is_overlay(&mut self, frame: &Frame<'_>, packet: &Dissected<'_>, from: IpAddr) -> bool {
        let bare = !packet.mirrored && self.by_local.contains_key(&from);
        let heard_bare = self
            .networks
            .bare(frame.net, frame.interface, packet.vlan.within(0), bare);
        let overlay = packet.mirrored && heard_bare;
        self.counters.elsewhere += u64::from(overlay);
        overlay
    }

    /// Whether a packet goes from one configured node to another, each by an address of its own: only there may CARP come through
    /// routers (`carppeer`).
    fn between_nodes(&self, ip: Ip) -> bool {
        let [from, to] = [ip.src, ip.dst].map(|a| self.by_local.get(&a));
        from.is_some() && to.is_some() && from != to
    }

    /// The network that a frame with CARP was heard on.
    fn network(&mut self, now: Timestamp, frame: &Frame<'_>, vlan: Vlan) -> Option<usize> {
        if vlan.is_deeper() {
            return None;
        }
        match self.networks.of(frame.net, frame.interface, vlan) {
            Found::Here(network) => return Some(network),
            Found::New(network) => {
                self.carp.name(network, self.networks.name(network));
                return Some(network);
            }
            Found::Elsewhere => self.counters.elsewhere += 1,
            Found::Full { news } => {
                self.counters.beyond_networks += 1;
                if news {
                    let text = format!(
                        "CARP is heard on more than {MAX_NETWORKS} networks (segments, VLANs, interfaces): that on the \
                         others does not count"
                    );
                    self.notice(now, NoticeKind::Limit, text);
                }
            }
        }
        None
    }

    /// VRRP, in which nothing is signed: none where a password protects what is said.
    fn unsigned(&mut self, now: Timestamp, network: usize, from: IpAddr) -> Option<bool> {
        let segment = self
            .networks
            .segment(network)
            .and_then(|i| self.settings.segments.get(i));
        let Some(segment) = segment.filter(|s| s.password.is_some()) else {
            return Some(false);
        };
        if !std::mem::replace(&mut self.unsigned_told, true) {
            let text = format!(
                "{from} speaks VRRP on {}, which bears no password: it does not count there, because a password-file is \
                 configured",
                segment.name
            );
            self.notice(now, NoticeKind::Unverified, text);
        }
        None
    }

    /// Whether an advertisement was held against a password; none if it does not verify.
    fn authentic(&mut self, now: Timestamp, carp: &Carp, segment: usize, from: IpAddr) -> Option<bool> {
        let configured = self.networks.segment(segment);
        let Some(configured) = configured.and_then(|i| self.settings.segments.get(i)) else {
            return Some(false);
        };
        let Some(password) = &configured.password else {
            return Some(false);
        };
        let (key, node) = ((segment, carp.vhid), self.by_local.contains_key(&from));
        let (tell, unjudged) = match self.proofs.check(now, key, carp, password, from, node) {
            Proven::Yes => return Some(true),
            Proven::Unknown => return Some(false),
            Proven::No { tell, unjudged } => (tell, unjudged),
        };
        if unjudged {
            self.carp.forget(now, key, &mut self.scratch);
        }
        if tell {
            let text = format!(
                "advertisements of vhid {} on {} do not verify: wrong password, or its addresses are not in `local`",
                carp.vhid, configured.name
            );
            self.notice(now, NoticeKind::Unverified, text);
        }
        self.publish();
        None
    }

    fn carp_on_sync(&mut self, now: Timestamp, from: IpAddr) {
        self.counters.carp_on_sync += 1;
        if self.counters.carp_on_sync == 1 {
            let text = format!(
                "{from} advertises CARP on the sync net; that does not count, because the segments are configured"
            );
            self.notice(now, NoticeKind::CarpOnSync, text);
        }
    }

    /// Hands out what CARP had to say, and remembers who carried addresses.
    fn publish(&mut self) {
        for event in &self.scratch {
            if let Event::Master {
                master: Some(master), ..
            } = event
                && let Some(node) = self.by_local.get(master)
            {
                self.counters.nodes[node.index()].was_master = true;
            }
        }
        self.events.extend(self.scratch.drain(..));
    }

    fn notice(&mut self, at: Timestamp, kind: NoticeKind, text: impl Into<String>) {
        self.events.push_back(Event::Notice(Notice::new(at, kind, text)));
    }

    fn config_sync(&mut self, now: Timestamp, ip: Ip, port: u16) {
        let (from, to) = (
            self.by_address.get(&ip.src).copied(),
            self.by_address.contains_key(&ip.dst),
        );
        if let (Some(node), true) = (from, to && self.settings.config_sync_ports.contains(&port)) {
            let fresh = self.nodes[node.index()]
                .last_config_sync
                .is_none_or(|t| now.since(t).as_secs() >= 10);
            self.nodes[node.index()].last_config_sync = Some(now);
            if fresh {
                self.events.push_back(Event::ConfigSync { at: now, node });
            }
        }
    }

    /// Judges and decides what is due at `now`.
    fn conclude(&mut self, now: Timestamp) {
        self.concluded = now;
        if self.carp_due.is_some_and(|t| now >= t) {
            self.detector.hurry(now);
        }
        self.part_from_ended(now);
        self.settle_shown(now);
        self.carp.settle(now, &mut self.scratch);
        self.carp_due = self.carp.next_missing(now);
        if self.tracker.evictions() > 0 && !std::mem::replace(&mut self.full, true) {
            let text = format!(
                "more states than are remembered ({}): the oldest are forgotten, and what they did is not seen",
                self.tracker.len()
            );
            self.notice(now, NoticeKind::Limit, text);
        }
        self.publish();
        while let Some(stuck) = self.tracker.stuck(now) {
            self.detector.stuck(now, &stuck);
        }
        self.detector.retold(self.tracker.retold());
        self.detector.judge(now, &self.carp, &mut self.verdicts);
        self.proven_down |= self.verdicts.iter().any(|v| v.to == Health::Down);
        self.note_canaries();
        let counted = &self.counters.nodes;
        self.events.extend(self.verdicts.drain(..).map(|mut v| {
            let path = counted.get(v.node.index()).and_then(|c| c.paths.get(v.path));
            v.evidence.proven = path.map(|p| p.end_to_end);
            Event::Verdict(v)
        }));
        if self.detector.is_over(now) {
            return;
        }
        let situation = self.situation(now);
        let nodes = &self.nodes;
        let name = |n: NodeId| nodes.get(n.index()).map_or_else(String::new, Node::label);
        let (decision, notice) = self.policy.look(now, &situation, &name);
        self.events.extend(notice.map(Event::Notice));
        self.events.extend(decision.map(Event::Decision));
    }

    fn situation(&self, now: Timestamp) -> Situation {
        let ids = || (0..self.nodes.len()).filter_map(|i| u16::try_from(i).ok()).map(NodeId);
        let me = self.me();
        let split = self.carp.split();
        let unclear = |s: Split| {
            if !s
                .suspect
                .is_none_or(|n| self.carp.torn(now, n, self.detector.answered(n)))
            {
                Some(Unclear::Chance)
            } else if !me.is_none_or(|me| self.detector.fit(now, me, s.since, self.carp.shares(me))) {
                Some(Unclear::OwnTraffic)
            } else {
                None
            }
        };
        let health: Vec<_> = ids().map(|n| self.node_health(n)).collect();
        // Asked on every conclusion, of use only while somebody is down.
        let down = health.iter().any(|(h, _)| *h == Health::Down);
        let if_down = || ids().filter(|_| down);
        Situation {
            mastership: me.map_or((0, 0), |me| self.carp.mastership(me)),
            vacant: self.carp.vacant(now),
            split: split.map(|s| s.since),
            suspect: split.and_then(|s| s.suspect),
            deaf: self.policy.fails(now) && ids().any(|n| Some(n) != me && self.carp.lost(now, n).is_some()),
            unclear: split.and_then(unclear),
            foreign_master: self.carp.foreign_master(),
            health,
            firm: if_down().map(|n| self.node_firm(n)).collect(),
            faults: if_down().map(|n| self.fault(now, n)).collect(),
            tries: if_down().map(|n| self.node_tries(n)).collect(),
            gone: ids().map(|n| self.carp.witness(now, n).gone_at_once()).collect(),
            bulk: self.nodes.iter().filter_map(|n| n.bulk_since).max(),
            signs: self.signs(now),
            rivals: self.rivals(),
        }
    }
}

impl Node {
    fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.address.to_string())
    }
}

/// Addresses that stand in the `local` list of exactly one node.
fn sole_owners(settings: &Settings) -> BTreeMap<IpAddr, NodeId> {
    let mut owners = BTreeMap::<IpAddr, Vec<usize>>::new();
    for (i, node) in settings.nodes.iter().enumerate() {
        for &a in node.local.iter().chain(&node.addresses) {
            let list = owners.entry(a).or_default();
            if list.last() != Some(&i) {
                list.push(i);
            }
        }
    }
    let sole = |(a, list): (IpAddr, Vec<usize>)| match list[..] {
        [one] => u16::try_from(one).ok().map(|i| (a, NodeId(i))),
        _ => None,
    };
    owners.into_iter().filter_map(sole).collect()
}
