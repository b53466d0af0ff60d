//! A verdict's reason as one sentence with its numbers, for reports and for the log.
//!
//! Plain words for what `Cause` and `Evidence` say; names no node and no time, because those stand around it.

use super::{Cause, Evidence, Health, Verdict, Witnesses};

impl Verdict {
    /// Why, as a clause that can follow a colon: lower case, no full stop.
    #[must_use]
    pub fn sentence(&self) -> String {
        let e = &self.evidence;
        let (is, takes) = (e.suspicion, e.threshold);
        let doubt = match self.to == Health::Suspect && self.cause.is_blackhole() {
            true if is >= takes => format!("; suspicion {is:.1}, enough for down ({takes:.1}), but held back so far"),
            true => format!("; suspicion {is:.1} of {takes:.1}"),
            false => String::new(),
        };
        self.grounds() + &doubt
    }

    /// The same without the suspicion, which goes on to change while the verdict stands.
    #[must_use]
    pub fn grounds(&self) -> String {
        let e = &self.evidence;
        match self.cause {
            cause @ (Cause::BlackholeForward | Cause::BlackholeReverse) => e.blackhole(cause),
            Cause::Silence if e.carp_gone > 0 => format!(
                "no pfsync for {} and its CARP advertisements are gone from {}",
                seconds(e.pfsync_silent),
                plural(e.carp_gone, "segment")
            ),
            Cause::Silence => match e.pfsync_usual {
                Some(usual) => format!(
                    "no pfsync for {}; usually something comes within {}",
                    seconds(e.pfsync_silent),
                    seconds(usual)
                ),
                None => format!(
                    "no pfsync for {}, which is long for this node",
                    seconds(e.pfsync_silent)
                ),
            },
            Cause::Unreachable if e.canary_silent.is_some() => format!(
                "no canary was answered for {}, though they come every {}, nor does an address of its own answer, though its \
                 CARP advertisements go on",
                seconds(e.canary_silent.unwrap_or_default()),
                seconds(e.canary_every.unwrap_or_default())
            ),
            Cause::Unreachable => format!(
                "no pfsync for {}, and an address of its own does not answer, though its CARP advertisements go on",
                seconds(e.pfsync_silent)
            ),
            Cause::SyncLost => {
                let usual = e
                    .pfsync_usual
                    .map(|u| format!(" (usually something comes within {})", seconds(u)));
                format!(
                    "no pfsync for {}{}, but its CARP advertisements go on: the sync link is lost, or nobody talks",
                    seconds(e.pfsync_silent),
                    usual.unwrap_or_default()
                )
            }
            Cause::CanaryMissing => {
                let (silent, every) = (e.canary_silent.unwrap_or(e.pfsync_silent), e.canary_every);
                let every = every.map_or_else(String::new, |every| {
                    format!(", which should come every {}", seconds(every))
                });
                format!(
                    "no canary for {}{every}, and no other round trip since: its host may be dead as well as this node",
                    seconds(silent)
                )
            }
            Cause::EndToEnd => {
                let again = if matches!(self.from, Health::Down | Health::Suspect) {
                    " again"
                } else {
                    ""
                };
                e.answers(again)
            }
            Cause::Quiet => match e.since_end_to_end {
                Some(since) if e.failed == 0 => format!("no round trip for {}, and nothing that fails", seconds(since)),
                Some(since) => format!(
                    "no round trip for {}; {} failed, too little to tell why",
                    seconds(since),
                    plural(e.failed, "try")
                ),
                None if e.failed > 0 => format!("no round trip yet; {} failed", plural(e.failed, "try")),
                None => "no round trip yet, and nothing that fails".into(),
            },
            Cause::Backup => "master of nothing, as a backup is".into(),
            Cause::TwoMasters => "master beside another node, so that what passes is not told apart".into(),
            Cause::Blind => "its messages are cut, so that nothing can be said of it".into(),
            Cause::Repeated => {
                "what it says was told before (a capture that is played again, or twice in one analysis), so that nothing can be said of it"
                    .into()
            }
            Cause::Returned => "its pfsync is heard again".into(),
        }
    }
}

