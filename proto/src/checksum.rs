//! The Internet checksum (RFC 1071), which CARP and VRRP share.
//!
//! Called by `carp` and `vrrp`, to check and to write.

/// Complement of the sum of the 16-bit words of `parts`, each of which starts a word of its own; an odd octet at an end is
/// padded with zero. 0 over octets that hold a right checksum.
pub(crate) fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = parts.iter().map(|part| words(part)).sum::<u64>();
    // Three folds bring down whatever fits into memory.
    for _ in 0..3 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

fn words(octets: &[u8]) -> u64 {
    let (words, odd) = octets.as_chunks::<2>();
    let last = odd.first().map_or(0, |octet| u64::from(*octet) << 8);
    words
        .iter()
        .fold(last, |sum, word| sum + u64::from(u16::from_be_bytes(*word)))
}
