//! The page, the metrics and the textfile: what the arguments and [web] ask for, opened at the start and moved at a reload.
//!
//! Asked by the loop. Who detects must not end because nobody can look: a port that is taken is a warning, unless it was named
//! on the command line. But a web configuration that is wrong ends the start, for it says what is to be protected.

use super::super::exit;
use super::super::failure::sentence;
use crate::config;
use crate::control::Clock;
use crate::http::{Options, Source, TelemetryPath, Web, WebError};
use crate::metrics::textfile::{Textfile, TextfileError};
use crate::status::board::Board;
use jiff::tz::TimeZone;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments, called as other exporters call them.
#[derive(clap::Args, Debug)]
pub(super) struct Flags {
    /// Where the page and the metrics are served, instead of `listen` in [web]; may be given several times
    #[arg(long = "web.listen-address", value_name = "ADDRESS", value_parser = address)]
    listen: Vec<Listen>,
    /// Where the metrics are
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics")]
    telemetry_path: TelemetryPath,
    /// TLS and users, as in the web configuration of Prometheus' exporters
    #[arg(long = "web.config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
    /// Also write the metrics into this directory, for the textfile collector of node_exporter
    #[arg(long, value_name = "DIR")]
    textfile: Option<PathBuf>,
}

/// What one argument asks for.
#[derive(Clone, Debug)]
struct Listen(Vec<SocketAddr>);

/// As exporters have it: `:10240` is every address of this host.
fn address(text: &str) -> Result<Listen, String> {
    let all = |port| {
        let six = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        // On Linux a socket of IPv6 hears both, on the BSDs it does not.
        if cfg!(target_os = "linux") {
            vec![six]
        } else {
            vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)), six]
        }
    };
    let parsed = match text.strip_prefix(':') {
        Some(port) => port.parse().ok().map(all),
        None => text.parse().ok().map(|one| vec![one]),
    };
    let wanted = "write an address with a port such as 127.0.0.1:10240, [::1]:10240 or :10240";
    parsed.map(Listen).ok_or_else(|| wanted.into())
}

impl Flags {
    fn options(&self, web: &config::Web) -> Options {
        Options {
            listen: if self.listen.is_empty() {
                web.listen.clone()
            } else {
                self.listen.iter().flat_map(|l| l.0.iter().copied()).collect()
            },
            telemetry_path: self.telemetry_path.clone(),
            config_file: self.config_file.clone(),
        }
    }
}

/// Why nothing starts.
pub(super) enum NoWeb {
    Web(WebError),
    Textfile(TextfileError),
}

impl NoWeb {
    /// Says it and returns the exit code.
    pub(super) fn report(&self) -> u8 {
        let (text, code) = match self {
            Self::Web(e @ WebError::Gate(_)) => (sentence(e), exit::CONFIG),
            Self::Web(e) => (sentence(e), exit::UNAVAILABLE),
            Self::Textfile(e) => (sentence(e), exit::UNAVAILABLE),
        };
        tracing::error!("{text}");
        code
    }
}

/// See the module.
pub(super) struct Outlets {
    source: Source,
    options: Options,
    web: Option<Web>,
    _textfile: Option<Textfile>,
}

impl Outlets {
    /// Opens what is asked for.
    pub(super) fn open(
        flags: &Flags,
        config: &config::Web,
        (board, clock): (Arc<Board>, Clock),
        zone: TimeZone,
    ) -> Result<Self, NoWeb> {
        let source = Source {
            board: Arc::clone(&board),
            now: Arc::new(move || clock.now()),
            zone,
        };
        let options = flags.options(config);
        let web = match start(&options, &source) {
            Ok(web) => web,
            Err(e @ WebError::Listen { .. }) if flags.listen.is_empty() => {
                tracing::warn!("{}; the page and the metrics are not served", sentence(&e));
                None
            }
            Err(e) => return Err(NoWeb::Web(e)),
        };
        let write = |folder: &PathBuf| {
            let trouble = |e: &TextfileError| tracing::warn!("{}; it is tried again", sentence(e));
            Textfile::start(folder, move || board.status(clock.now()), trouble)
        };
        let textfile = flags
            .textfile
            .as_ref()
            .map(write)
            .transpose()
            .map_err(NoWeb::Textfile)?;
        Ok(Self {
            source,
            options,
            web,
            _textfile: textfile,
        })
    }

    /// The configuration was loaded anew. If what it asks for cannot be had, all stays as it was.
    pub(super) fn move_to(&mut self, flags: &Flags, config: &config::Web) {
        let options = flags.options(config);
        if options == self.options && (self.web.is_some() || options.listen.is_empty()) {
            return;
        }
        // Its own ports would keep it out.
        self.web = None;
        match start(&options, &self.source) {
            Ok(web) => (self.web, self.options) = (web, options),
            Err(e) => {
                tracing::warn!("{}", sentence(&e));
                self.web = start(&self.options, &self.source).unwrap_or_default();
            }
        }
    }
}

fn start(options: &Options, source: &Source) -> Result<Option<Web>, WebError> {
    if options.listen.is_empty() {
        return Ok(None);
    }
    let web = Web::start(options, source.clone())?;
    for address in web.addresses() {
        tracing::info!("serving the page and the metrics on {address}");
    }
    Ok(Some(web))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_those_of_exporters() {
        let table = [
            ("127.0.0.1:10240", Some("127.0.0.1:10240")),
            (":10240", Some("[::]:10240")),
            ("[::1]:9100", Some("[::1]:9100")),
            ("localhost:9100", None),
            ("10240", None),
            (":70000", None),
        ];
        for (text, expected) in table {
            let last = address(text).ok().and_then(|l| l.0.last().map(ToString::to_string));
            assert_eq!(last.as_deref(), expected, "{text}");
        }
    }
}
