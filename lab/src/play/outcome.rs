//! What came of one turn, and whether it had to be so.

use super::catalogue::Must;
use crate::bench::guard::Guard;
use crate::net::plan::Node;
use serde_json::{Value, json};

/// Something that a guard did.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// Where.
    pub node: Node,
    /// `promote`, `demote`, `restore`, `fence`.
    pub action: String,
    /// Seconds after the deed.
    pub after: f64,
    /// It worked.
    pub ok: bool,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Of the scenario.
    pub name: String,
    /// Who guarded.
    pub guard: Guard,
    /// Seconds without service while it lasted.
    pub without: f64,
    /// When service was back for good, in seconds after the deed; none: not before it was healed.
    pub back: Option<f64>,
    /// Seconds without service after it was healed.
    pub healing: f64,
    /// When pfwatch on fw2 first said that a node was down, and which.
    pub down: Option<(f64, String)>,
    /// Verdicts of `suspect` and `down` on either node until it was healed.
    pub alarms: usize,
    /// What guards did, in order.
    pub acts: Vec<Act>,
    /// An address was elsewhere while it lasted.
    pub moved: bool,
    /// What was not as before, long after it was healed.
    pub left: Vec<String>,
}

impl Outcome {
    /// How often something was done.
    #[must_use]
    pub fn count(&self, action: &str) -> usize {
        self.acts.iter().filter(|a| a.action == action).count()
    }

    /// What is not as it must be; the median of returns is looked at elsewhere.
    #[must_use]
    pub fn wrong(&self, must: Must) -> Vec<String> {
        let mut wrong: Vec<String> = self.left.iter().map(|l| format!("left behind: {l}")).collect();
        let on = |node: Node, action: &str| {
            let mine = self
                .acts
                .iter()
                .filter(|a| a.node == node && a.action == action && a.ok);
            mine.count()
        };
        match must {
            Must::Nothing => {
                if !self.acts.is_empty() {
                    wrong.push(format!("done: {}", self.doings()));
                }
                if self.alarms > 0 {
                    wrong.push(format!("said: {} times suspect or down", self.alarms));
                }
            }
            Must::Stay => {
                if self.moved || self.count("promote") + self.count("fence") > 0 {
                    wrong.push(format!("an address moved: {}", self.doings()));
                }
                let [a, b] = Node::ALL;
                if on(a, "demote") != on(b, "demote")
                    || on(a, "demote") != on(a, "restore")
                    || on(b, "demote") != on(b, "restore")
                {
                    wrong.push(format!("demotions are not equal: {}", self.doings()));
                }
            }
            Must::Return(_) if self.back.is_none() => wrong.push("service did not return".into()),
            Must::Return(_) | Must::Measured => {}
        }
        wrong
    }

    /// What was done, in words.
    #[must_use]
    pub fn doings(&self) -> String {
        let words = self.acts.iter().map(|a| {
            let failed = if a.ok { "" } else { " (failed)" };
            format!("{} {} after {:.1} s{failed}", a.node.name(), a.action, a.after)
        });
        words.collect::<Vec<_>>().join(", ")
    }

    /// As a line of the results.
    #[must_use]
    pub fn json(&self) -> Value {
        let acts = self
            .acts
            .iter()
            .map(|a| json!({"node": a.node.name(), "action": a.action, "after": a.after, "ok": a.ok}));
        json!({
            "name": self.name,
            "guard": format!("{:?}", self.guard).to_lowercase(),
            "without": self.without,
            "back": self.back,
            "healing": self.healing,
            "down": self.down,
            "alarms": self.alarms,
            "acts": acts.collect::<Vec<_>>(),
            "moved": self.moved,
            "left": self.left,
        })
    }

    /// Back from such a line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(line).ok()?;
        let node = |v: &Value| Node::ALL.into_iter().find(|n| v == n.name());
        let act = |v: &Value| {
            Some(Act {
                node: node(&v["node"])?,
                action: v["action"].as_str()?.to_owned(),
                after: v["after"].as_f64()?,
                ok: v["ok"].as_bool()?,
            })
        };
        let words = |v: &Value| v.as_str().map(str::to_owned);
        Some(Self {
            name: words(&json["name"])?,
            guard: clap::ValueEnum::from_str(json["guard"].as_str()?, true).ok()?,
            without: json["without"].as_f64()?,
            back: json["back"].as_f64(),
            healing: json["healing"].as_f64()?,
            down: json["down"][0].as_f64().zip(words(&json["down"][1])),
            alarms: usize::try_from(json["alarms"].as_u64()?).ok()?,
            acts: json["acts"].as_array()?.iter().filter_map(act).collect(),
            moved: json["moved"].as_bool()?,
            left: json["left"].as_array()?.iter().filter_map(words).collect(),
        })
    }
}
