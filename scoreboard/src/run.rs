//! One run: simulated once, shown to all watchers, judged.
//!
//! ```text
//!   world --+-- mirror ports of the switches --> what people use today
//!           +-- what node i sends and receives --> the engine of pfwatch beside node i
//! ```
//!
//! pfwatch runs on the firewalls and hears what their ports do: beside a node whose port is dead it hears that node
//! advertise and nobody else. What it is measured against is given the best place there is, a third machine at mirror
//! ports: a dead port of its own could only mislead it. CARP is judged there, too, by what reaches the segments: a node
//! that makes itself master on its own dead port moves nothing.

use crate::pair::Pair;
use crate::scene::Scene;
use crate::score::{Score, score};
use crate::watch::{Watch, all};
use pf_sim::Time;
use pf_sim::heard::{Blindness, Heard};
use pf_sim::site::Node;
use pf_sim::truth::Truth;

/// Where something was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ear {
    /// At mirror ports of the switches.
    Mirror,
    /// At the ports of a node.
    Beside(Node),
}

/// A stream of which nobody can tell where it was heard: everywhere.
pub fn everywhere<I: Iterator<Item = Heard>>(pair: &Pair, heard: I) -> impl Iterator<Item = (Ear, Heard)> + use<I> {
    let nodes = pair.nodes();
    heard.flat_map(move |heard| {
        let beside = (0..nodes).map(Ear::Beside);
        let ears = std::iter::once(Ear::Mirror).chain(beside);
        ears.map(move |ear| (ear, heard.clone()))
    })
}

/// Shows everything that is heard to every watcher. A thing that comes exactly when a timer ends is in time.
pub fn watch(pair: &Pair, heard: impl Iterator<Item = (Ear, Heard)>, watchers: &mut [Box<dyn Watch>]) {
    let mut scene = Scene::new(pair);
    for (ear, heard) in heard {
        let until = awake_until(&heard);
        match ear {
            Ear::Mirror => {
                for watcher in watchers.iter_mut() {
                    watcher.advance(until, &scene);
                }
                scene.hear(&heard);
                for watcher in watchers.iter_mut() {
                    watcher.heard(&heard, &scene);
                }
            }
            Ear::Beside(node) => {
                for watcher in watchers.iter_mut() {
                    watcher.beside(node, until, &heard);
                }
            }
        }
    }
    for watcher in watchers.iter_mut() {
        watcher.advance(pair.length, &scene);
        watcher.end(pair.length);
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
pub fn judge(pair: &Pair, truth: &Truth, heard: impl Iterator<Item = (Ear, Heard)>) -> Vec<(String, Score)> {
    let mut watchers = all(pair);
    watch(pair, heard, &mut watchers);
    let judged = |w: Box<dyn Watch>| {
        let score = score(truth, w.said(), pair.nodes(), pair.length);
        (w.name().to_owned(), score)
    };
    watchers.into_iter().map(judged).collect()
}
