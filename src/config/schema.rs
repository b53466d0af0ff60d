//! Which keys there are: one table, so that the reader, its suggestions and the test of the sample agree.
//!
//! Read by `read` and `context` (unknown keys, suggestions) and by tests/config.rs. Says nothing about values.

/// A section of the file and its keys.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// As it stands between the brackets.
    pub name: &'static str,
    /// `[[name]]`: may stand several times.
    pub repeated: bool,
    /// Its keys; empty where the operator chooses the names (`[zones]`).
    pub keys: &'static [&'static str],
}

const fn one(name: &'static str, keys: &'static [&'static str]) -> Section {
    Section {
        name,
        repeated: false,
        keys,
    }
}

const fn many(name: &'static str, keys: &'static [&'static str]) -> Section {
    Section {
        name,
        repeated: true,
        keys,
    }
}

/// Every section, in the order in which the file is printed.
pub const SECTIONS: &[Section] = &[
    one("sync", &["interface", "config-sync-ports", "mirrored"]),
    many("node", &["name", "address", "self", "local"]),
    many("segment", &["name", "interface", "vlan", "password-file"]),
    one("zones", &[]),
    many("path", &["from", "to", "critical"]),
    many("canary", &["from", "to", "proto", "every"]),
    one("detect", &["risk", "min", "max", "memory"]),
    many(
        "probe",
        &["name", "about", "command", "every", "timeout", "fall", "rise"],
    ),
    one(
        "actions",
        &[
            "preset",
            "require-witness",
            "confirm",
            "settle",
            "demote-delay",
            "recover",
            "hold-down",
            "max-per-hour",
            "demotion",
            "ledger",
        ],
    ),
    one(
        "hooks",
        &[
            "promote",
            "demote",
            "restore",
            "notify",
            "on-failure",
            "timeout",
            "retries",
        ],
    ),
    one(
        "fence",
        &[
            "kind",
            "node",
            "command",
            "options-file",
            "mac",
            "interface",
            "device",
            "delay",
            "timeout",
        ],
    ),
    one("web", &["listen"]),
    one("control", &["socket", "group"]),
];

/// The section of that name.
pub(super) fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|s| s.name == name)
}

/// How a section is written.
pub(super) fn header(section: &Section) -> String {
    if section.repeated {
        format!("[[{}]]", section.name)
    } else {
        format!("[{}]", section.name)
    }
}

/// A place in the tree as the operator finds it: `[[node]] address` for `node[1].address[0]`.
pub(super) fn display_path(path: &str) -> String {
    let (place, key) = path
        .split_once('.')
        .map_or((path, None), |(place, key)| (place, Some(key)));
    let (name, header) = match place.split_once('[') {
        Some((name, _)) => (name, format!("[[{name}]]")),
        None => (place, format!("[{place}]")),
    };
    match key {
        Some(key) => format!("{header} {}", key.split('[').next().unwrap_or(key)),
        None if place.contains('[') || section(name).is_some() => header,
        None => place.to_owned(),
    }
}

/// What an unknown key in `of` was probably meant to be: a sentence to append, or nothing.
pub(super) fn suggest_key(of: &Section, unknown: &str) -> String {
    if let Some(key) = nearest(unknown, of.keys.iter().copied()) {
        return format!("; did you mean `{key}`?");
    }
    match SECTIONS.iter().find(|s| s.keys.contains(&unknown)) {
        Some(other) => format!("; it belongs in {}", header(other)),
        None => format!("; there are {}", list(of.keys)),
    }
}

/// What an unknown section was probably meant to be.
pub(super) fn suggest_section(unknown: &str) -> String {
    // The plural is the usual slip (`[[nodes]]`), and a key without its section the next.
    if let Some(name) = nearest(unknown, SECTIONS.iter().map(|s| s.name)) {
        return format!("; did you mean {}?", section(name).map(header).unwrap_or_default());
    }
    match SECTIONS.iter().find(|s| s.keys.contains(&unknown)) {
        Some(other) => format!("; it belongs in {}", header(other)),
        None => format!(
            "; there are {}",
            SECTIONS.iter().map(header).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The nearest of `known`, if it is near enough to be a slip of the finger or another spelling.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_ascii_lowercase().replace('_', "-");
    known
        .map(|k| (strsim::damerau_levenshtein(&word, k), k))
        .filter(|(distance, k)| *distance <= (k.chars().count() / 3).max(1))
        .min()
        .map(|(_, k)| k)
}

/// `a, b and c`, each in backticks.
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