impl Evidence {
    /// What was answered, and no more of it than this node proved by itself.
    fn answers(&self, again: &str) -> String {
        let (n, within) = (self.succeeded, seconds(self.seconds));
        match self.proven {
            Some(0) => format!("answers came through the pair{again}, though none of them through this node alone"),
            Some(own) if own < u64::from(n) => {
                format!("round trips are proven{again}, {own} by this node alone")
            }
            _ if n == 0 || self.seconds < 0.01 => format!("round trips are proven{again}"),
            _ => format!("round trips are proven{again}, {n} within {within}"),
        }
    }

    /// What failed, and what else spoke against the node, as a clause.
    pub(super) fn blackhole(&self, cause: Cause) -> String {
        let expected = match self.expected {
            Some(n) => format!("; about {} were to be expected", plural(whole(n), "round trip")),
            None => String::new(),
        };
        self.failures(cause) + &expected + &beside(self.witnesses)
    }

    fn failures(&self, cause: Cause) -> String {
        let count = self.failed.saturating_add(self.succeeded);
        if count == 0 {
            // What was heard of these hosts was no try that ended, or nobody tried at all.
            let who = match self.clients.max(self.servers) {
                0 => "nothing came through".into(),
                _ => format!("what {} exchanged got nowhere", hosts(self).replace(" to ", " and ")),
            };
            return format!("{who} in {}", seconds(self.seconds));
        }
        if cause == Cause::BlackholeReverse {
            return format!(
                "servers' packets go in and their clients do not go on: {} of {} between {} went on in {}{}",
                self.succeeded,
                plural(count, "exchange"),
                hosts(self).replace(" to ", " and "),
                seconds(self.seconds),
                usually(self, "do")
            );
        }
        let to_connect = match self.opening {
            0 => String::new(),
            n if n >= count => " to connect".into(),
            n => format!(" ({n} to connect)"),
        };
        let verb = if count == 1 { "was" } else { "were" };
        format!(
            "{} of {}{to_connect} from {} {verb} answered in {}{}",
            self.succeeded,
            plural(count, "try"),
            hosts(self),
            seconds(self.seconds),
            usually(self, "are")
        )
    }
}

/// Why less than usual was enough.
fn beside(w: Witnesses) -> String {
    let said = [
        (w.split, "it lost a part of its CARP addresses to the other node"),
        (w.segment, "its advertisements on a segment ceased"),
        (w.address, "an address of its own does not answer any more"),
    ];
    said.iter().filter(|s| s.0).map(|s| format!(", and {}", s.1)).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small number, never negative"
)]
fn whole(n: f64) -> u32 {
    n.round() as u32
}

fn hosts(e: &Evidence) -> String {
    let canaries = match e.canaries {
        0 => String::new(),
        1 => " (1 canary)".into(),
        n => format!(" ({n} canaries)"),
    };
    format!(
        "{} to {}{canaries}",
        plural(e.clients, "host"),
        plural(e.servers, "server")
    )
}

fn usually(e: &Evidence, verb: &str) -> String {
    if e.usual > 0.0 {
        format!("; usually {:.0} % {verb}", e.usual * 100.0)
    } else {
        String::new()
    }
}

/// Short times want a second decimal.
fn seconds(s: f64) -> String {
    if s < 0.995 {
        format!("{s:.2} s")
    } else {
        format!("{s:.1} s")
    }
}

