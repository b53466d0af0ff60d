//! What signals ask of the daemon, as flags that its loop looks at.
//!
//! Made once by `run`, before anything that takes time.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What we were asked to do since we last looked.
pub(super) struct Signals {
    pub(super) end: Arc<AtomicBool>,
    pub(super) reload: Arc<AtomicBool>,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        let signals = Self {
            end: Arc::default(),
            reload: Arc::default(),
        };
        for (signal, flag) in [
            (SIGTERM, &signals.end),
            (SIGINT, &signals.end),
            (SIGHUP, &signals.reload),
        ] {
            signal_hook::flag::register(signal, Arc::clone(flag))?;
        }
        Ok(signals)
    }
}
