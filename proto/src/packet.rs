//! A pfsync payload as a whole: its header, and the walk over its sections.
//!
//! Called by whoever has the payload of an IP datagram with protocol 240 in hand. After [`Packet::new_checked`] no
//! accessor fails; the walk yields what is readable and then says what was not. Never looks into messages (that is
//! `section`) and never at IP.
//!
//! ```text
//!  versions 5, 6    0 version  1 pad  2 len (be16)  4 md5[16]   20 subheader, messages, subheader, messages, ...
//!  subheader        0 action   1 pad (5) or message length in 4-octet words (6)   2 count (be16)
//!  versions 3, 4    0 version  1 af   2 action  3 count  4 md5[16]   20 messages
//!  version 2        0 version  1 af   2 action  3 count   4 messages
//! ```

use crate::dialect::{Action, Layout, lookup, refused_name};
use crate::error::{DecodeError, ErrorKind};
use crate::octets::Octets;
use crate::section::Section;

/// Octets of the header of versions 3 to 6 (`struct pfsync_header`).
pub(crate) const HEADER: usize = 20;
/// Octets of the header of version 2.
pub(crate) const HEADER_V2: usize = 4;
/// Octets of a subheader (`struct pfsync_subheader`).
pub(crate) const SUBHEADER: usize = 4;

/// The payload behind the IP header that a pfsync0 tap of OpenBSD 7.4 and later leaves in front of it.
///
/// Payload without such a header comes back as it is: no pfsync version looks like the first octet of IPv4.
#[must_use]
pub fn strip_ip(payload: &[u8]) -> &[u8] {
    match Octets::<20>::new(payload) {
        Some(ip) if ip.u8::<0>() >> 4 == 4 && ip.u8::<9>() == 240 => {
            payload.get(usize::from(ip.u8::<0>() & 0x0f) * 4..).unwrap_or(payload)
        }
        _ => payload,
    }
}

/// A pfsync payload whose header is complete and whose version is known.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    payload: &'a [u8],
    version: u8,
}

impl<'a> Packet<'a> {
    /// Looks at the header only. A bad `len` (versions 5 and 6) does not hide version and md5: the walk reports it.
    ///
    /// # Errors
    /// `hdrops` when `payload` is shorter than the header, `badver` for a version outside 2 to 6.
    #[inline]
    pub fn new_checked(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let version = payload.first().copied().unwrap_or(0);
        let need = if version == 2 { HEADER_V2 } else { HEADER };
        if payload.len() < need {
            return Err(DecodeError::new(
                ErrorKind::Hdrops,
                payload.len(),
                "shorter than the pfsync header",
            ));
        }
        if !(2..=6).contains(&version) {
            return Err(DecodeError::new(ErrorKind::Badver, 0, "unknown pfsync version"));
        }
        Ok(Self { payload, version })
    }

    /// `ph.version`, 2 to 6.
    #[must_use]
    #[inline]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// `ph.pfcksum`: MD5 of the sender's rule set, all zero from OpenBSD 7.4 on; `None` in version 2.
    #[must_use]
    pub fn md5(&self) -> Option<[u8; 16]> {
        if self.version == 2 {
            return None;
        }
        Octets::<HEADER>::new(self.payload).map(|header| header.take::<4, 16>())
    }

    /// The sections in the order of the frame, which is not the order of time.
    #[must_use]
    #[inline]
    pub fn sections(&self) -> Sections<'a> {
        let whole = self.payload.len();
        let (end, first) = match self.version {
            2 => (whole, HEADER_V2),
            3 | 4 => (whole, HEADER),
            _ => (
                Octets::<4>::new(self.payload).map_or(0, |header| usize::from(header.be16::<2>())),
                HEADER,
            ),
        };
        Sections {
            data: self.payload.get(..end).unwrap_or(self.payload),
            version: self.version,
            at: first,
            // A header that came alone promises nothing that could be missing: no error, as with `len` = header.
            cut: end > whole && whole > HEADER,
            narrow: None,
            pending: None,
            done: false,
        }
    }
}

/// Walk over the sections of a [`Packet`].
///
/// Yields a section for everything that has a subheader, so a section whose messages are cut off comes first (with the
/// messages that are whole) and its error right after it. Ends after an error that cannot be skipped. An unknown
/// action of version 6 is a section [`Action::Unknown`], then a `badact`, and the walk goes on behind it; so are
/// [`Action::InsF`] and [`Action::DelF`], which no receiver accepts. The retired actions of version 6 are no errors.
#[derive(Clone, Debug)]
pub struct Sections<'a> {
    /// Payload up to `ph.len`, or as far as there is any.
    data: &'a [u8],
    version: u8,
    /// Where the next subheader is (or the body, in versions 2 to 4).
    at: usize,
    /// `ph.len` promises more sections than there are.
    cut: bool,
    /// Version 5: whether full states have 240 octets (OpenBSD 4.5) instead of 242; found out once, when needed.
    narrow: Option<bool>,
    pending: Option<DecodeError>,
    done: bool,
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<Section<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.pending.take() {
            return Some(Err(error));
        }
        if self.done {
            return None;
        }
        if self.version < 5 { self.only() } else { self.walk() }
    }
}

