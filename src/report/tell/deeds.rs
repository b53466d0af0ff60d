//! What pfwatch would have done, what not and why.
//!
//! Called by the pages. There is nothing to tell where nobody said which node pfwatch runs beside.

use super::Tale;
use super::words::duration;
use crate::event::{Action, Health, NoticeKind};
use crate::time::Timestamp;

/// A sentence of the policy.
pub(in crate::report) struct Deed {
    pub(in crate::report) at: Timestamp,
    /// A decision; otherwise a reason for none.
    pub(in crate::report) acts: bool,
    pub(in crate::report) text: String,
}

/// Beside whom, and everything that the policy said, in order.
pub(in crate::report) fn deeds(tale: &Tale<'_>) -> Option<(String, Vec<Deed>)> {
    let engine = tale.engine;
    let me = engine.node_ids().find(|n| engine.is_self(*n))?;
    let mut said: Vec<Deed> = Vec::new();
    for d in &tale.report.decisions {
        let what = match d.action {
            Action::Promote => format!("promote {} in place of {}", engine.label(me), engine.label(d.node)),
            Action::Demote => format!("demote {}", engine.label(me)),
            Action::Restore => format!("take back what it had done to {}", engine.label(me)),
            Action::Fence => format!("fence {}", engine.label(d.node)),
        };
        let before = tale
            .report
            .verdicts
            .iter()
            .rev()
            .filter(|v| v.to == Health::Down && v.node == d.node);
        let since = before.filter(|v| v.at <= d.at).map(|v| d.at.since(v.at)).next();
        let since = since
            .map(|s| format!(", {} after it went down", duration(s)))
            .unwrap_or_default();
        said.push(Deed {
            at: d.at,
            acts: true,
            text: format!("{what}{since}: {}", d.reason),
        });
    }
    for n in tale.report.notices.iter().filter(|n| n.kind == NoticeKind::Policy) {
        if !said.iter().any(|deed| deed.text == n.text) {
            said.push(Deed {
                at: n.at,
                acts: false,
                text: n.text.clone(),
            });
        }
    }
    said.sort_by_key(|deed| deed.at);
    Some((engine.label(me), said))
}
