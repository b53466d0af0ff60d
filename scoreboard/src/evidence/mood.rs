//! What is going on at a site: who does not answer, who is gone, who is quiet. Everything but the firewall may be broken.

use super::life::Trouble;
use pf_sim::Time;
use pf_sim::dice::{self, Dice};
use pf_sim::fault::{Fault, Loss, Way};
use pf_sim::site::Net;
use rand::RngExt;
use rand_distr::{Distribution, Exp, LogNormal};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// How often things break at a site whose firewall is fine, per second. Harsher than most sites are.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// One server goes away, for each server.
    pub server: f64,
    /// One client vanishes in the middle of things, for each client.
    pub client: f64,
    /// Several servers go away together; the share by Beta(1, 4), as the detector's own model has it.
    pub servers: f64,
    /// Several clients vanish together; the share by Beta(1, 10).
    pub clients: f64,
    /// Nearly everybody falls quiet at once for a while.
    pub lull: f64,
}

impl Weather {
    /// Each server fails every three weeks, each client every three days; a rack or an uplink of servers once a month, a
    /// switch of clients once a week, and a lull twice a day.
    pub const ORDINARY: Self = Self {
        server: 1.0 / (21.0 * 86_400.0),
        client: 1.0 / (3.0 * 86_400.0),
        servers: 1.0 / (30.0 * 86_400.0),
        clients: 1.0 / (7.0 * 86_400.0),
        lull: 2.0 / 86_400.0,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Turn {
    Server,
    Client,
    Servers,
    Clients,
    Lull,
    ServerBack(usize),
    ClientBack(usize),
    ServersBack,
    ClientsBack,
    LullOver,
}

/// The site at a moment.
pub struct Mood {
    dice: Dice,
    weather: Option<Weather>,
    dead: Vec<bool>,
    gone: Vec<bool>,
    /// Of the servers, those whose own number is below.
    dead_share: f64,
    gone_share: f64,
    quiet: f64,
    /// The busiest servers up to here.
    dead_below: usize,
    /// What the firewall itself suffers from.
    pub node: Option<Trouble>,
    salt: u64,
    next: BinaryHeap<Reverse<(Time, u64)>>,
    turns: Vec<Turn>,
}

impl Mood {
    /// A site that is well; with weather, things break by themselves.
    #[must_use]
    pub fn new(clients: usize, servers: usize, weather: Option<Weather>, seed: u64) -> Self {
        let mut mood = Self {
            dice: dice::stream(seed, "mood"),
            weather,
            dead: vec![false; servers],
            gone: vec![false; clients],
            dead_share: 0.0,
            gone_share: 0.0,
            quiet: 0.0,
            dead_below: 0,
            node: None,
            salt: seed,
            next: BinaryHeap::new(),
            turns: Vec::new(),
        };
        for turn in [Turn::Server, Turn::Client, Turn::Servers, Turn::Clients, Turn::Lull] {
            mood.schedule_next(Time::ZERO, turn);
        }
        mood
    }

    /// When it changes next.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.next.peek().map(|Reverse((at, _))| *at)
    }

    /// What breaks or mends by itself up to `now`.
    pub fn advance(&mut self, now: Time) {
        while let Some(Reverse((at, n))) = self.next.pop_if_due(now) {
            let turn = self.turns[usize::try_from(n).unwrap_or(0)];
            self.turn(at, turn);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of hosts")]
    fn schedule_next(&mut self, now: Time, turn: Turn) {
        let Some(w) = self.weather else { return };
        let rate = match turn {
            Turn::Server => w.server * self.dead.len() as f64,
            Turn::Client => w.client * self.gone.len() as f64,
            Turn::Servers => w.servers,
            Turn::Clients => w.clients,
            _ => w.lull,
        };
        if let Ok(exp) = Exp::new(rate) {
            let wait = exp.sample(&mut self.dice).min(1e9);
            self.schedule(now + Duration::from_secs_f64(wait), turn);
        }
    }

    fn schedule(&mut self, at: Time, turn: Turn) {
        self.turns.push(turn);
        self.next.push(Reverse((at, self.turns.len() as u64 - 1)));
    }

    /// Median three minutes, sometimes hours.
    fn lasting(&mut self) -> Duration {
        let seconds: f64 = LogNormal::new(180_f64.ln(), 1.2).map_or(180.0, |d| d.sample(&mut self.dice));
        Duration::from_secs_f64(seconds.clamp(5.0, 20_000.0))
    }

    fn turn(&mut self, now: Time, turn: Turn) {
        let until = now + self.lasting();
        match turn {
            Turn::Server if !self.dead.is_empty() => {
                let n = self.dice.random_range(0..self.dead.len());
                self.dead[n] = true;
                self.schedule(until, Turn::ServerBack(n));
            }
            Turn::Client if !self.gone.is_empty() => {
                let n = self.dice.random_range(0..self.gone.len());
                self.gone[n] = true;
                self.schedule(until, Turn::ClientBack(n));
            }
            Turn::Servers => {
                self.dead_share = 1.0 - self.dice.random::<f64>().powf(1.0 / 4.0);
                self.salt = self.salt.wrapping_add(0x9e37_79b9_7f4a_7c15);
                self.schedule(until, Turn::ServersBack);
            }
            Turn::Clients => {
                self.gone_share = 1.0 - self.dice.random::<f64>().powf(1.0 / 10.0);
                self.schedule(until, Turn::ClientsBack);
            }
            Turn::Lull => {
                self.quiet = self.dice.random_range(0.8..1.0);
                self.schedule(until + Duration::from_secs(60), Turn::LullOver);
            }
            Turn::ServerBack(n) => self.dead[n] = false,
            Turn::ClientBack(n) => self.gone[n] = false,
            Turn::ServersBack => self.dead_share = 0.0,
            Turn::ClientsBack => self.gone_share = 0.0,
            Turn::LullOver => self.quiet = 0.0,
            Turn::Server | Turn::Client => {}
        }
        if matches!(
            turn,
            Turn::Server | Turn::Client | Turn::Servers | Turn::Clients | Turn::Lull
        ) {
            self.schedule_next(now, turn);
        }
    }

    /// A fault of a scenario, as far as this level knows it; says whether it does.
    pub fn change(&mut self, fault: &Fault) -> bool {
        let dead = |loss: Loss| loss.share >= 1.0;
        let gone = |loss: Loss| loss.share <= 0.0;
        match *fault {
            Fault::Port(0, Net::Wan, _, loss) | Fault::Upstream(loss) if dead(loss) => {
                self.node = Some(Trouble::Unanswered);
            }
            Fault::Port(0, Net::Lan, Way::Out, loss) if dead(loss) => self.node = Some(Trouble::Undelivered),
            Fault::Port(0, Net::Lan, Way::In, loss) if dead(loss) => self.node = Some(Trouble::Deserted),
            Fault::Port(0, Net::Lan | Net::Wan, _, loss) | Fault::Upstream(loss) if gone(loss) => self.node = None,
            Fault::Wedge(0) => self.node = Some(Trouble::Stuck),
            Fault::Unwedge(0) => self.node = None,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of the servers"
            )]
            Fault::ServersDead(share) => self.dead_below = (share * self.dead.len() as f64).round() as usize,
            Fault::BusiestDead(n) => self.dead_below = n,
            Fault::Quiet(share) => self.quiet = share,
            Fault::ClientsGone(share) => self.gone_share = share,
            _ => return false,
        }
        true
    }

    /// A number in 0..1 that belongs to a host and to what happens now.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are enough for a share")]
    fn lot(&self, host: usize, salt: u64) -> f64 {
        let mut x = (host as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.salt ^ salt;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// What is broken between these two.
    #[must_use]
    pub fn trouble(&self, client: usize, server: usize) -> Option<Trouble> {
        if self.gone.get(client) == Some(&true) || (self.gone_share > 0.0 && self.lot(client, 1) < self.gone_share) {
            return Some(Trouble::Deserted);
        }
        if self.node.is_some() {
            return self.node;
        }
        let dead = server < self.dead_below
            || self.dead.get(server) == Some(&true)
            || (self.dead_share > 0.0 && self.lot(server, 2) < self.dead_share);
        dead.then_some(Trouble::Unanswered)
    }

    /// Whether this client does nothing just now.
    #[must_use]
    pub fn quiet(&self, client: usize) -> bool {
        self.quiet > 0.0 && self.lot(client, 3) < self.quiet
    }
}

/// A heap from which only what is due is taken.
trait Due<T> {
    fn pop_if_due(&mut self, now: Time) -> Option<T>;
}

impl Due<Reverse<(Time, u64)>> for BinaryHeap<Reverse<(Time, u64)>> {
    fn pop_if_due(&mut self, now: Time) -> Option<Reverse<(Time, u64)>> {
        if self.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            self.pop()
        } else {
            None
        }
    }
}
