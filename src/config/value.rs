//! Single values: durations, rates, prefixes, protocols, hardware addresses; text to value and back.
//!
//! Called by `read` and `print`. Pure functions; an error is half a sentence that says what is wrong with the text and
//! what would be right, to which the caller adds the line and the key.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::settings::Prefix;

/// Longest duration that makes sense here; keeps all later arithmetic far from its limits.
const MAX_DURATION: Duration = Duration::from_secs(366 * 86_400);

/// Units of a duration in milliseconds, largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads `1500ms`, `1s`, `2m`, `1h`, `7d` and sums such as `1m30s`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const EXAMPLE: &str = r#"write a duration such as "1500ms", "1s", "2m" or "1h""#;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(format!("an empty text is no duration; {EXAMPLE}"));
    }
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let word = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(word);
        if number.is_empty() {
            return Err(format!("`{text}` is no duration; {EXAMPLE}"));
        }
        if unit.is_empty() {
            // "1.5s" is cut at its point, where a unit is missing too.
            let hint = if tail.starts_with(['.', ',']) {
                "write 1500ms for 1.5s"
            } else {
                EXAMPLE
            };
            return Err(format!("`{text}` has no unit after `{number}`; {hint}"));
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{unit}` is no unit of time; use ms, s, m, h or d"));
        };
        let term = number.parse::<u64>().ok().and_then(|n| n.checked_mul(*factor));
        millis = term
            .and_then(|t| millis.checked_add(t))
            .filter(|m| Duration::from_millis(*m) <= MAX_DURATION)
            .ok_or_else(|| format!("`{text}` is longer than a year; {EXAMPLE}"))?;
        rest = tail;
    }
    Ok(Duration::from_millis(millis))
}

/// The text that [`parse_duration`] reads as this value, in whole milliseconds.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    // The largest unit of which it is a whole number; 90s stays 90s, as people write it.
    for (name, factor) in UNITS {
        if millis % factor == 0 {
            return format!("{}{name}", millis / factor);
        }
    }
    format!("{millis}ms")
}

/// The unit of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateUnit {
    /// Hour.
    Hour,
    /// Day.
    Day,
    /// Week.
    Week,
    /// Twelfth of a year.
    Month,
    /// 365.25 days.
    Year,
}

impl RateUnit {
    /// Word, letter, and how many fit into a year.
    const ALL: [(&'static str, &'static str, Self, f64); 5] = [
        ("hour", "h", Self::Hour, 8766.0),
        ("day", "d", Self::Day, 365.25),
        ("week", "w", Self::Week, 365.25 / 7.0),
        ("month", "mo", Self::Month, 12.0),
        ("year", "y", Self::Year, 1.0),
    ];

    fn row(self) -> (&'static str, &'static str, f64) {
        let row = Self::ALL.iter().find(|r| r.2 == self);
        row.map_or(("year", "y", 1.0), |r| (r.0, r.1, r.3))
    }
}

/// How often something may happen, kept as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// So many times, above zero,
    pub count: f64,
    /// in so many, at least one,
    pub every: u32,
    /// of these.
    pub unit: RateUnit,
}

impl Rate {
    /// Times per year.
    #[must_use]
    pub fn per_year(self) -> f64 {
        self.count * self.unit.row().2 / f64::from(self.every)
    }

    /// Reads `1 per 10y`, `2 per day`, `0.5 per month`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXAMPLE: &str = r#"write a rate such as "1 per 10y" or "2 per day""#;
        let (count, period) = text
            .split_once(" per ")
            .ok_or_else(|| format!("`{text}` is no rate; {EXAMPLE}"))?;
        let (count, period) = (count.trim(), period.trim());
        let number: f64 = count
            .parse()
            .map_err(|_| format!("`{count}` is no number; {EXAMPLE}"))?;
        if !number.is_finite() || number <= 0.0 {
            return Err(format!(
                "`{count}` must be above zero: without any risk nothing can ever be decided"
            ));
        }
        let digits = period.find(|c: char| !c.is_ascii_digit()).unwrap_or(period.len());
        let (every, unit) = period.split_at(digits);
        let every = match every {
            "" => 1,
            _ => every.parse().ok().filter(|n| *n > 0).ok_or_else(|| {
                format!(
                    "`{period}` is no period: the number before its unit is from 1 to {}",
                    u32::MAX
                )
            })?,
        };
        let unit = unit.trim();
        let singular = if unit.len() > 2 {
            unit.strip_suffix('s').unwrap_or(unit)
        } else {
            unit
        };
        let row = RateUnit::ALL.iter().find(|r| r.0 == singular || r.1 == unit);
        let (_, _, unit, _) =
            row.ok_or_else(|| format!("`{unit}` is no period; use hour, day, week, month or year"))?;
        Ok(Self {
            count: number,
            every,
            unit: *unit,
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, letter, _) = self.unit.row();
        match self.every {
            1 => write!(f, "{} per {word}", self.count),
            n => write!(f, "{} per {n}{letter}", self.count),
        }
    }
}

/// Reads `10.0.0.0/8`, `fd00::/8`; an address alone is a prefix of its full length.
///
/// # Errors
/// What is wrong with the text; host bits count as a mistake, because one of the two numbers is then not what was
/// meant.
pub fn parse_prefix(text: &str) -> Result<Prefix, String> {
    const EXAMPLE: &str = r#"write a prefix such as "10.0.0.0/8" or "fd00::/8""#;
    let (addr, len) = match text.split_once('/') {
        Some((addr, len)) => (addr, Some(len)),
        None => (text, None),
    };
    let addr = parse_address(addr).map_err(|_| format!("`{text}` is no prefix; {EXAMPLE}"))?;
    let full: u8 = if addr.is_ipv4() { 32 } else { 128 };
    let len = match len {
        None => full,
        Some(len) => len
            .parse::<u8>()
            .ok()
            .filter(|n| *n <= full && len.bytes().all(|b| b.is_ascii_digit()))
            .ok_or_else(|| {
                format!(
                    "`{len}` is no prefix length; an IPv{} prefix has 0 to {full} bits",
                    version(addr)
                )
            })?,
    };
    let network = mask(addr, len);
    if network != addr {
        return Err(format!(
            "`{text}` has bits set behind its length; write {network}/{len} or {addr}/{full}"
        ));
    }
    Ok(Prefix { addr, len })
}

/// 4 or 6.
fn version(addr: IpAddr) -> u8 {
    if addr.is_ipv4() { 4 } else { 6 }
}

/// The address with everything behind the first `len` bits cleared.
fn mask(addr: IpAddr, len: u8) -> IpAddr {
    match addr {
        IpAddr::V4(a) => {
            let keep = u32::MAX.checked_shl(32 - u32::from(len.min(32))).unwrap_or(0);
            IpAddr::V4((u32::from(a) & keep).into())
        }
        IpAddr::V6(a) => {
            let keep = u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0);
            IpAddr::V6((u128::from(a) & keep).into())
        }
    }
}

/// How long a prefix of `zone` covers the address, if it does.
pub(super) fn covers(prefix: Prefix, addr: IpAddr) -> bool {
    prefix.addr.is_ipv4() == addr.is_ipv4() && mask(addr, prefix.len) == mask(prefix.addr, prefix.len)
}

/// Reads an address without a prefix length.
pub(super) fn parse_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        let why = if text.contains('/') {
            "is a prefix, not an address"
        } else {
            "is no IP address"
        };
        format!("`{text}` {why}; write an address such as \"172.30.0.1\" or \"fe80::1\"")
    })
}

/// Protocols that a canary can use, with their names.
const PROTOCOLS: [(&str, u8); 4] = [("icmp", 1), ("tcp", 6), ("udp", 17), ("icmp6", 58)];

/// Reads `tcp`, `udp`, `icmp`, `icmp6` or a protocol number.
pub(super) fn parse_protocol(text: &str) -> Result<u8, String> {
    let lower = text.to_ascii_lowercase();
    let name = if lower == "ipv6-icmp" || lower == "icmpv6" {
        "icmp6"
    } else {
        lower.as_str()
    };
    if let Some((_, number)) = PROTOCOLS.iter().find(|(n, _)| *n == name) {
        return Ok(*number);
    }
    match text.parse::<u8>() {
        Ok(112 | 240) => Err(format!(
            "protocol {text} is the firewalls' own and proves nothing; {PROTOCOL_EXAMPLE}"
        )),
        Ok(number) => Ok(number),
        Err(_) => Err(format!("`{text}` is no protocol; {PROTOCOL_EXAMPLE}")),
    }
}

const PROTOCOL_EXAMPLE: &str = r#"write "tcp", "udp", "icmp", "icmp6" or a number from 0 to 255"#;

/// The text that [`parse_protocol`] reads as this number.
pub(super) fn format_protocol(number: u8) -> String {
    PROTOCOLS
        .iter()
        .find(|(_, n)| *n == number)
        .map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

/// Reads `00:11:22:33:44:55`.
pub(super) fn parse_mac(text: &str) -> Result<[u8; 6], String> {
    let wrong = || format!("`{text}` is no hardware address; write one such as \"00:0d:b9:12:34:56\"");
    let mut mac = [0; 6];
    let mut parts = text.split([':', '-']);
    for octet in &mut mac {
        let part = parts
            .next()
            .filter(|p| (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_hexdigit()));
        *octet = part.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or_else(wrong)?;
    }
    if parts.next().is_some() || mac == [0; 6] {
        Err(wrong())
    } else {
        Ok(mac)
    }
}

/// The text that [`parse_mac`] reads as this address.
pub(super) fn format_mac(mac: [u8; 6]) -> String {
    mac.map(|octet| format!("{octet:02x}")).join(":")
}

#[cfg(test)]
mod tests;
