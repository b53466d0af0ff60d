//! Two policies and a world that breaks, in every order within bounds: what must never be, and how every fault must end.
//!
//! The policies are the real ones, with shorter times. The world is `pair_model/world.rs`, what each engine makes of it
//! `pair_model/view.rs`. One step is one second; the environment changes something, spoils an observation or lets a command
//! fail at any step, as often as its budget allows. `PFWATCH_MODEL_CHANGES=3` searches further (minutes).

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

#[path = "pair_model/side.rs"]
mod side;
#[path = "pair_model/view.rs"]
mod view;
#[path = "pair_model/world.rs"]
mod world;

use pfwatch::decide::{Fenced, Role};
use pfwatch::event::Action;
use pfwatch::time::Timestamp;
use side::{Side, node};
use stateright::{Checker, Expectation, Model, Property};
use std::time::Duration;
use world::{Change, Power, World};

/// Now, always: it is the past that moves.
const T0: Timestamp = Timestamp::from_nanos(1_000_000_000_000_000);
const STEP: Duration = Duration::from_secs(1);
/// After the last change all is over by then: three seconds until CARP or a verdict, three that it may be late, two probes,
/// two hold-downs and `recover`; and before that half a minute in which a master that fell silent may come back.
const HEALED: u8 = 52;
/// Steps that are searched after a change.
const LAST: u8 = 61;
/// Steps for which both may stand back while one could carry: its probes rise, `recover`, `settle`, and one failed command.
const BOTH_DEMOTED: u8 = 14;
/// Decisions of both that one change may lead to.
const MOVES: u8 = 8;
/// A peer that was whole for so long is no reason to do anything against it.
const SOUND: u8 = 12;

