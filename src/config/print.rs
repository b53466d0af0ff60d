//! The configuration as text again, with every default written out: what `run -nv` shows.
//!
//! Called by `cli`. What it prints parses to the same configuration.

use std::fmt::{Display, Write};
use std::path::Path;

use super::model::{Command, Config, Fence, FenceKind, OnFailure, Preset};
use super::value::{format_duration, format_mac, format_protocol};

impl Config {
    /// As TOML, in the order of the schema. Optional keys that are not set are left out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = Printer(String::new());
        out.header("[sync]");
        if !self.sync.interfaces.is_empty() {
            out.key("interface", list(&self.sync.interfaces, quoted));
        }
        out.key(
            "config-sync-ports",
            list(&self.sync.config_sync_ports, ToString::to_string),
        );
        out.key("mirrored", self.sync.mirrored);
        for node in &self.nodes {
            out.header("[[node]]");
            out.key("name", quoted(&node.name));
            out.key("address", list(&node.addresses, quoted));
            out.key("self", node.is_self);
            out.key("local", list(&node.local, quoted));
        }
        for segment in &self.segments {
            out.header("[[segment]]");
            out.key("name", quoted(&segment.name));
            out.option("interface", segment.interface.as_deref());
            if !segment.vlan.is_empty() {
                out.key("vlan", list(&segment.vlan, ToString::to_string));
            }
            out.option(
                "password-file",
                segment.password_file.as_deref().map(Path::to_string_lossy),
            );
        }
        if !self.zones.is_empty() {
            out.header("[zones]");
        }
        for zone in &self.zones {
            let prefixes = list(&zone.prefixes, |p| quoted(format!("{}/{}", p.addr, p.len)));
            out.key(&key_name(&zone.name), prefixes);
        }
        for path in &self.paths {
            out.header("[[path]]");
            out.key("from", quoted(&path.from));
            out.key("to", quoted(&path.to));
            out.key("critical", path.critical);
        }
        for canary in &self.canaries {
            out.header("[[canary]]");
            out.key("from", quoted(canary.from));
            out.key("to", quoted(canary.to));
            out.key("proto", quoted(format_protocol(canary.proto)));
            out.key("every", quoted(format_duration(canary.every)));
        }
        out.header("[detect]");
        out.key("risk", quoted(self.detect.risk));
        out.key("min", quoted(format_duration(self.detect.min)));
        out.key("max", quoted(format_duration(self.detect.max)));
        out.option("memory", self.detect.memory.as_deref().map(Path::to_string_lossy));
        for probe in &self.probes {
            out.header("[[probe]]");
            out.key("name", quoted(&probe.name));
            out.key("about", quoted(&probe.about));
            out.key("command", command(&probe.command));
            out.key("every", quoted(format_duration(probe.every)));
            out.key("timeout", quoted(format_duration(probe.timeout)));
            out.key("fall", probe.fall);
            out.key("rise", probe.rise);
        }
        self.print_actions(&mut out);
        out.header("[web]");
        out.key("listen", list(&self.web.listen, quoted));
        out.header("[control]");
        out.key("socket", quoted(self.control.socket.to_string_lossy()));
        out.option("group", self.control.group.as_deref());
        out.0
    }

    fn print_actions(&self, out: &mut Printer) {
        let actions = &self.actions;
        out.header("[actions]");
        out.option("preset", actions.preset.map(|preset| word(Preset::ALL, preset)));
        out.key("require-witness", actions.require_witness);
        out.key("confirm", quoted(format_duration(actions.confirm)));
        out.key("settle", quoted(format_duration(actions.settle)));
        out.key("demote-delay", quoted(format_duration(actions.demote_delay)));
        out.key("recover", quoted(format_duration(actions.recover)));
        out.key("hold-down", quoted(format_duration(actions.hold_down)));
        out.key("max-per-hour", actions.max_per_hour);
        out.key("demotion", actions.demotion);
        out.key("ledger", quoted(actions.ledger.to_string_lossy()));
        let hooks = &self.hooks;
        out.header("[hooks]");
        out.key("promote", list(&hooks.promote, command));
        out.key("demote", list(&hooks.demote, command));
        out.key("restore", list(&hooks.restore, command));
        out.key("notify", list(&hooks.notify, command));
        out.key("on-failure", quoted(word(OnFailure::ALL, hooks.on_failure)));
        out.key("timeout", quoted(format_duration(hooks.timeout)));
        out.key("retries", hooks.retries);
        if let Some(fence) = &self.fence {
            print_fence(out, fence);
        }
    }
}

fn print_fence(out: &mut Printer, fence: &Fence) {
    out.header("[fence]");
    out.key("kind", quoted(word(FenceKind::ALL, fence.kind)));
    out.key("node", quoted(&fence.node));
    if let Some(value) = &fence.command {
        out.key("command", command(value));
    }
    out.option("options-file", fence.options_file.as_deref().map(Path::to_string_lossy));
    out.option("mac", fence.mac.map(format_mac));
    out.option("interface", fence.interface.as_deref());
    out.option("device", fence.device.as_deref().map(Path::to_string_lossy));
    out.key("delay", quoted(format_duration(fence.delay)));
    out.key("timeout", quoted(format_duration(fence.timeout)));
}

struct Printer(String);

impl Printer {
    fn header(&mut self, header: &str) {
        let gap = if self.0.is_empty() { "" } else { "\n" };
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(self.0, "{gap}{header}");
    }

    fn key(&mut self, key: &str, value: impl Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn option(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.key(key, quoted(value));
        }
    }
}

/// A basic string on one line, everything odd escaped.
fn quoted(value: impl Display) -> String {
    let mut out = String::from("\"");
    for c in value.to_string().chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A key, quoted where it must be.
fn key_name(name: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn list<'t, T>(items: &'t [T], print: impl Fn(&'t T) -> String) -> String {
    format!("[{}]", items.iter().map(print).collect::<Vec<_>>().join(", "))
}

fn command(command: &Command) -> String {
    match command {
        Command::Argv(words) => list(words, quoted),
        Command::Shell(line) => quoted(line),
    }
}

/// The name of a value in its table.
fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, v)| *v == value).map_or("", |(name, _)| name)
}
