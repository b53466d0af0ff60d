//! One run: simulated once, shown to all watchers, judged.

use crate::pair::Pair;
use crate::scene::Scene;
use crate::score::{Score, score};
use crate::watch::{Watch, all};
use pf_sim::Time;
use pf_sim::heard::{Blindness, Heard};
use pf_sim::truth::Truth;

/// Shows everything that is heard to every watcher. A thing that comes exactly when a timer ends is in time.
pub fn watch(pair: &Pair, heard: impl Iterator<Item = Heard>, watchers: &mut [Box<dyn Watch>]) {
    let mut scene = Scene::new(pair);
    for heard in heard {
        let until = awake_until(&heard);
        for watcher in watchers.iter_mut() {
            watcher.advance(until, &scene);
        }
        scene.hear(&heard);
        for watcher in watchers.iter_mut() {
            watcher.heard(&heard, &scene);
        }
    }
    for watcher in watchers.iter_mut() {
        watcher.advance(pair.length, &scene);
    }
}

/// Until when a watcher could look at its clock before this. Who stood still did not notice that time passed.
fn awake_until(heard: &Heard) -> Time {
    match *heard {
        Heard::Gap {
            at,
            length,
            cause: Blindness::Stall,
            ..
        } => at.saturating_sub(length),
        _ => heard.at(),
    }
}

/// A whole run with everybody: names and scores, in the order of the tables.
pub fn judge(pair: &Pair, truth: &Truth, heard: impl Iterator<Item = Heard>) -> Vec<(String, Score)> {
    let mut watchers = all(pair);
    watch(pair, heard, &mut watchers);
    let judged = |w: Box<dyn Watch>| {
        let score = score(truth, w.said(), pair.nodes(), pair.length);
        (w.name().to_owned(), score)
    };
    watchers.into_iter().map(judged).collect()
}
