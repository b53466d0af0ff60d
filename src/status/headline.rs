//! Is all well? One sentence about the pair, without its full stop.
//!
//! Asked by every page that shows a snapshot, so that all of them say the same. The worst comes first: what makes everything
//! else untrue, then what is down, then what is doubtful. Knows nothing of time zones: whoever asks brings the words for times.

use super::{Node, Path, Status};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something is broken.
    Bad,
    /// Something is doubtful, or is not as it should be.
    Warn,
    /// Traffic flows.
    Good,
    /// Nothing can be said.
    Plain,
}

/// Words for times.
pub trait Times {
    /// A moment, given in Unix seconds.
    fn time(&self, at: f64) -> String;
    /// How long ago that is.
    fn ago(&self, at: f64) -> String;
    /// So many seconds.
    fn length(&self, seconds: f64) -> String;
}

/// See the module.
pub fn headline(status: &Status, times: &impl Times) -> (Tone, String) {
    if status.stuck {
        let text = format!(
            "The daemon is STUCK: its loop has not moved for {}, so nothing below can be relied on; restart it",
            times.length(status.age)
        );
        return (Tone::Bad, text);
    }
    let found = [
        broken(status, times),
        unfit(status),
        apart(status, times),
        masters(status, times),
        ours(status),
        doubtful(status),
    ];
    if let Some(found) = found.into_iter().flatten().next() {
        return found;
    }
    match well(status, times) {
        Some(text) => (Tone::Good, format!("All is well: {text}")),
        None => {
            let text = "Nothing speaks against any firewall, but too little passes to say that all is well";
            (Tone::Plain, text.into())
        }
    }
}

/// The path that the sentence is about, if it is about one.
#[must_use]
pub fn told(status: &Status) -> Option<&Path> {
    let mut all = status.firewalls();
    let node = all.find(|n| n.health == "down")?;
    let path = node.paths.iter().find(|p| p.critical && p.health == "down");
    path.filter(|_| !status.stuck)
}

fn broken(status: &Status, times: &impl Times) -> Option<(Tone, String)> {
    let down = |n: &&Node| n.health == "down";
    let node = status.firewalls().find(down)?;
    let path = told(status)?;
    let since = path
        .since
        .map(|t| format!(" since {} ({} ago)", times.time(t), times.ago(t)));
    let reason = path.reason.as_ref().map(|r| format!(": {r}"));
    let others = match status.firewalls().filter(down).count() - 1 {
        0 => String::new(),
        1 => "; and 1 node more".into(),
        n => format!("; and {n} nodes more"),
    };
    let (name, since, reason) = (node.label(), since.unwrap_or_default(), reason.unwrap_or_default());
    let text = match (node.beyond, path.cause.as_str()) {
        (false, _) => format!("{name} is DOWN{since}{reason}{others}"),
        (true, "blackhole-reverse") => format!(
            "What comes back through {name} reaches nobody{since} (DOWN){reason}; nothing shows a fault of {name} itself, so \
             this may be the network of those who ask{others}"
        ),
        (true, _) => format!(
            "What goes out through {name} does not come back{since} (DOWN){reason}; nothing shows a fault of {name} itself, \
             so this may be its upstream{others}"
        ),
    };
    Some((Tone::Bad, text))
}

fn unfit(status: &Status) -> Option<(Tone, String)> {
    let why = status.quality.why_not()?;
    let whose = why.node.as_ref().map(|name| format!("{name} cannot be judged"));
    let what = whose.unwrap_or_else(|| "Nothing can be judged".into());
    Some((Tone::Bad, format!("{what}: {}", why.detail)))
}

fn apart(status: &Status, times: &impl Times) -> Option<(Tone, String)> {
    let since = status.split()?.from;
    let who = status.missing().unwrap_or_else(|| "different nodes are master".into());
    let text = format!(
        "CARP is unsynchronised since {} ({} ago): {who}",
        times.time(since),
        times.ago(since)
    );
    Some((Tone::Bad, text))
}

/// More masters of a vhid than one, or fewer.
fn masters(status: &Status, times: &impl Times) -> Option<(Tone, String)> {
    let wrong = status.contested().or_else(|| status.vacant())?;
    let (what, who) = wrong.text.split_once(": ")?;
    let (at, ago) = (times.time(wrong.since), times.ago(wrong.since));
    Some((Tone::Bad, format!("CARP has {what} since {at} ({ago} ago): {who}")))
}

