//! Live interfaces: a [`Source`] whose clock starts at the wall time of its start and then is monotonic.
//!
//! Made by `run` and `doctor`. One thread reads each interface; their frames are merged in the order of arrival. Each
//! thread also says until when it has heard everything, and only as far do we call a silence one: a frame that still
//! waits in the kernel while we are late is not silence. Never sends anything, and never ends because of an interface.
//!
//! Interfaces are opened by [`LiveSource::open`] itself, so privileges may be dropped afterwards; an
//! interface that disappears can then only be opened again with what is left of them.
//!
//! A cable that is pulled is no gap: between two firewalls joined by one cable it is what the death of a peer looks like.

mod clock;
mod device;
mod filter;
mod reader;
mod system;

pub use self::filter::{ConfigSync, filter};

use self::clock::Steps;
use self::reader::{Message, Reader};
use self::system::Clock;
use crate::capture::{Frame, GapCause, Input, Net, Source, SourceError};
use crate::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Frames between the readers and the engine; beyond that the kernel's buffer holds them.
const CHANNEL: usize = 4096;
/// The longest a call of `next` takes, so that its caller can look at signals.
const LONGEST: Duration = Duration::from_millis(100);
/// How long after the deadline the readers may take to say that there was nothing more.
const GRACE: Duration = Duration::from_millis(100);
/// How often we look meanwhile.
const GRACE_STEP: Duration = Duration::from_millis(5);

/// An interface to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveInput {
    /// Its name.
    pub interface: String,
    /// Which net it is on.
    pub net: Net,
}

/// How to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Hear what is sent to others, too. On by default: multicast groups are joined by the firewalls and not by
    /// us, and with `syncpeer` or on a mirror port pfsync is addressed to somebody else.
    pub promiscuous: bool,
    /// The kernel's buffer in octets. Systems have limits of their own (FreeBSD: `net.bpf.maxbufsize`).
    pub buffer: i32,
    /// Longest frame kept, in octets. Any pfsync and CARP frame fits into the default, jumbo frames included. More
    /// costs room where it matters: on Linux every frame takes this much of the buffer while it waits (of a burst of 48 000
    /// frames sent at once, 65535 lost 31 000, 9216 lost 1 000 to 5 000).
    pub snap_len: i32,
    /// Connections that are wanted besides pfsync and CARP.
    pub config_sync: ConfigSync,
    /// Look into the tunnels of mirrors. Off by default: whoever can send such a packet here can forge what is in it.
    pub mirrored: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            promiscuous: true,
            buffer: 16 * 1024 * 1024,
            snap_len: 9216,
            config_sync: ConfigSync::default(),
            mirrored: false,
        }
    }
}

/// An interface and its counters, readable while it is captured on.
#[derive(Debug)]
pub struct Interface {
    name: String,
    net: Net,
    up: AtomicBool,
    frames: AtomicU64,
    dropped: AtomicU64,
    heard: AtomicI64,
    alive: AtomicI64,
}

impl Interface {
    fn new(name: &str, net: Net) -> Self {
        Self {
            name: name.to_owned(),
            net,
            up: AtomicBool::new(false),
            frames: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            heard: AtomicI64::new(i64::MIN),
            alive: AtomicI64::new(i64::MIN),
        }
    }

    /// As the system calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which net it is on.
    #[must_use]
    pub const fn net(&self) -> Net {
        self.net
    }

    /// We can hear on it.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Frames heard.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Frames that the kernel dropped because we were slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// When the one who reads it last came round, on the source's clock.
    #[must_use]
    pub fn alive(&self) -> Timestamp {
        Timestamp::from_nanos(self.alive.load(Ordering::Relaxed))
    }

    fn came_round(&self, at: Timestamp) {
        self.alive.store(at.as_nanos(), Ordering::Relaxed);
    }

    /// Everything captured until `at` is in the channel.
    fn heard_until(&self, at: Timestamp) {
        self.heard.store(at.as_nanos(), Ordering::Release);
    }
}

