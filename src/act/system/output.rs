//! What a program says: the beginning of it is kept, the rest is read and thrown away so that nobody has to wait.

use nix::unistd::read;
use std::io::PipeReader;

/// So much is kept.
pub(super) const LIMIT: usize = 64 << 10;
/// Nobody who goes on writing holds us up for longer than this; as large as any pipe is.
const LEFT: usize = 1 << 20;

/// The pipe that a program writes to, until its end, and what came out of it.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) pipe: Option<PipeReader>,
    kept: Vec<u8>,
    thrown: u64,
}

impl Output {
    pub(super) const fn new(pipe: PipeReader) -> Self {
        Self {
            pipe: Some(pipe),
            kept: Vec::new(),
            thrown: 0,
        }
    }

    /// Reads once what is there; how much that was.
    pub(super) fn read(&mut self) -> usize {
        use nix::errno::Errno;
        let Some(pipe) = &self.pipe else { return 0 };
        let mut octets = [0; 8 << 10];
        match read(pipe, &mut octets) {
            Err(Errno::EAGAIN | Errno::EINTR) => 0,
            Ok(0) | Err(_) => {
                self.pipe = None;
                0
            }
            Ok(n) => {
                let keep = n.min(LIMIT - self.kept.len());
                self.kept.extend(octets.iter().take(keep));
                self.thrown += (n - keep) as u64;
                n
            }
        }
    }

    /// Reads what is left when the program is gone, without waiting for others that hold the pipe, and closes it.
    pub(super) fn finish(&mut self) {
        let mut left = LEFT;
        while left > 0 {
            match self.read() {
                0 => break,
                n => left = left.saturating_sub(n),
            }
        }
        self.pipe = None;
    }

    /// What was kept, and a line that says so if that was not all.
    pub(super) fn into_octets(mut self) -> Vec<u8> {
        if self.thrown > 0 {
            let note = format!("\n[cut here: {} octets more were not kept]\n", self.thrown);
            self.kept.extend(note.into_bytes());
        }
        self.kept
    }
}