/// What is wrong with this host.
fn ours(s: &Status) -> Option<(Tone, String)> {
    if let Some(why) = &s.unable {
        return Some((Tone::Bad, format!("Nothing will be done, though it should be: {why}")));
    }
    if let Some(why) = &s.ledger_unknown {
        return Some((Tone::Bad, format!("What is to be taken back is not known: {why}")));
    }
    if let Some(p) = s.probes.iter().find(|p| p.about == "self" && p.state == "down") {
        let text = format!(
            "The probe {} is down: this node does not reach as far as it should",
            p.name
        );
        return Some((Tone::Bad, text));
    }
    if let Some(i) = s.interfaces.iter().find(|i| !i.up) {
        let text = format!("Nothing is heard on {} ({}): it is down or gone", i.interface, i.net);
        return Some((Tone::Bad, text));
    }
    if let Some(made) = s.made() {
        let text = format!("This node was {made} by pfwatch, and that is not taken back yet");
        return Some((Tone::Warn, text));
    }
    None
}

fn doubtful(s: &Status) -> Option<(Tone, String)> {
    if let Some(why) = &s.unheard {
        let text = format!("No pfsync counts, so nothing can be said about any firewall: {why}");
        return Some((Tone::Warn, text));
    }
    if s.nodes.is_empty() {
        let text = "No pfsync is heard yet, so nothing can be said about any firewall";
        return Some((Tone::Warn, text.into()));
    }
    let doubt = |n: &&Node| n.paths.iter().any(|p| p.health == "suspect");
    let all = || s.firewalls();
    if let Some(node) = all().find(doubt) {
        let path = node.paths.iter().find(|p| p.health == "suspect");
        let reason = path.and_then(|p| p.reason.as_ref()).map(|r| format!(": {r}"));
        let text = format!("{} is in doubt{}", node.label(), reason.unwrap_or_default());
        return Some((Tone::Warn, text));
    }
    let aside = |n: &&Node| n.paths.iter().any(|p| p.health == "down");
    if let Some(node) = all().find(aside) {
        let text = format!(
            "No firewall is down, but {} is on a path that is not critical",
            node.label()
        );
        return Some((Tone::Warn, text));
    }
    if s.frames.pfsync == 0 {
        let text = "No pfsync is heard: look whether that is the right interface, and whether pfsync is on";
        return Some((Tone::Warn, text.into()));
    }
    let refused = all().find_map(|n| Some((n, n.unheard.as_ref()?)));
    if let Some((node, why)) = refused {
        let more = if node.frames == 0 { "" } else { " any more" };
        return Some((Tone::Warn, format!("No pfsync of {} counts{more}: {why}", node.label())));
    }
    let silent: Vec<&str> = s.nodes.iter().filter(|n| n.frames == 0).map(Node::label).collect();
    if !silent.is_empty() {
        let text = format!("No pfsync was ever heard of {}", silent.join(" and "));
        return Some((Tone::Warn, text));
    }
    let lost = all().find(|n| n.cause.as_deref() == Some("sync lost"));
    if let Some(node) = lost {
        let text = format!(
            "No pfsync of {} is heard any more, though it advertises: look at the sync link",
            node.label()
        );
        return Some((Tone::Warn, text));
    }
    let deaf = s.segments.iter().find_map(|s| Some((s, s.unheard.as_ref()?)));
    deaf.map(|(segment, why)| (Tone::Warn, format!("No CARP on {} counts: {why}", segment.name)))
}

/// Through whom traffic passes, if that is known.
fn well(status: &Status, times: &impl Times) -> Option<String> {
    let last = |n: &Node| n.paths.iter().filter_map(|p| p.last_end_to_end).reduce(f64::max);
    let up = || status.firewalls().filter(|n| n.health == "up");
    let alone: Vec<String> = up()
        .filter_map(|n| Some(format!("{} (last round trip {} ago)", n.label(), times.ago(last(n)?))))
        .collect();
    if !alone.is_empty() {
        return Some(format!("traffic passes end to end through {}", alone.join(" and ")));
    }
    let together: Vec<&str> = up().map(Node::label).collect();
    (together.len() > 1).then(|| format!("traffic passes end to end through {} together", together.join(" and ")))
}
