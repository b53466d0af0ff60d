//! What breaks by itself at a site whose firewall is fine, and how often.
//!
//! Numbers only; `mood` makes them happen. Every `down` under any weather is a false alarm.

use pf_sim::Time;
use pf_sim::dice::Dice;
use rand::RngExt;
use rand_distr::{Distribution, Exp, LogNormal};
use std::time::Duration;

/// A day, in seconds.
const DAY: f64 = 86_400.0;

/// How often things break, per second. See [`Weather::ORDINARY`] for what each number rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// One server goes away, for each server.
    pub server: f64,
    /// One client vanishes in the middle of things, for each client.
    pub client: f64,
    /// Several servers go away together.
    pub servers: f64,
    /// By which share of them: the n of Beta(1, n), see [`share`].
    pub servers_share: f64,
    /// Several clients vanish together; the share by Beta(1, 10).
    pub clients: f64,
    /// Nearly everybody falls quiet at once for a while.
    pub lull: f64,
    /// Somebody inside scans addresses that do not answer.
    pub scan: f64,
    /// Some program begins to ask a host that is gone, again and again, for hours; for each client.
    pub stubborn: f64,
    /// The target of a canary goes away, for each canary.
    pub canary: f64,
}

impl Weather {
    /// Nothing ever breaks but what the traffic itself contains: two openings in a hundred go to hosts that are not there.
    pub const CALM: Self = Self {
        server: 0.0,
        client: 0.0,
        servers: 0.0,
        servers_share: 4.0,
        clients: 0.0,
        lull: 0.0,
        scan: 0.0,
        stubborn: 0.0,
        canary: 0.0,
    };

    /// Harsher than most sites have it, so that what is measured under it bounds what they will see:
    ///
    ///  * a server fails every three weeks: 99.98 % with the lengths below, worse than a single machine with monthly
    ///    patches and far worse than what stands behind a balancer;
    ///  * a client vanishes in the middle of things every three days: lids close and Wi-Fi roams several times a day, but
    ///    most say goodbye or come back within TCP's patience;
    ///  * a rack, a hypervisor or an uplink takes several servers away once a month, a fifth of them in the mean, half of
    ///    them or more once in 16 months. The detector itself assumes once a month: this is at the edge of its model;
    ///  * a switch or an access point takes several clients away once a week, a tenth of them in the mean;
    ///  * twice a day 80 to 100 % of the clients fall quiet within a moment, as for a fire drill; lunch comes slower;
    ///  * twice a week somebody's scanner (or worm) tries a thousand addresses;
    ///  * each client has a program a year that asks a dead host for hours: old printers, licence servers, monitoring;
    ///  * a canary's target is chosen with care: three outages a year.
    pub const ORDINARY: Self = Self {
        server: 1.0 / (21.0 * DAY),
        client: 1.0 / (3.0 * DAY),
        servers: 1.0 / (30.0 * DAY),
        servers_share: 4.0,
        clients: 1.0 / (7.0 * DAY),
        lull: 2.0 / DAY,
        scan: 2.0 / (7.0 * DAY),
        stubborn: 1.0 / (365.0 * DAY),
        canary: 3.0 / (365.0 * DAY),
    };

    /// Against what the detector takes for granted: something takes servers away every week, and a third of them as often as all;
    /// the targets of canaries fail once a month. When nearly all servers are gone, a firewall looks dead from here and is
    /// called so; how often that happens is what this weather is for.
    pub const ROUGH: Self = Self {
        servers: 1.0 / (7.0 * DAY),
        servers_share: 1.0,
        canary: 12.0 / (365.0 * DAY),
        ..Self::ORDINARY
    };
}

/// When something that happens so often happens next.
#[must_use]
pub fn next(dice: &mut Dice, rate: f64) -> Option<Duration> {
    let wait = Exp::new(rate).ok()?.sample(dice);
    // What is further away than thirty years does not happen.
    (wait < 1e9).then(|| Duration::from_secs_f64(wait))
}

/// How long things stay broken: the median is three minutes (a restart), a tenth take a quarter of an hour, some hours.
#[must_use]
pub fn lasting(dice: &mut Dice) -> Duration {
    let seconds: f64 = LogNormal::new(180_f64.ln(), 1.2).map_or(180.0, |d| d.sample(dice));
    Duration::from_secs_f64(seconds.clamp(5.0, 20_000.0))
}

/// The share that something takes away at once: Beta(1, n), whose density is n (1 - f)^(n - 1).
#[must_use]
pub fn share(dice: &mut Dice, n: f64) -> f64 {
    1.0 - dice.random::<f64>().powf(1.0 / n)
}

/// Somebody who asks hosts that do not answer, beside the usual traffic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pest {
    /// Who.
    pub client: usize,
    /// Always this one, or each time another.
    pub server: Option<usize>,
    /// When next.
    pub at: Time,
    /// Mean time between two tries.
    pub every: f64,
    /// Until.
    pub until: Time,
}

impl Pest {
    /// A scanner: a thousand addresses within half a minute.
    #[must_use]
    pub fn scan(client: usize, now: Time) -> Self {
        Self {
            client,
            server: None,
            at: now,
            every: 0.03,
            until: now + Duration::from_secs(30),
        }
    }

    /// A program that does not give up: a try every ten seconds, for four hours.
    #[must_use]
    pub fn stubborn(client: usize, server: usize, now: Time) -> Self {
        Self {
            client,
            server: Some(server),
            at: now,
            every: 10.0,
            until: now + Duration::from_secs(4 * 3_600),
        }
    }

    /// Its next try, if it has not had enough.
    pub fn go_on(&mut self, dice: &mut Dice) -> bool {
        let wait = next(dice, 1.0 / self.every).unwrap_or(Duration::from_secs(1));
        self.at += wait;
        self.at < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_sim::dice;

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "some thousand samples")]
    fn shares_and_lengths_are_what_the_comments_say() {
        let dice = &mut dice::stream(1, "weather");
        let mean = |n: f64, dice: &mut Dice| (0..20_000).map(|_| share(dice, n)).sum::<f64>() / 20_000.0;
        assert!((mean(4.0, dice) - 1.0 / 5.0).abs() < 0.005);
        assert!((mean(10.0, dice) - 1.0 / 11.0).abs() < 0.003);
        let half = (0..20_000).filter(|_| share(dice, 4.0) >= 0.5).count() as f64 / 20_000.0;
        assert!((half - 1.0 / 16.0).abs() < 0.006, "{half}");
        let mut all: Vec<Duration> = (0..20_001).map(|_| lasting(dice)).collect();
        all.sort_unstable();
        assert!((all[10_000].as_secs_f64() - 180.0).abs() < 8.0, "{:?}", all[10_000]);
        assert!((all[18_000].as_secs_f64() - 840.0).abs() < 60.0, "{:?}", all[18_000]);
    }

    #[test]
    fn what_never_happens_never_happens() {
        assert_eq!(next(&mut dice::stream(1, "weather"), 0.0), None);
    }

    #[test]
    fn a_scanner_tries_about_a_thousand_and_stops() {
        let dice = &mut dice::stream(2, "weather");
        let mut pest = Pest::scan(0, Time::ZERO);
        let tries = 1 + (0..).take_while(|_| pest.go_on(dice)).count();
        assert!((900..1_100).contains(&tries), "{tries}");
    }
}
