//! Of whom so little of what was heard is fit that nothing can be said of that node, whatever is known of the others.
//!
//! Asked by `quality` after its own shares, which are those of all frames together.

use super::Engine;
use super::aside::Proto;
use super::quality::{Found, HALF, MOST, Problem};
use crate::event::NodeId;

impl Engine {
    /// Adds of which node nothing can be said because of that.
    pub(super) fn of_nodes(&self, found: Option<Found>) -> Option<Found> {
        let mut found = found?;
        let unfit = self.node_ids().find_map(|n| Some((n, self.unfit(n, found.kind)?)));
        if let Some((node, (count, all))) = unfit {
            let name = self.label(node);
            found.detail += &format!(" ({count} of the {all} of {name} are among them, so nothing can be said of it)");
            // Where that is so of all together, and nothing was proven, it need not be said of one.
            let all = found.fatal && !self.node_ids().any(|n| self.passed(n));
            (found.fatal, found.node) = (true, Some(name).filter(|_| !all));
        }
        Some(found)
    }

    /// Whether a round trip through it is proven.
    fn passed(&self, node: NodeId) -> bool {
        let paths = self.counters.nodes.get(node.index()).map(|c| c.paths.as_slice());
        paths.unwrap_or_default().iter().any(|p| p.end_to_end > 0)
    }

    /// How many of its frames are so, and of how many, where that leaves too little of a node through which the traffic may go.
    fn unfit(&self, node: NodeId, kind: Problem) -> Option<(u64, u64)> {
        let c = self.counters.nodes.get(node.index())?;
        // A backup may be what cannot be heard. Who is none, CARP tells, or that nobody else carries anything.
        let carries = c.was_master || !(self.carp.informs() || self.node_ids().any(|n| n != node && self.passed(n)));
        // What is cut is missing. What is refused may be somebody else's, as long as there is better.
        let proven = kind != Problem::Cut && self.passed(node);
        if !carries || proven || self.is_unnamed(node) {
            return None;
        }
        let its = self
            .counters
            .aside
            .iter()
            .filter(|(k, _)| k.proto == Proto::Pfsync && self.sender(k.from) == Some(node));
        let (mut count, mut refused) = (0, 0);
        for (key, so) in its {
            let is_so = Problem::of(key.reason) == Some(kind);
            count += if is_so { so.frames } else { 0 };
            // The cut ones are among the frames of a node, the others are not.
            refused += if Problem::of(key.reason) == Some(Problem::Cut) {
                0
            } else {
                so.frames
            };
        }
        let all = c.frames + refused;
        let limit = if kind == Problem::Cut { HALF } else { MOST };
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = count as f64 / all.max(1) as f64;
        (share >= limit).then_some((count, all))
    }
}
