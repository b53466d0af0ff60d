//! What is going on at a site: who does not answer, who is gone, who is quiet. Everything but the firewall may be broken.
//!
//! Asked by `replay` about each pair of hosts; changed by the weather, or by the faults of a scenario.

use super::life::Trouble;
use super::weather::{self, Pest, Weather};
use pf_sim::Time;
use pf_sim::dice::{self, Dice};
use pf_sim::fault::{Fault, Loss, Way};
use pf_sim::site::Net;
use rand::{Rng, RngExt};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Server,
    Client,
    Servers,
    Clients,
    Lull,
    Scan,
    Stubborn,
    Canary,
    ServerBack(usize),
    ClientBack(usize),
    ServersBack,
    ClientsBack,
    LullOver,
    CanaryBack(usize),
}

/// What the weather brings by itself; all other turns end one of these.
const BY_ITSELF: [Turn; 8] = [
    Turn::Server,
    Turn::Client,
    Turn::Servers,
    Turn::Clients,
    Turn::Lull,
    Turn::Scan,
    Turn::Stubborn,
    Turn::Canary,
];

/// A share of the hosts, drawn by lot anew each time.
#[derive(Clone, Copy, Debug, Default)]
struct Lots {
    share: f64,
    salt: u64,
}

impl Lots {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are enough for a share")]
    fn hit(&self, host: usize) -> bool {
        if self.share <= 0.0 {
            return false;
        }
        let mut x = (host as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.salt;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64) < self.share
    }
}

/// The site at a moment.
pub struct Mood {
    dice: Dice,
    weather: Weather,
    dead: Vec<bool>,
    gone: Vec<bool>,
    dead_canaries: Vec<bool>,
    dead_share: Lots,
    gone_share: Lots,
    quiet: Lots,
    /// The busiest servers up to here.
    dead_below: usize,
    /// What the firewall itself suffers from.
    node: Option<Trouble>,
    turns: BinaryHeap<Reverse<(Time, Turn)>>,
    /// Who asks in vain, beside the usual traffic.
    pub pests: Vec<Pest>,
}

impl Mood {
    /// A site that is well; with weather, things break by themselves. Canaries are counted beyond the clients and servers.
    #[must_use]
    pub fn new(clients: usize, servers: usize, canaries: usize, weather: Weather, seed: u64) -> Self {
        let mut mood = Self {
            dice: dice::stream(seed, "mood"),
            weather,
            dead: vec![false; servers],
            gone: vec![false; clients],
            dead_canaries: vec![false; canaries],
            dead_share: Lots::default(),
            gone_share: Lots::default(),
            quiet: Lots::default(),
            dead_below: 0,
            node: None,
            turns: BinaryHeap::new(),
            pests: Vec::new(),
        };
        for turn in BY_ITSELF {
            mood.schedule_next(Time::ZERO, turn);
        }
        mood
    }

    /// When it changes next.
    #[must_use]
    pub fn due(&self) -> Option<Time> {
        self.turns.peek().map(|Reverse((at, _))| *at)
    }

