//! The one question that other programs ask: is this node fit? Answered from a snapshot alone.
//!
//! Called by the control socket. Only what would be acted on is a no: doubt, quiet and ignorance are a yes.

use super::board::STUCK;
use super::{Node, Status};
use std::time::Duration;

/// About whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// The node of that name or address.
    Node(&'a str),
    /// The node that pfwatch runs beside.
    Me,
}

/// Each with its reason in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing speaks against it, or nobody may act now.
    Yes(String),
    /// It is down, or is to give way.
    No(String),
    /// The daemon cannot know.
    Stuck(String),
    /// There is no such node.
    Nobody(String),
}

/// The answer of the contract, from a snapshot that is so old.
#[must_use]
pub fn check(status: &Status, age: Duration, question: Question<'_>) -> Answer {
    let node = match question {
        Question::Me => None,
        Question::Node(name) => match find(status, name) {
            Some(node) => Some(node),
            None => return Answer::Nobody(nobody(status, name)),
        },
    };
    if age >= STUCK {
        return Answer::Stuck(format!(
            "the daemon's loop has not moved for {:.0} s, so nothing is known",
            age.as_secs_f64()
        ));
    }
    let (fit, why) = match node {
        Some(node) => about(node),
        None => about_me(status),
    };
    match (fit, &status.maintenance) {
        (true, _) => Answer::Yes(why),
        (false, None) => Answer::No(why),
        (false, Some(_)) => Answer::Yes(format!("{why}; but this is maintenance")),
    }
}

/// By name, else by address: a name is what the operator chose.
fn find<'a>(status: &'a Status, name: &str) -> Option<&'a Node> {
    let named = status.nodes.iter().find(|n| n.name.as_deref() == Some(name));
    named.or_else(|| status.nodes.iter().find(|n| n.address == name))
}

fn nobody(status: &Status, name: &str) -> String {
    let known: Vec<&str> = status.nodes.iter().map(Node::label).collect();
    match known.as_slice() {
        [] => format!("there is no node {name}: none is known yet"),
        known => format!("there is no node {name}; there are {}", known.join(", ")),
    }
}

fn about(node: &Node) -> (bool, String) {
    let label = node.label();
    if node.health != "down" {
        return (true, format!("{label} is {}", node.health));
    }
    let worst = node.paths.iter().find(|p| p.critical && p.health == "down");
    match worst.and_then(|p| p.reason.as_deref()) {
        Some(reason) => (false, format!("{label} is down: {reason}")),
        None => (false, format!("{label} is down")),
    }
}

fn about_me(status: &Status) -> (bool, String) {
    let failed = |p: &&super::Probe| p.about == "self" && p.state == "down";
    if let Some(probe) = status.probes.iter().find(failed) {
        return (false, format!("the probe {} is down", probe.name));
    }
    (
        status.role != "demoted",
        format!("the role of this node is {}", status.role),
    )
}
