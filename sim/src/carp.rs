//! CARP's election: one vhid of one node as the kernels run it (`ip_carp.c` of OpenBSD and FreeBSD,
//! docs/wire.md section 7).
//!
//! ```text
//!            start                 silence for 3 advbase + skew/256, or a worse master is heard
//!   INIT ------------> BACKUP ------------------------------------------------------------------> MASTER
//!     ^                  ^                     a better (or equal) master is heard                  |
//!     | stop             +--------------------------------------------------------------------------+
//! ```
//!
//! Called by the world, which carries advertisements between nodes. Never checks an HMAC: all nodes of a site share
//! the password.

#[cfg(test)]
mod tests;

use crate::Time;
use crate::dice;
use pfsync_proto::Carp;
use rand::Rng;
use std::net::IpAddr;
use std::time::Duration;

/// The highest advskew that a demotion leads to (`CARP_MAXSKEW`).
const MAX_SKEW: i32 = 240;

/// Whose CARP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A demotion is a count of its own, compared before the interval; the counter is a constant cookie.
    OpenBsd,
    /// A demotion makes the advskew worse; the counter counts.
    FreeBsd,
}

/// Where a vhid stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The interface is down.
    Init,
    /// Listens.
    Backup,
    /// Advertises and has the shared addresses.
    Master,
}

/// What `ifconfig` says about a vhid.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose kernel.
    pub style: Style,
    /// Virtual host id.
    pub vhid: u8,
    /// Seconds between advertisements.
    pub advbase: u8,
    /// 1/256 seconds on top.
    pub advskew: u8,
    /// `net.inet.carp.preempt`.
    pub preempt: bool,
    /// `pass`; without one the key is all zeros, as in the kernels.
    pub password: String,
    /// Shared addresses.
    pub addresses: Vec<IpAddr>,
}

/// One vhid of one node. Whatever it wants to send is to be fetched with [`Vhost::poll`] after each call.
#[derive(Clone, Debug)]
pub struct Vhost {
    config: Config,
    role: Role,
    demotion: i32,
    counter: u64,
    timer: Option<Time>,
    pending: Option<Carp>,
}

impl Vhost {
    /// A vhid whose interface is down. `seed` gives the cookie, or where the counter starts.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            role: Role::Init,
            demotion: 0,
            counter: dice::stream(seed, "carp").next_u64(),
            timer: None,
            pending: None,
            config,
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Which.
    #[must_use]
    pub fn vhid(&self) -> u8 {
        self.config.vhid
    }

    /// The interface comes up.
    pub fn start(&mut self, now: Time) {
        if self.role == Role::Init {
            self.role = Role::Backup;
            self.arm(now);
        }
    }

    /// The interface goes down as planned. OpenBSD says so, and a backup need not wait.
    pub fn stop(&mut self) {
        if self.role == Role::Master && self.config.style == Style::OpenBsd {
            self.pending = Some(self.signed(u8::MAX, u8::MAX));
        }
        self.role = Role::Init;
        self.timer = None;
    }

    /// Becomes master at once, as after [`Vhost::start`] and a silence: to begin with an election already held.
    pub fn claim(&mut self, now: Time) {
        if self.role != Role::Master {
            self.role = Role::Master;
            self.advertise(now);
        }
    }

    /// The node's demotion is now this in total; a master tells at once.
    pub fn demote(&mut self, now: Time, demotion: i32) {
        if self.demotion == demotion {
            return;
        }
        self.demotion = demotion;
        if self.role == Role::Master {
            self.advertise(now);
        }
    }

    /// `ifconfig carp advskew`.
    pub fn set_advskew(&mut self, now: Time, advskew: u8) {
        self.config.advskew = advskew;
        self.arm(now);
    }

