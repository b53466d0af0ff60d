//! Writes a classic capture file with nanoseconds, Ethernet.
//!
//! Used by `pfwatch simulate`. The format that every reader knows; libpcap's own writer would hide a full disk until the
//! end.

use crate::time::Timestamp;
use std::io::{self, Write};

const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;
const SNAPLEN: u32 = 262_144;
const LINKTYPE_ETHERNET: u32 = 1;

/// A capture file that is being written.
pub struct Writer<W> {
    out: W,
}

impl<W: Write> Writer<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// Of the writer below.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&MAGIC_NANOSECONDS.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0])?;
        out.write_all(&[0; 8])?;
        out.write_all(&SNAPLEN.to_le_bytes())?;
        out.write_all(&LINKTYPE_ETHERNET.to_le_bytes())?;
        Ok(Self { out })
    }

    /// Appends a frame; `at` is Unix time.
    ///
    /// # Errors
    /// Of the writer below.
    pub fn frame(&mut self, at: Timestamp, octets: &[u8]) -> io::Result<()> {
        let nanos = u64::try_from(at.as_nanos()).unwrap_or(0);
        let word = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        self.out.write_all(&word(nanos / 1_000_000_000))?;
        self.out.write_all(&word(nanos % 1_000_000_000))?;
        let length = word(octets.len() as u64);
        self.out.write_all(&length)?;
        self.out.write_all(&length)?;
        self.out.write_all(octets)
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// Of the writer below.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}
