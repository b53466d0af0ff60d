//! The words that humans have for the kernel's numbers.
//!
//! Used by `render::text`. Names are those of pf.conf(5) and `pfctl -ss`; a number without a name stays a number.

use std::fmt;

/// A number that may have a name.
#[derive(Clone, Copy)]
pub(super) struct Word(Option<&'static str>, u8);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.1),
        }
    }
}

const TCP: [&str; 13] = [
    "CLOSED",
    "LISTEN",
    "SYN_SENT",
    "SYN_RCVD",
    "ESTABLISHED",
    "CLOSE_WAIT",
    "FIN_WAIT_1",
    "CLOSING",
    "LAST_ACK",
    "FIN_WAIT_2",
    "TIME_WAIT",
    "PROXY_SRC",
    "PROXY_DST",
];

const OTHER: [&str; 3] = ["NO_TRAFFIC", "SINGLE", "MULTIPLE"];

/// What all versions have.
const TIMEOUTS: [&str; 20] = [
    "tcp.first",
    "tcp.opening",
    "tcp.established",
    "tcp.closing",
    "tcp.finwait",
    "tcp.closed",
    "udp.first",
    "udp.single",
    "udp.multiple",
    "icmp.first",
    "icmp.error",
    "other.first",
    "other.single",
    "other.multiple",
    "frag",
    "interval",
    "adaptive.start",
    "adaptive.end",
    "src.track",
    "tsdiff",
];

/// Version 5, as FreeBSD has them since 14: those of states on their way out come behind SCTP's.
const FREEBSD: [&str; 8] = [
    "sctp.first",
    "sctp.opening",
    "sctp.established",
    "sctp.closing",
    "sctp.closed",
    "max",
    "purge",
    "unlinked",
];

/// All others: `PFTM_MAX`, which no state has, and those of states on their way out.
const OTHERS: [&str; 4] = ["max", "purge", "unlinked", "until.packet"];

/// `PFTM_*` of this version of pfsync.
pub(super) fn timeout(version: u8, number: u8) -> Word {
    let more: &[&str] = if version == 5 { &FREEBSD } else { &OTHERS };
    let names = TIMEOUTS.iter().chain(more);
    Word(names.copied().nth(usize::from(number)), number)
}

/// The state of a peer. What it means depends on the protocol, which the timeout gives where nothing else does.
pub(super) fn state(number: u8, timeout: u8) -> Word {
    let names: &[&'static str] = match timeout {
        0..=5 => &TCP,
        6..=8 | 11..=13 => &OTHER,
        _ => &[],
    };
    Word(names.get(usize::from(number)).copied(), number)
}

/// IP protocols that have states.
pub(super) fn protocol(number: u8) -> Word {
    let name = match number {
        1 => "icmp",
        2 => "igmp",
        4 => "ipencap",
        6 => "tcp",
        17 => "udp",
        41 => "ipv6",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmp6",
        89 => "ospf",
        112 => "carp",
        132 => "sctp",
        240 => "pfsync",
        _ => return Word(None, number),
    };
    Word(Some(name), number)
}

#[cfg(test)]
mod tests {
    use super::{protocol, state, timeout};

    #[test]
    fn numbers_without_a_name_stay_numbers() {
        let timeouts = |version| [10, 20, 22, 24, 27, 28].map(|n| timeout(version, n).to_string());
        let v5 = [
            "icmp.error",
            "sctp.first",
            "sctp.established",
            "sctp.closed",
            "unlinked",
            "28",
        ];
        assert_eq!(timeouts(5), v5);
        let v6 = ["icmp.error", "max", "unlinked", "24", "27", "28"];
        assert_eq!((timeouts(6), timeouts(3)), (v6.map(Into::into), v6.map(Into::into)));
        assert_eq!(
            (state(4, 2).to_string(), state(13, 2).to_string()),
            ("ESTABLISHED".into(), "13".into())
        );
        assert_eq!(
            (state(2, 8).to_string(), state(3, 8).to_string()),
            ("MULTIPLE".into(), "3".into())
        );
        assert_eq!(state(0, 10).to_string(), "0");
        assert_eq!(
            (protocol(6).to_string(), protocol(200).to_string()),
            ("tcp".into(), "200".into())
        );
    }
}
