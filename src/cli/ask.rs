//! What the commands that talk to the daemon have in common: where it is, how it is asked, what is said if it is not there.
//!
//! Used by `check`, `status` and `order`.

use super::{Failure, exit};
use crate::config::{Config, DEFAULT_PATH, socket_in};
use crate::control::client::{self, Absent};
use crate::control::{Clock, Reason, Reply, Request};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How the daemon is found.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Where {
    /// The daemon's control socket, instead of that of the configuration
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Configuration that names the control socket; without one /etc/pfwatch.toml
    #[arg(short, long, value_name = "CONF")]
    config: Option<PathBuf>,
}

impl Where {
    /// The socket. A configuration that is wrong or missing is no reason not to look at the usual place.
    pub(super) fn socket(&self) -> PathBuf {
        let config = || self.config.as_deref().unwrap_or(Path::new(DEFAULT_PATH));
        self.socket.clone().unwrap_or_else(|| socket_in(config()))
    }

    /// The configuration that was named, or the usual one if there is one.
    pub(super) fn config(&self) -> Result<Option<Config>, Failure> {
        let path = match &self.config {
            Some(path) => path.as_path(),
            None if self.socket.is_none() && Path::new(DEFAULT_PATH).exists() => Path::new(DEFAULT_PATH),
            None => return Ok(None),
        };
        Config::load(path).map(Some).map_err(Failure::from)
    }
}

/// Why there is no answer: a sentence, and the exit code of a command that ends for it.
pub(super) struct NoAnswer {
    pub(super) text: String,
    pub(super) code: u8,
    /// No daemon listens there; one that hangs does.
    pub(super) nobody: bool,
}

impl NoAnswer {
    /// Says it, and gives the exit code.
    pub(super) fn report(self) -> u8 {
        tracing::error!("{}", self.text);
        self.code
    }

    /// It answered, but not what was asked.
    pub(super) fn strange() -> Self {
        let text = "the daemon answered something else: is it another version of pfwatch?";
        Self::new(exit::UNAVAILABLE, text)
    }

    fn new(code: u8, text: impl Into<String>) -> Self {
        let (text, nobody) = (text.into(), false);
        Self { text, code, nobody }
    }
}

/// Asks, and waits for the answer as long as the daemon may take and a moment.
pub(super) fn ask(place: &Where, request: &Request) -> Result<Vec<u8>, NoAnswer> {
    let (clock, socket) = (Clock::start(), place.socket());
    let until = clock.now() + request.patience() + Duration::from_secs(1);
    client::ask(&socket, request, &clock, until).map_err(|e| absent(&socket, &e))
}

/// The answer, understood; what is refused has its exit code.
pub(super) fn understand(line: &[u8]) -> Result<Reply, NoAnswer> {
    match serde_json::from_slice(line) {
        Ok(Reply::Refused { reason, text }) => {
            let code = match reason {
                Reason::Usage => exit::USAGE,
                Reason::Permission => exit::PERMISSION,
                Reason::Busy | Reason::Unable => exit::UNAVAILABLE,
            };
            Err(NoAnswer::new(code, text))
        }
        Ok(reply) => Ok(reply),
        Err(_) => {
            let text = "the daemon's answer cannot be understood: is it another version of pfwatch?";
            Err(NoAnswer::new(exit::UNAVAILABLE, text))
        }
    }
}

fn absent(socket: &Path, e: &Absent) -> NoAnswer {
    let path = socket.display();
    let text = match e {
        Absent::Nobody => {
            format!("no pfwatch answers on {path}: start `pfwatch run`, or name its socket with --socket or -c")
        }
        Absent::Denied => {
            format!("you may not use {path}: ask as root, or set `group` in [control] to a group of yours")
        }
        Absent::Late => format!("pfwatch does not answer on {path}: it may hang, so look at its log"),
        Absent::Garbled | Absent::Broken(_) => {
            format!("what answers on {path} does not speak as pfwatch does: name another socket with --socket")
        }
    };
    let code = match e {
        Absent::Denied => exit::PERMISSION,
        _ => exit::UNAVAILABLE,
    };
    NoAnswer {
        text,
        code,
        nobody: matches!(e, Absent::Nobody),
    }
}
