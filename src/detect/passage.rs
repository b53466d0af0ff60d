//! Whether what a node lets in leaves it again: what a firewall that hangs has in common with no other fault.
//!
//! pf makes one state where a connection comes in and one where it goes out. A firewall behind which everything is dead goes
//! on making both; one that forwards nothing makes the first alone. Told by the path of connections between hosts that are
//! known to have worked, once both states had their time to be heard. Asked before an address is moved while CARP sees
//! nothing wrong.

use crate::time::Timestamp;
use crate::track::HostKey;
use std::time::Duration;

/// How rarely so many get stuck in a row where all is well. A slow site begins a thousand rows in an hour.
const CHANCE: f64 = 1e-8;
/// However surely connections leave again, some do not; and as long as this is not known better.
const SUREST: f64 = 0.99;
/// Different hosts on either side.
const HOSTS: usize = 3;
/// What is usual is learned from about this many.
const MEMORY: u32 = 1_000;
/// Until so many left nothing is known.
const LEARNED: u32 = 10;
/// A single one that leaves does not speak for this many that do not.
const STRAY: u32 = 20;
/// After so long without any the row is over.
const RECENT: Duration = Duration::from_secs(60);

/// Some different hosts.
#[derive(Clone, Copy, Default)]
struct Few([Option<HostKey>; HOSTS]);

impl Few {
    fn add(&mut self, host: HostKey) {
        let place = self.0.iter_mut().find(|h| h.is_none_or(|h| h == host));
        if let Some(place) = place {
            *place = Some(host);
        }
    }

    fn full(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }
}

/// Connections that got stuck one after the other.
#[derive(Clone, Copy)]
struct Row {
    stuck: u32,
    left: u32,
    last: Timestamp,
    clients: Few,
    servers: Few,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            stuck: 0,
            left: 0,
            last: Timestamp::MIN,
            clients: Few::default(),
            servers: Few::default(),
        }
    }
}

/// See the module; of one path through one node.
#[derive(Clone, Copy, Default)]
pub struct Through {
    left: u32,
    stuck: u32,
    row: Row,
}

impl Through {
    /// A connection came in, and went out again.
    pub fn left(&mut self) {
        let row = &mut self.row;
        row.left = row.left.saturating_add(1);
        if row.left.saturating_mul(STRAY) <= row.stuck {
            return;
        }
        // What an outage was is not what is usual.
        let lesson = if self.is_no_chance() { 0 } else { self.row.stuck };
        self.stuck = self.stuck.saturating_add(lesson);
        self.left = self.left.saturating_add(1);
        if self.left.saturating_add(self.stuck) > MEMORY {
            (self.left, self.stuck) = (self.left / 2, self.stuck / 2);
        }
        self.row = Row::default();
    }

    /// One came in and did not go out, though that should have been heard by now.
    pub fn stuck(&mut self, now: Timestamp, client: HostKey, server: HostKey) {
        if now.since(self.row.last) > RECENT {
            self.row = Row::default();
        }
        let row = &mut self.row;
        row.stuck = row.stuck.saturating_add(1);
        row.last = now;
        row.clients.add(client);
        row.servers.add(server);
    }

    /// What was heard may not be all: whoever gets stuck has to do so anew.
    pub fn restart(&mut self) {
        self.row = Row::default();
    }

