//! Where something is, in words: `lan vhid 1-140, 143, wan vhid 1`. The one place where lists of vhids are written.

/// Numbers in ascending order as ranges: `1-140, 143`. Two in a row are two numbers.
#[must_use]
pub fn ranges(numbers: impl IntoIterator<Item = u8>) -> String {
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for n in numbers {
        match runs.last_mut() {
            Some((_, last)) if n == *last || n.checked_sub(1) == Some(*last) => *last = n,
            _ => runs.push((n, n)),
        }
    }
    let text = |(first, last): (u8, u8)| match last - first {
        0 => first.to_string(),
        1 => format!("{first}, {last}"),
        _ => format!("{first}-{last}"),
    };
    runs.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Vhids with the networks that they are on, in any order; networks in the order in which they first come.
#[must_use]
pub fn places<'a>(all: impl IntoIterator<Item = (&'a str, u8)>) -> String {
    let mut networks: Vec<(&str, Vec<u8>)> = Vec::new();
    for (network, vhid) in all {
        match networks.iter_mut().find(|(name, _)| *name == network) {
            Some((_, vhids)) => vhids.push(vhid),
            None => networks.push((network, vec![vhid])),
        }
    }
    let text = |(network, mut vhids): (&str, Vec<u8>)| {
        vhids.sort_unstable();
        // Where networks have no names there is one.
        let space = if network.is_empty() { "" } else { " " };
        format!("{network}{space}vhid {}", ranges(vhids))
    };
    networks.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_upon_each_other_is_a_range() {
        assert_eq!(ranges((1..=140).chain([143, 145, 146])), "1-140, 143, 145, 146");
        assert_eq!(ranges([0, 1, 2, 253, 254, 255]), "0-2, 253-255");
        assert_eq!(ranges([]), "");
    }

    #[test]
    fn each_network_is_named_once() {
        let all = [("lan", 3), ("wan", 1), ("lan", 1), ("lan", 2)];
        assert_eq!(places(all), "lan vhid 1-3, wan vhid 1");
    }
}
