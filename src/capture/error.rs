//! What can keep a source from going on, as sentences and as exit classes.
//!
//! Made by the sources under `capture`; shown by the command line, which also takes its exit code from
//! [`SourceError::class`]. Never carries the text of its cause: that is what `source()` is for.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Which exit code of sysexits(3) an error belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The input is damaged or not what it should be.
    Data,
    /// The input is not there.
    NoInput,
    /// The interface is not there, or the system refuses to capture on it.
    Unavailable,
    /// The user may not read it.
    Permission,
}

impl ErrorClass {
    /// The process exit code.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Data => 65,
            Self::NoInput => 66,
            Self::Unavailable => 69,
            Self::Permission => 77,
        }
    }
}

/// A source that cannot go on. Cheap to clone, because a file source keeps its problems and reports one of them too.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file does not exist.
    #[error("{path}: no such file", path = path.display())]
    Missing {
        /// As it was named.
        path: PathBuf,
    },
    /// The user may not read the file.
    #[error("{path}: permission denied: run this as a user who may read it", path = path.display())]
    Denied {
        /// As it was named.
        path: PathBuf,
    },
    /// A directory was named.
    #[error("{path} is a directory: name the capture files in it", path = path.display())]
    Directory {
        /// As it was named.
        path: PathBuf,
    },
    /// `-` can be read only once.
    #[error("the standard input is named twice: it can be read only once")]
    StdinTwice,
    /// Not one octet.
    #[error("{path} is empty: a capture has at least a file header", path = path.display())]
    Empty {
        /// As it was named.
        path: PathBuf,
    },
    /// No known magic number.
    #[error("{path} is not a capture: pcap and pcapng can be read, plain or compressed by gzip or zstd", path = path.display())]
    NotACapture {
        /// As it was named.
        path: PathBuf,
    },
    /// Frames of one interface are wanted of a file that does not tell interfaces apart.
    #[error("{path} does not tell interfaces apart, only pcapng does: leave @{interface} out", path = path.display())]
    NotPcapng {
        /// As it was named.
        path: PathBuf,
        /// What was asked for.
        interface: String,
    },
    /// A pcapng without the interface that is wanted.
    #[error("{path} has no interface {interface}: it has {known}", path = path.display())]
    NotInFile {
        /// As it was named.
        path: PathBuf,
        /// What was asked for.
        interface: String,
        /// Those that it has, separated by commas.
        known: String,
    },
    /// The file ends inside a record.
    #[error("{path} is cut: it ends inside a record, after {frames} whole frames", path = path.display())]
    Cut {
        /// As it was named.
        path: PathBuf,
        /// Frames that were delivered.
        frames: u64,
    },
    /// What was captured at the same time comes one after another.
    #[error(
        "{path} is not in the order of time: its interfaces (or sections) come one after another, and {frames} frames of the first \
         were read; put it in order with `reordercap`, or merge the captures with `mergecap` without -a",
        path = path.display()
    )]
    Unordered {
        /// As it was named.
        path: PathBuf,
        /// Frames that were delivered.
        frames: u64,
    },
    /// A record that cannot be.
    #[error("{path} is damaged at octet {offset}: {what}; {frames} frames before it were read", path = path.display())]
    Corrupt {
        /// As it was named.
        path: PathBuf,
        /// Frames that were delivered.
        frames: u64,
        /// Where in the (uncompressed) capture.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// The file could not be read on, or its compression is damaged.
    #[error("{path} could not be read on after {frames} frames", path = path.display())]
    Read {
        /// As it was named.
        path: PathBuf,
        /// Frames that were delivered.
        frames: u64,
        /// What the system or the decompressor says.
        #[source]
        source: Arc<io::Error>,
    },
    /// The system does not let us capture.
    #[error(
        "may not capture on {interface}: run as root, with CAP_NET_RAW on Linux, or in the group of /dev/bpf on BSD"
    )]
    CaptureDenied {
        /// Its name.
        interface: String,
    },
    /// No such interface.
    #[error("there is no interface {interface}: this host has {known}")]
    NoInterface {
        /// As it was named.
        interface: String,
        /// Those that exist, separated by commas.
        known: String,
    },
    /// Anything else about an interface.
    #[error("cannot capture on {interface}: {said}")]
    Interface {
        /// Its name.
        interface: String,
        /// In libpcap's words.
        said: String,
    },
}

impl SourceError {
    /// Which exit code this error belongs to.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Missing { .. } | Self::Directory { .. } | Self::StdinTwice => ErrorClass::NoInput,
            Self::Denied { .. } | Self::CaptureDenied { .. } => ErrorClass::Permission,
            Self::NoInterface { .. } | Self::Interface { .. } => ErrorClass::Unavailable,
            Self::Empty { .. }
            | Self::NotACapture { .. }
            | Self::NotPcapng { .. }
            | Self::NotInFile { .. }
            | Self::Cut { .. }
            | Self::Unordered { .. }
            | Self::Corrupt { .. }
            | Self::Read { .. } => ErrorClass::Data,
        }
    }
}
