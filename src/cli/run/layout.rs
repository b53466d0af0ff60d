//! How a line of the log looks: a time and a sentence, or one JSON object.
//!
//! Started once by `cli` in place of the layout of the other commands. A thread writes it, so that whoever does not read
//! the log holds up nobody: what cannot be written in time is dropped. Events bring their object with them in a field
//! `json`; every other line becomes an object of the event `message`. Reads the wall clock, as a log does: what is
//! logged about traffic carries its own time, from the source.

use super::super::log::{Held, Sink};
use super::super::{Common, Format};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use std::fmt::{self, Write as _};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::NonBlockingBuilder;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, fmt as lines};
use tracing_subscriber::registry::LookupSpan;

/// So many lines may wait for whoever reads the log; the rest is dropped.
const WAITING: usize = 4096;

/// From now on messages go to the log, with times. A log tells what happened even if nobody asked for more.
pub(in crate::cli) fn start(common: &Common) -> Held {
    let level = if common.verbose > 1 { Level::DEBUG } else { Level::INFO };
    let sink = if common.syslog { Sink::Syslog } else { Sink::stderr() };
    let layout = Layout {
        format: common.log_format,
        zone: common.zone(),
        sink,
    };
    let builder = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING);
    let (writer, held) = builder.thread_name("log").finish(sink);
    let log = lines().with_writer(writer).with_ansi(false).with_max_level(level);
    // A watchdog goes on when whoever reads its log does not.
    let log = log.log_internal_errors(false);
    // Fails only if there is a log already, which then goes on.
    let _ = log.event_format(layout).try_init();
    Some(held)
}

/// To the millisecond, with the offset from UTC.
pub(super) fn time(at: Timestamp, zone: &TimeZone) -> String {
    let how = if *zone == TimeZone::UTC {
        "%Y-%m-%dT%H:%M:%S%.3fZ"
    } else {
        "%Y-%m-%dT%H:%M:%S%.3f%:z"
    };
    at.to_zoned(zone.clone()).strftime(how).to_string()
}

struct Layout {
    format: Format,
    zone: TimeZone,
    sink: Sink,
}

impl<S, N> FormatEvent<S, N> for Layout
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line::default();
        event.record(&mut line);
        let (now, level) = (Timestamp::now(), *event.metadata().level());
        let priority = self.sink.priority(level);
        to.write_str(priority.unwrap_or_default())?;
        match self.format {
            Format::Text => {
                let level = match level {
                    Level::ERROR => "error: ",
                    Level::WARN => "warning: ",
                    _ => "",
                };
                if priority.is_none() {
                    // Whoever is told the priority writes down the time himself.
                    write!(to, "{} ", time(now, &self.zone))?;
                }
                writeln!(to, "{level}{}", line.text)
            }
            Format::Json if !line.json.is_empty() => writeln!(to, "{}", line.json),
            Format::Json => {
                let at = now.as_microsecond();
                #[expect(clippy::cast_precision_loss, reason = "Unix times in microseconds fit into an f64")]
                let at = at as f64 / 1e6;
                let level = level.as_str().to_lowercase();
                writeln!(
                    to,
                    "{}",
                    json!({"event": "message", "at": at, "level": level, "text": line.text})
                )
            }
        }
    }
}

/// The two fields that our lines have.
#[derive(Default)]
struct Line {
    text: String,
    json: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let to = match field.name() {
            "message" => &mut self.text,
            "json" => &mut self.json,
            _ => return,
        };
        // Writing to a String cannot fail.
        let _ = write!(to, "{value:?}");
    }
}
