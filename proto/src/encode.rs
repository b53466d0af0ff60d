//! Writes pfsync payloads in any dialect into a buffer that the caller owns.
//!
//! Called by simulators, tests and fuzzers; a watchdog never sends. What was written is what the decoder reads back:
//! a value that the dialect cannot hold is refused, never cut. Fields that the dialect does not have are left out.
//! Padding is zero. Never allocates, never panics.

use core::fmt;

use crate::body;
use crate::dialect::{Action, Dialect, Layout};
use crate::message::Message;
use crate::packet::{HEADER, HEADER_V2, SUBHEADER};
use crate::state_encode;

/// Why something was not written. The frame is as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// The buffer, the count or `ph.len` is full: finish this frame and start another.
    Full,
    /// The dialect has no such action, or not at this place (versions 2 to 4 have one section per frame).
    Action,
    /// The message does not belong to the action of the section.
    Message,
    /// A value is too wide for the dialect's field.
    Range,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the frame is full",
            Self::Action => "the dialect has no such action here",
            Self::Message => "the message does not belong to this section",
            Self::Range => "a value is too wide for the dialect",
        })
    }
}

impl core::error::Error for EncodeError {}

/// The section that is being written.
#[derive(Clone, Copy, Debug)]
struct Open {
    layout: Layout,
    /// Where the subheader (or the header of versions 2 to 4) is.
    at: usize,
    count: u16,
}

/// A frame that is being written.
#[derive(Debug)]
pub struct PacketWriter<'b> {
    buf: &'b mut [u8],
    dialect: Dialect,
    len: usize,
    open: Option<Open>,
}

impl<'b> PacketWriter<'b> {
    /// Starts a frame; `buf` limits its length (an MTU less the IP header), `md5` is left out in version 2.
    ///
    /// # Errors
    /// [`EncodeError::Full`] when `buf` has no room for a frame without sections.
    pub fn new(buf: &'b mut [u8], dialect: Dialect, md5: [u8; 16]) -> Result<Self, EncodeError> {
        let mut writer = Self {
            buf,
            dialect,
            len: 0,
            open: None,
        };
        if writer.room(if dialect == Dialect::V2 { HEADER_V2 } else { HEADER }) {
            writer.append(&[dialect.version(), 0, 0, 0]);
            if dialect != Dialect::V2 {
                writer.append(&md5);
            }
            return Ok(writer);
        }
        Err(EncodeError::Full)
    }

    /// Starts a section; the one before it is closed, with as many messages as it has.
    ///
    /// # Errors
    /// [`EncodeError::Action`] or [`EncodeError::Full`].
    pub fn section(&mut self, action: Action) -> Result<(), EncodeError> {
        let Some((code, layout)) = self
            .dialect
            .code(action)
            .filter(|(_, layout)| *layout != Layout::Skipped)
        else {
            return Err(EncodeError::Action);
        };
        let version = self.dialect.version();
        if version < 5 {
            if self.open.is_some() {
                return Err(EncodeError::Action);
            }
            self.set(2, code);
            self.open = Some(Open {
                layout,
                at: 0,
                count: 0,
            });
            return Ok(());
        }
        if !self.room(SUBHEADER) {
            return Err(EncodeError::Full);
        }
        // All sizes of version 6 are multiples of four.
        let words = if version == 6 {
            u8::try_from(layout.size() / 4).unwrap_or(u8::MAX)
        } else {
            0
        };
        self.open = Some(Open {
            layout,
            at: self.len,
            count: 0,
        });
        self.append(&[code, words, 0, 0]);
        Ok(())
    }

    /// Appends a message to the section.
    ///
    /// # Errors
    /// All but [`EncodeError::Action`]; [`EncodeError::Message`] also when there is no section.
    pub fn push(&mut self, message: &Message) -> Result<(), EncodeError> {
        let open = self.open.ok_or(EncodeError::Message)?;
        let most = if self.dialect.version() < 5 {
            u16::from(u8::MAX)
        } else {
            u16::MAX
        };
        if open.count >= most || !self.room(open.layout.size()) {
            return Err(EncodeError::Full);
        }
        self.write(open, message)?;
        let count = open.count + 1;
        let [high, low] = count.to_be_bytes();
        if self.dialect.version() < 5 {
            self.set(3, low);
        } else {
            self.set(open.at + 2, high);
            self.set(open.at + 3, low);
        }
        self.open = Some(Open { count, ..open });
        Ok(())
    }

