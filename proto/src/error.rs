//! Why octets were refused.
//!
//! Made by the decoder (and by IP layers above it, for the kinds that belong to them), counted by whoever listens.
//! Small and `Copy`, so that a flood of damaged frames costs nothing; never carries the frame.
//!
//! What is refused must not be used, for no receiver uses it. That alone is no sign of an attack: some of it legitimate
//! senders send ([`DecodeError::damage`] is false):
//!  * versions and actions that we do not know: a newer pf, or another system's;
//!  * `PFTM_PURGE` and `PFTM_UNLINKED`, the timeouts of states on their way out, which OpenBSD announces and no receiver
//!    takes, and a few numbers above them, where newer kernels add (FreeBSD 14 added five for SCTP);
//!  * address families that we have no name for: each system numbers its own;
//!  * full states shorter than today's in version 6, as early releases may send;
//!  * a wrong TTL, fragments, what the snapshot length cut: the network and whoever captured, not the sender.
//!
//! Lengths that contradict each other, peer states and directions beyond the kernel's, frames shorter than a header: no
//! kernel of any version sends these.

use core::fmt;

/// What is wrong, in the words of `netstat -s -p pfsync` (`struct pfsyncstats`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    /// Shorter than the header.
    Hdrops,
    /// A version that nobody speaks.
    Badver,
    /// A length that does not fit: `ph.len`, a count, a cut section, a message shorter than its struct.
    Badlen,
    /// An action code that this version does not have, or that no receiver accepts.
    Badact,
    /// A value that receivers reject.
    Badval,
    /// IP layer: TTL or hop limit is not 255.
    Badttl,
    /// IP layer: pfsync and CARP are never fragmented.
    Fragment,
}

impl ErrorKind {
    /// Every kind, for counters that shall show zeros too.
    pub const ALL: [Self; 7] = [
        Self::Hdrops,
        Self::Badver,
        Self::Badlen,
        Self::Badact,
        Self::Badval,
        Self::Badttl,
        Self::Fragment,
    ];

    /// The label in outputs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hdrops => "hdrops",
            Self::Badver => "badver",
            Self::Badlen => "badlen",
            Self::Badact => "badact",
            Self::Badval => "badval",
            Self::Badttl => "badttl",
            Self::Fragment => "fragment",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One refusal: what, where, and a few words for a human.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where: octets from the start of the pfsync or CARP payload.
    pub offset: u32,
    /// Why, lower case, without the offset.
    pub detail: &'static str,
    /// No kernel sends this; see the module.
    pub damage: bool,
}

impl DecodeError {
    /// An error at `offset`, damage if all of its kind is. Offsets beyond `u32` (no datagram is that long) saturate.
    #[must_use]
    #[cold]
    pub fn new(kind: ErrorKind, offset: usize, detail: &'static str) -> Self {
        Self {
            kind,
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            detail,
            damage: matches!(kind, ErrorKind::Hdrops | ErrorKind::Badlen | ErrorKind::Badval),
        }
    }

    /// The same, where a legitimate sender may be behind it if `lawful`.
    #[must_use]
    pub const fn unless(self, lawful: bool) -> Self {
        Self {
            damage: self.damage && !lawful,
            ..self
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {}: {}", self.kind, self.offset, self.detail)
    }
}

impl core::error::Error for DecodeError {}
