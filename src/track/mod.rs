//! The flow table: which state belongs to which hosts and path, and what each message about it proves.
//!
//! Called by the engine with decoded messages; answers with observations for the detector. Never judges a firewall,
//! never reads a clock. Keys are raw (id, creatorid); memory is bounded whatever the sync net sends.

mod ends;
pub mod flow;
#[cfg(test)]
mod passages;
pub mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torn;
pub mod zones;

use crate::settings::Settings;
use crate::time::Timestamp;
use ends::{Ends, Here};
use flow::{Class, Finding, Flow, Movement, Outcome, Transport};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use pfsync_proto::{Clr, CreatorId, Direction, Key, State, UpdC};
use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;
use table::Table;
use zones::Paths;

/// States remembered at most; about 250 octets each with their index.
const MAX_FLOWS: usize = 1 << 20;
/// Hosts and waiting halves of pairs remembered at most.
const MAX_HOSTS: usize = 1 << 16;
/// The other half of a forwarded connection's pair of states is announced within one flush interval.
const PAIR_WAIT: Duration = Duration::from_secs(2);
/// Both are told within this long, for each waits its own second.
const TOLD: Duration = Duration::from_millis(1_100);
/// Pairs that were heard before it is known that a site's connections come in pairs.
const KNOWN: u16 = 8;
/// States of protocols that say nothing about users' traffic: CARP/VRRP, pfsync, IGMP, PIM, OSPF.
const NOT_TRAFFIC: [u8; 5] = [112, 240, 2, 103, 89];

/// A host as the tables know it: octets of its address, IPv4 mapped.
pub type HostKey = [u8; 16];

/// A connection that came into a firewall, of which the state for its way out was not heard in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Who let it in.
    pub node: u16,
    /// Watched path.
    pub path: usize,
    /// Initiator and responder.
    pub hosts: (HostKey, HostKey),
}

/// What a message says about one path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Watched path.
    pub path: usize,
    /// What it proves.
    pub movement: Movement,
    /// What became of a try, where the message tells.
    pub trial: Option<(Class, Outcome)>,
    /// Whether what the responder sent arrived at the initiator, where the message tells; see [`Finding::delivery`].
    pub delivery: Option<Outcome>,
    /// Of a success of the pair: the other node.
    pub partner: Option<u16>,
    /// Both halves of this flow passed, through different nodes, what was sent so long ago; see [`Finding::whole`].
    pub whole: Option<Duration>,
    /// Initiator and responder; `None` for a state whose addresses were never heard.
    pub hosts: Option<(HostKey, HostKey)>,
    /// The second of the two states of a connection: it came in and went out.
    pub left: bool,
}

impl Observation {
    /// Whether a round trip through the sender is proven: it saw a try answered, or an answer acknowledged. The one notion of
    /// it, for verdicts and for tables.
    #[must_use]
    pub fn is_round_trip(&self) -> bool {
        let answered = matches!(self.trial, Some((_, Outcome::Success)));
        answered || self.delivery == Some(Outcome::Success) || self.movement == Movement::EndToEnd
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Evidence for this path.
    Path(usize),
    /// Not users' traffic, not on a watched path, or ending on a firewall.
    Nowhere,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pairing {
    /// The in and the out state are both known.
    Paired,
    /// The other one may still come.
    Waiting,
    /// It did not come.
    Lone,
    /// Cannot be told.
    Unknown,
}

/// One INS counts that much of what was told before.
const TOLD_AGAIN: f64 = 1.0 / 64.0;

struct Entry {
    flow: Flow,
    hosts: Option<(HostKey, HostKey)>,
    place: Place,
    pairing: Pairing,
    born: Timestamp,
    heard: Timestamp,
    /// When packet counters were last heard.
    counted: Timestamp,
    sender: u16,
    tuple: u64,
}

/// One state of a connection of which the other may still come, and what its answer proves if that comes.
#[derive(Clone, Copy)]
struct Half {
    key: Key,
    held: Option<Finding>,
}

/// How the states of the site look: forwarded (in pairs) or ending on the firewall (lone).
#[derive(Clone, Copy, Default)]
struct Shape {
    paired: u16,
    lone: u16,
}

/// States per node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCount {
    /// Known now, last announced by this node.
    pub known: u64,
    /// Inserts heard from it.
    pub opened: u64,
    /// Deletes heard from it for states that we knew.
    pub closed: u64,
    /// TCP states asked for and not answered, now.
    pub half_open: u64,
}

/// States of one node on one path, or on none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Known now, last announced by this node.
    pub known: u64,
    /// Of them, TCP states asked for and not answered.
    pub half_open: u64,
}

