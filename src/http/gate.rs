//! What a connection must bring: TLS and users, as the web configuration file has them.
//!
//! The file and those it names are looked at again while connections come, so that a renewed certificate or a changed password
//! needs no restart. A file that is wrong later changes nothing; that is said once.

use super::tls::{self, TlsError};
use super::web_config::{WebConfig, WebConfigError};
use axum::http::{HeaderName, HeaderValue};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(5);

/// The web configuration is not right.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The file.
    #[error("{}: {why}", path.display())]
    Config {
        /// Which.
        path: PathBuf,
        /// What.
        why: WebConfigError,
    },
    /// A certificate or a key.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Users with their hashes.
pub(super) type Users = Arc<BTreeMap<String, String>>;

/// See the module.
pub(super) struct Gate {
    path: Option<PathBuf>,
    now: Mutex<Now>,
}

struct Now {
    rules: Rules,
    looked: Option<Instant>,
    /// What was wrong, to say it once.
    wrong: Option<String>,
}

/// What holds.
#[derive(Clone, Default)]
struct Rules {
    read: Vec<Vec<u8>>,
    tls: Option<TlsAcceptor>,
    users: Users,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Gate {
    /// Reads everything for the first time; without a file, everybody may come in.
    pub(super) fn open(path: Option<&Path>) -> Result<Arc<Self>, GateError> {
        let rules = match path {
            Some(path) => Rules::read(path)?,
            None => Rules::default(),
        };
        let now = Now {
            rules,
            looked: None,
            wrong: None,
        };
        Ok(Arc::new(Self {
            path: path.map(Path::to_owned),
            now: Mutex::new(now),
        }))
    }

    /// Looks whether the files changed, if that was not done a moment ago.
    pub(super) fn look(&self) {
        let Some(path) = &self.path else { return };
        let mut now = self.now();
        if now.looked.is_some_and(|t| t.elapsed() < LOOK) {
            return;
        }
        now.looked = Some(Instant::now());
        match Rules::read(path) {
            Ok(rules) => {
                if rules.read != now.rules.read {
                    now.rules = rules;
                    tracing::info!("the web configuration was read anew: {}", path.display());
                }
                now.wrong = None;
            }
            Err(e) => {
                let said = e.to_string();
                if now.wrong.as_ref() != Some(&said) {
                    tracing::warn!("{said}; the web server goes on with what it read before");
                }
                now.wrong = Some(said);
            }
        }
    }

    pub(super) fn tls(&self) -> Option<TlsAcceptor> {
        self.now().rules.tls.clone()
    }

    pub(super) fn users(&self) -> Users {
        Arc::clone(&self.now().rules.users)
    }

    pub(super) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        self.now().rules.headers.clone()
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rules {
    fn read(path: &Path) -> Result<Self, GateError> {
        let failed = |why| GateError::Config {
            path: path.to_owned(),
            why,
        };
        let text = fs::read(path).map_err(|e| failed(WebConfigError::read(&e)))?;
        let config = WebConfig::parse(&text).map_err(failed)?;
        let mut read = vec![text];
        let tls = match &config.tls {
            Some(tls) => {
                let folder = path.parent().unwrap_or(Path::new(""));
                let files = tls::Files::read(tls, folder)?;
                let acceptor = tls::acceptor(tls, &files)?;
                read.extend(files.into_contents());
                Some(acceptor)
            }
            None => None,
        };
        Ok(Self {
            read,
            tls,
            users: Arc::new(config.users),
            headers: config.headers,
        })
    }
}