/// What one search may do.
#[derive(Clone)]
struct Bounds {
    changes: u8,
    /// Probe results that are wrong or lost, and commands that fail.
    noise: u8,
    /// Changes come only so many steps apart.
    grid: u8,
    preempt: bool,
    fence: Option<bool>,
    late: Vec<[u8; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Move {
    Wait,
    Change(Change),
    /// This result is not told, or is told wrong.
    Lose(usize, usize),
    Lie(usize, usize),
    /// What this node is carrying out fails.
    Fail(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pair {
    world: World,
    sides: [Side; 2],
    changes: u8,
    noise: u8,
    quiet: u8,
    late: [u8; 2],
    /// Nothing but the upstream ever changed.
    beyond: bool,
    both_demoted: u8,
    moves: u8,
    since_move: u8,
    promoted_beyond: bool,
    unfounded: bool,
    needless: bool,
    fenced: [bool; 2],
}

impl Pair {
    fn new(late: [u8; 2], bounds: &Bounds) -> Self {
        let mut pair = Self {
            world: World::new(bounds.preempt),
            sides: [0, 1].map(|n| Side::new(n, late[n], bounds)),
            changes: bounds.changes,
            noise: bounds.noise,
            quiet: 0,
            late,
            beyond: true,
            both_demoted: 0,
            moves: 0,
            since_move: 0,
            promoted_beyond: false,
            unfounded: false,
            needless: false,
            fenced: [false; 2],
        };
        // It has stood for long.
        (0..150).for_each(|_| pair.step(Move::Wait, bounds));
        assert!(pair.moves == 0 && pair.sides.iter().all(|s| s.policy.role() != Role::Unknown));
        pair.quiet = 0;
        pair
    }

    fn step(&mut self, m: Move, bounds: &Bounds) {
        self.quiet = (self.quiet + 1).min(LAST);
        self.since_move = (self.since_move + 1).min(LAST);
        match m {
            Move::Wait => {}
            Move::Change(change) => {
                (self.quiet, self.moves) = (0, 0);
                self.changes -= 1;
                self.beyond &= matches!(change, Change::Upstream | Change::Beyond);
                self.world.change(change);
                if let Change::Power(n, power) = change {
                    self.power(n, power, bounds);
                }
            }
            Move::Lose(..) | Move::Lie(..) | Move::Fail(_) => {
                (self.quiet, self.moves) = (0, 0);
                self.noise -= 1;
            }
        }
        for n in 0..2 {
            self.carry_out(n, m != Move::Fail(n), bounds);
        }
        self.world.step();
        for n in (0..2).filter(|&n| !self.world.is_off(n)).collect::<Vec<_>>() {
            self.listen(n, m);
        }
        for n in 0..2 {
            self.decide(n);
        }
        let idle = (0..2).all(|n| self.world.demoted[n]) && (0..2).any(|n| self.world.could_carry(n));
        self.both_demoted = if idle { (self.both_demoted + 1).min(LAST) } else { 0 };
    }

    fn power(&mut self, n: usize, power: Power, bounds: &Bounds) {
        // A node that boots has a new watchdog.
        if power == Power::Off || self.sides[n].open.is_some() {
            self.sides[n] = Side::new(n, self.late[n], bounds);
        }
    }

    fn carry_out(&mut self, n: usize, works: bool, bounds: &Bounds) {
        let side = &mut self.sides[n];
        side.policy.age(T0, STEP);
        let Some((seq, action)) = side.open.take() else { return };
        let works = works && (action != Action::Fence || bounds.fence == Some(true));
        if works {
            match action {
                Action::Promote => self.world.promoted[n] = true,
                Action::Demote => self.world.demoted[n] = true,
                Action::Restore => (self.world.promoted[n], self.world.demoted[n]) = (false, false),
                Action::Fence => {
                    self.world.change(Change::Power(1 - n, Power::Off));
                    self.sides[1 - n] = Side::new(1 - n, self.late[1 - n], bounds);
                }
            }
        }
        assert!(self.sides[n].policy.result(T0, seq, works));
    }

    fn listen(&mut self, n: usize, m: Move) {
        let side = &mut self.sides[n];
        side.view.step(&self.world);
        for probe in (0..4).filter(|&p| m != Move::Lose(n, p)) {
            let ok = self.world.answers(n, probe) ^ (m == Move::Lie(n, probe));
            side.policy.probe(T0, probe, ok);
            if let Some(reaches) = side.reaches.get_mut(probe) {
                *reaches = ok;
            }
        }
    }

    fn decide(&mut self, n: usize) {
        if self.world.is_off(n) {
            return;
        }
        let (side, w) = (&mut self.sides[n], &self.world);
        let situation = side.view.situation(w, side.policy.role());
        let (decision, _) = side.policy.look(T0, &situation, &|_| String::new());
        let Some(d) = decision else { return };
        side.open = Some((d.seq, d.action));
        let peer = 1 - n;
        if matches!(d.action, Action::Promote | Action::Fence) {
            let witness = side.view.is_torn(peer) || side.reaches == [true; 2];
            self.unfounded |= !side.view.calls_down(peer) || !witness;
            self.needless |= w.sound[peer] >= SOUND;
            self.promoted_beyond |= self.beyond;
            self.fenced[n] |= d.action == Action::Fence;
        }
        self.moves = (self.moves + 1).min(MOVES + 1);
        self.since_move = 0;
    }

    fn plays(&self, role: Role) -> bool {
        self.sides.iter().any(|s| s.policy.role() == role)
    }

    fn has_fenced(&self) -> bool {
        let done = |n: usize| self.sides[n].policy.fenced(node(1 - n)) == Some(Fenced::Yes);
        (0..2).any(done)
    }

    /// A healthy node that sees what happens carries the traffic. One thing it cannot do: win against a node that was promoted
    /// itself, and hangs since then; no advskew is lower than 0, and it says that its promotion failed.
    fn is_well(&self) -> bool {
        let w = &self.world;
        let stuck = w.promoted == [true; 2] && w.power.contains(&Power::Wedged);
        stuck || !w.upstream || !w.beyond || !w.cable || !(0..2).any(|n| w.is_sound(n)) || w.carrier().is_some()
    }
}

impl Model for Bounds {
    type State = Pair;
    type Action = Move;

    fn init_states(&self) -> Vec<Pair> {
        self.late.iter().map(|&late| Pair::new(late, self)).collect()
    }

    fn actions(&self, pair: &Pair, out: &mut Vec<Move>) {
        out.push(Move::Wait);
        if pair.changes > 0 && pair.quiet.is_multiple_of(self.grid) {
            out.extend(pair.world.changes().into_iter().map(Move::Change));
        }
        if pair.noise > 0 {
            for n in (0..2).filter(|&n| !pair.world.is_off(n)) {
                out.extend((0..4).flat_map(|p| [Move::Lose(n, p), Move::Lie(n, p)]));
                out.extend(pair.sides[n].open.is_some().then_some(Move::Fail(n)));
            }
        }
    }

    fn next_state(&self, pair: &Pair, m: Move) -> Option<Pair> {
        let mut next = pair.clone();
        next.step(m, self);
        Some(next)
    }

    fn within_boundary(&self, pair: &Pair) -> bool {
        pair.quiet < LAST
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::<Self>::always("never both demoted for long", |_, p| p.both_demoted <= BOTH_DEMOTED),
            Property::<Self>::always("never a fencing by both", |_, p| p.fenced != [true; 2]),
            Property::<Self>::always("nothing without evidence and witness", |_, p| !p.unfounded),
            Property::<Self>::always("nothing against who is well", |_, p| !p.needless),
            Property::<Self>::always("an outage beyond both promotes nobody", |_, p| !p.promoted_beyond),
            Property::<Self>::always("few decisions for one change", |_, p| p.moves <= MOVES),
            Property::<Self>::always("rest in the end", |_, p| p.quiet < HEALED || p.since_move >= 8),
        ];
        // A search in which nothing happens proves nothing.
        all.push(Property::<Self>::sometimes("a promotion", |_, p| {
            p.plays(Role::Promoted)
        }));
        all.push(Property::<Self>::sometimes("a demotion", |_, p| p.plays(Role::Demoted)));
        all.push(Property::<Self>::sometimes("both stand back", |m, p| {
            m.changes < 2 || p.both_demoted > 0
        }));
        if self.fence.is_some() {
            all.push(Property::<Self>::sometimes("a fencing", |_, p| {
                p.fenced.contains(&true)
            }));
        }
        if self.fence == Some(true) {
            let done = |_: &Self, p: &Pair| p.has_fenced();
            all.push(Property::<Self>::sometimes("a fencing that worked", done));
        }
        if self.preempt {
            let well = |_: &Self, p: &Pair| p.quiet < HEALED || p.is_well();
            all.push(Property::<Self>::always("the healthy one carries in the end", well));
        }
        all
    }
}

/// Searches, and shows the way to what must not be.
fn search(name: &str, bounds: Bounds) {
    let checker = bounds.checker().threads(2).spawn_bfs().join();
    let looked_for = |name: &'static str| checker.model().property(name).expectation == Expectation::Sometimes;
    for (property, path) in checker.discoveries() {
        if looked_for(property) {
            continue;
        }
        let mut at = 0;
        let mut way = Vec::new();
        for (pair, m) in path.into_vec() {
            at += 1;
            if m.is_some_and(|m| m != Move::Wait) || pair.since_move == 0 {
                let open = [0, 1].map(|n| pair.sides[n].open);
                let roles = [0, 1].map(|n| pair.sides[n].policy.role());
                way.push(format!("{at}: {m:?} {roles:?} {open:?} {:?}", pair.world));
            }
        }
        panic!("{name}: not so: {property}\n{}", way.join("\n"));
    }
    for property in checker.model().properties() {
        let found = checker.discovery(property.name).is_some() || !looked_for(property.name);
        assert!(found, "{name}: never: {}", property.name);
    }
    let (states, depth) = (checker.unique_state_count(), checker.max_depth());
    assert!(states > 1_000, "{name}: only {states} states: nothing was searched");
    let line = format!("{name}: {states} states, {depth} steps deep\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}

fn changes() -> u8 {
    let more = std::env::var("PFWATCH_MODEL_CHANGES").ok();
    more.and_then(|n| n.parse().ok()).unwrap_or(2)
}

#[test]
fn two_changes_at_any_time() {
    let bounds = Bounds {
        changes: changes(),
        noise: 0,
        grid: 1,
        preempt: true,
        fence: None,
        late: vec![[1, 1], [1, 4], [4, 1]],
    };
    search("two changes", bounds);
}

#[test]
fn three_changes_at_some_times() {
    let bounds = Bounds {
        changes: changes() + 1,
        noise: 0,
        grid: 9,
        preempt: true,
        fence: None,
        late: vec![[1, 1]],
    };
    search("three changes", bounds);
}

#[test]
fn a_change_and_wrong_or_lost_observations() {
    let bounds = Bounds {
        changes: 1,
        noise: changes(),
        grid: 1,
        preempt: true,
        fence: None,
        late: vec![[1, 1], [4, 1]],
    };
    search("a change and noise", bounds);
}

#[test]
fn a_promotion_that_cannot_win_and_fencing() {
    for works in [true, false] {
        let bounds = Bounds {
            changes: 2,
            noise: 0,
            grid: 1,
            preempt: false,
            fence: Some(works),
            late: vec![[1, 1], [1, 4], [4, 1]],
        };
        search("fencing", bounds);
    }
}
