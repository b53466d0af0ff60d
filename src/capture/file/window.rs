//! A sliding window over a stream of octets: the one buffer between a file and its frames.
//!
//! Used by the format readers, which look at records in place and then move on; nothing is copied but the remainder of
//! the buffer when it is refilled. Knows nothing of formats. Memory does not grow with the input: no caller asks for more
//! than [`MAX_RECORD`] octets at a time.

use std::io::{self, ErrorKind, Read};

/// The largest record that can be looked at: a frame of 256 KiB with its headers and options.
pub(super) const MAX_RECORD: usize = 384 * 1024;

/// One record and a remainder fit; measured from 64 KiB to 4 MiB, all sizes are equally fast.
const CAPACITY: usize = 512 * 1024;

/// See the module.
pub(super) struct Window {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    /// Octets of the stream before `start`.
    offset: u64,
}

impl Window {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self {
            input,
            buffer: vec![0; CAPACITY],
            start: 0,
            end: 0,
            at_end: false,
            offset: 0,
        }
    }

    /// What is in the window now.
    #[inline]
    pub(super) fn octets(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or(&[])
    }

    /// Where in the stream the window starts.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Makes sure that at least `n` octets are in the window; false when the stream ends before.
    #[inline]
    pub(super) fn need(&mut self, n: usize) -> io::Result<bool> {
        if self.end - self.start >= n {
            Ok(true)
        } else {
            self.refill(n)
        }
    }

    /// Moves the start of the window, at most to its end.
    #[inline]
    pub(super) fn consume(&mut self, n: usize) {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
    }

    /// Moves the start of the window by any distance; false when the stream ends before.
    pub(super) fn skip(&mut self, mut n: u64) -> io::Result<bool> {
        while n > 0 {
            if !self.need(1)? {
                return Ok(false);
            }
            let step = usize::try_from(n).unwrap_or(usize::MAX).min(self.end - self.start);
            self.consume(step);
            n -= step as u64;
        }
        Ok(true)
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self, n: usize) -> io::Result<bool> {
        debug_assert!(n <= MAX_RECORD, "callers bound their records");
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < n {
            if self.at_end {
                return Ok(false);
            }
            let Some(space) = self.buffer.get_mut(self.end..) else {
                return Ok(false);
            };
            match self.input.read(space) {
                Ok(0) => self.at_end = true,
                Ok(got) => self.end += got,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }
}
