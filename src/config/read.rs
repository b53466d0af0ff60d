//! From the TOML tree to [`Config`]: each section, key by key, with its defaults.
//!
//! Called by `Config::parse`. A key that is wrong is reported and leaves its default behind, so that the rest is still
//! read; nothing is checked here that needs a second key (see `check`).

use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeTable;

use super::context::{Context, Field, Table};
use super::model::{
    Actions, Canary, Command, Config, Control, Detect, Fence, FenceKind, Hooks, Node, OnFailure, PathRule, Preset,
    Probe, Segment, Sync, Web, Zone,
};
use super::schema;
use super::value::{Rate, parse_address, parse_mac, parse_prefix, parse_protocol};

const MILLISECOND: Duration = Duration::from_millis(1);
const NAME: &str = "write a name in quotes";
const ADDRESS: &str = r#"write addresses such as ["172.30.0.1"]"#;

/// Reads everything; what was wrong is in the context.
pub(super) fn read(text: &str) -> (Config, Context) {
    let mut cx = Context::new(text);
    let mut config = Config::default();
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = cx.line(error.span().map_or(0, |span| span.start));
        // The parser's words, on one line.
        cx.error(
            line,
            "",
            error.message().split_whitespace().collect::<Vec<_>>().join(" "),
        );
    }
    if errors.is_empty() {
        read_root(&mut cx, &Table::root(root.get_ref()), &mut config);
    }
    (config, cx)
}

fn read_root(cx: &mut Context, root: &Table<'_, '_>, config: &mut Config) {
    for field in root.fields(cx) {
        let Some(section) = schema::section(field.name) else {
            let hint = schema::suggest_section(field.name);
            field.unknown(cx, format!("is no section{hint}"));
            continue;
        };
        if section.repeated {
            for table in field.tables(cx, section) {
                read_repeated(cx, &table, section.name, config);
            }
        } else if let Some(table) = Table::open(cx, &field, section) {
            read_single(cx, &table, section.name, config);
        }
    }
}

fn read_single(cx: &mut Context, table: &Table<'_, '_>, name: &str, config: &mut Config) {
    match name {
        "sync" => sync(cx, table, &mut config.sync),
        "zones" => config.zones = zones(cx, table),
        "detect" => detect(cx, table, &mut config.detect),
        "actions" => actions(cx, table, &mut config.actions),
        "hooks" => hooks(cx, table, &mut config.hooks),
        "fence" => config.fence = fence(cx, table),
        "web" => web(cx, table, &mut config.web),
        "control" => control(cx, table, &mut config.control),
        _ => debug_assert!(false, "a section of the schema that nobody reads"),
    }
}

fn read_repeated(cx: &mut Context, table: &Table<'_, '_>, name: &str, config: &mut Config) {
    match name {
        "node" => config.nodes.extend(node(cx, table)),
        "segment" => config.segments.extend(segment(cx, table)),
        "path" => config.paths.extend(path(cx, table)),
        "canary" => config.canaries.extend(canary(cx, table)),
        "probe" => config.probes.extend(probe(cx, table)),
        _ => debug_assert!(false, "a section of the schema that nobody reads"),
    }
}

/// Overwrites a default with what was read, if it was there and right.
fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn sync(cx: &mut Context, t: &Table<'_, '_>, sync: &mut Sync) {
    if let Some(field) = t.get(cx, "interface") {
        let wanted = r#"write an interface such as "em2", or "any""#;
        sync.interfaces = each(cx, &field, wanted, |cx, f| f.string(cx, wanted).map(str::to_owned));
    }
    if let Some(field) = t.get(cx, "config-sync-ports") {
        sync.config_sync_ports = numbers(cx, &field, u16::MAX);
    }
    set(&mut sync.mirrored, t.get(cx, "mirrored").and_then(|f| f.bool(cx)));
}

/// One or more numbers from 1 to `most`.
fn numbers(cx: &mut Context, field: &Field<'_, '_>, most: u16) -> Vec<u16> {
    let all = field.one_or_more(cx);
    all.iter()
        .filter_map(|f| f.integer(cx, 1, u32::from(most)))
        .filter_map(|n| u16::try_from(n).ok())
        .collect()
}

/// The VLAN of a segment, or two of them where they are nested.
fn vlan(cx: &mut Context, t: &Table<'_, '_>) -> Vec<u16> {
    let Some(field) = t.get(cx, "vlan") else {
        return Vec::new();
    };
    let tags = numbers(cx, &field, 4094);
    if tags.len() > 2 {
        field.wrong(
            cx,
            "has more than two tags; write one VLAN, or the outer and the inner one",
        );
    }
    tags
}

