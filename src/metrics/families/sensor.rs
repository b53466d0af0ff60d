//! What is known of the watchdog itself: what it hears, what it did, whether it is well.

use super::{flag, number};
use crate::metrics::histogram::Durations;
use crate::metrics::sheet::Sheet;
use crate::status::tally::Tally;
use crate::status::{Status, quality};
use std::collections::BTreeMap;

/// Words of the contract.
const ROLES: [&str; 5] = ["unknown", "primary", "backup", "promoted", "demoted"];
const ACTIONS: [&str; 4] = ["promote", "demote", "restore", "fence"];
const NOTIFY: &str = "notify";
const REASONS: [&str; 7] = ["hdrops", "badver", "badlen", "badact", "badval", "badttl", "fragment"];
const GAPS: [&str; 4] = ["kernel-drop", "interface-down", "stall", "clock-step"];

pub(super) fn fill(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    program(status, sheet)?;
    capture(status, sheet)?;
    refused(status, sheet)?;
    actions(status, sheet)?;
    probes(status, sheet)
}

fn program(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let info = sheet.gauge(
        "pfwatch_build_info",
        "1, with the version of the program and the system it was built for.",
        &["version", "os", "arch"],
    )?;
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    info.with_label_values(&[status.version.as_str(), os, arch]).set(1.0);
    let one = |name: &str, help: &str, value: f64| {
        let gauge = sheet.gauge(name, help, &[])?;
        gauge.with_label_values::<&str>(&[]).set(value);
        Ok::<(), prometheus::Error>(())
    };
    one(
        "pfwatch_start_time_seconds",
        "When the daemon started, in Unix seconds.",
        status.started,
    )?;
    one(
        "pfwatch_snapshot_timestamp_seconds",
        "When all of this was true, in Unix seconds: five times a second, unless the daemon's loop hangs.",
        status.at,
    )?;
    one(
        "pfwatch_acts",
        "1 if decisions are carried out, 0 if they are only said.",
        flag(status.carries_out()),
    )?;
    one(
        "pfwatch_unable",
        "1 while decisions should be carried out and cannot be: nothing will be done, and the page says why.",
        flag(status.unable.is_some()),
    )?;
    one(
        "pfwatch_maintenance",
        "1 while an operator keeps it from acting.",
        flag(status.maintenance.is_some()),
    )?;
    one(
        "pfwatch_ledger_entries",
        "Changes of this host that are to be taken back.",
        number(status.ledger.len() as u64),
    )?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    one(
        "pfwatch_own_demotion",
        "What pfwatch added to the CARP demotion of this host and has not taken back; negative after a promotion.",
        status.own_demotion as f64,
    )?;
    let role = sheet.gauge(
        "pfwatch_role",
        "Role of the node that pfwatch runs beside: 1 for what it is, 0 for the others. promoted and demoted are what was done \
         and stands; where decisions are only said the role is that of CARP.",
        &["role"],
    )?;
    let is = status.real_role();
    for word in ROLES {
        role.with_label_values(&[word]).set(flag(is == word));
    }
    Ok(())
}

fn capture(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let up = sheet.gauge(
        "pfwatch_interface_up",
        "1 while the interface can be listened to.",
        &["interface", "net"],
    )?;
    let frames = sheet.counter("pfwatch_frames_total", "Frames heard on the interface.", &["interface"])?;
    let dropped = sheet.counter(
        "pfwatch_capture_dropped_total",
        "Frames that the kernel dropped because they were not read in time.",
        &["interface"],
    )?;
    let behind = sheet.gauge(
        "pfwatch_capture_behind_seconds",
        "Seconds since the thread that reads the interface last looked; it looks ten times a second, whether frames come or \
         not.",
        &["interface"],
    )?;
    for i in &status.interfaces {
        up.with_label_values(&[&i.interface, &i.net]).set(flag(i.up));
        frames.with_label_values(&[&i.interface]).inc_by(i.frames);
        dropped.with_label_values(&[&i.interface]).inc_by(i.dropped);
        behind.with_label_values(&[&i.interface]).set(i.behind);
    }
    let blind = sheet.seconds(
        "pfwatch_capture_gap_seconds_total",
        "Seconds for which pfwatch itself was blind, by cause; nobody is blamed for them.",
        &["cause"],
    )?;
    let gaps = sheet.counter(
        "pfwatch_capture_gaps_total",
        "How often pfwatch itself was blind, by cause.",
        &["cause"],
    )?;
    for cause in GAPS {
        blind.with_label_values(&[cause]);
        gaps.with_label_values(&[cause]);
    }
    for gap in &status.gaps {
        blind.with_label_values(&[&gap.cause]).inc_by(gap.seconds);
        gaps.with_label_values(&[&gap.cause]).inc_by(gap.times);
    }
    let quality = sheet.gauge(
        "pfwatch_capture_quality",
        "1 while something is wrong with what is heard, by problem: it was met in the last five minutes; the page says what to do.",
        &["problem"],
    )?;
    for problem in quality::kinds() {
        let met = status.quality.current().any(|p| p.kind == problem);
        quality.with_label_values(&[problem]).set(flag(met));
    }
    let entries = sheet.gauge("pfwatch_flow_table_entries", "pf states held in memory.", &[])?;
    entries
        .with_label_values::<&str>(&[])
        .set(number(status.flow_table.entries));
    let evictions = sheet.counter(
        "pfwatch_flow_table_evictions_total",
        "pf states thrown out for want of room.",
        &[],
    )?;
    evictions
        .with_label_values::<&str>(&[])
        .inc_by(status.flow_table.evictions);
    Ok(())
}

