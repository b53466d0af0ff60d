//! The application on top: plays the script, waits, loses its patience, closes.

use super::{Around, BUFFER, Connection, Doing, Fate, MSS, before};
use crate::traffic::draw::{MS, NEVER, Ns, SEC};
use crate::traffic::script::Role;

/// Keepalives without an answer after which the connection is taken for dead, and the time between them.
const PROBES: (u8, Ns) = (5, 10 * SEC);

impl Connection {
    /// The handshake is done.
    pub(super) fn start(&mut self, now: Ns, around: &mut Around<'_>) {
        self.goal = self.rcv;
        self.next(now, around);
        // A canary's client closes at once, a web client speaks at once.
        if self.at_app <= now {
            self.act(now, around);
        }
    }

    /// On to the next turn that is not over yet.
    fn next(&mut self, now: Ns, around: &mut Around<'_>) {
        self.at_app = NEVER;
        self.at_patience = NEVER;
        while let Some(turn) = self.script.turn(self.turn) {
            if turn.by == self.role {
                (self.doing, self.left, self.gap) = (Doing::Pausing, turn.octets, turn.gap);
                self.at_app = now + turn.wait;
                return;
            }
            self.goal = self.goal.wrapping_add(turn.octets);
            if before(self.rcv, self.goal) {
                self.doing = Doing::Waiting;
                self.at_patience = now + self.script.patience(self.role, turn.wait);
                return;
            }
            self.turn += 1;
        }
        if self.role == Role::Client {
            around.experience.completed(now, self.opened);
        }
        let (closer, wait) = self.script.close();
        if closer == self.role {
            self.doing = Doing::Closing;
            self.at_app = now + wait;
        } else {
            self.doing = Doing::Leaving;
            self.at_patience = now + self.script.patience(self.role, wait);
        }
    }

    /// The application's timer.
    pub(super) fn act(&mut self, now: Ns, around: &mut Around<'_>) -> Fate {
        if around.quiet {
            // At lunch. Looks again when it may be over; not all at the same moment.
            self.at_app = now + 2 * SEC + Ns::from(self.ends.ports[0] % 1000) * MS;
            return Fate::Lives;
        }
        match self.doing {
            Doing::Pausing if self.left == 0 => self.probe(now, 1, around),
            Doing::Pausing if self.gap == 0 => {
                self.end = self.end.wrapping_add(self.left);
                self.turn += 1;
                self.next(now, around);
                // Two turns of one side without a pause between them go out together.
                if self.at_app <= now && matches!(self.doing, Doing::Pausing) && self.left > 0 {
                    return self.act(now, around);
                }
            }
            Doing::Pausing | Doing::Writing => {
                self.doing = Doing::Writing;
                self.at_app = now + self.gap;
                if self.end.wrapping_sub(self.una) < BUFFER {
                    let some = self.left.min(MSS);
                    self.end = self.end.wrapping_add(some);
                    self.left -= some;
                }
                if self.left == 0 {
                    self.turn += 1;
                    self.next(now, around);
                }
            }
            Doing::Probing(n) if n >= PROBES.0 => {
                self.send_reset(around);
                return self.lost(now, around);
            }
            Doing::Probing(n) => self.probe(now, n + 1, around),
            // Not in the middle of what is still on its way.
            Doing::Closing if self.script.abrupt() && self.una != self.end => self.at_app = now + SEC / 2,
            Doing::Closing if self.script.abrupt() => {
                self.doing = Doing::Done;
                self.at_app = NEVER;
                self.send_reset(around);
                return Fate::Over;
            }
            Doing::Closing => self.close(),
            Doing::Waiting | Doing::Leaving | Doing::Done => self.at_app = NEVER,
        }
        Fate::Lives
    }

    /// No more words from this side, which is the first to say so.
    pub(super) fn close(&mut self) {
        (self.at_app, self.at_patience) = (NEVER, NEVER);
        self.doing = Doing::Done;
        self.fin = true;
        self.closed_first = true;
    }

    fn probe(&mut self, now: Ns, n: u8, around: &mut Around<'_>) {
        self.doing = Doing::Probing(n);
        self.at_app = now + PROBES.1;
        self.send_probe(around);
    }

    /// Something came from the other side.
    pub(super) fn heard(&mut self, now: Ns, around: &mut Around<'_>) {
        match self.doing {
            Doing::Probing(_) => {
                self.turn += 1;
                self.next(now, around);
            }
            Doing::Waiting if !before(self.rcv, self.goal) => {
                self.turn += 1;
                self.next(now, around);
            }
            // Progress is reason enough to go on waiting; the timer itself moves lazily.
            Doing::Waiting | Doing::Leaving => {
                self.at_patience = self.at_patience.max(now + self.script.patience(self.role, 0));
            }
            _ => {}
        }
        if self.fin_heard && self.doing != Doing::Done {
            // The other side has enough: so have we. Who was only pausing does not mind.
            if self.role == Role::Client && !around.quiet && matches!(self.doing, Doing::Waiting | Doing::Writing) {
                around.experience.broken(now, self.opened.canary);
            }
            self.doing = Doing::Done;
            self.fin = true;
            (self.at_app, self.at_patience) = (NEVER, NEVER);
        } else if self.at_app <= now && !around.quiet {
            self.act(now, around);
        }
    }
}
