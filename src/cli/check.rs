//! `pfwatch check`: yes or no, for programs that act on the exit code and stand still until they have it.
//!
//! Exit codes 0 and 1 alone, nothing on any output without -v, and an answer within 50 ms whatever happens: another thread
//! finds the socket and asks, this one only waits.

use super::ask::Where;
use super::exit;
use crate::control::client::converse;
use crate::control::protocol::Verdict;
use crate::control::{Clock, Reply, Request};
use std::ffi::OsString;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// ifstated stands still that long.
const DEADLINE: Duration = Duration::from_millis(50);

/// Arguments.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Is this node fit? 1 only while it is down on a critical path
    #[arg(long, value_name = "NAME", conflicts_with = "me")]
    node: Option<String>,
    /// Is this node fit, the one that pfwatch runs beside? 1 while a probe about it fails or it is demoted; the default
    #[arg(long = "self")]
    me: bool,
    /// The exit code where no daemon answers; a dead watchdog must not demote a firewall
    #[arg(long, value_enum, value_name = "ok|fail", default_value_t = Unreachable::Ok)]
    on_unreachable: Unreachable,
    /// 1 for yes and 0 for no, as relayd wants it
    #[arg(long)]
    invert: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Unreachable {
    Ok,
    Fail,
}

/// Runs.
pub(super) fn run(args: &Args) -> u8 {
    let clock = Clock::start();
    let until = clock.now() + DEADLINE;
    let (place, request) = (
        args.place.clone(),
        Request::Check {
            node: args.node.clone(),
        },
    );
    let (tell, told) = channel();
    let asks = move || {
        let reply = converse(&place.socket(), &request, &clock, until);
        // Too late: nobody waits any more.
        let _ = tell.send(reply);
    };
    let reply = match thread::Builder::new().spawn(asks) {
        Ok(_) => told.recv_timeout(until.since(clock.now())).ok(),
        Err(_) => None,
    };
    let fit = match reply {
        Some(Ok(Reply::Check { answer, text })) => {
            // A typing mistake in somebody's configuration, which he would never find otherwise.
            if answer == Verdict::NoSuchNode {
                tracing::error!("{text}");
            } else {
                tracing::info!("{text}");
            }
            match answer {
                Verdict::Ok => Some(true),
                Verdict::Fail => Some(false),
                Verdict::Stuck | Verdict::NoSuchNode => None,
            }
        }
        Some(Ok(_)) => {
            tracing::info!("the daemon does not understand the question: is it another version of pfwatch?");
            None
        }
        Some(Err(e)) => {
            tracing::info!("the daemon cannot be asked: {e}");
            None
        }
        None => {
            tracing::info!("no answer came in time");
            None
        }
    };
    code(fit, args.on_unreachable == Unreachable::Ok, args.invert)
}

/// What cannot be known is what the caller wants it to be; `invert` comes last.
fn code(fit: Option<bool>, otherwise: bool, invert: bool) -> u8 {
    if fit.unwrap_or(otherwise) == invert {
        exit::NEGATIVE
    } else {
        exit::OK
    }
}

/// The exit code after a mistake in the arguments, if this is the command that they are for: a caller that knows only two
/// codes must get the one that he asked for, as far as that can be read.
pub(super) fn misused(arguments: &[OsString]) -> Option<u8> {
    let words: Vec<&str> = arguments
        .iter()
        .skip(1)
        .map(|a| a.to_str().unwrap_or_default())
        .collect();
    let with_value = |w: &str| w == "--log-format";
    let mut rest = words.iter().enumerate();
    let command = rest.find(|(i, w)| !(w.starts_with('-') || *i > 0 && with_value(words[i - 1])));
    if command.is_none_or(|(_, w)| *w != "check") {
        return None;
    }
    let wants_fail = |(i, w): (usize, &&str)| {
        *w == "--on-unreachable=fail" || (*w == "--on-unreachable" && words.get(i + 1) == Some(&"fail"))
    };
    let fail = words.iter().enumerate().any(wants_fail);
    Some(code(None, !fail, words.contains(&"--invert")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_wrong_is_a_no() {
        let table = [
            (Some(true), true, 0),
            (Some(true), false, 0),
            (Some(false), true, 1),
            (Some(false), false, 1),
            (None, true, 0),
            (None, false, 1),
        ];
        for (fit, otherwise, expected) in table {
            assert_eq!(code(fit, otherwise, false), expected, "{fit:?} {otherwise}");
            assert_eq!(
                code(fit, otherwise, true),
                1 - expected,
                "{fit:?} {otherwise}, inverted"
            );
        }
    }

    #[test]
    fn mistakes_in_the_arguments_are_as_unreachable() {
        let table = [
            ("pfwatch check --nod fw2", Some(0)),
            ("pfwatch check --nod fw2 --on-unreachable fail", Some(1)),
            ("pfwatch check --nod fw2 --on-unreachable=fail", Some(1)),
            ("pfwatch check --nod fw2 --invert", Some(1)),
            ("pfwatch check --nod fw2 --on-unreachable fail --invert", Some(0)),
            ("pfwatch -v --log-format json check --x", Some(0)),
            ("pfwatch --log-format check statsu", None),
            ("pfwatch statsu", None),
            ("pfwatch", None),
        ];
        for (line, expected) in table {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(misused(&arguments), expected, "{line}");
        }
    }
}
