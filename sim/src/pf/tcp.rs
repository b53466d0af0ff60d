//! TCP window tracking (`pf_tcp_track_full`), after Guido van Rooij's "Real stateful TCP packet filtering in IP Filter".
//!
//! For every side of a connection pf remembers where its data ends (`seqlo`), how far the other side lets it go
//! (`seqhi`) and the largest window it ever advertised (`max_win`). The odd corners are kept on purpose, because they
//! show on the wire: the unscaled window of a repeated SYN becomes `max_win`; a first packet of a responder whose
//! `seqhi` was already moved keeps it, if its sequence numbers are "before" it.

use super::timeout::pftm;
use crate::packet::{Segment, flags};
use pfsync_proto::Peer;

/// Numbers of `TCPS_*` that the tracker uses.
pub(crate) mod tcps {
    pub(crate) const CLOSED: u8 = 0;
    pub(crate) const SYN_SENT: u8 = 2;
    pub(crate) const ESTABLISHED: u8 = 4;
    pub(crate) const CLOSING: u8 = 7;
    pub(crate) const FIN_WAIT_2: u8 = 9;
    pub(crate) const TIME_WAIT: u8 = 10;
}

/// `PF_WSCALE_MASK` and `PF_WSCALE_FLAG`.
const MASK: u8 = 0x0f;
const KNOWN: u8 = 0x80;
/// `MAXACKWINDOW`: how far an acknowledgement may be off, and a segment in a connection that is not in its middle.
const FUDGE: u32 = 0xffff + 1500;

/// What becomes of a segment that found a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Passes. `Some` restarts the lifetime with this timeout; a loosely matched segment does not.
    Pass(Option<u8>),
    /// Does not fit.
    Drop,
    /// A new SYN for a connection that is over: dropped, and the state with it; the next SYN makes a new one.
    Replace,
}

/// Whether `a` is at or after `b` in sequence space.
#[inline]
pub(crate) fn at_or_after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() >= 0
}

/// Whether `a` is after `b` in sequence space.
#[inline]
pub(crate) fn after(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() > 0
}

/// The peers that a SYN makes: initiator and responder.
pub(crate) fn open(syn: &Segment) -> [Peer; 2] {
    let wscale = wscale(syn);
    let window = u32::from(syn.window.max(1));
    let src = Peer {
        seqlo: syn.seq,
        seqhi: syn
            .seq
            .wrapping_add(u32::from(syn.len))
            .wrapping_add(2 + u32::from(syn.has(flags::FIN))),
        // The window of a SYN is never scaled, all others are.
        max_win: if wscale & MASK > 0 {
            unscale(window, wscale)
        } else {
            narrow(window)
        },
        state: tcps::SYN_SENT,
        wscale,
        ..Peer::default()
    };
    let dst = Peer {
        seqhi: 1,
        max_win: 1,
        state: tcps::CLOSED,
        ..Peer::default()
    };
    [src, dst]
}

/// The window scale option with the flag that says it was there.
fn wscale(segment: &Segment) -> u8 {
    segment.wscale.map_or(0, |shift| shift.min(14) | KNOWN)
}

/// What `window` is in units of the scale, rounded up.
fn unscale(window: u32, wscale: u8) -> u16 {
    let shift = wscale & MASK;
    narrow((window + (1 << shift) - 1) >> shift)
}

fn narrow(window: u32) -> u16 {
    u16::try_from(window).unwrap_or(u16::MAX)
}

