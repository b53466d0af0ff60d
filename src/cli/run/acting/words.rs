//! What has happened, as the operator's programs are told it.
//!
//! Kept by `acting`: of a decision its number, of anything else a count, and the numbers of the last verdict about a node.

use crate::act::hooks::Occasion;
use crate::decide::Role;
use crate::engine::Engine;
use crate::event::{Action, Decision, NodeId, Verdict};
use crate::report::json;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Of each node: the path and the numbers of its last verdict.
    evidence: BTreeMap<NodeId, (String, String)>,
    /// Before what happens in this round.
    pub(super) role: Role,
    /// Nothing is done about it.
    pub(super) dry_run: bool,
    told: u64,
}

impl Words {
    /// Another engine from now on.
    pub(super) fn forget(&mut self) {
        self.evidence.clear();
    }

    pub(super) fn verdict(&mut self, v: &Verdict, engine: &Engine) -> Occasion {
        let path = engine.path_name(v.path);
        let evidence = json::evidence(&v.evidence).to_string();
        self.evidence.insert(v.node, (path.clone(), evidence.clone()));
        self.told += 1;
        Occasion {
            event: v.to.as_str().into(),
            seq: self.told,
            path,
            cause: v.cause.as_str().into(),
            evidence,
            ..self.about(Some(v.node), engine)
        }
    }

    pub(super) fn decision(&self, d: &Decision, engine: &Engine) -> Occasion {
        let (path, evidence) = self.evidence.get(&d.node).cloned().unwrap_or_default();
        Occasion {
            event: d.action.as_str().into(),
            seq: d.seq,
            path,
            cause: d.cause.into(),
            evidence,
            ..self.about(Some(d.node), engine)
        }
    }

    /// What the operator ordered, about this node.
    pub(super) fn order(&self, event: &str, cause: &str, engine: &Engine) -> Occasion {
        let me = engine.node_ids().find(|n| engine.is_self(*n));
        Occasion {
            event: event.into(),
            cause: cause.into(),
            ..self.about(me, engine)
        }
    }

    pub(super) fn undo(&self, engine: &Engine) -> Occasion {
        self.order(Action::Restore.as_str(), "operator", engine)
    }

    fn about(&self, node: Option<NodeId>, engine: &Engine) -> Occasion {
        Occasion {
            node: node.map(|n| engine.address(n).to_string()).unwrap_or_default(),
            name: node.map(|n| engine.label(n)).unwrap_or_default(),
            role: engine.role().as_str().into(),
            previous_role: self.role.as_str().into(),
            dry_run: self.dry_run,
            ..Occasion::default()
        }
    }
}
