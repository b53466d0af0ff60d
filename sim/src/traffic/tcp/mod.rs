//! One end of a TCP connection, as much of it as pf can see: sequence numbers, windows, retransmission, closing.
//!
//! `input` takes segments, `output` sends, `app` plays the script. Time is an argument; whoever owns the connection asks
//! for its deadline after each call.

mod app;
mod input;
mod output;

use super::draw::{MS, NEVER, Ns, SEC};
use super::experience::{Experience, Opened};
use super::mix::Kind;
use super::people::{Stack, ip, stack};
use super::script::{Role, Script};
use crate::packet::{Body, Packet, Segment};

/// Payload of a full segment: 1500 without headers and the timestamp option.
pub(super) const MSS: u32 = 1448;
/// Ten segments to begin with.
const FIRST_WINDOW: u32 = 10 * MSS;
/// The application does not write more than this ahead of what was acknowledged.
const BUFFER: u32 = 64 * MSS;

/// What a call may use of the world around.
pub(super) struct Around<'a> {
    pub(super) out: &'a mut Vec<Packet>,
    pub(super) experience: &'a mut Experience,
    /// The host sends, but nothing leaves it.
    pub(super) mute: bool,
    /// Its user is at lunch.
    pub(super) quiet: bool,
}

impl Around<'_> {
    pub(super) fn send(&mut self, from: u32, to: u32, body: Body) {
        if !self.mute {
            self.out.push(Packet {
                src: ip(from),
                dst: ip(to),
                body,
            });
        }
    }
}

/// What becomes of a flow after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Lives,
    /// It is forgotten.
    Over,
    /// It failed; the client tries again then.
    Retry(Ns),
}

/// Addresses and ports, as this host sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) here: u32,
    pub(super) there: u32,
    /// Own and other.
    pub(super) ports: [u16; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between two attempts; no connection at all.
    Resting,
    SynSent,
    SynReceived,
    Open,
    TimeWait,
}

/// What the application is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// The other side is to say something.
    Waiting,
    /// Before own words.
    Pausing,
    /// In the middle of paced own words.
    Writing,
    /// This many keepalives went without an answer.
    Probing(u8),
    /// All is said; before closing.
    Closing,
    /// All is said; the other side closes.
    Leaving,
    /// Closed.
    Done,
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) ends: Ends,
    role: Role,
    phase: Phase,
    doing: Doing,
    script: Script,
    stack: Stack,
    seed: u64,
    opened: Opened,
    attempt: u32,
    /// Attempts in a row that nobody answered.
    failures: u32,

    /// First sequence number that is not acknowledged, next to send, highest ever sent, end of what was written.
    una: u32,
    nxt: u32,
    max: u32,
    end: u32,
    fin: bool,
    closed_first: bool,
    congestion: u32,
    threshold: u32,
    peer_window: u32,
    shift: u8,
    peer_shift: u8,
    duplicates: u8,
    recover: Option<u32>,

    /// A segment whose round trip is measured: what acknowledges it, when it went.
    timed: Option<(u32, Ns)>,
    smoothed: Ns,
    variance: Ns,
    backoff: u8,

    rcv: u32,
    fin_heard: bool,
    held: [(u32, u32); 3],
    unacknowledged: u8,
    ack_now: bool,

    turn: u32,
    /// What `rcv` will be when the other side has said its turn.
    goal: u32,
    /// Octets and pace of the own turn.
    left: u32,
    gap: Ns,

    at_resend: Ns,
    at_ack: Ns,
    at_app: Ns,
    at_patience: Ns,
}

impl Connection {
    /// A client opens. The SYN leaves.
    pub(super) fn open(now: Ns, ends: Ends, kind: Kind, seed: u64, canary: bool, around: &mut Around<'_>) -> Self {
        let mut this = Self::new(ends, Role::Client, Script::of(Script::isn(kind, seed)), seed);
        this.opened.canary = canary;
        this.begin(now, ends.ports[0], around);
        this
    }

    /// Begins an attempt from a port that was not used lately.
    pub(super) fn begin(&mut self, now: Ns, port: u16, around: &mut Around<'_>) {
        let seed = if self.attempt == 0 {
            self.seed
        } else {
            super::draw::mix(self.seed, self.attempt.into())
        };
        let isn = Script::isn(self.script.kind(), seed);
        let mut ends = self.ends;
        ends.ports[0] = port;
        let (attempt, failures, canary) = (self.attempt + 1, self.failures, self.opened.canary);
        *self = Self::new(ends, Role::Client, Script::of(isn), self.seed);
        (self.attempt, self.failures) = (attempt, failures);
        self.opened = Opened { at: now, canary };
        (self.una, self.nxt, self.max, self.end) = (isn, isn.wrapping_add(1), isn.wrapping_add(1), isn.wrapping_add(1));
        self.at_patience = now + self.connect_timeout();
        self.at_resend = now + SEC;
        around.experience.tried(self.opened);
        self.send_syn(now, around);
    }

