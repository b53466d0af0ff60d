//! Counts what both nodes say in given spans; the same for what is read from files and for what is simulated.

use super::{Numbers, Span};
use pf_sim::Time;
use pfwatch::capture::Frame;
use pfwatch::engine::Engine;
use pfwatch::event::NodeId;
use pfwatch::settings::{Node, Settings};
use pfwatch::time::Timestamp;
use pfwatch::track::flow::{Class, Movement, Outcome};

/// Things counted in one span.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Frames, INS, UPD_C, DEL_C.
    said: [f64; 4],
    /// attempt, forward, reverse, both, end to end, end to end through the pair
    kinds: [f64; 6],
    /// Of first messages of TCP and UDP states: answered, all.
    answered: [[f64; 2]; 2],
}

/// See the module.
pub(super) struct Counter {
    engine: Engine,
    from: Option<Timestamp>,
    /// Per span and node.
    counts: Vec<[Counts; 2]>,
    spans: &'static [Span],
    last: [[u64; 4]; 2],
}

impl Counter {
    /// Spans are counted from `from`; without it from the first frame.
    pub(super) fn new(spans: &'static [Span], from: Option<Timestamp>) -> Self {
        let node = |n: u8| Node {
            name: String::new(),
            addresses: vec![std::net::Ipv4Addr::new(172, 16, 0, n).into()],
            is_self: false,
            local: Vec::new(),
        };
        let settings = Settings {
            nodes: vec![node(1), node(2)],
            ..Settings::default()
        };
        let mut engine = Engine::new(settings, 1);
        engine.observations();
        Self {
            engine,
            from,
            counts: vec![[Counts::default(); 2]; spans.len()],
            spans,
            last: [[0; 4]; 2],
        }
    }

    /// A frame of the sync net.
    pub(super) fn frame(&mut self, frame: &Frame<'_>) {
        let from = *self.from.get_or_insert(frame.at);
        let at = if frame.at < from {
            Time::MAX
        } else {
            frame.at.since(from)
        };
        self.engine.frame(frame);
        while self.engine.poll().is_some() {}
        let told = self.engine.observations();
        let now = [0, 1].map(|node| totals(&self.engine, node));
        let last = std::mem::replace(&mut self.last, now);
        let span = self.spans.iter().position(|(_, from, to)| (*from..*to).contains(&at));
        let Some(counts) = span.and_then(|i| self.counts.get_mut(i)) else {
            return;
        };
        for (c, (now, last)) in counts.iter_mut().zip(now.iter().zip(last)) {
            for (sum, (now, last)) in c.said.iter_mut().zip(now.iter().zip(last)) {
                *sum += number(now.saturating_sub(last));
            }
        }
        for t in told {
            let NodeId(n) = t.node;
            let Some(c) = counts.get_mut(usize::from(n)) else {
                continue;
            };
            c.kinds[kind(t.observation.movement)] += 1.0;
            let (which, outcome) = match t.observation.trial {
                Some((Class::NewTcp, o)) => (0, o),
                Some((Class::NewUdp, o)) => (1, o),
                _ => continue,
            };
            c.answered[which][0] += f64::from(u8::from(matches!(outcome, Outcome::Success | Outcome::Pair)));
            c.answered[which][1] += 1.0;
        }
    }

    /// By span and node.
    pub(super) fn numbers(self) -> Vec<[Numbers; 2]> {
        let lengths = self.spans.iter().map(|(_, from, to)| (*to - *from).as_secs_f64());
        let of = |c: Counts, length: f64| -> Numbers {
            let [a, b, c_, d] = c.said.map(|n| Some(n / length));
            let [e, f, g, h, i, j] = c.kinds.map(|n| Some(n / length));
            let [tcp, udp] = c.answered.map(|[good, all]| (all >= 1.0).then(|| good / all));
            [a, b, c_, d, e, f, g, h, i, j, tcp, udp]
        };
        let all = self.counts.into_iter().zip(lengths);
        all.map(|(nodes, length)| nodes.map(|c| of(c, length))).collect()
    }
}

fn totals(engine: &Engine, node: usize) -> [u64; 4] {
    let Some(n) = engine.counters().nodes.get(node) else {
        return [0; 4];
    };
    let of = |names: &[&str]| names.iter().filter_map(|name| n.messages.get(name)).sum();
    [n.frames, of(&["INS"]), of(&["UPD_C", "UPD"]), of(&["DEL_C"])]
}

#[expect(clippy::cast_precision_loss, reason = "counts of minutes")]
fn number(n: u64) -> f64 {
    n as f64
}

fn kind(m: Movement) -> usize {
    match m {
        Movement::Attempt => 0,
        Movement::Forward => 1,
        Movement::Reverse => 2,
        Movement::Both => 3,
        Movement::EndToEnd => 4,
        Movement::PairEndToEnd => 5,
    }
}
