//! `pfwatch status`: what the daemon knows, once or again and again.
//!
//! Asks the daemon; how it looks is the business of `report`. On a terminal `--watch` draws over itself, on a screen of its
//! own that is gone afterwards; elsewhere one page follows the other.

use super::ask::{Where, ask, understand};
use super::look::look;
use super::output::{Stream, Target};
use super::{Common, Failure, Format, exit};
use crate::control::{Reply, Request, pause};
use crate::report::text::status;
use serde_json::Value;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(1);
/// Another screen, without a cursor, and back.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// To the top; the rest of each line and of the screen is cleared after the new text stands, so that nothing flickers.
const TOP: &str = "\x1b[H";
const REST_OF_LINE: &str = "\x1b[K\n";
const REST: &str = "\x1b[J";

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// For eyes, or everything as one JSON object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Again each second, until a key such as Ctrl-C ends it
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    place: Where,
}

/// Runs.
pub(super) fn run(args: &Args, common: &Common) -> Result<u8, Failure> {
    if args.watch {
        return watch(args, common);
    }
    match page(args, common) {
        Ok(page) => {
            Target::Stdout.write(&page)?;
            Ok(exit::OK)
        }
        Err(code) => Ok(code),
    }
}

/// One answer of the daemon, ready to be written.
fn page(args: &Args, common: &Common) -> Result<String, u8> {
    let line = ask(&args.place, &Request::Status)?;
    let reply = understand(&line)?;
    match (args.format, reply) {
        (Format::Text, Reply::Status { status }) => Ok(status::render(&status, &look(&Target::Stdout, common.zone()))),
        // As the daemon wrote it: a newer one knows more than we do.
        (Format::Json, Reply::Status { .. }) => {
            let mut whole: Value = serde_json::from_slice(&line).unwrap_or_default();
            Ok(format!("{}\n", whole["status"].take()))
        }
        _ => {
            tracing::error!("the daemon answered something else: is it another version of pfwatch?");
            Err(exit::UNAVAILABLE)
        }
    }
}

fn watch(args: &Args, common: &Common) -> Result<u8, Failure> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Without it the screen would stay as it is: a nuisance, and no reason not to look.
        let _ = signal_hook::flag::register(signal, Arc::clone(&ended));
    }
    let dumb = env::var_os("TERM").is_none_or(|t| t == "dumb" || t.is_empty());
    let draws = Target::Stdout.is_terminal() && args.format == Format::Text && !dumb;
    let write = |text: &str| Stream::flush(&mut text.as_bytes().to_vec());
    if draws {
        write(ENTER)?;
    }
    let result = loop {
        let text = match page(args, common) {
            Ok(page) if draws => format!("{TOP}{}{REST}", page.replace('\n', REST_OF_LINE)),
            Ok(page) if args.format == Format::Text => format!("{page}\n"),
            Ok(page) => page,
            Err(code) => break Ok(code),
        };
        if let Err(e) = write(&text) {
            break Err(e);
        }
        // A signal ends the pause.
        pause(EVERY);
        if ended.load(Ordering::Relaxed) {
            break Ok(exit::OK);
        }
    };
    if draws {
        write(LEAVE)?;
    }
    result
}