/// A value or a list of them, at least one.
fn each<T>(
    cx: &mut Context,
    field: &Field<'_, '_>,
    wanted: &str,
    mut read: impl FnMut(&mut Context, &Field<'_, '_>) -> Option<T>,
) -> Vec<T> {
    let items = field.one_or_more(cx);
    field.not_empty(cx, &items, wanted);
    items.iter().filter_map(|item| read(cx, item)).collect()
}

fn node(cx: &mut Context, t: &Table<'_, '_>) -> Option<Node> {
    let name = t
        .need(cx, "name", r#""fw1""#)
        .and_then(|f| f.string(cx, NAME).map(str::to_owned));
    let addresses = t.need(cx, "address", r#"["172.30.0.1"]"#);
    let addresses = addresses.map(|f| each(cx, &f, ADDRESS, |cx, f| f.parsed(cx, ADDRESS, parse_address)));
    let is_self = t.get(cx, "self").and_then(|f| f.bool(cx)).unwrap_or(false);
    let local = match t.get(cx, "local") {
        Some(f) => f
            .one_or_more(cx)
            .iter()
            .filter_map(|f| f.parsed(cx, ADDRESS, parse_address))
            .collect(),
        None => Vec::new(),
    };
    Some(Node {
        name: name?,
        addresses: addresses?,
        is_self,
        local,
    })
}

fn segment(cx: &mut Context, t: &Table<'_, '_>) -> Option<Segment> {
    let name = t
        .need(cx, "name", r#""lan""#)
        .and_then(|f| f.string(cx, NAME).map(str::to_owned));
    let wanted = r#"write an interface such as "em0""#;
    let interface = t
        .get(cx, "interface")
        .and_then(|f| f.string(cx, wanted).map(str::to_owned));
    let wanted = r#"write the path of a file such as "/etc/pfwatch/carp.lan""#;
    let password_file = t
        .get(cx, "password-file")
        .and_then(|f| f.string(cx, wanted))
        .map(PathBuf::from);
    Some(Segment {
        name: name?,
        interface,
        vlan: vlan(cx, t),
        password_file,
    })
}

fn zones(cx: &mut Context, t: &Table<'_, '_>) -> Vec<Zone> {
    let wanted = r#"write prefixes such as ["10.0.0.0/8"]"#;
    let mut zones = Vec::new();
    for field in t.fields(cx) {
        if field.name.is_empty() || field.name.chars().any(char::is_control) {
            field.wrong(cx, "is no name for a zone; write a name such as lan");
        }
        let prefixes = each(cx, &field, wanted, |cx, f| f.parsed(cx, wanted, parse_prefix));
        zones.push(Zone {
            name: field.name.to_owned(),
            prefixes,
        });
    }
    zones
}

fn path(cx: &mut Context, t: &Table<'_, '_>) -> Option<PathRule> {
    let wanted = "write the name of a zone in quotes";
    let from = t
        .need(cx, "from", r#""lan""#)
        .and_then(|f| f.string(cx, wanted).map(str::to_owned));
    let to = t
        .need(cx, "to", r#""wan""#)
        .and_then(|f| f.string(cx, wanted).map(str::to_owned));
    let critical = t.get(cx, "critical").and_then(|f| f.bool(cx)).unwrap_or(true);
    Some(PathRule {
        from: from?,
        to: to?,
        critical,
    })
}

fn canary(cx: &mut Context, t: &Table<'_, '_>) -> Option<Canary> {
    let wanted = r#"write an address such as "10.0.0.9""#;
    let from = t
        .need(cx, "from", r#""10.0.0.9""#)
        .and_then(|f| f.parsed(cx, wanted, parse_address));
    let to = t
        .need(cx, "to", r#""192.0.2.53""#)
        .and_then(|f| f.parsed(cx, wanted, parse_address));
    let proto = t.need(cx, "proto", r#""tcp""#).and_then(|f| {
        if f.is_string() {
            return f.parsed(cx, r#"write "tcp", "udp", "icmp" or a number"#, parse_protocol);
        }
        let number = f.integer(cx, 0, u32::from(u8::MAX))?;
        parse_protocol(&number.to_string())
            .map_err(|message| f.wrong(cx, message))
            .ok()
    });
    let every = t
        .get(cx, "every")
        .and_then(|f| f.duration(cx, MILLISECOND))
        .unwrap_or(Duration::from_secs(1));
    Some(Canary {
        from: from?,
        to: to?,
        proto: proto?,
        every,
    })
}

fn detect(cx: &mut Context, t: &Table<'_, '_>, detect: &mut Detect) {
    let wanted = r#"write a rate such as "1 per 10y""#;
    set(
        &mut detect.risk,
        t.get(cx, "risk").and_then(|f| f.parsed(cx, wanted, Rate::parse)),
    );
    set(
        &mut detect.min,
        t.get(cx, "min").and_then(|f| f.duration(cx, Duration::ZERO)),
    );
    set(
        &mut detect.max,
        t.get(cx, "max").and_then(|f| f.duration(cx, MILLISECOND)),
    );
    let wanted = r#"write the path of a file such as "/var/db/pfwatch/memory.json""#;
    detect.memory = t
        .get(cx, "memory")
        .and_then(|f| f.string(cx, wanted))
        .map(PathBuf::from);
}

fn probe(cx: &mut Context, t: &Table<'_, '_>) -> Option<Probe> {
    let name = t
        .need(cx, "name", r#""internet""#)
        .and_then(|f| f.string(cx, NAME).map(str::to_owned));
    let wanted = r#"write "self" or the name of a node"#;
    let about = t
        .need(cx, "about", r#""self""#)
        .and_then(|f| f.string(cx, wanted).map(str::to_owned));
    let example = r#"["ping", "-c", "1", "192.0.2.53"]"#;
    let command = t.need(cx, "command", example).and_then(|f| command(cx, &f));
    let every = t
        .get(cx, "every")
        .and_then(|f| f.duration(cx, Duration::from_millis(100)));
    let timeout = t.get(cx, "timeout").and_then(|f| f.duration(cx, MILLISECOND));
    let fall = t.get(cx, "fall").and_then(|f| f.integer(cx, 1, 1000));
    let rise = t.get(cx, "rise").and_then(|f| f.integer(cx, 1, 1000));
    Some(Probe {
        name: name?,
        about: about?,
        command: command?,
        every: every.unwrap_or(Duration::from_secs(1)),
        timeout: timeout.unwrap_or(Duration::from_millis(1500)),
        fall: fall.unwrap_or(3),
        rise: rise.unwrap_or(5),
    })
}

/// An argv list, or a string for the shell.
fn command(cx: &mut Context, field: &Field<'_, '_>) -> Option<Command> {
    let wanted = r#"write a program and its arguments such as ["ping", "-c", "1", "192.0.2.53"], or a line for sh"#;
    let Some(items) = field.items(cx) else {
        // A script of several lines is a line for sh too.
        let line = field.argument(cx, wanted)?;
        if line.trim().is_empty() {
            field.wrong(cx, format!("is empty; {wanted}"));
            return None;
        }
        return Some(Command::Shell(line.to_owned()));
    };
    field.not_empty(cx, &items, wanted);
    // An argument may be empty; the program may not.
    let words: Vec<String> = items
        .iter()
        .enumerate()
        .filter_map(|(i, f)| {
            if i == 0 {
                f.string(cx, wanted)
            } else {
                f.argument(cx, wanted)
            }
        })
        .map(str::to_owned)
        .collect();
    (!items.is_empty() && words.len() == items.len()).then_some(Command::Argv(words))
}

/// The commands of a hook: a list whose items are argv lists or lines for the shell, or one line alone.
fn commands(cx: &mut Context, field: &Field<'_, '_>) -> Vec<Command> {
    let Some(items) = field.items(cx) else {
        return command(cx, field).into_iter().collect();
    };
    // ["ifconfig", "carp0", "advskew", "0"] means one program to whoever writes it, but four lines for the shell.
    let words: Vec<&str> = items
        .iter()
        .filter(|f| f.is_string())
        .filter_map(|f| f.argument(cx, ""))
        .collect();
    if words.len() > 1 && words.iter().any(|w| w.starts_with('-') || !w.contains(['/', ' '])) {
        let argv = words.iter().map(|w| format!("{w:?}")).collect::<Vec<_>>().join(", ");
        field.wrong(
            cx,
            format!("each string in this list is a line for sh of its own; one program with arguments is [[{argv}]]"),
        );
        return Vec::new();
    }
    items.iter().filter_map(|item| command(cx, item)).collect()
}

fn actions(cx: &mut Context, t: &Table<'_, '_>, actions: &mut Actions) {
    actions.preset = t.get(cx, "preset").and_then(|f| f.word(cx, Preset::ALL));
    set(
        &mut actions.require_witness,
        t.get(cx, "require-witness").and_then(|f| f.bool(cx)),
    );
    set(
        &mut actions.confirm,
        t.get(cx, "confirm").and_then(|f| f.duration(cx, Duration::ZERO)),
    );
    set(
        &mut actions.settle,
        t.get(cx, "settle").and_then(|f| f.duration(cx, Duration::from_secs(1))),
    );
    set(
        &mut actions.demote_delay,
        t.get(cx, "demote-delay").and_then(|f| f.duration(cx, Duration::ZERO)),
    );
    set(
        &mut actions.recover,
        t.get(cx, "recover").and_then(|f| f.duration(cx, MILLISECOND)),
    );
    set(
        &mut actions.hold_down,
        t.get(cx, "hold-down").and_then(|f| f.duration(cx, MILLISECOND)),
    );
    set(
        &mut actions.max_per_hour,
        t.get(cx, "max-per-hour").and_then(|f| f.integer(cx, 1, 3600)),
    );
    let demotion = t.get(cx, "demotion").and_then(|f| f.integer(cx, 1, 240));
    set(&mut actions.demotion, demotion.and_then(|n| u8::try_from(n).ok()));
    let wanted = r#"write the path of a file such as "/var/db/pfwatch/ledger.json""#;
    set(
        &mut actions.ledger,
        t.get(cx, "ledger")
            .and_then(|f| f.string(cx, wanted))
            .map(PathBuf::from),
    );
}

fn hooks(cx: &mut Context, t: &Table<'_, '_>, hooks: &mut Hooks) {
    for (name, place) in [
        ("promote", &mut hooks.promote),
        ("demote", &mut hooks.demote),
        ("restore", &mut hooks.restore),
        ("notify", &mut hooks.notify),
    ] {
        if let Some(field) = t.get(cx, name) {
            *place = commands(cx, &field);
        }
    }
    set(
        &mut hooks.on_failure,
        t.get(cx, "on-failure").and_then(|f| f.word(cx, OnFailure::ALL)),
    );
    set(
        &mut hooks.timeout,
        t.get(cx, "timeout").and_then(|f| f.duration(cx, MILLISECOND)),
    );
    set(
        &mut hooks.retries,
        t.get(cx, "retries").and_then(|f| f.integer(cx, 0, 10)),
    );
}

fn fence(cx: &mut Context, t: &Table<'_, '_>) -> Option<Fence> {
    let kind = t
        .need(cx, "kind", r#""agent""#)
        .and_then(|f| f.word(cx, FenceKind::ALL));
    let node = t
        .need(cx, "node", r#""fw2""#)
        .and_then(|f| f.string(cx, "write the name of a node").map(str::to_owned));
    let command = t.get(cx, "command").and_then(|f| command(cx, &f));
    let wanted = "write the path of a file";
    let options_file = t
        .get(cx, "options-file")
        .and_then(|f| f.string(cx, wanted))
        .map(PathBuf::from);
    let mac = t
        .get(cx, "mac")
        .and_then(|f| f.parsed(cx, "write a hardware address", parse_mac));
    let interface = t
        .get(cx, "interface")
        .and_then(|f| f.string(cx, r#"write an interface such as "em0""#).map(str::to_owned));
    let device = t
        .get(cx, "device")
        .and_then(|f| f.string(cx, r#"write a tty such as "/dev/cua00""#))
        .map(PathBuf::from);
    let delay = t
        .get(cx, "delay")
        .and_then(|f| f.duration(cx, Duration::ZERO))
        .unwrap_or_default();
    let timeout = t
        .get(cx, "timeout")
        .and_then(|f| f.duration(cx, MILLISECOND))
        .unwrap_or(Duration::from_secs(20));
    Some(Fence {
        kind: kind?,
        node: node?,
        command,
        options_file,
        mac,
        interface,
        device,
        delay,
        timeout,
    })
}

fn web(cx: &mut Context, t: &Table<'_, '_>, web: &mut Web) {
    let Some(field) = t.get(cx, "listen") else { return };
    let wanted = r#"write an address with a port such as "127.0.0.1:10240" or "[::1]:10240""#;
    // An empty list is an answer here: no web server.
    web.listen = field
        .one_or_more(cx)
        .iter()
        .filter_map(|f| {
            f.parsed(cx, wanted, |text| {
                text.parse()
                    .map_err(|_| format!("`{text}` has no address or no port; {wanted}"))
            })
        })
        .collect();
}

/// The name of a socket is kept in a field of fixed size, the smallest of which holds so many octets and a zero.
const LONGEST_SOCKET: usize = 103;

fn control(cx: &mut Context, t: &Table<'_, '_>, control: &mut Control) {
    let wanted = r#"write the path of a socket such as "/var/run/pfwatch.sock""#;
    if let Some(field) = t.get(cx, "socket")
        && let Some(path) = field.string(cx, wanted)
    {
        if !path.starts_with('/') {
            field.wrong(cx, format!("`{path}` does not start with a slash; {wanted}"));
        } else if path.len() > LONGEST_SOCKET {
            field.wrong(
                cx,
                format!("is longer than the {LONGEST_SOCKET} octets that a socket's path may have"),
            );
        } else {
            control.socket = PathBuf::from(path);
        }
    }
    control.group = t
        .get(cx, "group")
        .and_then(|f| f.string(cx, "write the name of a group").map(str::to_owned));
}

/// The schema has a reader for every section.
#[cfg(test)]
#[test]
fn every_section_is_read() {
    for section in schema::SECTIONS {
        let text = if section.repeated {
            format!("[[{}]]", section.name)
        } else {
            format!("[{}]", section.name)
        };
        // The debug assertions above are the test.
        let _ = read(&text);
    }
}
