//! How much got through and how much did not, second by second, as far as somebody watched.
//!
//! Made from the counters of one snapshot after the other, which only go up; a daemon that was started anew begins again. Bounded by
//! the width of a screen.

use crate::status::{Node, Path, Status};
use std::collections::{BTreeMap, VecDeque};

/// Kept: more columns than a screen has.
const KEPT: usize = 240;
/// Snapshots that are further apart are no seconds any more.
const LONGEST: f64 = 5.0;

/// One node on one path.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trend {
    /// Per second, oldest first.
    pub(super) answered: VecDeque<f64>,
    pub(super) unanswered: VecDeque<f64>,
    last: Option<(f64, u64, u64)>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Trends {
    all: BTreeMap<(String, String), Trend>,
    started: f64,
}

impl Trends {
    /// Takes what the next snapshot adds.
    pub(super) fn take(&mut self, status: &Status) {
        if status.started != self.started {
            self.started = status.started;
            self.all.clear();
        }
        let named = |n: &Node, p: &Path| (n.address.clone(), p.path.clone());
        // What is not there any more is forgotten.
        let there: Vec<_> = status
            .firewalls()
            .flat_map(|n| n.paths.iter().map(|p| named(n, p)))
            .collect();
        self.all.retain(|key, _| there.contains(key));
        for node in status.firewalls() {
            for path in &node.paths {
                self.all.entry(named(node, path)).or_default().take(path, status.at);
            }
        }
    }

    pub(super) fn of(&self, node: &Node, path: &Path) -> Option<&Trend> {
        self.all.get(&(node.address.clone(), path.path.clone()))
    }

    /// The highest of the last `columns` seconds, of all nodes: answered, and not.
    pub(super) fn tops(&self, columns: usize) -> (f64, f64) {
        let top = |list: &VecDeque<f64>| list.iter().rev().take(columns).copied().fold(0.0, f64::max);
        self.all.values().fold((0.0, 0.0), |(a, b): (f64, f64), t| {
            (a.max(top(&t.answered)), b.max(top(&t.unanswered)))
        })
    }
}

impl Trend {
    fn take(&mut self, path: &Path, at: f64) {
        let is = (path.end_to_end, path.attempt + path.forward + path.reverse);
        let before = self.last.replace((at, is.0, is.1));
        let Some((then, answered, unanswered)) = before else {
            return;
        };
        let seconds = at - then;
        // The same snapshot again says nothing new.
        if seconds <= 0.0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = |new: u64, old: u64| new.saturating_sub(old) as f64 / seconds;
        let mut put = |a: f64, b: f64| {
            for (list, value) in [(&mut self.answered, a), (&mut self.unanswered, b)] {
                if list.len() >= KEPT {
                    list.pop_front();
                }
                list.push_back(value);
            }
        };
        if seconds > LONGEST {
            put(0.0, 0.0);
        }
        put(rate(is.0, answered), rate(is.1, unanswered));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(at: f64, end_to_end: u64, attempt: u64) -> Status {
        let path = Path {
            path: "any".into(),
            end_to_end,
            attempt,
            ..Path::default()
        };
        let node = Node {
            address: "a".into(),
            paths: vec![path],
            ..Node::default()
        };
        Status {
            at,
            nodes: vec![node],
            ..Status::default()
        }
    }

    #[test]
    fn columns_are_what_is_new_in_a_second() {
        let mut trends = Trends::default();
        for (at, trips, tries) in [(10.0, 100, 7), (11.0, 150, 7), (11.0, 150, 7), (13.0, 170, 9)] {
            trends.take(&status(at, trips, tries));
        }
        let s = status(13.0, 0, 0);
        let trend = trends.of(&s.nodes[0], &s.nodes[0].paths[0]).unwrap();
        assert_eq!(
            (Vec::from(trend.answered.clone()), trends.tops(1)),
            (vec![50.0, 10.0], (10.0, 1.0))
        );
        trends.take(&Status {
            started: 12.0,
            ..status(14.0, 3, 0)
        });
        assert_eq!(trends.tops(9), (0.0, 0.0), "another daemon");
        for i in 0..1000 {
            trends.take(&Status {
                started: 12.0,
                ..status(15.0 + f64::from(i), 3, 0)
            });
        }
        let length = trends.of(&s.nodes[0], &s.nodes[0].paths[0]).unwrap().answered.len();
        assert_eq!(length, KEPT);
    }
}
