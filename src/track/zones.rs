//! From two addresses to a watched path: longest prefix over all zones, IPv4 and IPv6.
//!
//! Called once per new state. Tables are sorted longest prefix first; zones are few, so a scan beats a trie.

use crate::settings::{Path, Prefix, Settings};
use std::net::{IpAddr, Ipv6Addr};

/// Octets of an address in one shape: IPv4 as IPv4-mapped IPv6.
#[must_use]
pub fn octets(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V4(a) => a.to_ipv6_mapped().octets(),
        IpAddr::V6(a) => a.octets(),
    }
}

/// The address behind [`octets`].
#[must_use]
pub fn address(octets: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(octets).to_canonical()
}

/// Which watched path leads from one host to another.
#[derive(Clone, Debug)]
pub struct Paths {
    prefixes: Vec<(u128, u8, usize)>,
    paths: Vec<Path>,
}

impl Paths {
    /// From zones and paths of the settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let mut prefixes: Vec<_> = settings
            .zones
            .iter()
            .enumerate()
            .flat_map(|(zone, z)| z.prefixes.iter().map(move |p| (bits(p), length(p), zone)))
            .collect();
        prefixes.sort_by_key(|&(_, len, _)| std::cmp::Reverse(len));
        Self {
            prefixes,
            paths: settings.paths.clone(),
        }
    }

    /// How many paths are watched, at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.paths.len().max(1)
    }

    /// Whether everything is one path.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.paths.is_empty()
    }

    /// The watched path from `from` to `to`, if any.
    #[must_use]
    pub fn of(&self, from: [u8; 16], to: [u8; 16]) -> Option<usize> {
        if self.paths.is_empty() {
            return Some(0);
        }
        let (from, to) = (self.zone(from)?, self.zone(to)?);
        self.paths.iter().position(|p| p.from == from && p.to == to)
    }

    fn zone(&self, octets: [u8; 16]) -> Option<usize> {
        let a = u128::from_be_bytes(octets);
        self.prefixes
            .iter()
            .find(|&&(net, len, _)| mask(a, len) == net)
            .map(|&(_, _, zone)| zone)
    }
}

fn length(p: &Prefix) -> u8 {
    match p.addr {
        IpAddr::V4(_) => 96 + p.len.min(32),
        IpAddr::V6(_) => p.len.min(128),
    }
}

fn bits(p: &Prefix) -> u128 {
    mask(u128::from_be_bytes(octets(p.addr)), length(p))
}

fn mask(a: u128, len: u8) -> u128 {
    if len == 0 {
        0
    } else {
        a & (u128::MAX << (128 - u32::from(len)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Zone;

    fn zone(name: &str, prefixes: &[&str]) -> Zone {
        let prefix = |p: &&str| {
            let (a, l) = p.split_once('/').unwrap();
            Prefix {
                addr: a.parse().unwrap(),
                len: l.parse().unwrap(),
            }
        };
        Zone {
            name: name.into(),
            prefixes: prefixes.iter().map(prefix).collect(),
        }
    }

    #[test]
    fn the_longest_prefix_wins_in_both_families() {
        let settings = Settings {
            zones: vec![
                zone("wan", &["0.0.0.0/0", "::/0"]),
                zone("lan", &["10.0.0.0/8", "2001:db8::/32"]),
                zone("dmz", &["10.9.0.0/16"]),
            ],
            paths: vec![
                Path {
                    from: 1,
                    to: 0,
                    critical: true,
                },
                Path {
                    from: 2,
                    to: 0,
                    critical: false,
                },
            ],
            ..Settings::default()
        };
        let paths = Paths::new(&settings);
        let of = |a: &str, b: &str| paths.of(octets(a.parse().unwrap()), octets(b.parse().unwrap()));
        assert_eq!(of("10.1.1.1", "192.0.2.1"), Some(0));
        assert_eq!(of("10.9.1.1", "192.0.2.1"), Some(1));
        assert_eq!(of("192.0.2.1", "10.1.1.1"), None);
        assert_eq!(of("2001:db8::1", "2001:db9::1"), Some(0));
    }

    #[test]
    fn without_zones_everything_is_one_path() {
        let paths = Paths::new(&Settings::default());
        assert_eq!(paths.of([0; 16], [1; 16]), Some(0));
    }

    #[test]
    fn octets_and_back() {
        for a in ["192.0.2.7", "2001:db8::7"] {
            assert_eq!(address(octets(a.parse().unwrap())).to_string(), a);
        }
    }
}
