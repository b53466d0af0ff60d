//! What pfwatch would have done, what not and why; and what to do next.
//!
//! Only what follows from this very report: an advice that is always there is not read.

use super::words::{counted, duration};
use super::{Page, Style};
use crate::capture::Net;
use crate::event::{Action, Cause, Health, Notice};
use crate::settings::About;
use std::fmt::Write as _;

/// Writes both.
pub(super) fn write(page: &Page<'_>, out: &mut String) {
    actions(page, out);
    let list = next(page);
    if !list.is_empty() {
        page.heading(out, "NEXT");
        list.iter()
            .for_each(|text| page.paragraph(out, &format!("- {text}"), 2));
    }
}

fn actions(page: &Page<'_>, out: &mut String) {
    let engine = page.engine;
    let Some(me) = engine.node_ids().find(|n| engine.is_self(*n)) else {
        return;
    };
    page.heading(
        out,
        &format!("WHAT PFWATCH WOULD HAVE DONE beside {}", engine.label(me)),
    );
    for d in &page.report.decisions {
        let what = match d.action {
            Action::Promote => format!("promote {} in place of {}", engine.label(me), engine.label(d.node)),
            Action::Demote => format!("demote {}", engine.label(me)),
            Action::Restore => format!("take back what it had done to {}", engine.label(me)),
            Action::Fence => format!("fence {}", engine.label(d.node)),
        };
        let since = page.report.verdicts.iter().rev();
        let since = since
            .filter(|v| v.to == Health::Down && v.node == d.node)
            .find(|v| v.at <= d.at);
        let since = since
            .map(|v| format!(", {} after it went down", duration(d.at.since(v.at))))
            .unwrap_or_default();
        let text = format!("{} {what}{since}: {}", page.clock.exact(d.at), d.reason);
        let mut lines = String::new();
        page.paragraph(&mut lines, &text, 13);
        lines.lines().for_each(|line| {
            let _ = writeln!(out, "{}", page.look.paint(Style::Strong, line));
        });
    }
    if page.report.decisions.is_empty() {
        out.push_str("nothing\n");
    }
    let mut said: Vec<&str> = Vec::new();
    for n in page.report.notices.iter().filter(|n| is_refusal(n)) {
        if !said.contains(&n.text.as_str()) {
            said.push(&n.text);
            page.paragraph(out, &format!("{} not: {}", page.clock.exact(n.at), n.text), 13);
        }
    }
}

/// Notices of the policy, which say why it does nothing; the others tell what was heard.
fn is_refusal(notice: &Notice) -> bool {
    let heard = ["states of ", "configuration synchronised ", "foreign: "];
    notice.node.is_some() && !heard.iter().any(|start| notice.text.starts_with(start))
}

fn next(page: &Page<'_>) -> Vec<String> {
    let (engine, report) = (page.engine, page.report);
    let (settings, counters) = (engine.settings(), engine.counters());
    let mut list = Vec::new();
    culprit(page, &mut list);
    let configured = settings.nodes.iter().any(|n| !n.local.is_empty());
    if !configured {
        list.push(
            "give the nodes' own addresses in a configuration (-c), so that flows that end on the firewalls are left \
             out and CARP advertisements have a sender"
                .into(),
        );
    }
    let carp = counters.carp - counters.vrrp;
    let segments = report.files.iter().any(|f| matches!(f.net, Net::Segment(_)));
    if carp == 0 && !segments {
        list.push(
            "add captures of the CARP segments (--segment lan=FILE): without CARP a silent node cannot be told from a \
             dead one, and nothing is decided"
                .into(),
        );
    } else if carp == 0 {
        list.push(
            "no CARP in the captures of the segments: capture IP protocol 112 there, without a filter that leaves it out"
                .into(),
        );
    } else if configured {
        let owned = report
            .masters
            .values()
            .flatten()
            .any(|m| engine.owner(m.address).is_some());
        if !owned {
            list.push(
                "no CARP advertisement comes from a node of the configuration: put each node's own addresses on the \
                 segments into its `local`"
                    .into(),
            );
        }
    }
    if !engine.node_ids().any(|n| engine.is_self(n)) && engine.node_ids().next().is_some() {
        list.push("say which node pfwatch runs beside (--self ADDR) to see what it would have done there".into());
    }
    silent_nodes(page, &mut list);
    let down = report
        .verdicts
        .iter()
        .any(|v| v.to == Health::Down && v.cause != Cause::Silence);
    if down && !settings.probes.iter().any(|p| p.about == About::SelfNode) && report.decisions.is_empty() {
        list.push(
            "configure a probe about self that reaches as far as the traffic does: without one a firewall that fails \
             while CARP stays in sync is reported and never replaced"
                .into(),
        );
    }
    list
}

