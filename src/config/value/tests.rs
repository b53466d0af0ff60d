//! Tables of texts and what they mean, both ways.

use super::*;

#[test]
fn durations_mean_what_they_say() {
    let table = [
        ("0s", 0, "0s"),
        ("1500ms", 1_500, "1500ms"),
        ("1s", 1_000, "1s"),
        ("2m", 120_000, "2m"),
        ("90s", 90_000, "90s"),
        ("1m30s", 90_000, "90s"),
        ("1h", 3_600_000, "1h"),
        ("7d", 604_800_000, "7d"),
    ];
    for (text, millis, back) in table {
        let duration = parse_duration(text).unwrap();
        assert_eq!(duration, Duration::from_millis(millis), "{text}");
        assert_eq!(format_duration(duration), back);
    }
}

#[test]
fn wrong_durations_say_what_would_be_right() {
    let table = [
        ("", "an empty text is no duration"),
        ("60", "`60` has no unit after `60`"),
        ("1.5s", "write 1500ms for 1.5s"),
        ("s", "`s` is no duration"),
        ("-1s", "`-1s` is no duration"),
        ("1 s", "has no unit"),
        ("5sec", "`sec` is no unit of time"),
        ("400d", "longer than a year"),
        ("99999999999999999999s", "longer than a year"),
        ("1s💥", "is no duration"),
    ];
    for (text, fragment) in table {
        let message = parse_duration(text).unwrap_err();
        assert!(message.contains(fragment), "{text}: {message}");
    }
}

#[test]
fn rates_are_per_year() {
    let table = [
        ("1 per 10y", 0.1, "1 per 10y"),
        ("2 per day", 730.5, "2 per day"),
        ("2 per days", 730.5, "2 per day"),
        ("1 per 2 weeks", 365.25 / 14.0, "1 per 2w"),
        ("0.5 per month", 6.0, "0.5 per month"),
        ("1 per h", 8766.0, "1 per hour"),
    ];
    for (text, per_year, back) in table {
        let rate = Rate::parse(text).unwrap();
        assert!((rate.per_year() - per_year).abs() < 1e-9, "{text}: {}", rate.per_year());
        assert_eq!(rate.to_string(), back);
        assert_eq!(Rate::parse(back).unwrap(), rate);
    }
}

#[test]
fn wrong_rates_say_what_would_be_right() {
    let table = [
        ("never", "is no rate"),
        ("0 per 10y", "must be above zero"),
        ("-1 per y", "must be above zero"),
        ("inf per y", "must be above zero"),
        ("NaN per y", "must be above zero"),
        ("one per y", "`one` is no number"),
        ("1 per 0y", "the number before its unit"),
        ("1 per fortnight", "`fortnight` is no period"),
        ("1 per ", "is no period"),
    ];
    for (text, fragment) in table {
        let message = Rate::parse(text).unwrap_err();
        assert!(message.contains(fragment), "{text}: {message}");
    }
}

#[test]
fn prefixes_have_no_host_bits() {
    for (text, len) in [
        ("10.0.0.0/8", 8),
        ("0.0.0.0/0", 0),
        ("::/0", 0),
        ("fd00::/8", 8),
        ("10.1.2.3", 32),
        ("::1", 128),
    ] {
        assert_eq!(parse_prefix(text).unwrap().len, len, "{text}");
    }
    let table = [
        ("10.0.0.1/8", "write 10.0.0.0/8 or 10.0.0.1/32"),
        ("10.0.0.0/33", "has 0 to 32 bits"),
        ("::/129", "has 0 to 128 bits"),
        ("10.0.0.0/+8", "`+8` is no prefix length"),
        ("10.0.0/8", "is no prefix"),
        ("", "is no prefix"),
    ];
    for (text, fragment) in table {
        let message = parse_prefix(text).unwrap_err();
        assert!(message.contains(fragment), "{text}: {message}");
    }
}

#[test]
fn a_prefix_covers_its_own_family() {
    let lan = parse_prefix("10.0.0.0/8").unwrap();
    assert!(covers(lan, "10.9.9.9".parse().unwrap()));
    assert!(!covers(lan, "11.0.0.0".parse().unwrap()));
    let all = parse_prefix("0.0.0.0/0").unwrap();
    assert!(covers(all, "11.0.0.0".parse().unwrap()));
    assert!(!covers(all, "::1".parse().unwrap()));
}

#[test]
fn protocols_and_hardware_addresses_go_both_ways() {
    for (text, number) in [("tcp", 6), ("UDP", 17), ("icmp", 1), ("icmpv6", 58), ("47", 47)] {
        assert_eq!(parse_protocol(text).unwrap(), number);
        assert_eq!(parse_protocol(&format_protocol(number)).unwrap(), number);
    }
    assert!(parse_protocol("carp").is_err() && parse_protocol("112").is_err() && parse_protocol("256").is_err());
    let mac = parse_mac("00:0d:B9:1:34:56").unwrap();
    assert_eq!(format_mac(mac), "00:0d:b9:01:34:56");
    for wrong in [
        "",
        "00:0d:b9:12:34",
        "00:0d:b9:12:34:56:78",
        "00:0d:b9:12:34:5g",
        "00:00:00:00:00:00",
        "+0:0d:b9:12:34:56",
    ] {
        assert!(parse_mac(wrong).is_err(), "{wrong}");
    }
}