    /// What breaks or mends by itself up to `now`; says whether anything broke.
    pub fn advance(&mut self, now: Time) -> bool {
        let mut broke = false;
        while let Some(Reverse((at, turn))) = self.turns.peek().copied()
            && at <= now
        {
            self.turns.pop();
            self.turn(at, turn);
            let by_itself = BY_ITSELF.contains(&turn);
            if by_itself {
                self.schedule_next(at, turn);
            }
            broke |= by_itself;
        }
        broke
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of hosts")]
    fn schedule_next(&mut self, now: Time, turn: Turn) {
        let w = &self.weather;
        let rate = match turn {
            Turn::Server => w.server * self.dead.len() as f64,
            Turn::Client => w.client * self.gone.len() as f64,
            Turn::Servers => w.servers,
            Turn::Clients => w.clients,
            Turn::Lull => w.lull,
            Turn::Scan => w.scan,
            Turn::Stubborn => w.stubborn * self.gone.len() as f64,
            Turn::Canary => w.canary * self.dead_canaries.len() as f64,
            _ => 0.0,
        };
        if let Some(wait) = weather::next(&mut self.dice, rate) {
            self.turns.push(Reverse((now + wait, turn)));
        }
    }

    fn any(&mut self, of: usize) -> usize {
        self.dice.random_range(0..of.max(1))
    }

    fn turn(&mut self, now: Time, turn: Turn) {
        let mut until = now + weather::lasting(&mut self.dice);
        let end = match turn {
            Turn::Server => {
                let n = self.any(self.dead.len());
                set(&mut self.dead, n, true);
                Turn::ServerBack(n)
            }
            Turn::Client => {
                let n = self.any(self.gone.len());
                set(&mut self.gone, n, true);
                Turn::ClientBack(n)
            }
            Turn::Canary => {
                let n = self.any(self.dead_canaries.len());
                set(&mut self.dead_canaries, n, true);
                Turn::CanaryBack(n)
            }
            Turn::Servers => {
                let share = weather::share(&mut self.dice, self.weather.servers_share);
                self.dead_share = self.lots(share);
                Turn::ServersBack
            }
            Turn::Clients => {
                let share = weather::share(&mut self.dice, 10.0);
                self.gone_share = self.lots(share);
                Turn::ClientsBack
            }
            Turn::Lull => {
                let share = self.dice.random_range(0.8..1.0);
                self.quiet = self.lots(share);
                until += Duration::from_secs(60);
                Turn::LullOver
            }
            Turn::Scan => {
                let client = self.any(self.gone.len());
                return self.pests.push(Pest::scan(client, now));
            }
            Turn::Stubborn => {
                let (client, server) = (self.any(self.gone.len()), self.any(self.dead.len()));
                return self.pests.push(Pest::stubborn(client, self.dead.len() + server, now));
            }
            Turn::ServerBack(n) => return set(&mut self.dead, n, false),
            Turn::ClientBack(n) => return set(&mut self.gone, n, false),
            Turn::CanaryBack(n) => return set(&mut self.dead_canaries, n, false),
            Turn::ServersBack => return self.dead_share = Lots::default(),
            Turn::ClientsBack => return self.gone_share = Lots::default(),
            Turn::LullOver => return self.quiet = Lots::default(),
        };
        self.turns.push(Reverse((until, end)));
    }

    fn lots(&mut self, share: f64) -> Lots {
        Lots {
            share,
            salt: self.dice.next_u64(),
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
            Fault::Port(0, Net::Lan, Way::In | Way::Both, loss) if dead(loss) => self.node = Some(Trouble::Deserted),
            Fault::Port(0, Net::Lan | Net::Wan, _, loss) | Fault::Upstream(loss) if gone(loss) => self.node = None,
            Fault::Wedge(0) => self.node = Some(Trouble::Stuck),
            Fault::Unwedge(0) => self.node = None,
            Fault::ServersDead(share) => self.dead_share = self.lots(share),
            Fault::BusiestDead(n) => self.dead_below = n,
            Fault::Quiet(share) => self.quiet = self.lots(share),
            Fault::ClientsGone(share) => self.gone_share = self.lots(share),
            _ => return false,
        }
        true
    }

    /// What is broken between these two.
    #[must_use]
    pub fn trouble(&self, client: usize, server: usize) -> Option<Trouble> {
        let gone = match self.gone.get(client) {
            Some(gone) => *gone || self.gone_share.hit(client),
            // Canaries are always there.
            None => false,
        };
        if gone {
            return Some(Trouble::Deserted);
        }
        if self.node.is_some() {
            return self.node;
        }
        let canary = client.checked_sub(self.gone.len());
        let dead = match (canary, self.dead.get(server)) {
            (Some(n), _) => self.dead_canaries.get(n) == Some(&true),
            (None, Some(dead)) => *dead || server < self.dead_below || self.dead_share.hit(server),
            (None, None) => false,
        };
        dead.then_some(Trouble::Unanswered)
    }

    /// Whether this client begins nothing just now.
    #[must_use]
    pub fn quiet(&self, client: usize) -> bool {
        client < self.gone.len() && self.quiet.hit(client)
    }

    /// Which lull this is, for who wants to know whether another one has begun; `None` while there is none.
    #[must_use]
    pub fn lull(&self) -> Option<u64> {
        (self.quiet.share > 0.0).then_some(self.quiet.salt)
    }

    /// In words, for whoever asks what caused an alarm.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = String::new();
        let n = |all: &[bool]| all.iter().filter(|b| **b).count();
        let _ = write!(
            words,
            "dead servers {} + {:.0} %, gone clients {} + {:.0} %, quiet {:.0} %, pests {}, dead canaries {}",
            n(&self.dead),
            self.dead_share.share * 100.0,
            n(&self.gone),
            self.gone_share.share * 100.0,
            self.quiet.share * 100.0,
            self.pests.len(),
            n(&self.dead_canaries),
        );
        words
    }
}

fn set(all: &mut [bool], n: usize, to: bool) {
    if let Some(b) = all.get_mut(n) {
        *b = to;
    }
}