    /// Whether anything is known of what is usual.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.left >= LEARNED
    }

    /// How many came in of late and how many of them left again, where that shows that the node forwards nothing.
    #[must_use]
    pub fn verdict(&self, now: Timestamp) -> Option<(u32, u32)> {
        let Row { stuck, left, last, .. } = self.row;
        let fresh = now.since(last) <= RECENT;
        (fresh && self.is_no_chance()).then_some((stuck.saturating_add(left), left))
    }

    fn is_no_chance(&self) -> bool {
        let usual = f64::from(self.left) / (f64::from(self.left) + f64::from(self.stuck) + 1.0);
        let chance = (1.0 - usual.min(SUREST)).powf(f64::from(self.row.stuck));
        self.tells() && self.row.clients.full() && self.row.servers.full() && chance <= CHANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Timestamp {
        Timestamp::from_nanos(0) + Duration::from_secs(s)
    }

    /// Of so many connections each `nth` got stuck.
    fn used(count: u64, nth: u64) -> Through {
        let mut t = Through::default();
        for i in 1..=count {
            if i % nth == 0 {
                t.stuck(at(i), [1; 16], [2; 16]);
            } else {
                t.left();
            }
        }
        t
    }

    /// How many of these, one a second, it takes to be sure.
    fn needed(t: &Through, host: impl Fn(u8) -> (u8, u8)) -> Option<u8> {
        let mut t = *t;
        (1..=100).find(|&i| {
            let (client, server) = host(i);
            t.stuck(at(10_000 + u64::from(i)), [client; 16], [server; 16]);
            t.verdict(at(10_000 + u64::from(i))).is_some()
        })
    }

    #[test]
    fn the_fewer_usually_leave_the_more_must_be_stuck() {
        let all = |i| (i, i);
        assert_eq!(needed(&used(600, 601), all), Some(5));
        assert_eq!(needed(&used(600, 10), all), Some(8));
        let third = needed(&used(600, 3), all).unwrap();
        assert!((16..=18).contains(&third), "{third}");
        assert_eq!(needed(&used(12, 100), all), Some(8), "of a few not much is learned");
        assert_eq!(needed(&used(9, 100), all), None, "and of fewer nothing");
        assert!(!used(9, 100).tells());
    }

    #[test]
    fn one_host_on_either_side_is_not_enough() {
        let t = used(600, 601);
        assert_eq!(needed(&t, |i| (1, i)), None);
        assert_eq!(needed(&t, |i| (i, 1)), None);
        assert_eq!(needed(&t, |i| (i % 2, i)), None);
    }

    #[test]
    fn one_that_leaves_ends_a_short_row_and_no_long_one() {
        let stuck = |t: &mut Through, n: u8| (0..n).for_each(|i| t.stuck(at(20_000), [i; 16], [i; 16]));
        let mut t = used(600, 601);
        stuck(&mut t, 19);
        assert_eq!(t.verdict(at(20_001)), Some((19, 0)));
        t.left();
        assert_eq!(t.verdict(at(20_001)), None);
        stuck(&mut t, 40);
        t.left();
        t.left();
        assert_eq!(t.verdict(at(20_001)), Some((42, 2)));
        t.left();
        assert_eq!(t.verdict(at(20_001)), None, "it forwards again");
        assert_eq!(needed(&t, |i| (i, i)), Some(5), "and nothing was learned of the outage");
    }

    #[test]
    fn what_was_long_ago_or_may_not_be_all_counts_no_more() {
        let mut t = used(600, 601);
        (0..9).for_each(|i| t.stuck(at(20_000), [i; 16], [i; 16]));
        assert!(t.verdict(at(20_060)).is_some() && t.verdict(at(20_061)).is_none());
        t.stuck(at(20_061), [1; 16], [1; 16]);
        assert!(t.verdict(at(20_061)).is_none(), "a new row");
        (0..9).for_each(|i| t.stuck(at(20_062), [i; 16], [i; 16]));
        t.restart();
        assert!(t.verdict(at(20_062)).is_none());
    }

    /// Ten days at a connection each two seconds, of which a third never leaves: nothing ever looks stuck.
    #[test]
    fn chance_alone_is_never_enough() {
        let (mut t, mut dice) = (Through::default(), 1_u64);
        for i in 0..432_000_u64 {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let roll = dice >> 33;
            if roll % 10 < 3 {
                let host = |n: u64| [u8::try_from(n % 40).unwrap(); 16];
                t.stuck(at(i * 2), host(roll / 10), host(roll / 400));
            } else {
                t.left();
            }
            assert!(t.verdict(at(i * 2)).is_none(), "after {i}");
        }
    }
}
