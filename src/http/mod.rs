//! The web server: the live page, the metrics, the snapshot as JSON, and whether the daemon is well.
//!
//! Started by `run`, in one thread with a runtime of its own. It reads what hangs on the board and nothing else: however many
//! ask, and however slowly they read, the loop that detects never hears of them. Read-only: nothing that is sent to it changes
//! anything. TLS and passwords are those of the web configuration file that Prometheus' own exporters have.

mod answers;
mod auth;
mod gate;
mod page;
mod server;
#[cfg(test)]
mod tests;
mod tls;
mod web_config;

use crate::status::board::Board;
use crate::time::Timestamp;
pub use answers::{TelemetryPath, TelemetryPathError};
pub use gate::GateError;
use jiff::tz::TimeZone;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;

/// What it needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// Where the metrics are.
    pub telemetry_path: TelemetryPath,
    /// Web configuration: TLS and users.
    pub config_file: Option<PathBuf>,
}

/// Where the answers come from.
#[derive(Clone)]
pub struct Source {
    /// The snapshot.
    pub board: Arc<Board>,
    /// The clock by which the board says how old it is.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// For times on the page.
    pub zone: TimeZone,
}

/// Why nobody is served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Another program listens there, or this host has no such address.
    #[error("cannot listen on {address}: set another address in [web] or with --web.listen-address")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The web configuration file, or a file that it names.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The system has no room for a thread or a runtime.
    #[error("cannot start the web server")]
    Start(#[source] io::Error),
}

/// Serves until it is dropped.
#[derive(Debug)]
pub struct Web {
    addresses: Vec<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Web {
    /// Listens and serves.
    ///
    /// # Errors
    /// It cannot listen on one of the addresses, or the web configuration is not right.
    pub fn start(options: &Options, source: Source) -> Result<Self, WebError> {
        let gate = gate::Gate::open(options.config_file.as_deref())?;
        let mut listeners = Vec::new();
        for &address in &options.listen {
            let failed = |source| WebError::Listen { address, source };
            let listener = TcpListener::bind(address).map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            listeners.push(listener);
        }
        let addresses = listeners.iter().filter_map(|l| l.local_addr().ok()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Passwords are looked at one after the other.
            .max_blocking_threads(1)
            .thread_name("web-password")
            .build()
            .map_err(WebError::Start)?;
        let router = answers::router(source, &options.telemetry_path, &gate);
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            runtime.block_on(server::serve(listeners, gate, router, stopped));
            // Whoever is still looking at a password is not waited for.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("web".into()).spawn(serve);
        Ok(Self {
            addresses,
            stop: Some(stop),
            thread: Some(thread.map_err(WebError::Start)?),
        })
    }

    /// Where it really listens, if port 0 was asked for.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // It waits for nobody.
            let _ = thread.join();
        }
    }
}
