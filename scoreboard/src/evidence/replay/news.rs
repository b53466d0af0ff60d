//! Which answers are news to the detector, and which it need only count.
//!
//! Of an answer the detector takes that there is one, that its two hosts are well, and how usual it is. While nothing is
//! suspected, a busy site gives it hundreds a second that tell it none of the first two: there were answers in the same
//! moment already, and from these hosts, too. Such ones are left out and only counted, for the sake of what is usual. So
//! that nothing else changes, still told are
//!
//!  * all failures, and the first answer of each host after each of its own;
//!  * in each moment the first [`ENOUGH`] answers: a window of evidence ends well by the hosts that were answered in it, and
//!    these outweigh what fails there by chance;
//!  * each host once in [`AGAIN`], so that it is not forgotten;
//!  * everything while the detector suspects anything, or is not sure that the node is up. That it learns of too few answers
//!    can make it suspect something at most until the next moment, and no verdict comes that soon.

use super::super::wheel::Slot;
use super::book::Word;
use super::running::Running;
use super::time::SECOND;
use pfwatch::track::flow::{CLASSES, Class, Outcome};

/// So many answers of one moment are told in any case.
const ENOUGH: u32 = 8;
/// After so long a host is told again.
const AGAIN: Slot = 30 * SECOND;

/// What was told of hosts, about one of the two questions: are tries answered, do answers arrive?
#[derive(Default)]
struct Known {
    /// When each was told to be well last; 0 if it failed since.
    clients: Vec<Slot>,
    servers: Vec<Slot>,
    /// In which moment how many answers were told.
    told: (Slot, u32),
}

/// See the module.
#[derive(Default)]
pub(super) struct News {
    requests: Known,
    replies: Known,
    /// Left out since they were asked for, by class.
    left: [u32; CLASSES],
}

impl Known {
    fn new(clients: usize, servers: usize) -> Self {
        Self {
            clients: vec![0; clients],
            servers: vec![0; servers],
            told: (0, 0),
        }
    }

    fn hosts(&mut self, run: &Running, server: u32) -> Option<[&mut Slot; 2]> {
        let client = self.clients.get_mut(run.client as usize)?;
        Some([client, self.servers.get_mut(server as usize)?])
    }

    fn stale(&mut self, now: Slot, run: &Running, server: u32) -> bool {
        let few = self.told.0 != now || self.told.1 < ENOUGH;
        let stale = |told: &Slot| *told == 0 || now - *told >= AGAIN;
        few || self.hosts(run, server).is_none_or(|h| h.into_iter().any(|t| stale(t)))
    }

    fn note(&mut self, now: Slot, run: &Running, server: u32, well: bool) {
        if let Some(hosts) = self.hosts(run, server) {
            for told in hosts {
                *told = if well { now } else { 0 };
            }
        }
        if well {
            let n = if self.told.0 == now { self.told.1 } else { 0 };
            self.told = (now, n + 1);
        }
    }
}

impl News {
    pub(super) fn new(clients: usize, servers: usize) -> Self {
        Self {
            requests: Known::new(clients, servers),
            replies: Known::new(clients, servers),
            left: [0; CLASSES],
        }
    }

    /// Whether this must be told; what need not be is counted. `calm`: nothing is suspected.
    pub(super) fn is(&mut self, now: Slot, run: &Running, server: u32, word: &Word, calm: bool) -> bool {
        let answered = word.trial.map(|(_, o)| o == Outcome::Success);
        let delivered = match word.delivery {
            Some(Outcome::Partial) | None => None,
            Some(o) => Some(o == Outcome::Success),
        };
        let mut tell = !calm || word.delivery == Some(Outcome::Partial);
        for (known, well) in [(&mut self.requests, answered), (&mut self.replies, delivered)] {
            tell |= match well {
                Some(well) => !well || known.stale(now, run, server),
                None => false,
            };
        }
        if !tell {
            if let Some((class, _)) = word.trial {
                self.left[class as usize] += u32::from(word.tries);
            }
            if word.delivery.is_some() {
                self.left[Class::Delivery as usize] += u32::from(word.deliveries);
            }
            return false;
        }
        for (known, well) in [(&mut self.requests, answered), (&mut self.replies, delivered)] {
            if let Some(well) = well {
                known.note(now, run, server, well);
            }
        }
        true
    }

    /// How many answers of a class were left out since this was asked last.
    pub(super) fn left(&mut self, class: Class) -> u32 {
        std::mem::take(&mut self.left[class as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::super::running::Part;
    use super::*;
    use pf_sim::traffic::Kind;

    const RUN: Running = Running {
        client: 0,
        server: 0,
        word: 0,
        base: 0,
        kind: Kind::WebKeep,
        part: Part::Well,
        level: 0,
    };

    fn said(outcome: Outcome) -> Word {
        let mut word = Word::mended(Class::Active, false);
        (word.trial, word.tries) = (Some((Class::Active, outcome)), 3);
        word
    }

    /// In the next moment this client is answered after many others: is that told?
    fn told(news: &mut News, now: &mut Slot, calm: bool) -> bool {
        *now += 1;
        for client in 1..=ENOUGH {
            news.is(*now, &Running { client, ..RUN }, 0, &said(Outcome::Success), calm);
        }
        news.is(*now, &RUN, 0, &said(Outcome::Success), calm)
    }

    #[test]
    fn only_an_answer_that_is_no_news_is_left_out() {
        let (mut news, mut now) = (News::new(20, 20), 0);
        assert!(told(&mut news, &mut now, true), "never heard of");
        assert!(!told(&mut news, &mut now, true));
        assert_eq!((news.left(Class::Active), news.left(Class::Active)), (3, 0));
        assert!(told(&mut news, &mut now, false), "in doubt everything is told");
        assert!(
            news.is(now, &RUN, 0, &said(Outcome::Failure), true),
            "a failure always is"
        );
        assert!(told(&mut news, &mut now, true), "the first answer after a failure");
        assert!(!told(&mut news, &mut now, true));
        now += AGAIN;
        assert!(told(&mut news, &mut now, true), "long ago");
        now += 1;
        assert!(
            news.is(now, &RUN, 0, &said(Outcome::Success), true),
            "the first of a moment"
        );
    }
}