fn plural(n: u32, noun: &str) -> String {
    match (n, noun.strip_suffix('y')) {
        (1, _) => format!("{n} {noun}"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        _ => format!("{n} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cause, Evidence, Health, NodeId, Verdict, Witnesses};
    use crate::time::Timestamp;

    fn verdict(to: Health, cause: Cause, evidence: Evidence) -> Verdict {
        let at = Timestamp::from_nanos(0);
        Verdict {
            at,
            node: NodeId(0),
            path: 0,
            from: Health::Up,
            to,
            cause,
            evidence,
        }
    }

    #[test]
    fn no_sentence_counts_what_is_not_there() {
        let e = Evidence {
            seconds: 2.0,
            expected: Some(9.4),
            ..Evidence::default()
        };
        for cause in [Cause::BlackholeForward, Cause::BlackholeReverse] {
            assert_eq!(
                verdict(Health::Down, cause, e).sentence(),
                "nothing came through in 2.0 s; about 9 round trips were to be expected"
            );
        }
        let up = |proven: Option<u64>, succeeded: u32| {
            let e = Evidence {
                proven,
                succeeded,
                seconds: 1.0,
                ..Evidence::default()
            };
            let mut v = verdict(Health::Up, Cause::EndToEnd, e);
            v.from = Health::Down;
            v.sentence()
        };
        assert_eq!(up(Some(12), 12), "round trips are proven again, 12 within 1.0 s");
        assert_eq!(up(Some(3), 12), "round trips are proven again, 3 by this node alone");
        assert!(up(Some(0), 12).starts_with("answers came through the pair again, though none"));
        assert_eq!(up(None, 0), "round trips are proven again");
    }

    #[test]
    fn reasons_have_their_numbers() {
        let e = Evidence {
            failed: 46,
            clients: 23,
            servers: 19,
            seconds: 1.1,
            usual: 0.65,
            opening: 40,
            ..Evidence::default()
        };
        let said = verdict(Health::Down, Cause::BlackholeForward, e).sentence();
        assert_eq!(
            said,
            "0 of 46 tries (40 to connect) from 23 hosts to 19 servers were answered in 1.1 s; usually 65 % are"
        );
        let e = Evidence {
            failed: 1,
            clients: 1,
            servers: 1,
            seconds: 0.3,
            opening: 1,
            suspicion: 4.31,
            threshold: 8.5,
            ..Evidence::default()
        };
        let said = verdict(Health::Suspect, Cause::BlackholeForward, e).sentence();
        assert_eq!(
            said,
            "0 of 1 try to connect from 1 host to 1 server was answered in 0.30 s; suspicion 4.3 of 8.5"
        );
        let e = Evidence { suspicion: 9.2, ..e };
        let said = verdict(Health::Suspect, Cause::BlackholeForward, e).sentence();
        assert!(
            said.ends_with("; suspicion 9.2, enough for down (8.5), but held back so far"),
            "{said}"
        );
        let e = Evidence {
            failed: 2,
            clients: 2,
            servers: 2,
            seconds: 2.0,
            usual: 0.9,
            opening: 2,
            witnesses: Witnesses {
                split: true,
                address: true,
                ..Witnesses::default()
            },
            expected: Some(9.4),
            ..Evidence::default()
        };
        let said = verdict(Health::Down, Cause::BlackholeForward, e).sentence();
        assert_eq!(
            said,
            "0 of 2 tries to connect from 2 hosts to 2 servers were answered in 2.0 s; usually 90 % are; about 9 round trips \
             were to be expected, and it lost a part of its CARP addresses to the other node, and an address of its own does \
             not answer any more"
        );
        let e = Evidence {
            pfsync_silent: 2.1,
            pfsync_usual: Some(1.5),
            ..Evidence::default()
        };
        let said = verdict(Health::Suspect, Cause::Silence, e).sentence();
        assert_eq!(said, "no pfsync for 2.1 s; usually something comes within 1.5 s");
        let e = Evidence {
            pfsync_silent: 2.133,
            carp_gone: 2,
            ..Evidence::default()
        };
        let said = verdict(Health::Down, Cause::Silence, e).sentence();
        assert_eq!(
            said,
            "no pfsync for 2.1 s and its CARP advertisements are gone from 2 segments"
        );
    }
}
