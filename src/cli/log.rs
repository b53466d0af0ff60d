//! What is said on the standard error: one line each, as text or as JSON.
//!
//! Started once by `cli`; everybody speaks through `tracing`. The lines of a command that somebody waits for carry the
//! program's name, as those of every other command do; `run` writes a log and brings a layout with times of its own.

mod sink;

pub(super) use sink::Sink;

use super::{Common, Format};
use std::fmt;
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, fmt as lines};
use tracing_subscriber::registry::LookupSpan;

/// As long as it is held, what was said reaches its place. None where whoever speaks waits until it does.
pub(super) type Held = Option<WorkerGuard>;

/// From now on messages go to the standard error or to syslog; `verbose` lets more of them through.
pub(super) fn start(common: &Common) -> Held {
    let level = match common.verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let sink = if common.syslog { Sink::Syslog } else { Sink::Stderr };
    let log = lines().with_writer(move || sink).with_ansi(false).with_max_level(level);
    // Fails only if there is a log already, which then goes on.
    let _ = match common.log_format {
        Format::Text => log.event_format(Sentence(sink)).try_init(),
        Format::Json => log.json().flatten_event(true).with_target(false).try_init(),
    };
    None
}

/// `pfwatch: what happened`.
struct Sentence(Sink);

impl<S, N> FormatEvent<S, N> for Sentence
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        match self.0.priority(*event.metadata().level()) {
            // syslog adds the name itself.
            Some(priority) => to.write_str(priority)?,
            None => to.write_str("pfwatch: ")?,
        }
        context.field_format().format_fields(to.by_ref(), event)?;
        writeln!(to)
    }
}
