//! Lifetimes of states: `PFTM_*` and pf.conf's default timeouts.

/// `PFTM_*` as in the timeout octet of pfsync messages.
#[expect(missing_docs, reason = "the names are pf's own")]
pub mod pftm {
    pub const TCP_FIRST_PACKET: u8 = 0;
    pub const TCP_OPENING: u8 = 1;
    pub const TCP_ESTABLISHED: u8 = 2;
    pub const TCP_CLOSING: u8 = 3;
    pub const TCP_FIN_WAIT: u8 = 4;
    pub const TCP_CLOSED: u8 = 5;
    pub const UDP_FIRST_PACKET: u8 = 6;
    pub const UDP_SINGLE: u8 = 7;
    pub const UDP_MULTIPLE: u8 = 8;
    pub const ICMP_FIRST_PACKET: u8 = 9;
    pub const ICMP_ERROR_REPLY: u8 = 10;
    pub const OTHER_FIRST_PACKET: u8 = 11;
    pub const OTHER_SINGLE: u8 = 12;
    pub const OTHER_MULTIPLE: u8 = 13;
}

/// `set limit states`, the default.
pub const LIMIT: usize = 100_000;
/// `timeout interval`: the whole table is looked through in so many seconds.
pub const INTERVAL: usize = 10;
/// `timeout adaptive.start` and `adaptive.end`: 60 % and 120 % of the limit.
const ADAPTIVE: [u64; 2] = [60_000, 120_000];

/// Seconds that a state of this timeout lives after its last packet, in a table of `states`.
#[must_use]
pub fn seconds(timeout: u8, states: usize) -> u32 {
    const DEFAULTS: [u32; 14] = [120, 30, 86_400, 900, 45, 90, 60, 30, 60, 20, 10, 60, 30, 60];
    let seconds = DEFAULTS.get(usize::from(timeout)).copied().unwrap_or(0);
    let [start, end] = ADAPTIVE;
    match states as u64 {
        states if states <= start => seconds,
        states if states >= end => 0,
        states => u32::try_from(u64::from(seconds) * (end - states) / (end - start)).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_shrink_above_sixty_percent_of_the_limit() {
        assert_eq!(seconds(pftm::TCP_ESTABLISHED, 60_000), 86_400);
        assert_eq!(seconds(pftm::TCP_ESTABLISHED, 90_000), 43_200);
        assert_eq!(seconds(pftm::UDP_MULTIPLE, 120_000), 0);
        assert_eq!(seconds(pftm::ICMP_ERROR_REPLY, 5), 10);
    }
}
