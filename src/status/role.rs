//! What the node that pfwatch runs beside is, and what it only would be.
//!
//! A decision that is only said counts as carried out for what is decided next. Nothing has been done, though, unless the
//! ledger of an earlier run says so. Asked by every page and by the metrics, so that all of them say the same.

use super::Status;

const OURS: [&str; 2] = ["promoted", "demoted"];

impl Status {
    /// Decisions are carried out.
    #[must_use]
    pub fn carries_out(&self) -> bool {
        self.acts && !self.dry_run
    }

    /// What it is: promoted and demoted only where that was done and stands.
    #[must_use]
    pub fn real_role(&self) -> &str {
        if self.carries_out() || !OURS.contains(&self.role.as_str()) {
            return &self.role;
        }
        match self.ledger.last().map(|e| e.action.as_str()) {
            Some("promote") => OURS[0],
            Some("demote") => OURS[1],
            _ => &self.carp_role,
        }
    }

    /// What was made of it and is not taken back.
    #[must_use]
    pub fn made(&self) -> Option<&str> {
        Some(self.real_role()).filter(|role| OURS.contains(role))
    }

    /// It would be that, if decisions were carried out.
    fn would_be(&self) -> Option<&str> {
        let said = OURS.contains(&self.role.as_str());
        (said && self.made().is_none()).then_some(&self.role)
    }
}

/// `is backup`. What was decided and left undone is what would be, and that stands first. While the pair is torn the role is
/// that of before, and what it is master of now is added.
#[must_use]
pub fn role(status: &Status) -> String {
    match (status.would_be(), status.real_role()) {
        (Some(word), _) if status.dry_run => format!("in a dry run would be {word}"),
        (Some(word), _) => format!("only observes and would be {word}"),
        (None, "unknown") => "is in no known role".into(),
        (None, word) => match torn(status) {
            Some(now) if !OURS.contains(&word) => format!("was {word} and is {now}"),
            _ => format!("is {word}"),
        },
    }
}

/// What it is master of, while different nodes are master or several are of the same.
fn torn(status: &Status) -> Option<String> {
    if status.split().is_none() && status.contested().is_none() {
        return None;
    }
    let me = status.nodes.iter().find(|n| n.me)?;
    let (mine, all) = status.mastered(me);
    Some(match mine.len() {
        0 => "master of nothing".into(),
        own if own == all && status.split().is_none() => "one of two masters".into(),
        _ => format!("master on {}", mine.join(", ")),
    })
}

/// What the daemon does with its decisions, where its role does not say it.
#[must_use]
pub fn manner(status: &Status) -> Option<&'static str> {
    match (status.dry_run, status.acts) {
        (false, true) => Some("acts"),
        _ if status.would_be().is_some() => None,
        (true, _) => Some("dry run"),
        (false, false) => Some("observes only"),
    }
}
