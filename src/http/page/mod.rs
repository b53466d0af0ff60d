//! The live page: one sentence about the pair, then its firewalls, paths, segments, what happened and what would happen next.
//!
//! Made by the server from a snapshot, so that it says the same with scripts and without; the script only asks again each
//! second and puts in what changed. Brings everything along and loads nothing. Shows nothing that is not known.

mod chart;
mod html;
mod nodes;
mod paths;
mod rest;
mod verdict;
mod words;

use super::tls::sha256;
use crate::status::Status;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use html::Html;
use jiff::tz::TimeZone;
use words::Words;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("live.js");

/// What is shown, and how times are told.
pub(super) struct View {
    status: Status,
    words: Words,
    telemetry: String,
}

impl View {
    /// Of a snapshot that says itself how old it is.
    pub(super) fn new(status: Status, zone: TimeZone, telemetry: &str) -> Self {
        Self {
            words: Words::new(zone, status.at, status.age),
            status,
            telemetry: telemetry.to_owned(),
        }
    }
}

/// What a browser may do with the page: run this script, use this style, and ask this server.
pub(super) fn policy() -> String {
    let hash = |text: &str| match sha256(text.as_bytes()) {
        Some(hash) => format!("'sha256-{}'", STANDARD.encode(hash)),
        None => "'none'".into(),
    };
    format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
}

/// The whole document.
pub(super) fn whole(view: &View) -> String {
    let mut out = Html::default();
    out.raw(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n<title>",
    );
    out.text(&verdict::title(view));
    out.raw("</title>\n<style>")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n");
    out.raw("<p id=\"lost\" role=\"alert\" hidden></p>\n");
    out.raw(&live(view));
    out.raw("<footer><a href=\"");
    out.text(view.telemetry.trim_start_matches('/'));
    out.raw("\">metrics</a> <a href=\"status\">status as JSON</a> <span>pfwatch only reads here: nothing on this page changes anything.");
    out.raw("</span></footer>\n<script>")
        .raw(SCRIPT)
        .raw("</script>\n</body>\n</html>\n");
    out.done()
}

/// The part that changes.
pub(super) fn live(view: &View) -> String {
    let mut out = Html::default();
    out.raw("<main data-title=\"");
    out.text(&verdict::title(view));
    out.raw("\">\n");
    verdict::write(view, &mut out);
    nodes::write(view, &mut out);
    paths::write(view, &mut out);
    rest::segments(view, &mut out);
    rest::next(view, &mut out);
    rest::story(view, &mut out);
    rest::sensor(view, &mut out);
    out.raw("</main>\n");
    out.done()
}
