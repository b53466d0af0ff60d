//! What became of everything that was done: in the log, in the snapshot, and as an answer to whoever ordered it.
//!
//! Kept by `acting`, and fed with each piece of news of the actor.

use super::super::journal::{Journal, say};
use crate::act::actor::{News, Task};
use crate::control::{Reason, Reply};
use crate::report::json;
use crate::status::ActionResult;
use crate::time::Timestamp;
use serde_json::json;
use std::collections::VecDeque;
use tracing::Level;

/// Results that are kept for the snapshot.
const KEPT: usize = 50;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// The last of them, oldest first, but for notifications that worked.
    last: VecDeque<ActionResult>,
    /// All that were not counted yet.
    fresh: Vec<ActionResult>,
}

impl Results {
    /// Says it and keeps it. Who is told of everything need not be told of, as long as that works.
    pub(super) fn note(&mut self, now: Timestamp, news: &News, journal: &Journal) {
        let at = json::seconds(journal.unix(now));
        let result = ActionResult {
            at,
            seq: match news.task {
                Task::Decision(_, seq) => seq,
                _ => 0,
            },
            action: news.task.as_str().into(),
            ok: news.ok,
            seconds: news.took.as_secs_f64(),
            text: news.text.clone(),
        };
        self.fresh.push(result.clone());
        if news.task == Task::Notify && news.ok {
            return;
        }
        self.last.push_back(result);
        if self.last.len() > KEPT {
            self.last.pop_front();
        }
        let level = if news.ok { Level::INFO } else { Level::WARN };
        let json = json!({
            "at": at,
            "action": news.task.as_str(),
            "ok": news.ok,
            "seconds": news.took.as_secs_f64(),
            "lines": news.lines,
        });
        say(level, &news.text, "result", json);
        for line in &news.lines {
            tracing::info!("{line}");
        }
    }

    /// What was not counted yet.
    pub(super) fn fresh(&mut self) -> Vec<ActionResult> {
        std::mem::take(&mut self.fresh)
    }

    pub(super) fn list(&self) -> Vec<ActionResult> {
        self.last.iter().cloned().collect()
    }
}

/// For whoever ordered it.
pub(super) fn reply(news: &News) -> Reply {
    let mut lines = vec![news.text.as_str()];
    lines.extend(news.lines.iter().map(String::as_str));
    let text = lines.join("\n");
    if news.ok {
        Reply::done(text)
    } else {
        Reply::refused(Reason::Unable, text)
    }
}
