//! `pfwatch status`: what the daemon knows, once or, with `--watch`, again and again.
//!
//! Asks the daemon; how it looks is the business of `report`, and how it is looked at for long that of `watch`.

use super::ask::{NoAnswer, Where, ask, understand};
use super::look::look;
use super::output::Target;
use super::{Common, Failure, Format, exit, watch};
use crate::control::{Reply, Request};
use crate::report::text::status;
use serde_json::Value;

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// For eyes, or everything as one JSON object
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Again each second: on a terminal a live view, which q ends; elsewhere one page after the other
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    place: Where,
}

/// Runs.
pub(super) fn run(args: &Args, common: &Common) -> Result<u8, Failure> {
    if args.watch && args.format == Format::Text && watch::can_draw() {
        return watch::live(&args.place, common);
    }
    if args.watch {
        return watch::pages(args.format, || page(args, common));
    }
    match page(args, common) {
        Ok(page) => {
            Target::Stdout.write(&page)?;
            Ok(exit::OK)
        }
        Err(no) => Ok(no.report()),
    }
}

/// One answer of the daemon, ready to be written.
fn page(args: &Args, common: &Common) -> Result<String, NoAnswer> {
    let line = ask(&args.place, &Request::Status)?;
    let reply = understand(&line)?;
    match (args.format, reply) {
        (Format::Text, Reply::Status { status }) => Ok(status::render(&status, &look(&Target::Stdout, common.zone()))),
        // As the daemon wrote it: a newer one knows more than we do.
        (Format::Json, Reply::Status { .. }) => {
            let mut whole: Value = serde_json::from_slice(&line).unwrap_or_default();
            Ok(format!("{}\n", whole["status"].take()))
        }
        _ => Err(NoAnswer::strange()),
    }
}
