//! The progress bar for large files: on a terminal only, on the standard error, by octets read.
//!
//! Used by the commands that somebody waits for. Says nothing where nobody looks.

use crate::capture::file::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Smaller files are done before a bar has been seen.
const LARGE: u64 = 32 * 1024 * 1024;
/// Inputs between two looks at the progress; the bar itself draws at most some twenty times a second.
const EVERY: u32 = 8192;

/// See the module.
pub(super) struct Bar {
    shown: Option<(ProgressBar, Progress)>,
    since: u32,
}

impl Bar {
    /// A bar, if there is somebody to see it and something to wait for.
    pub(super) fn new(progress: Progress) -> Self {
        let wanted = progress.total().is_some_and(|total| total >= LARGE) && std::io::stderr().is_terminal();
        let shown = wanted.then(|| {
            let bar = ProgressBar::with_draw_target(progress.total(), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {binary_bytes_per_sec}, {eta} left");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            (bar, progress)
        });
        Self { shown, since: 0 }
    }

    /// One more input was read.
    #[inline]
    pub(super) fn step(&mut self) {
        self.since += 1;
        if self.since >= EVERY {
            self.since = 0;
            if let Some((bar, progress)) = &self.shown {
                bar.set_position(progress.read());
            }
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn finish(self) {
        if let Some((bar, _)) = self.shown {
            bar.finish_and_clear();
        }
    }
}