/// See the module.
pub struct LiveSource {
    interfaces: Vec<Arc<Interface>>,
    clock: Clock,
    steps: Steps,
    input: Receiver<Message>,
    /// Read from the channel, but after the deadline.
    early: Option<Message>,
    /// The frame that is lent.
    current: Option<Box<[u8]>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl LiveSource {
    /// Opens the interfaces and starts to listen.
    ///
    /// # Errors
    /// The first interface that cannot be opened.
    pub fn open(inputs: &[LiveInput], options: Options) -> Result<Self, SourceError> {
        Self::open_on(Clock::start(), inputs, options)
    }

    /// Opens other interfaces (or the same ones otherwise) on the clock of this source, so that an engine can go on with
    /// them. This one still listens until it is dropped.
    ///
    /// # Errors
    /// The first interface that cannot be opened.
    pub fn open_anew(&self, inputs: &[LiveInput], options: Options) -> Result<Self, SourceError> {
        Self::open_on(self.clock, inputs, options)
    }

    fn open_on(clock: Clock, inputs: &[LiveInput], options: Options) -> Result<Self, SourceError> {
        let captures = inputs
            .iter()
            .map(|i| device::open(&i.interface, &options))
            .collect::<Result<Vec<_>, SourceError>>()?;
        let (out, input) = sync_channel(CHANNEL);
        let options = Arc::new(options);
        let stop = Arc::new(AtomicBool::new(false));
        let interfaces: Vec<_> = inputs
            .iter()
            .map(|i| Arc::new(Interface::new(&i.interface, i.net)))
            .collect();
        let mut source = Self {
            interfaces,
            clock,
            steps: Steps::default(),
            input,
            early: None,
            current: None,
            stop,
            threads: Vec::new(),
        };
        for (interface, (capture, link)) in source.interfaces.iter().zip(captures) {
            interface.heard_until(clock.now());
            interface.came_round(clock.now());
            let reader = Reader {
                interface: Arc::clone(interface),
                options: Arc::clone(&options),
                clock,
                out: out.clone(),
                stop: Arc::clone(&source.stop),
            };
            let thread = thread::Builder::new().name(format!("capture-{}", interface.name));
            match thread.spawn(move || reader.run(capture, link)) {
                Ok(thread) => source.threads.push(thread),
                Err(e) => {
                    return Err(SourceError::Interface {
                        interface: interface.name.clone(),
                        said: e.to_string(),
                    });
                }
            }
        }
        Ok(source)
    }

    /// Now, on this source's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Wall time minus this source's time, in nanoseconds: not zero after the wall clock was set or slewed. Only outputs
    /// add it.
    #[must_use]
    pub fn wall_ahead(&self) -> i64 {
        let (now, wall) = self.clock.both();
        wall.saturating_sub(now.as_nanos())
    }

    /// The interfaces and their counters.
    #[must_use]
    pub fn interfaces(&self) -> &[Arc<Interface>] {
        &self.interfaces
    }

    /// Until when every reader has heard everything.
    fn heard(&self) -> Timestamp {
        let heard = self.interfaces.iter().map(|i| i.heard.load(Ordering::Acquire)).min();
        heard.map_or_else(|| self.clock.now(), Timestamp::from_nanos)
    }

    /// Takes or waits for a message, no longer than `wait`.
    fn receive(&mut self, wait: Duration) -> Option<Message> {
        if let Some(message) = self.early.take() {
            return Some(message);
        }
        match self.input.try_recv() {
            Ok(message) => return Some(message),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) if wait.is_zero() => return None,
            Err(_) => {}
        }
        match self.input.recv_timeout(wait) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            // Without readers there is nothing to wait for but the deadline.
            Err(RecvTimeoutError::Disconnected) => {
                thread::park_timeout(wait);
                None
            }
        }
    }
}

impl Source for LiveSource {
    fn next(&mut self, deadline: Timestamp) -> Result<Input<'_>, SourceError> {
        let (called, wall) = self.clock.both();
        if let Some(length) = self.steps.look(called, wall) {
            return Ok(Input::Gap {
                at: called,
                length,
                cause: GapCause::ClockStep,
                lost: 0,
            });
        }
        let mut wait = Duration::ZERO;
        loop {
            // Before the channel, because what it promises is in there.
            let heard = self.heard();
            match self.receive(wait) {
                Some(Message::Gap {
                    at,
                    length,
                    cause,
                    lost,
                }) => {
                    return Ok(Input::Gap {
                        at,
                        length,
                        cause,
                        lost,
                    });
                }
                Some(message @ Message::Frame { at, .. }) if at > deadline => {
                    self.early = Some(message);
                    return Ok(Input::Idle(deadline));
                }
                Some(Message::Frame {
                    at,
                    net,
                    link,
                    data,
                    wire_len,
                }) => {
                    let data = self.current.insert(data);
                    return Ok(Input::Frame(Frame {
                        at,
                        net,
                        interface: "",
                        direction: None,
                        link,
                        data,
                        wire_len,
                    }));
                }
                None if heard >= deadline => return Ok(Input::Idle(deadline)),
                None => {}
            }
            let now = self.clock.now();
            let longest = (called + LONGEST).min(deadline + GRACE);
            if now >= longest {
                return Ok(Input::Idle(heard.min(deadline)));
            }
            wait = if now < deadline {
                deadline.min(longest).since(now)
            } else {
                GRACE_STEP
            };
        }
    }
}

impl Drop for LiveSource {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Readers that wait for room in the channel are let go by its end.
        let (_, nobody) = sync_channel(0);
        drop(std::mem::replace(&mut self.input, nobody));
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
