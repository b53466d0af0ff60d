//! One node's watchdog in the model: the real policy with shorter times, and what it hears.

use super::view::View;
use super::{Bounds, STEP};
use pfwatch::decide::Policy;
use pfwatch::event::{Action, NodeId};
use pfwatch::settings::{About, Live, Policy as Limits, Probe};

/// One node's watchdog.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Side {
    pub(super) policy: Policy,
    pub(super) view: View,
    pub(super) open: Option<(u64, Action)>,
    /// What its own probes said last.
    pub(super) reaches: [bool; 2],
}

fn limits(me: usize, bounds: &Bounds) -> Limits {
    Limits {
        settle: STEP * 3,
        demote_delay: STEP * 3,
        recover: STEP * 4,
        hold_down: STEP * 6,
        fence: bounds.fence.map(|_| 1 - me),
        fence_delay: STEP * [0, 3][me],
        live: Live {
            results: true,
            observes: false,
            start: STEP * 3,
            blind: STEP,
            bulk: STEP,
        },
        ..Limits::default()
    }
}

pub(super) fn node(n: usize) -> NodeId {
    NodeId(u16::try_from(n).unwrap())
}

impl Side {
    pub(super) fn new(me: usize, late: u8, bounds: &Bounds) -> Self {
        let probe = |about| Probe {
            name: String::new(),
            about,
            fall: 2,
            rise: 2,
        };
        let peer = About::Node(1 - me);
        let probes = [About::SelfNode, About::SelfNode, peer, peer].map(probe);
        Self {
            policy: Policy::new(Some(node(me)), &limits(me, bounds), &probes),
            view: View::new(me, late),
            open: None,
            reaches: [true; 2],
        }
    }
}
