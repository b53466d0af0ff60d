//! One section of a frame: messages of one action, one after the other.
//!
//! Made by the walk in `packet`; asked by whoever wants the messages. Decides which layout reads a message, and what a
//! receiver would reject in it. Never fails: what is not whole is not here.

use crate::body;
use crate::dialect::{Action, Dialect, Layout};
use crate::error::{DecodeError, ErrorKind};
use crate::message::{Message, UpdC};
use crate::state;

/// Messages of one action.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// What the messages are about.
    pub action: Action,
    /// The number that the dialect has for it.
    pub code: u8,
    /// How many messages the subheader promises; [`Section::messages`] yields those that are whole.
    pub count: u16,
    /// Octets from one message to the next; 0 where the section has no body or its length is unknown.
    pub stride: u16,
    /// Where the subheader is (versions 2 to 4: the action octet), from the start of the payload.
    pub offset: u32,
    version: u8,
    layout: Layout,
    /// As much of the body as there is, whole messages only.
    body: &'a [u8],
    /// Where the body starts.
    start: u32,
}

impl<'a> Section<'a> {
    /// A section whose body starts at the front of `rest`, which is at `start` in the payload.
    #[expect(
        clippy::too_many_arguments,
        reason = "private; a struct for one caller would only repeat the fields"
    )]
    #[inline]
    pub(crate) fn new(
        version: u8,
        (action, layout): (Action, Layout),
        code: u8,
        count: u16,
        stride: usize,
        offset: usize,
        rest: &'a [u8],
        start: usize,
    ) -> Self {
        let promised = stride * usize::from(count);
        let there = if promised <= rest.len() {
            promised
        } else {
            rest.len() - rest.len() % stride
        };
        Self {
            action,
            code,
            count,
            // At most 255 * 4.
            stride: u16::try_from(stride).unwrap_or(u16::MAX),
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            version,
            layout,
            body: rest.get(..there).unwrap_or(&[]),
            start: u32::try_from(start).unwrap_or(u32::MAX),
        }
    }

    /// The error of a section that promises more messages than there are.
    #[inline]
    pub(crate) fn cut(&self) -> Option<DecodeError> {
        if usize::from(self.stride) * usize::from(self.count) == self.body.len() {
            return None;
        }
        let offset = (self.start as usize).saturating_add(self.body.len());
        Some(DecodeError::new(ErrorKind::Badlen, offset, "message cut off"))
    }

    /// How this section is spoken. Version 5 tells its dialects apart only by full states, so other sections of
    /// version 5 come back as [`Dialect::FreeBsd1301`], which says them in the same octets as all others.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match (self.version, self.layout) {
            (2, _) => Dialect::V2,
            (3, _) => Dialect::V3,
            (4, _) => Dialect::V4,
            (6, _) => Dialect::OpenBsd6,
            (_, Layout::StateV4) => Dialect::OpenBsd45,
            (_, Layout::State1400) => Dialect::FreeBsd1400,
            (_, Layout::State1500) => Dialect::FreeBsd1500,
            _ => Dialect::FreeBsd1301,
        }
    }

    /// The messages that are whole, one after the other, without moving them.
    ///
    /// A message has room for the largest state, so a `for` over [`Section::messages`] that keeps or hands on what it
    /// gets copies some 400 octets for every compressed update of 84. Lending is several times faster.
    #[expect(
        clippy::while_let_on_iterator,
        reason = "a `for` moves the message out of where it was decoded"
    )]
    #[inline]
    pub fn visit(&self, mut each: impl FnMut(&Decoded)) {
        let mut messages = self.messages();
        while let Some(ref decoded) = messages.next() {
            each(decoded);
        }
    }

    /// The messages that are whole.
    #[must_use]
    #[inline]
    pub fn messages(&self) -> Messages<'a> {
        // A section without a layout has nothing to say; a stride of 0 would never advance.
        let body = if self.layout == Layout::Skipped { &[] } else { self.body };
        Messages {
            rest: body.chunks_exact(usize::from(self.stride).max(1)),
            layout: self.layout,
            timeouts: timeouts(self.version),
            at: self.start,
            stride: u32::from(self.stride),
        }
    }
}