/// Where to look for the fault of a node that went down.
fn culprit(page: &Page<'_>, list: &mut Vec<String>) {
    let (engine, report) = (page.engine, page.report);
    let mut told: Vec<String> = Vec::new();
    for v in report.verdicts.iter().filter(|v| v.to == Health::Down) {
        let name = engine.label(v.node);
        let lost = lost_segments(page, v);
        let text = match v.cause {
            _ if !lost.is_empty() => format!(
                "look at {name}'s port on {}, its cable and its switch: another node became CARP master there, while \
                 {name} kept the rest and traffic went on into it",
                lost.join(", ")
            ),
            Cause::BlackholeForward | Cause::BlackholeReverse if report.unsynchronised.is_empty() => {
                let side = if v.cause == Cause::BlackholeForward {
                    "the servers"
                } else {
                    "the clients"
                };
                format!(
                    "look on the side of {side} of {name}: what goes in there does not come back, and CARP saw nothing \
                     of it; if other nodes would fare no better, it is the upstream and not {name}"
                )
            }
            Cause::Silence => {
                format!("{name} fell silent on all nets at once: look at its console, its power, its log")
            }
            _ => continue,
        };
        if !told.contains(&text) {
            told.push(text);
        }
    }
    list.append(&mut told);
}

/// Segments on which somebody else was master while the pair was unsynchronised around this verdict.
fn lost_segments(page: &Page<'_>, v: &crate::event::Verdict) -> Vec<String> {
    let (engine, report) = (page.engine, page.report);
    let end = super::stays::end(report);
    let ended = |v: &crate::event::Verdict| {
        let mut later = report
            .verdicts
            .iter()
            .filter(|w| (w.node, w.path) == (v.node, v.path) && w.at > v.at);
        later.next().map_or(end, |w| w.at)
    };
    let until = ended(v);
    let split = report
        .unsynchronised
        .iter()
        .find(|(from, to)| *from <= until && to.unwrap_or(end) >= v.at);
    let Some((from, _)) = split else { return Vec::new() };
    let mut lost: Vec<String> = Vec::new();
    let mut kept = false;
    for ((segment, _), masters) in &report.masters {
        let master = masters
            .iter()
            .find(|m| m.from <= *from && m.to.is_none_or(|to| to > *from));
        match master.and_then(|m| engine.owner(m.address)) {
            Some(owner) if owner == v.node => kept = true,
            Some(_) => lost.push(engine.segment_name(*segment).to_owned()),
            None => {}
        }
    }
    lost.dedup();
    if kept { lost } else { Vec::new() }
}

fn silent_nodes(page: &Page<'_>, list: &mut Vec<String>) {
    let engine = page.engine;
    let counted_nodes = || {
        engine
            .node_ids()
            .filter_map(|n| Some((n, engine.counters().nodes.get(n.index())?)))
    };
    let silent: Vec<String> = counted_nodes()
        .filter(|(_, c)| c.frames == 0)
        .map(|(n, _)| engine.label(n))
        .collect();
    let heard: Vec<_> = counted_nodes().filter(|(_, c)| c.frames > 0).collect();
    if !silent.is_empty() {
        list.push(format!(
            "no pfsync came from {}: is the address right, and was the capture made where both nodes are heard?",
            silent.join(", ")
        ));
    } else if let [(only, _)] = heard.as_slice() {
        list.push(format!(
            "only {} was heard: capture on the physical sync interface (pfsync0 shows what its own host sends), for all \
             of {}",
            engine.label(*only),
            counted(2, "node")
        ));
    }
    let mut versions = heard.iter().map(|(n, c)| (c.versions, *n));
    if let Some((first, a)) = versions.next()
        && let Some((_, b)) = versions.find(|(v, _)| v & first == 0)
    {
        list.push(format!(
            "{} and {} speak different versions of pfsync and do not understand each other: run the same release on both",
            engine.label(a),
            engine.label(b)
        ));
    }
}
