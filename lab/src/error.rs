//! What can go wrong in the laboratory, in sentences that help.

use std::path::PathBuf;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A system call.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// libpcap.
    #[error("capture: {0}")]
    Capture(#[from] pcap::Error),
    /// Waiting.
    #[error("poll: {0}")]
    Poll(nix::errno::Errno),
    /// There is no such interface.
    #[error("interface {name}: {source}; is this run inside the namespace of a firewall?")]
    Interface {
        /// Which.
        name: String,
        /// Why.
        source: nix::errno::Errno,
    },
    /// A program did not do what it was asked for.
    #[error("`{command}` failed: {said}")]
    Program {
        /// As somebody would type it.
        command: String,
        /// What it wrote, or why it could not be started.
        said: String,
    },
    /// A file.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something that must happen did not.
    #[error("after {seconds} s still not: {what}; what was said is in {}", log.display())]
    Never {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// Where the logs are.
        log: PathBuf,
    },
    /// Somebody else builds there.
    #[error("another pfwatch-lab uses {}; end it, or choose another --tag", folder.display())]
    Busy {
        /// Where.
        folder: PathBuf,
    },
    /// A signal.
    #[error("ended by a signal")]
    Ended,
    /// The laboratory cannot be built here.
    #[error("{0}")]
    Missing(String),
}