fn refused(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let errors = sheet.counter(
        "pfwatch_decode_errors_total",
        "Messages and frames that were refused, by reason as netstat -s -p pfsync calls it; carp-checksum and carp-hmac are \
         advertisements that do not verify.",
        &["reason"],
    )?;
    for reason in REASONS {
        errors.with_label_values(&[reason]);
    }
    for (reason, count) in &status.frames.errors {
        errors.with_label_values(&[reason]).inc_by(*count);
    }
    let carp = [
        ("carp-checksum", status.frames.bad_checksum),
        ("carp-hmac", status.frames.bad_hmac),
    ];
    for (reason, count) in carp {
        errors.with_label_values(&[reason]).inc_by(count);
    }
    let kinds = sheet.counter(
        "pfwatch_frames_by_protocol_total",
        "Frames heard on all interfaces, by what they carry; foreign are pfsync frames of senders beyond the number of nodes that \
         is remembered.",
        &["protocol"],
    )?;
    let f = &status.frames;
    let all = [
        ("pfsync", f.pfsync),
        ("carp", f.carp),
        ("vrrp", f.vrrp),
        ("other", f.other),
        ("unsupported", f.unsupported),
        ("foreign", f.foreign),
    ];
    for (protocol, count) in all {
        kinds.with_label_values(&[protocol]).inc_by(count);
    }
    Ok(())
}

fn actions(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let decisions = sheet.counter(
        "pfwatch_decisions_total",
        "Decisions, carried out or only said.",
        &["action"],
    )?;
    let actions = sheet.counter(
        "pfwatch_actions_total",
        "Actions and hooks that were run, by what came of them: ok or failed.",
        &["action", "result"],
    )?;
    for action in ACTIONS {
        let count = status.decided.get(action).copied().unwrap_or(0);
        decisions.with_label_values(&[action]).inc_by(count);
    }
    for action in ACTIONS.into_iter().chain([NOTIFY]) {
        for result in ["ok", "failed"] {
            actions.with_label_values(&[action, result]);
        }
    }
    for (action, tally) in &status.tallies {
        actions.with_label_values(&[action, "ok"]).inc_by(tally.ok);
        actions.with_label_values(&[action, "failed"]).inc_by(tally.failed);
    }
    let mut tallies: BTreeMap<String, Tally> = ACTIONS
        .into_iter()
        .chain([NOTIFY])
        .map(|action| (action.to_owned(), Tally::none()))
        .collect();
    tallies.extend(status.tallies.clone());
    sheet.add(Durations::new(
        "pfwatch_hook_duration_seconds",
        "How long actions and hooks took, in seconds.",
        tallies,
    )?)
}

fn probes(status: &Status, sheet: &Sheet) -> prometheus::Result<()> {
    let probes = sheet.gauge(
        "pfwatch_probe_success",
        "1 while the probe is up, 0 while it is down; not there as long as that is unknown.",
        &["probe"],
    )?;
    for p in status.probes.iter().filter(|p| p.state != "unknown") {
        probes.with_label_values(&[&p.name]).set(flag(p.state == "up"));
    }
    Ok(())
}