/// A message, where it was, and whether receivers take it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decoded {
    /// What it says.
    pub message: Message,
    /// Where it starts, from the start of the payload.
    pub offset: u32,
    /// A value that receivers reject (`badval`). The message is as found, but nobody will act on it: nor should you.
    pub refused: Option<DecodeError>,
}

/// Iterator over the messages of a [`Section`].
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: core::slice::ChunksExact<'a, u8>,
    layout: Layout,
    timeouts: u8,
    at: u32,
    stride: u32,
}

impl Iterator for Messages<'_> {
    type Item = Decoded;

    #[inline]
    fn next(&mut self) -> Option<Decoded> {
        let octets = self.rest.next()?;
        let offset = self.at;
        self.at = offset.saturating_add(self.stride);
        let message = match self.layout {
            // The two that are most of all traffic.
            Layout::UpdC => {
                let update = body::upd_c(octets)?;
                let refused = refused_update(&update, self.timeouts, offset);
                return Some(Decoded {
                    message: Message::UpdC(update),
                    offset,
                    refused,
                });
            }
            Layout::DelC => body::del_c(octets)?,
            Layout::StateV2
            | Layout::StateV3
            | Layout::StateV4
            | Layout::State1301
            | Layout::State1400
            | Layout::State1500
            | Layout::StateOpenBsd => {
                return full_state(self.layout, octets, self.timeouts, offset);
            }
            Layout::UpdCOld | Layout::UpdCV2 => {
                let update = body::upd_c_old(octets, self.layout == Layout::UpdCV2)?;
                let refused = refused_update(&update, self.timeouts, offset);
                return Some(Decoded {
                    message: Message::UpdC(update),
                    offset,
                    refused,
                });
            }
            other => body::small(other, octets)?,
        };
        Some(Decoded {
            message,
            offset,
            refused: None,
        })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest.size_hint()
    }
}

impl ExactSizeIterator for Messages<'_> {}

/// Full states are large and rare: kept out of the loop that compressed updates run in.
#[inline(never)]
fn full_state(layout: Layout, octets: &[u8], timeouts: u8, offset: u32) -> Option<Decoded> {
    let state = state::decode(layout, octets)?;
    let refused = state::refused(layout, &state, timeouts, offset);
    Some(Decoded {
        message: Message::State(state),
        offset,
        refused,
    })
}

/// `PFTM_MAX`: FreeBSD 14 added five for SCTP, and nothing tells it from its elders before a state is seen.
const fn timeouts(version: u8) -> u8 {
    if version == 5 { 25 } else { 20 }
}

/// Timeouts below this may be those of states on their way out, or of a newer kernel.
const SENT_BY_SOMEBODY: u8 = 32;

/// A timeout that receivers do not take.
#[cold]
pub(crate) fn bad_timeout(timeout: u8, offset: usize) -> DecodeError {
    DecodeError::new(ErrorKind::Badval, offset, "unknown timeout").unless(timeout < SENT_BY_SOMEBODY)
}

/// `PFSYNC_MAX_STATE`: the highest number that a peer's state can have (`PF_TCPS_PROXY_DST`).
pub(crate) const STATE_MAX: u8 = 12;

/// What every receiver checks before it takes a compressed update.
#[inline]
fn refused_update(update: &UpdC, timeouts: u8, offset: u32) -> Option<DecodeError> {
    if update.timeout < timeouts && update.src.state <= STATE_MAX && update.dst.state <= STATE_MAX {
        return None;
    }
    let (field, detail) = if update.src.state > STATE_MAX {
        (8 + 24, "unknown state of the initiator")
    } else if update.dst.state > STATE_MAX {
        (40 + 24, "unknown state of the responder")
    } else {
        return Some(bad_timeout(update.timeout, (offset as usize).saturating_add(80)));
    };
    Some(DecodeError::new(
        ErrorKind::Badval,
        (offset as usize).saturating_add(field),
        detail,
    ))
}