    /// An advertisement of another node was received.
    pub fn receive(&mut self, now: Time, heard: &Carp) {
        if heard.vhid != self.config.vhid || !heard.cksum_ok {
            return;
        }
        if self.config.style == Style::FreeBsd {
            self.counter = heard.counter;
        }
        let (ours, theirs) = (self.interval(), heard.interval());
        let (mine, other) = (self.count(), heard.demote);
        // A FreeBSD kernel leaves the demote count alone: always 0 here, on both sides of the comparison.
        let other = if self.config.style == Style::FreeBsd { 0 } else { other };
        match self.role {
            Role::Init => {}
            Role::Master => {
                if other < mine || (other == mine && theirs <= ours) {
                    self.role = Role::Backup;
                    self.arm(now);
                }
            }
            Role::Backup => {
                let slower = self.config.preempt && ours < theirs && other >= mine;
                // One that advertises so seldom is as good as gone: the bow-out.
                let leaving = self.config.advbase > 0 && 3 * u64::from(self.config.advbase) < theirs.as_secs();
                if slower || leaving || other > mine {
                    self.claim(now);
                } else {
                    self.arm(now);
                }
            }
        }
    }

    /// When [`Vhost::advance`] must be called at the latest.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Time> {
        self.timer
    }

    /// Timers: the next advertisement of a master, the patience of a backup. Early calls do nothing.
    pub fn advance(&mut self, now: Time) {
        if self.timer.is_none_or(|t| t > now) {
            return;
        }
        match self.role {
            Role::Init => self.timer = None,
            Role::Backup => self.claim(now),
            Role::Master => self.advertise(now),
        }
    }

    /// What is to be sent.
    pub fn poll(&mut self) -> Option<Carp> {
        self.pending.take()
    }

    fn advertise(&mut self, now: Time) {
        if self.config.style == Style::FreeBsd {
            self.counter = self.counter.wrapping_add(1);
        }
        self.pending = Some(self.signed(self.config.advbase, self.skew()));
        self.arm(now);
    }

    fn signed(&self, advbase: u8, advskew: u8) -> Carp {
        let mut carp = Carp {
            vhid: self.config.vhid,
            advskew,
            advbase,
            demote: self.count(),
            authlen: 7,
            counter: self.counter,
            hmac: [0; 20],
            cksum_ok: true,
            bow_out: (advbase, advskew) == (u8::MAX, u8::MAX),
        };
        carp.hmac = carp.sign(self.config.password.as_bytes(), &self.config.addresses);
        carp
    }

    /// The demote count as OpenBSD sends and compares it.
    fn count(&self) -> u8 {
        match self.config.style {
            Style::OpenBsd => u8::try_from(self.demotion.max(0)).unwrap_or(u8::MAX),
            Style::FreeBsd => 0,
        }
    }

    /// The advskew as sent and compared.
    fn skew(&self) -> u8 {
        match self.config.style {
            Style::OpenBsd => self.config.advskew,
            Style::FreeBsd => {
                let skew = (i32::from(self.config.advskew) + self.demotion).clamp(0, MAX_SKEW);
                u8::try_from(skew).unwrap_or(u8::MAX)
            }
        }
    }

    fn interval(&self) -> Duration {
        span(u32::from(self.config.advbase), self.skew())
    }

    /// Starts the timer of the role anew.
    fn arm(&mut self, now: Time) {
        let advbase = u32::from(self.config.advbase);
        let wait = match self.role {
            Role::Init => None,
            // The patience knows the configured skew only, in both kernels.
            Role::Backup if advbase == 0 => Some(3 * span(0, self.config.advskew.max(1))),
            Role::Backup => Some(span(3 * advbase, self.config.advskew)),
            Role::Master => Some(self.interval().max(span(0, 1))),
        };
        self.timer = wait.map(|w| now + w);
    }
}

/// Seconds and 1/256 seconds.
fn span(seconds: u32, skew: u8) -> Duration {
    Duration::from_secs(u64::from(seconds)) + Duration::from_secs(1) * u32::from(skew) / 256
}