/// The flow table.
pub struct Tracker {
    flows: Table<Key, Entry>,
    waiting: Table<u64, Half>,
    /// An answer that was held back until the other state of its connection came.
    confirmed: Option<(u16, Observation)>,
    /// States by which something came in and has not left yet, oldest first, with when they were heard.
    inside: VecDeque<(Timestamp, Key)>,
    site: Shape,
    paths: Paths,
    here: Here,
    counts: Vec<FlowCount>,
    /// Per node: by path, and the last of them is none.
    held: Vec<Vec<Held>>,
    /// States per creator: a CLR of somebody unknown costs nothing.
    creators: HashMap<CreatorId, u32, FixedState>,
    /// Share of the last INS that say what was said long ago.
    retold: f64,
}

impl Tracker {
    /// An empty table; `seed` makes hash collisions unpredictable to others.
    #[must_use]
    pub fn new(settings: &Settings, seed: u64) -> Self {
        Self {
            flows: Table::new(MAX_FLOWS, seed),
            waiting: Table::new(MAX_HOSTS, seed.rotate_left(17)),
            confirmed: None,
            inside: VecDeque::new(),
            site: Shape::default(),
            paths: Paths::new(settings),
            here: Here::new(settings),
            counts: Vec::new(),
            held: Vec::new(),
            creators: HashMap::default(),
            retold: 0.0,
        }
    }

    /// Watched paths, at least one.
    #[must_use]
    pub fn path_count(&self) -> usize {
        self.paths.count()
    }

