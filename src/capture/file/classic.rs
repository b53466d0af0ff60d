//! The classic pcap format: both byte orders, microseconds and nanoseconds, and Kuznetzov's longer record header.
//!
//! Called by `reader`. Never allocates: a record is a view into the window.
//!
//! Why not the `pcap-parser` crate: see `reader`.

use super::reader::{Fault, Head, MAX_FRAME};
use super::window::Window;
use crate::capture::LinkType;
use crate::time::Timestamp;

/// How the records of one file are laid out.
pub(super) struct Classic {
    big_endian: bool,
    nanos_per_fraction: i64,
    record_header: usize,
    /// From the file header.
    pub(super) link: LinkType,
}

const FILE_HEADER: usize = 24;

impl Classic {
    /// Recognizes the magic number: byte order, nanoseconds per unit of the fraction, length of a record header.
    pub(super) fn magic(first: [u8; 4]) -> Option<(bool, i64, usize)> {
        match u32::from_be_bytes(first) {
            0xa1b2_c3d4 => Some((true, 1000, 16)),
            0xd4c3_b2a1 => Some((false, 1000, 16)),
            0xa1b2_3c4d => Some((true, 1, 16)),
            0x4d3c_b2a1 => Some((false, 1, 16)),
            0xa1b2_cd34 => Some((true, 1000, 24)),
            0x34cd_b2a1 => Some((false, 1000, 24)),
            _ => None,
        }
    }

    /// Reads the file header.
    pub(super) fn open(window: &mut Window, magic: (bool, i64, usize)) -> Result<Self, Fault> {
        let (big_endian, nanos_per_fraction, record_header) = magic;
        if !window.need(FILE_HEADER)? {
            return Err(Fault::Cut);
        }
        let Some(header) = window.octets().first_chunk::<FILE_HEADER>() else {
            return Err(Fault::Cut);
        };
        // The upper bits hold the length of a frame check sequence, which the IP length cuts off anyway.
        let link = LinkType(word(header, 20, big_endian) & 0x03ff_ffff);
        window.consume(FILE_HEADER);
        Ok(Self {
            big_endian,
            nanos_per_fraction,
            record_header,
            link,
        })
    }

    /// Looks at the record at the start of the window; none at the end of the file.
    #[inline]
    pub(super) fn peek(&self, window: &mut Window) -> Result<Option<Head>, Fault> {
        if !window.need(self.record_header)? {
            return if window.octets().is_empty() {
                Ok(None)
            } else {
                Err(Fault::Cut)
            };
        }
        let Some(header) = window.octets().first_chunk::<16>() else {
            return Err(Fault::Cut);
        };
        let seconds = word(header, 0, self.big_endian);
        let fraction = word(header, 4, self.big_endian);
        let length = word(header, 8, self.big_endian);
        let wire_len = word(header, 12, self.big_endian);
        if length > MAX_FRAME {
            return Err(Fault::Corrupt("a frame longer than 256 KiB"));
        }
        let length = length as usize;
        let total = self.record_header + length;
        if !window.need(total)? {
            return Err(Fault::Cut);
        }
        // Neither product can leave i64: 2^32 s are 4.3e18 ns, and a fraction adds less than 4.3e12.
        let nanos = i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.nanos_per_fraction;
        let at = Timestamp::from_nanos(nanos);
        Ok(Some(Head {
            at,
            link: self.link,
            net: None,
            interface: 0,
            lane: 0,
            direction: None,
            wire_len,
            skip: self.record_header,
            length,
            total,
        }))
    }
}

#[inline]
fn word<const N: usize>(header: &[u8; N], at: usize, big_endian: bool) -> u32 {
    let octets = header
        .get(at..)
        .and_then(|h| h.first_chunk::<4>())
        .copied()
        .unwrap_or_default();
    if big_endian {
        u32::from_be_bytes(octets)
    } else {
        u32::from_le_bytes(octets)
    }
}
