//! What is said on the standard error: one line each, as text or as JSON.
//!
//! Started once by `cli`; everybody speaks through `tracing`. The lines of a command that somebody waits for carry the
//! program's name, as those of every other command do; `run` writes a log and brings a layout with times of its own.

use super::Format;
use std::fmt;
use std::io;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, fmt as lines};
use tracing_subscriber::registry::LookupSpan;

/// From now on messages go to the standard error; `verbose` lets more of them through.
pub(super) fn start(format: Format, verbose: u8) {
    let level = match verbose {
        0 => Level::WARN,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    let log = lines().with_writer(io::stderr).with_ansi(false).with_max_level(level);
    // Fails only if there is a log already, which then goes on.
    let _ = match format {
        Format::Text => log.event_format(Sentence).try_init(),
        Format::Json => log.json().flatten_event(true).with_target(false).try_init(),
    };
}

/// `pfwatch: what happened`.
struct Sentence;

impl<S, N> FormatEvent<S, N> for Sentence
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        to.write_str("pfwatch: ")?;
        context.field_format().format_fields(to.by_ref(), event)?;
        writeln!(to)
    }
}
