//! What lies between a file and its capture: counting for the progress bar, and gzip or zstd, recognized by content.
//!
//! Called by the timeline when it opens a file. Both formats may be concatenated (log rotation does that). A compressed
//! file that ends too early gives everything that was in it and then `UnexpectedEof`.

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const COMPRESSED_BUFFER: usize = 128 * 1024;

/// The capture inside `input`, whose octets are counted in `count` as they are read.
///
/// # Errors
/// What the first read says.
pub(super) fn open(input: Box<dyn Read + Send>, count: Arc<AtomicU64>) -> io::Result<Box<dyn Read + Send>> {
    let mut input = Counted { input, count };
    let mut magic = Vec::with_capacity(4);
    (&mut input).take(4).read_to_end(&mut magic)?;
    let kind = magic.first_chunk::<4>().copied().unwrap_or_default();
    let whole = Cursor::new(magic).chain(input);
    Ok(match kind {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(BufReader::with_capacity(COMPRESSED_BUFFER, whole))),
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
            Box::new(Zstd::new(BufReader::with_capacity(COMPRESSED_BUFFER, whole)))
        }
        _ => Box::new(whole),
    })
}

struct Counted {
    input: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.input.read(buffer)?;
        self.count.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// Zstandard frames one after the other: `ruzstd` decodes one and keeps the last window of a frame until it is finished.
struct Zstd<R> {
    input: R,
    decoder: FrameDecoder,
    inside: bool,
    /// Told once everything that was decoded before it is delivered.
    failed: Option<io::Error>,
}

impl<R: BufRead> Zstd<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            decoder: FrameDecoder::new(),
            inside: false,
            failed: None,
        }
    }

    /// Starts the next frame; false at the end of the input.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.input) {
                Ok(()) => {
                    self.inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let mut skipped = (&mut self.input).take(u64::from(length));
                    if io::copy(&mut skipped, &mut io::sink())? < u64::from(length) {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(e) => return Err(self.explain(e)),
            }
        }
    }

    /// Damage, or only the end of the input?
    fn explain(&mut self, e: FrameDecoderError) -> io::Error {
        match self.input.fill_buf() {
            Ok([]) => ErrorKind::UnexpectedEof.into(),
            Ok(_) => io::Error::new(ErrorKind::InvalidData, e),
            Err(e) => e,
        }
    }

    /// Decodes until there is something to deliver; false when the frame is over.
    fn fill(&mut self) -> io::Result<bool> {
        while self.decoder.can_collect() == 0 {
            if self.decoder.is_finished() {
                self.inside = false;
                return match (
                    self.decoder.get_checksum_from_data(),
                    self.decoder.get_calculated_checksum(),
                ) {
                    (Some(told), Some(is)) if told != is && self.failed.is_none() => {
                        Err(io::Error::new(ErrorKind::InvalidData, "wrong zstd checksum"))
                    }
                    _ => Ok(false),
                };
            }
            if let Err(e) = self
                .decoder
                .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
            {
                self.failed = Some(self.explain(e));
                // An empty last block (and four octets that stand for the checksum) make the decoder let go of what
                // it has; RFC 8878 3.1.1.2.
                let end: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
                if self
                    .decoder
                    .decode_blocks(end, BlockDecodingStrategy::UptoBlocks(1))
                    .is_err()
                {
                    self.inside = false;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.inside {
                if self.fill()? {
                    return self.decoder.read(buffer);
                }
            } else if let Some(e) = self.failed.take() {
                return Err(e);
            } else if !self.next_frame()? {
                return Ok(0);
            }
        }
    }
}
