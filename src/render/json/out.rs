//! Writes JSON tokens into octets.
//!
//! Used by the rest of `render::json` only. Exists because a serializer that builds a tree first, or formats numbers
//! through `fmt`, is several times slower on the frames that are most of a capture. Commas are put by the callers.

use std::net::IpAddr;

/// JSON under construction.
pub(super) struct Out<'b>(pub(super) &'b mut Vec<u8>);

impl Out<'_> {
    /// Verbatim: punctuation and keys that are known to need no escaping.
    #[inline]
    pub(super) fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A number.
    #[inline]
    pub(super) fn number(&mut self, v: impl Into<u64>) {
        let mut v = v.into();
        if v < 10 {
            self.0.push(digit(v));
            return;
        }
        let (mut room, mut used) = ([0; 20], 0);
        while v > 0 {
            if let Some(slot) = room.get_mut(used) {
                *slot = digit(v % 10);
            }
            (v, used) = (v / 10, used + 1);
        }
        self.0.extend(room.iter().take(used).rev());
    }

    /// A number that may be negative.
    pub(super) fn signed(&mut self, v: i32) {
        if v < 0 {
            self.0.push(b'-');
        }
        self.number(v.unsigned_abs());
    }

    /// `"key":number`, the key with its punctuation.
    #[inline]
    pub(super) fn field(&mut self, key: &str, v: impl Into<u64>) {
        self.raw(key);
        self.number(v);
    }

    /// A number, or `null`.
    pub(super) fn optional(&mut self, key: &str, v: Option<u32>) {
        self.raw(key);
        match v {
            Some(v) => self.number(v),
            None => self.raw("null"),
        }
    }

    pub(super) fn boolean(&mut self, key: &str, v: bool) {
        self.raw(key);
        self.raw(if v { "true" } else { "false" });
    }

    /// Numbers in brackets.
    pub(super) fn list<T: Into<u64>>(&mut self, key: &str, values: impl IntoIterator<Item = T>) {
        self.raw(key);
        self.0.push(b'[');
        for (i, v) in values.into_iter().enumerate() {
            if i > 0 {
                self.0.push(b',');
            }
            self.number(v);
        }
        self.0.push(b']');
    }

    /// Octets as a string of hex digits.
    pub(super) fn hex(&mut self, octets: &[u8]) {
        self.0.push(b'"');
        for octet in octets {
            self.0.extend([nibble(octet >> 4), nibble(octet & 15)]);
        }
        self.0.push(b'"');
    }

    /// A string of octets that should be UTF-8; what is not becomes U+FFFD.
    pub(super) fn string(&mut self, octets: &[u8]) {
        self.0.push(b'"');
        if octets
            .iter()
            .all(|c| matches!(c, b' '..=b'~') && !matches!(c, b'"' | b'\\'))
        {
            self.0.extend_from_slice(octets);
        } else {
            for c in String::from_utf8_lossy(octets).chars() {
                match c {
                    '"' => self.raw("\\\""),
                    '\\' => self.raw("\\\\"),
                    // Control characters of both ranges, so that no terminal obeys an interface name.
                    c if c.is_control() => self.raw(&format!("\\u{:04x}", u32::from(c))),
                    c => self.raw(c.encode_utf8(&mut [0; 4])),
                }
            }
        }
        self.0.push(b'"');
    }

    /// An address as a string.
    pub(super) fn address(&mut self, address: IpAddr) {
        self.0.push(b'"');
        match address {
            IpAddr::V4(v4) => {
                for (i, octet) in v4.octets().into_iter().enumerate() {
                    if i > 0 {
                        self.0.push(b'.');
                    }
                    self.number(octet);
                }
            }
            IpAddr::V6(v6) => self.raw(&v6.to_string()),
        }
        self.0.push(b'"');
    }
}

/// `v` is below ten.
#[inline]
fn digit(v: u64) -> u8 {
    b'0' + u8::try_from(v).unwrap_or(0)
}

#[inline]
fn nibble(v: u8) -> u8 {
    if v < 10 { b'0' + v } else { b'a' - 10 + v }
}

#[cfg(test)]
mod tests {
    use super::Out;

    fn with(write: impl FnOnce(&mut Out<'_>)) -> String {
        let mut buf = Vec::new();
        write(&mut Out(&mut buf));
        String::from_utf8(buf).unwrap()
    }

    #[test]
    fn numbers_of_all_lengths() {
        for v in [
            0,
            1,
            9,
            10,
            99,
            100,
            65_535,
            u64::from(u32::MAX),
            u64::MAX - 1,
            u64::MAX,
        ] {
            assert_eq!(with(|o| o.number(v)), v.to_string());
        }
        for v in [0, -1, 1, i32::MIN, i32::MAX] {
            assert_eq!(with(|o| o.signed(v)), v.to_string());
        }
    }

    #[test]
    fn strings_are_always_json() {
        for octets in [
            &b"em0"[..],
            b"",
            b"a\"b\\c",
            b"\x1b[2J\x07\n",
            b"\xff\xfe",
            "vlan\u{9b}é".as_bytes(),
        ] {
            let text = with(|o| o.string(octets));
            let back: String = serde_json::from_str(&text).unwrap();
            assert_eq!(back, String::from_utf8_lossy(octets));
            assert!(!text.chars().any(char::is_control));
        }
    }

    #[test]
    fn addresses_as_std_writes_them() {
        for address in ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::ffff:192.0.2.1", "::"] {
            assert_eq!(with(|o| o.address(address.parse().unwrap())), format!("\"{address}\""));
        }
    }
}