    /// States held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether no state is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// States thrown out for want of room.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.flows.evictions()
    }

    /// States of one node.
    #[must_use]
    pub fn count(&self, node: u16) -> FlowCount {
        self.counts.get(usize::from(node)).copied().unwrap_or_default()
    }

    /// The same by path: those of each watched path, then those of none.
    #[must_use]
    pub fn held(&self, node: u16) -> Vec<Held> {
        let none = || vec![Held::default(); self.path_count() + 1];
        self.held.get(usize::from(node)).cloned().unwrap_or_else(none)
    }

    /// An address that a firewall revealed as its own (sync link, CARP source): flows that end there are no evidence.
    pub fn add_local(&mut self, address: IpAddr) {
        self.here.reveal(address);
    }

    /// Whether flows that end there are no evidence.
    #[cfg(test)]
    pub(crate) fn is_local(&self, address: IpAddr) -> bool {
        self.here.is(&zones::octets(address))
    }

    fn counter(&mut self, node: u16) -> &mut FlowCount {
        let i = usize::from(node);
        if self.counts.len() <= i {
            self.counts.resize(i + 1, FlowCount::default());
        }
        &mut self.counts[i]
    }

    /// Counts a state in or out.
    fn hold(&mut self, node: u16, place: Place, half_open: bool, change: fn(u64, u64) -> u64) {
        let count = self.counter(node);
        count.known = change(count.known, 1);
        count.half_open = change(count.half_open, u64::from(half_open));
        let (i, paths) = (usize::from(node), self.path_count());
        if self.held.len() <= i {
            self.held.resize_with(i + 1, || vec![Held::default(); paths + 1]);
        }
        let path = match place {
            Place::Path(path) => path,
            Place::Nowhere => paths,
        };
        if let Some(held) = self.held.get_mut(i).and_then(|all| all.get_mut(path)) {
            held.known = change(held.known, 1);
            held.half_open = change(held.half_open, u64::from(half_open));
        }
    }

    /// INS: a state was created at `sender`.
    pub fn insert(&mut self, now: Timestamp, sender: u16, state: &State) -> Option<Observation> {
        let known = self.flows.get_mut(&state.key, now);
        let repeats = known.map(|known| {
            let repeats = known.flow.repeats(&state.src, &state.dst, state.packets);
            (repeats, repeats && now.since(known.born) > flow::RECENT)
        });
        self.retold *= 1.0 - TOLD_AGAIN;
        if let Some((true, long_ago)) = repeats {
            self.retold += if long_ago { TOLD_AGAIN } else { 0.0 };
            return None;
        }
        self.counter(sender).opened += 1;
        if repeats.is_some() {
            self.forget(state.key); // An id is used again only after a reboot of its creator.
        }
        let mut entry = self.entry(now, sender, true, state);
        // What ends here never has two states, and would make the site look like one without pairs.
        if matches!(entry.place, Place::Path(_)) {
            self.pair(now, state, &mut entry);
        }
        let finding = entry.flow.on_insert(sender, state.state_flags, state.packets);
        let left = entry.pairing == Pairing::Paired;
        if !left && state.direction == Direction::In && matches!(entry.place, Place::Path(_)) {
            if self.inside.len() == MAX_HOSTS {
                self.inside.pop_front();
            }
            self.inside.push_back((now, state.key));
        }
        if let Some(half) = self.waiting.get_mut(&entry.tuple, now)
            && entry.pairing == Pairing::Waiting
        {
            half.held = is_success(&finding).then_some(finding);
        }
        let observation = self.judge(entry.place, entry.hosts, entry.pairing, finding);
        self.remember(now, state.key, entry);
        observation.map(|o| Observation { left, ..o })
    }

    /// Share of the last states told as new that were told so long ago: a capture is played again, or somebody replays it.
    #[must_use]
    pub fn retold(&self) -> f64 {
        self.retold
    }

    /// What the first state of a connection told, and through whom, where it was held back until the second came just now.
    pub fn confirmed(&mut self) -> Option<(u16, Observation)> {
        self.confirmed.take()
    }

    /// The next connection that came in so long ago that it should have been heard to leave, and did not.
    pub fn stuck(&mut self, now: Timestamp) -> Option<Stuck> {
        loop {
            let (born, key) = *self.inside.front().filter(|(born, _)| now.since(*born) > TOLD)?;
            self.inside.pop_front();
            self.answered_alone(now, key, born);
            let entry = self.flows.get(&key).filter(|e| e.born == born);
            let waits = entry.filter(|e| matches!(e.pairing, Pairing::Waiting | Pairing::Lone));
            if let Some(Entry {
                place: Place::Path(path),
                hosts: Some(hosts),
                sender,
                ..
            }) = waits
            {
                return Some(Stuck {
                    node: *sender,
                    path: *path,
                    hosts: *hosts,
                });
            }
        }
    }

    /// A state that was answered and of which the other did not come in time ended here.
    fn answered_alone(&mut self, now: Timestamp, key: Key, born: Timestamp) {
        let entry = self.flows.get(&key).filter(|e| e.born == born);
        let waits = entry.filter(|e| e.pairing == Pairing::Waiting);
        let tuple = waits
            .map(|e| e.tuple)
            .filter(|t| self.waiting.get(t).is_some_and(|half| half.held.is_some()));
        if let (Some(tuple), Some(entry)) = (tuple, self.flows.get_mut(&key, now)) {
            entry.pairing = Pairing::Lone;
            self.alone(tuple);
        }
    }

    /// A state stayed alone.
    fn alone(&mut self, tuple: u64) {
        self.waiting.remove(&tuple);
        self.site.lone = self.site.lone.saturating_add(1);
    }

    /// We were blind: of what came in before, the way out may have been missed.
    pub fn forgive(&mut self) {
        self.inside.clear();
    }

    /// UPD: what the sender knows in full; `bulk` = it answers a bulk request.
    pub fn update_full(&mut self, now: Timestamp, sender: u16, bulk: bool, state: &State) -> Option<Observation> {
        let Some(entry) = self.flows.get_mut(&state.key, now) else {
            let mut entry = self.entry(now, sender, false, state);
            entry
                .flow
                .on_full_update(sender, false, &state.src, &state.dst, state.packets);
            self.remember(now, state.key, entry);
            return None;
        };
        let was = (entry.sender, entry.place, entry.flow.half_open());
        let fresh = !bulk && now.since(entry.counted) <= flow::RECENT;
        entry.counted = now;
        entry.flow.elapse(now.since(entry.heard));
        let finding = entry
            .flow
            .on_full_update(sender, fresh, &state.src, &state.dst, state.packets);
        entry.heard = now;
        entry.sender = sender;
        let addressless = entry.hosts.is_none();
        if addressless {
            let (hosts, place) = place(&self.paths, &self.here, state);
            (entry.hosts, entry.place) = (hosts, place);
        }
        let is = (sender, entry.place, entry.flow.half_open());
        let (hosts, place, pairing) = (entry.hosts, entry.place, entry.pairing);
        self.recount(was, is);
        self.judge(place, hosts, pairing, finding)
    }

    /// UPD_C: packets matched the state since its last flush.
    pub fn update(&mut self, now: Timestamp, sender: u16, m: &UpdC) -> Option<Observation> {
        let Some(entry) = self.flows.get_mut(&m.key, now) else {
            // First message after start: knowledge, no movement. Without addresses, only `any` can be its path, and
            // "other" protocols may be CARP itself.
            let transport = Transport::of_timeout(m.timeout);
            let anywhere = self.paths.is_any() && transport != Transport::Other;
            let entry = Entry {
                flow: Flow::new(sender, false, transport, 0, &m.src, &m.dst),
                hosts: None,
                place: if anywhere { Place::Path(0) } else { Place::Nowhere },
                pairing: Pairing::Unknown,
                born: now,
                heard: now,
                counted: Timestamp::MIN,
                sender,
                tuple: 0,
            };
            self.remember(now, m.key, entry);
            return None;
        };
        let was = (entry.sender, entry.place, entry.flow.half_open());
        let finding = entry.flow.on_update(sender, now.since(entry.heard), &m.src, &m.dst);
        entry.heard = now;
        entry.sender = sender;
        let is = (sender, entry.place, entry.flow.half_open());
        let overdue = entry.pairing == Pairing::Waiting && now.since(entry.born) > PAIR_WAIT;
        if overdue {
            entry.pairing = Pairing::Lone;
        }
        let (hosts, place, pairing, tuple) = (entry.hosts, entry.place, entry.pairing, entry.tuple);
        if was != is {
            self.recount(was, is);
        }
        if overdue {
            self.alone(tuple);
        }
        self.judge(place, hosts, pairing, finding)
    }

    /// DEL or DEL_C.
    pub fn delete(&mut self, sender: u16, key: Key) {
        if self.forget(key) {
            self.counter(sender).closed += 1;
        }
    }

    /// CLR: the sender flushed its states, all of a creator or those of one interface.
    pub fn clear(&mut self, clr: &Clr) -> usize {
        if !clr.ifname.as_bytes().is_empty() {
            return 0; // Interfaces are not remembered; DEL_C or age takes the rest.
        }
        if !self.creators.contains_key(&clr.creator) {
            return 0;
        }
        let gone: Vec<Key> = self
            .flows
            .iter()
            .map(|(k, _)| *k)
            .filter(|k| k.creator == clr.creator)
            .collect();
        for key in &gone {
            self.forget(*key);
        }
        gone.len()
    }

    fn remember(&mut self, now: Timestamp, key: Key, entry: Entry) {
        let (sender, place, half_open) = (entry.sender, entry.place, entry.flow.half_open());
        *self.creators.entry(key.creator).or_default() += 1;
        if let Some(evicted) = self.flows.insert(key, entry, now) {
            self.uncount(evicted.key.creator, &evicted.value);
        }
        self.hold(sender, place, half_open, u64::saturating_add);
    }

    fn forget(&mut self, key: Key) -> bool {
        let Some(entry) = self.flows.remove(&key) else {
            return false;
        };
        if entry.pairing == Pairing::Waiting
            && let Some(half) = self.waiting.remove(&entry.tuple)
        {
            self.site.lone = self.site.lone.saturating_add(u16::from(half.held.is_some()));
        }
        self.uncount(key.creator, &entry);
        true
    }

    fn uncount(&mut self, creator: CreatorId, entry: &Entry) {
        if let Some(n) = self.creators.get_mut(&creator) {
            *n -= 1;
            if *n == 0 {
                self.creators.remove(&creator);
            }
        }
        self.hold(entry.sender, entry.place, entry.flow.half_open(), u64::saturating_sub);
    }

    fn recount(&mut self, was: (u16, Place, bool), is: (u16, Place, bool)) {
        self.hold(was.0, was.1, was.2, u64::saturating_sub);
        self.hold(is.0, is.1, is.2, u64::saturating_add);
    }

    fn entry(&self, now: Timestamp, sender: u16, fresh: bool, state: &State) -> Entry {
        let (hosts, place) = place(&self.paths, &self.here, state);
        let transport = match state.proto {
            6 => Transport::Tcp,
            17 => Transport::Udp,
            1 | 58 => Transport::Icmp,
            _ => Transport::Other,
        };
        Entry {
            flow: Flow::new(sender, fresh, transport, state.state_flags, &state.src, &state.dst),
            hosts,
            place,
            pairing: Pairing::Unknown,
            born: now,
            heard: now,
            counted: now,
            sender,
            tuple: 0,
        }
    }

    /// Finds the other half of a forwarded connection: same real endpoints, other direction.
    fn pair(&mut self, now: Timestamp, state: &State, entry: &mut Entry) {
        let Some(ends) = Ends::of(state) else { return };
        let side = match state.direction {
            Direction::In => 0_u64,
            Direction::Out => 1,
            Direction::Unknown(_) => return,
        };
        let tuple = |side: u64| ends.tuple(state.proto, side);
        let pairs = self.comes_in_pairs();
        if let Some(half) = self.waiting.remove(&tuple(1 - side)) {
            if let Some(other) = self.flows.get_mut(&half.key, now) {
                other.pairing = Pairing::Paired;
                let (sender, place, hosts) = (other.sender, other.place, other.hosts);
                let held = half.held.filter(|_| pairs);
                let told = held.and_then(|f| self.judge(place, hosts, Pairing::Paired, f));
                self.confirmed = told.map(|o| (sender, o));
            }
            entry.pairing = Pairing::Paired;
            self.site.paired = self.site.paired.saturating_add(1);
        } else {
            entry.pairing = Pairing::Waiting;
            entry.tuple = tuple(side);
            self.waiting.remove(&entry.tuple);
            let half = Half {
                key: state.key,
                held: None,
            };
            self.waiting.insert(entry.tuple, half, now);
        }
        if self.site.paired == u16::MAX || self.site.lone == u16::MAX {
            self.site = Shape {
                paired: self.site.paired / 2,
                lone: self.site.lone / 2,
            };
        }
    }

    /// Whether the connections of this site come as an in and an out state.
    fn comes_in_pairs(&self) -> bool {
        self.site.paired >= KNOWN && self.site.paired > self.site.lone.saturating_mul(2)
    }

    fn judge(
        &self,
        place: Place,
        hosts: Option<(HostKey, HostKey)>,
        pairing: Pairing,
        finding: Finding,
    ) -> Option<Observation> {
        let Place::Path(path) = place else { return None };
        let Finding {
            mut movement,
            mut trial,
            mut delivery,
            partner,
            mut whole,
        } = finding;
        // A round trip that ended on the firewall proves nothing about forwarding. Failures stay: a wedged box
        // opens the first half of the pair and never the second.
        let alone = matches!(pairing, Pairing::Lone | Pairing::Waiting);
        if alone && is_success(&finding) && self.comes_in_pairs() {
            movement = Movement::Both;
            trial = None;
            delivery = None;
            whole = None;
        }
        Some(Observation {
            path,
            movement,
            trial,
            delivery,
            partner,
            whole,
            hosts,
            left: false,
        })
    }
}

/// Whether something is said to have been answered, through whomever.
fn is_success(f: &Finding) -> bool {
    matches!(f.movement, Movement::EndToEnd | Movement::PairEndToEnd)
        || matches!(f.trial, Some((_, Outcome::Success | Outcome::Pair)))
}

fn place(paths: &Paths, here: &Here, state: &State) -> (Option<(HostKey, HostKey)>, Place) {
    let Some(Ends { hosts, .. }) = Ends::of(state) else {
        return (None, Place::Nowhere);
    };
    let nowhere = NOT_TRAFFIC.contains(&state.proto) || here.stops(hosts);
    match paths.of(hosts.0, hosts.1) {
        Some(path) if !nowhere => (Some(hosts), Place::Path(path)),
        _ => (Some(hosts), Place::Nowhere),
    }
}
