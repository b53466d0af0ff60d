//! A node's own advertisements that come back to it: a switch that loops, a team of ports that hears itself.
//!
//! Told by the engine, which knows copies. They are counted and named, and never a rival: nobody else said them.

use super::CarpView;
use crate::event::place::places;
use crate::event::{Event, NodeId, Notice, NoticeKind};
use crate::time::Timestamp;

impl CarpView {
    /// An advertisement of `node`, which is called `name`, came in on its own interface, octet for octet as it had left.
    pub fn reflected(
        &mut self,
        now: Timestamp,
        (segment, vhid): (usize, u8),
        (node, name): (NodeId, &str),
        out: &mut Vec<Event>,
    ) {
        let known = self.reflected.keys().any(|(s, _)| *s == segment);
        let count = self.reflected.entry((segment, vhid)).or_default();
        *count = count.saturating_add(1);
        if !known {
            let network = self.names.get(segment).map_or("", String::as_str);
            let text = format!(
                "{name}'s own advertisements of {} come back to it: a switch that loops, or a team of ports that hears itself \
                 (VMware); they are no rival's, but other frames come back as well, and carp(4) may take them for one",
                places([(network, vhid)])
            );
            let notice = Notice::new(now, NoticeKind::Reflection, text).about(node);
            out.push(Event::Notice(notice));
        }
    }

    /// How many advertisements of a vhid came back to their sender.
    #[must_use]
    pub fn reflections(&self, segment: usize, vhid: u8) -> u64 {
        self.reflected.get(&(segment, vhid)).copied().unwrap_or(0)
    }
}
