//! One thread per interface: it reads, stamps, and tells when it could not.
//!
//! Started by the live source, to which it sends over a bounded channel. When that is full it waits, and the kernel's
//! buffer fills instead; what then is lost the kernel counts, and that count becomes a gap. Never ends because an interface
//! did: it tells a gap and tries again every second.

use super::clock::{self, Counted, Pace};
use super::system::Clock;
use super::{Interface, Options, device};
use crate::capture::{GapCause, LinkType, Net};
use crate::time::Timestamp;
use pcap::{Active, Capture};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

const RETRY: Duration = Duration::from_secs(1);
const POLL_DROPS: Duration = Duration::from_secs(1);
/// Frames read at a time, so that a flood cannot keep us from everything else.
const BATCH: usize = 1024;
/// How often a thread that has no interface looks whether it shall end.
const NAP: Duration = Duration::from_millis(50);

/// What a thread has to say.
#[derive(Debug)]
pub(super) enum Message {
    Frame {
        at: Timestamp,
        net: Net,
        link: LinkType,
        data: Box<[u8]>,
        wire_len: u32,
    },
    Gap {
        at: Timestamp,
        length: Duration,
        cause: GapCause,
        lost: u64,
    },
}

/// The source is gone.
struct Ended;

/// See the module.
pub(super) struct Reader {
    pub(super) interface: Arc<Interface>,
    pub(super) options: Arc<Options>,
    pub(super) clock: Clock,
    pub(super) out: SyncSender<Message>,
    pub(super) stop: Arc<AtomicBool>,
}

impl Reader {
    /// Reads until the source is gone.
    pub(super) fn run(self, capture: Capture<Active>, link: LinkType) {
        let mut next = Some((capture, link));
        while let Some((capture, link)) = next {
            self.interface.up.store(true, Ordering::Relaxed);
            if self.read(capture, link).is_err() {
                return;
            }
            self.interface.up.store(false, Ordering::Relaxed);
            next = self.reopen();
        }
    }

    /// Reads until the interface fails.
    fn read(&self, mut capture: Capture<Active>, link: LinkType) -> Result<(), Ended> {
        let start = self.clock.now();
        let mut pace = Pace::new(start);
        let mut drops = Counted::default();
        let mut polled = start;
        // No frame is older than the one before it, or than the last time that there was none.
        let mut oldest = start;
        let mut all_heard = true;
        // What the system does not list cannot be looked at.
        let listed = device::is_up(&self.interface.name).is_some();
        let mut quiet = true;
        while !self.stop.load(Ordering::Relaxed) {
            let mut stalled = None;
            if all_heard {
                if device::wait(&capture).is_err() {
                    return Ok(());
                }
                stalled = pace.woke(self.clock.now());
            }
            let start = self.clock.now();
            let mut ended = false;
            let Ok(frames) = capture.dispatch(Some(BATCH), |packet| {
                let stamped = nanos(packet.header.ts.tv_sec, packet.header.ts.tv_usec);
                let (now, wall) = self.clock.both();
                let at = clock::stamp(now, wall, stamped, oldest);
                oldest = at;
                let (net, data, wire_len) = (self.interface.net, packet.data.into(), packet.header.len);
                self.interface.frames.fetch_add(1, Ordering::Relaxed);
                ended |= self
                    .out
                    .send(Message::Frame {
                        at,
                        net,
                        link,
                        data,
                        wire_len,
                    })
                    .is_err();
            }) else {
                return Ok(());
            };
            if ended {
                return Err(Ended);
            }
            quiet &= frames == 0;
            // Whatever was captured before this read is in the channel if it was the last of it, and what the
            // next one brings is younger.
            all_heard = frames == 0;
            let now = self.clock.now();
            if let Some(length) = stalled {
                // Told after the frames that waited meanwhile: they were not lost.
                self.gap(now, length, GapCause::Stall, 0)?;
            }
            if now.since(polled) >= POLL_DROPS {
                if let Ok(stats) = capture.stats() {
                    let lost = u64::from(drops.added(stats.dropped));
                    if lost > 0 {
                        self.interface.dropped.fetch_add(lost, Ordering::Relaxed);
                        self.gap(now, now.since(polled), GapCause::KernelDrop, lost)?;
                    }
                }
                if quiet && listed && device::is_up(&self.interface.name) != Some(true) {
                    return Ok(());
                }
                polled = now;
                quiet = true;
            }
            if all_heard {
                self.interface.heard_until(start);
                oldest = oldest.max(start);
            }
            // Waiting for room in the channel is the engine's slowness, not ours.
            let now = self.clock.now();
            pace.mark(now);
            self.interface.came_round(now);
        }
        Err(Ended)
    }

    /// Waits for the interface to come back. The gap is told every second, because a silence that nobody explains
    /// would be blamed on a firewall.
    fn reopen(&self) -> Option<(Capture<Active>, LinkType)> {
        let mut told = self.clock.now();
        loop {
            let now = self.clock.now();
            let opened = match device::is_up(&self.interface.name) {
                Some(false) => None,
                _ => device::open(&self.interface.name, &self.options).ok(),
            };
            if opened.is_some() || now.since(told) >= RETRY {
                self.gap(now, now.since(told), GapCause::InterfaceDown, 0).ok()?;
                self.interface.heard_until(now);
                told = now;
            }
            if opened.is_some() {
                return opened;
            }
            let again = now + RETRY;
            while self.clock.now() < again {
                if self.stop.load(Ordering::Relaxed) {
                    return None;
                }
                thread::park_timeout(NAP);
                self.interface.came_round(self.clock.now());
            }
        }
    }

    fn gap(&self, at: Timestamp, length: Duration, cause: GapCause, lost: u64) -> Result<(), Ended> {
        self.out
            .send(Message::Gap {
                at,
                length,
                cause,
                lost,
            })
            .map_err(|_| Ended)
    }
}

/// The fields of a timeval have different widths on different systems.
fn nanos(seconds: impl Into<i64>, micros: impl Into<i64>) -> i64 {
    seconds
        .into()
        .saturating_mul(1_000_000_000)
        .saturating_add(micros.into().saturating_mul(1000))
}