impl<'a> Sections<'a> {
    /// Versions 2 to 4: one action per frame, its code and count in the header.
    fn only(&mut self) -> Option<Result<Section<'a>, DecodeError>> {
        self.done = true;
        let header = Octets::<4>::new(self.data)?;
        let code = header.u8::<2>();
        let body = self.data.get(self.at..).unwrap_or(&[]);
        let (action, layout) =
            lookup(self.version, code).unwrap_or((refused_name(self.version, code), Layout::Skipped));
        let section = Section::new(
            self.version,
            (action, layout),
            code,
            u16::from(header.u8::<3>()),
            layout.size(),
            2,
            body,
            self.at,
        );
        if matches!(action, Action::Unknown | Action::InsF | Action::DelF) {
            self.pending = Some(DecodeError::new(ErrorKind::Badact, 2, "no such action in this version"));
        } else {
            self.pending = section.cut();
        }
        Some(Ok(section))
    }

    /// Versions 5 and 6: a subheader and its messages.
    fn walk(&mut self) -> Option<Result<Section<'a>, DecodeError>> {
        let at = self.at;
        let rest = self.data.get(at..).unwrap_or(&[]);
        let Some(sub) = Octets::<SUBHEADER>::new(rest) else {
            self.done = true;
            let error = if self.data.len() < HEADER {
                DecodeError::new(ErrorKind::Badlen, 2, "length in the header is below the header itself")
            } else if !rest.is_empty() {
                DecodeError::new(ErrorKind::Badlen, at, "subheader cut off")
            } else if self.cut {
                DecodeError::new(ErrorKind::Badlen, 2, "length in the header is beyond the datagram")
            } else {
                return None;
            };
            return Some(Err(error));
        };
        let (code, count) = (sub.u8::<0>(), sub.be16::<2>());
        let known = lookup(self.version, code);
        let (action, mut layout) = known.unwrap_or((refused_name(self.version, code), Layout::Skipped));
        if layout == Layout::State1301 && self.is_narrow() {
            layout = Layout::StateV4;
        }
        let stride = if self.version == 6 {
            usize::from(sub.u8::<1>()) * 4
        } else {
            layout.size()
        };
        if known.is_some() && stride < layout.size() {
            // The length is wrong by its own testimony: skipping by it would be guessing.
            self.done = true;
            let error = DecodeError::new(ErrorKind::Badlen, at + 1, "message length below the struct");
            let early = layout == Layout::StateOpenBsd && stride >= Layout::StateV4.size();
            return Some(Err(error.unless(early)));
        }
        let body = rest.get(SUBHEADER..).unwrap_or(&[]);
        let start = at + SUBHEADER;
        let section = Section::new(self.version, (action, layout), code, count, stride, at, body, start);
        let length = stride * usize::from(count);
        self.at = start + length;
        if known.is_none() {
            self.pending = Some(DecodeError::new(
                ErrorKind::Badact,
                at,
                "no such action in this version",
            ));
            // Without a length, or with one that leaves the frame, nobody knows where the next section is.
            self.done = length == 0 || length > body.len();
        } else if let Some(error) = section.cut() {
            self.pending = Some(error);
            self.done = true;
        } else if self.version == 5 && action == Action::Eof {
            self.at = self.data.len();
        }
        Some(Ok(section))
    }

    /// Whether the full states of this version 5 frame have the 240 octets of OpenBSD 4.5 and 4.6: only with the right
    /// size does the walk end exactly on the EOF section at `ph.len`. When both or neither fit it is FreeBSD's 242.
    #[cold]
    fn is_narrow(&mut self) -> bool {
        *self.narrow.get_or_insert_with(|| {
            !ends_on_eof(self.data, Layout::State1301.size()) && ends_on_eof(self.data, Layout::StateV4.size())
        })
    }
}

/// Whether the sections of a version 5 frame end with EOF exactly at the end of `data`, if 1301 states have `size`.
/// No sender writes an empty section, so one is a sign of having walked into zeros.
fn ends_on_eof(data: &[u8], size: usize) -> bool {
    let mut at = HEADER;
    while let Some(sub) = data.get(at..).and_then(Octets::<SUBHEADER>::new) {
        let layout = match lookup(5, sub.u8::<0>()) {
            None => return false,
            Some(_) if sub.be16::<2>() == 0 => return false,
            Some((Action::Eof, _)) => return at + SUBHEADER == data.len(),
            Some((_, layout)) => layout,
        };
        let stride = if layout == Layout::State1301 {
            size
        } else {
            layout.size()
        };
        at += SUBHEADER + stride * usize::from(sub.be16::<2>());
    }
    false
}