    /// A server hears a SYN. The SYN|ACK leaves.
    pub(super) fn accept(now: Ns, ends: Ends, syn: &Segment, around: &mut Around<'_>) -> Self {
        let seed = super::draw::mix(u64::from(ends.here) << 32 | u64::from(syn.seq), now);
        let mut this = Self::new(ends, Role::Server, Script::of(syn.seq), seed);
        let isn = super::draw::low(seed);
        this.phase = Phase::SynReceived;
        (this.una, this.nxt, this.max, this.end) = (isn, isn.wrapping_add(1), isn.wrapping_add(1), isn.wrapping_add(1));
        this.rcv = syn.seq.wrapping_add(1);
        this.agree(syn);
        this.at_resend = now + SEC;
        this.send_syn(now, around);
        this
    }

    fn new(ends: Ends, role: Role, script: Script, seed: u64) -> Self {
        Self {
            ends,
            role,
            phase: Phase::SynSent,
            doing: Doing::Waiting,
            script,
            stack: stack(ends.here),
            seed,
            opened: Opened { at: 0, canary: false },
            attempt: 0,
            failures: 0,
            una: 0,
            nxt: 0,
            max: 0,
            end: 0,
            fin: false,
            closed_first: false,
            congestion: FIRST_WINDOW,
            threshold: u32::MAX,
            peer_window: 0,
            shift: 0,
            peer_shift: 0,
            duplicates: 0,
            recover: None,
            timed: None,
            smoothed: 0,
            variance: 0,
            backoff: 0,
            rcv: 0,
            fin_heard: false,
            held: [(0, 0); 3],
            unacknowledged: 0,
            ack_now: false,
            turn: 0,
            goal: 0,
            left: 0,
            gap: 0,
            at_resend: NEVER,
            at_ack: NEVER,
            at_app: NEVER,
            at_patience: NEVER,
        }
    }

    /// When [`Self::timer`] wants to be called.
    pub(super) fn deadline(&self) -> Ns {
        self.at_resend.min(self.at_ack).min(self.at_app).min(self.at_patience)
    }

    /// Whether it waits for its next attempt, and for nothing else.
    pub(super) fn resting(&self) -> bool {
        self.phase == Phase::Resting
    }

    /// Both sides offer a window shift or neither uses it.
    fn agree(&mut self, syn: &Segment) {
        if let (Some(theirs), Some(mine)) = (syn.wscale, self.stack.wscale) {
            (self.peer_shift, self.shift) = (theirs, mine);
        } else {
            self.stack.wscale = None;
        }
        self.peer_window = syn.window.into();
    }

    /// Between one attempt and the next. Where nobody ever answered, some knock on stubbornly.
    fn rest(&mut self, now: Ns) -> Fate {
        let mut dice = super::draw::dice(self.seed, u64::from(self.attempt) << 8);
        let mut seconds = |low, high| super::draw::secs(super::draw::between(&mut dice, low, high));
        let stubborn = super::draw::share_of(self.seed, 7) < 0.05;
        let again = match self.script.kind() {
            _ if self.role == Role::Server || self.opened.canary => None,
            // These live by being connected: ever longer waits, up to a minute.
            Kind::Push | Kind::Keepalive if self.failures < 30 => Some(seconds(0.5, 2.0) << self.failures.min(5)),
            Kind::WebShort | Kind::Plain | Kind::WebKeep => match self.failures {
                0 | 1 => Some(20 * MS),
                2 => Some(seconds(0.5, 5.0)),
                3..25 if stubborn => Some(seconds(3.0, 40.0)),
                _ => None,
            },
            _ => match self.failures {
                0..4 => Some(seconds(2.0, 20.0)),
                4..25 if stubborn => Some(seconds(5.0, 60.0)),
                _ => None,
            },
        };
        let Some(wait) = again else { return Fate::Over };
        self.phase = Phase::Resting;
        (self.at_resend, self.at_ack, self.at_patience) = (NEVER, NEVER, NEVER);
        self.at_app = now + wait;
        Fate::Retry(self.at_app)
    }

    fn connect_timeout(&self) -> Ns {
        if self.opened.canary {
            return 4 * SEC;
        }
        let u = super::draw::share_of(self.seed, u64::from(self.attempt) << 8 | 1);
        match self.script.kind() {
            Kind::WebShort | Kind::Plain | Kind::WebKeep => super::draw::secs(4.0 + 16.0 * u),
            _ => super::draw::secs(6.0 + 24.0 * u),
        }
    }
}

/// Whether `a` is before `b` on the circle of sequence numbers.
fn before(a: u32, b: u32) -> bool {
    a != b && b.wrapping_sub(a) < 1 << 31
}