    /// Octets of the frame if it were finished now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len + self.trailer()
    }

    /// Whether there is no section yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_none()
    }

    /// Ends the frame (version 5: with an EOF section) and says how many octets of the buffer it has.
    #[must_use]
    pub fn finish(mut self) -> usize {
        if self.trailer() > 0 {
            self.append(&[12, 0, 0, 1]);
        }
        if self.dialect.version() >= 5 {
            // `room` never let it grow beyond 16 bits.
            let [high, low] = u16::try_from(self.len).unwrap_or(u16::MAX).to_be_bytes();
            self.set(2, high);
            self.set(3, low);
        }
        self.len
    }

    /// What `finish` will add.
    fn trailer(&self) -> usize {
        if self.dialect.version() == 5 { SUBHEADER } else { 0 }
    }

    fn room(&self, more: usize) -> bool {
        let whole = self.len + more + self.trailer();
        whole <= self.buf.len() && whole <= usize::from(u16::MAX)
    }

    /// Every caller asked for room first.
    fn append(&mut self, octets: &[u8]) {
        if let Some(slot) = self.buf.get_mut(self.len..self.len + octets.len()) {
            slot.copy_from_slice(octets);
            self.len += octets.len();
        }
    }

    fn set(&mut self, at: usize, octet: u8) {
        if let Some(slot) = self.buf.get_mut(at) {
            *slot = octet;
        }
    }

    fn write(&mut self, open: Open, message: &Message) -> Result<(), EncodeError> {
        match (open.layout, message) {
            (Layout::Clr, Message::Clr(clr)) => self.append(&body::put_clr::<20>(clr)),
            (Layout::ClrOld, Message::Clr(clr)) => self.append(&body::put_clr::<24>(clr)),
            (Layout::UpdC, Message::UpdC(update)) => self.append(&body::put_upd_c::<84>(update, false)),
            (Layout::UpdCOld, Message::UpdC(update)) => self.append(&body::put_upd_c::<88>(update, false)),
            (Layout::UpdCV2, Message::UpdC(update)) => self.append(&body::put_upd_c::<88>(update, true)),
            (Layout::DelC, Message::DelC { key, .. }) => self.append(&body::put_key::<12>(*key)),
            (Layout::DelCOld, Message::DelC { key, states }) => {
                self.append(&body::put_del_c_old(*key, states.unwrap_or_default()));
            }
            (Layout::InsAck, Message::InsAck(key)) | (Layout::UpdReq, Message::UpdReq(key)) => {
                self.append(&body::put_key::<12>(*key));
            }
            (Layout::UpdReqOld, Message::UpdReq(key)) => self.append(&body::put_key::<16>(*key)),
            (Layout::Bus, Message::Bus(bus)) => self.append(&body::put_bus::<12>(bus)),
            (Layout::BusOld, Message::Bus(bus)) => self.append(&body::put_bus::<16>(bus)),
            (Layout::Tdb32, Message::Tdb(tdb)) => {
                self.append(&body::put_tdb32(tdb, false).ok_or(EncodeError::Range)?);
            }
            (Layout::Tdb32Rdomain, Message::Tdb(tdb)) => {
                self.append(&body::put_tdb32(tdb, true).ok_or(EncodeError::Range)?);
            }
            (Layout::Tdb64, Message::Tdb(tdb)) => self.append(&body::put_tdb64(tdb)),
            (layout, Message::State(state)) => {
                let mut room = [0; 360];
                let octets = state_encode::encode(layout, state, &mut room)?;
                self.append(octets);
            }
            _ => return Err(EncodeError::Message),
        }
        Ok(())
    }
}