/// Judges a segment from `src` to `dst` and moves both.
pub(crate) fn track(src: &mut Peer, dst: &mut Peer, segment: &Segment) -> Fate {
    let (syn, ack_set) = (segment.has(flags::SYN), segment.has(flags::ACK));
    if syn && !ack_set {
        if src.state >= tcps::FIN_WAIT_2 && dst.state >= tcps::FIN_WAIT_2 {
            return Fate::Replace;
        }
        // Answered with a challenge ACK by the kernels; whoever restarted will be reset by its peer.
        if src.state >= tcps::ESTABLISHED && dst.state >= tcps::ESTABLISHED {
            return Fate::Drop;
        }
    }
    let (mut sws, mut dws) = if src.wscale != 0 && dst.wscale != 0 && !syn {
        (src.wscale & MASK, dst.wscale & MASK)
    } else {
        (0, 0)
    };
    let mut win = segment.window;
    let original = segment.seq;
    let mut seq = original;
    let mut data_end = seq.wrapping_add(u32::from(segment.len)).wrapping_add(u32::from(syn));
    let mut end = data_end.wrapping_add(u32::from(segment.has(flags::FIN)));

    if src.seqlo == 0 {
        if syn && dst.wscale & KNOWN != 0 {
            src.wscale = wscale(segment);
            if src.wscale & KNOWN != 0 {
                (sws, dws) = (src.wscale & MASK, dst.wscale & MASK);
                win = unscale(u32::from(win), src.wscale);
            } else {
                dst.max_win = narrow(u32::from(dst.max_win) << (dst.wscale & MASK));
                dst.wscale = 0;
            }
        }
        src.seqlo = seq;
        src.state = src.state.max(tcps::SYN_SENT);
        let edge = end.wrapping_add((u32::from(dst.max_win) << dws).max(1));
        if src.seqhi == 1 || at_or_after(edge, src.seqhi) {
            src.seqhi = edge;
        }
        src.max_win = src.max_win.max(win);
    }

    let unanswered = segment.ack == 0 && segment.has(flags::RST) || dst.state < tcps::SYN_SENT;
    let ack = if !ack_set || unanswered { dst.seqlo } else { segment.ack };
    if seq == end {
        // A segment without sequence space may be anywhere: keepalives, window updates, stray ACKs.
        seq = src.seqlo;
        data_end = seq;
        end = seq;
    }
    let skew = i64::from(dst.seqlo.wrapping_sub(ack).cast_signed());
    let granted = u32::from(dst.max_win) << dws;
    let rst_fits = || {
        !segment.has(flags::RST)
            || original.wrapping_sub(src.seqlo).wrapping_add(1) <= 2
            || (at_or_after(original, src.seqlo.wrapping_sub(granted))
                && at_or_after(src.seqlo.wrapping_add(1), original)
                && skew == 0
                && ack_set)
    };
    let strict = at_or_after(src.seqhi, data_end)
        && at_or_after(seq, src.seqlo.wrapping_sub(granted))
        && skew >= -i64::from(FUDGE)
        && skew <= i64::from(FUDGE) << sws
        && rst_fits();
    let loose = || {
        (dst.state < tcps::SYN_SENT || dst.state >= tcps::FIN_WAIT_2 || src.state >= tcps::FIN_WAIT_2)
            && at_or_after(src.seqhi.wrapping_add(FUDGE), data_end)
            && at_or_after(seq, src.seqlo.wrapping_sub(FUDGE))
    };
    if !strict && !loose() {
        if src.state == tcps::SYN_SENT && dst.state == tcps::SYN_SENT {
            // The sender is asked (with a RST) to begin again, and forgotten.
            (src.seqlo, src.seqhi, src.max_win) = (0, 1, 1);
        }
        return Fate::Drop;
    }

    src.max_win = src.max_win.max(win);
    if after(end, src.seqlo) {
        src.seqlo = end;
    }
    let window = u32::from(win) << sws;
    if at_or_after(ack.wrapping_add(window), dst.seqhi) {
        dst.seqhi = ack.wrapping_add(window.max(1));
    }
    if segment.has(flags::FIN) {
        src.state = src.state.max(tcps::CLOSING);
    }
    if strict {
        if syn {
            src.state = src.state.max(tcps::SYN_SENT);
        }
        if ack_set {
            match dst.state {
                tcps::SYN_SENT => dst.state = tcps::ESTABLISHED,
                tcps::CLOSING => dst.state = tcps::FIN_WAIT_2,
                _ => {}
            }
        }
    }
    if segment.has(flags::RST) {
        (src.state, dst.state) = (tcps::TIME_WAIT, tcps::TIME_WAIT);
    }
    Fate::Pass(strict.then(|| lifetime(src.state, dst.state)))
}

/// The timeout that belongs to the states of both sides.
fn lifetime(a: u8, b: u8) -> u8 {
    let (low, high) = (a.min(b), a.max(b));
    if low >= tcps::FIN_WAIT_2 {
        pftm::TCP_CLOSED
    } else if low >= tcps::CLOSING {
        pftm::TCP_FIN_WAIT
    } else if low < tcps::ESTABLISHED {
        pftm::TCP_OPENING
    } else if high >= tcps::CLOSING {
        pftm::TCP_CLOSING
    } else {
        pftm::TCP_ESTABLISHED
    }
}

#[cfg(test)]
mod tests;
