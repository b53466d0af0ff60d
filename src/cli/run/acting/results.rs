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

/// The last of them, oldest first.
#[derive(Debug, Default)]
pub(super) struct Results(VecDeque<ActionResult>);

impl Results {
    /// Says it and keeps it. Who is told of everything need not be told of, as long as that works.
    pub(super) fn note(&mut self, now: Timestamp, news: &News, journal: &Journal) {
        if news.task == Task::Notify && news.ok {
            return;
        }
        let at = json::seconds(journal.unix(now));
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
        self.0.push_back(ActionResult {
            at,
            seq: match news.task {
                Task::Decision(_, seq) => seq,
                _ => 0,
            },
            action: news.task.as_str().into(),
            ok: news.ok,
            seconds: news.took.as_secs_f64(),
            text: news.text.clone(),
        });
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    pub(super) fn list(&self) -> Vec<ActionResult> {
        self.0.iter().cloned().collect()
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
