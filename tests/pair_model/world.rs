//! A pair of firewalls as far as the policy can tell one outcome from another: ports, power, CARP, and who carries what.
//!
//! One step is one second. CARP is that of a kernel with preemption: a strictly better master wins, a silent one is replaced
//! after three of its intervals. Hosts send to whoever advertises on their segment and can be heard there.

/// Inside and outside.
pub(super) const SEGMENTS: usize = 2;
pub(super) const INSIDE: usize = 0;
pub(super) const OUTSIDE: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Power {
    On,
    /// It advertises and answers, and forwards nothing.
    Wedged,
    Off,
}

/// What the environment may do, once each step at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change {
    Port(usize, usize),
    Power(usize, Power),
    Upstream,
    /// As far as the probes reach all is well.
    Beyond,
    Cable,
}

/// The truth.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) ports: [[bool; SEGMENTS]; 2],
    pub(super) power: [Power; 2],
    pub(super) upstream: bool,
    pub(super) beyond: bool,
    pub(super) cable: bool,
    pub(super) promoted: [bool; 2],
    pub(super) demoted: [bool; 2],
    /// A lower advskew wins.
    pub(super) preempt: bool,
    /// Takes itself for the master.
    pub(super) master: [[bool; SEGMENTS]; 2],
    /// Steps since a backup last heard a master.
    deaf: [[u8; SEGMENTS]; 2],
    /// Steps since traffic last failed at each node, and since it last passed; 20 is long ago.
    pub(super) failed: [u8; 2],
    pub(super) worked: [u8; 2],
    /// Steps since each node was last broken.
    pub(super) sound: [u8; 2],
}

impl World {
    pub(super) fn new(preempt: bool) -> Self {
        Self {
            ports: [[true; SEGMENTS]; 2],
            power: [Power::On; 2],
            upstream: true,
            beyond: true,
            cable: true,
            promoted: [false; 2],
            demoted: [false; 2],
            preempt,
            master: [[true; SEGMENTS], [false; SEGMENTS]],
            deaf: [[0; SEGMENTS]; 2],
            failed: [20; 2],
            worked: [20; 2],
            sound: [20; 2],
        }
    }

    /// All that may change now.
    pub(super) fn changes(&self) -> Vec<Change> {
        let mut all = vec![Change::Upstream, Change::Beyond, Change::Cable];
        for n in 0..2 {
            all.extend((0..SEGMENTS).map(|s| Change::Port(n, s)));
            let powers = [Power::On, Power::Wedged, Power::Off].into_iter();
            // Who is off can only boot.
            let may = |p: &Power| *p != self.power[n] && (self.power[n] != Power::Off || *p == Power::On);
            all.extend(powers.filter(may).map(|p| Change::Power(n, p)));
        }
        all
    }

    pub(super) fn change(&mut self, change: Change) {
        match change {
            Change::Port(n, s) => self.ports[n][s] ^= true,
            Change::Power(n, power) => {
                if power == Power::Off || self.power[n] == Power::Off {
                    self.master[n] = [false; SEGMENTS];
                    self.deaf[n] = [0; SEGMENTS];
                    // The kernel forgets.
                    (self.promoted[n], self.demoted[n]) = (false, false);
                }
                self.power[n] = power;
            }
            Change::Upstream => self.upstream ^= true,
            Change::Beyond => self.beyond ^= true,
            Change::Cable => self.cable ^= true,
        }
    }

    pub(super) fn is_off(&self, n: usize) -> bool {
        self.power[n] == Power::Off
    }

    /// Nothing of its own is broken.
    pub(super) fn is_sound(&self, n: usize) -> bool {
        self.power[n] == Power::On && self.ports[n] == [true; SEGMENTS]
    }

    /// Whether a node hears the other advertise.
    pub(super) fn hears(&self, n: usize, s: usize) -> bool {
        let p = 1 - n;
        !self.is_off(p) && self.master[p][s] && self.ports[n][s] && self.ports[p][s]
    }

    /// Smaller is better.
    fn rank(&self, n: usize) -> (bool, u8) {
        let skew = [1, 2][n];
        (self.demoted[n], if self.promoted[n] { 0 } else { skew })
    }

    /// What a node says is better than what the other would.
    pub(super) fn beats(&self, n: usize) -> bool {
        self.rank(n) < self.rank(1 - n)
    }

    /// One second of CARP and traffic.
    pub(super) fn step(&mut self) {
        let before = self.clone();
        for n in (0..2).filter(|&n| !before.is_off(n)) {
            for s in 0..SEGMENTS {
                let heard = before.hears(n, s);
                let deaf = &mut self.deaf[n][s];
                *deaf = if heard || before.master[n][s] {
                    0
                } else {
                    (*deaf + 1).min(3)
                };
                self.master[n][s] = match (before.master[n][s], heard) {
                    // Two masters: the better one stays, of equals the first.
                    (true, true) => before.beats(n) || (!before.beats(1 - n) && n == 0),
                    (true, false) => true,
                    (false, true) => before.beats(n) && before.preempt,
                    (false, false) => *deaf >= 3,
                };
            }
        }
        let carrier = self.carrier();
        for n in 0..2 {
            let older = |age: u8, now: bool| if now { 0 } else { (age + 1).min(20) };
            self.failed[n] = older(self.failed[n], self.fails(n));
            self.worked[n] = older(self.worked[n], carrier == Some(n));
            self.sound[n] = if self.is_sound(n) {
                (self.sound[n] + 1).min(20)
            } else {
                0
            };
        }
    }

    /// Whom the hosts of a segment send to.
    pub(super) fn faces(&self, s: usize) -> Option<usize> {
        (0..2).find(|&n| !self.is_off(n) && self.master[n][s] && self.ports[n][s])
    }

    /// Through whom traffic passes end to end.
    pub(super) fn carrier(&self) -> Option<usize> {
        let n = self.faces(INSIDE)?;
        (self.faces(OUTSIDE) == Some(n) && self.power[n] == Power::On && self.upstream && self.beyond).then_some(n)
    }

    /// Hosts send to it, and nothing comes of it.
    pub(super) fn fails(&self, n: usize) -> bool {
        self.carrier() != Some(n) && (0..SEGMENTS).any(|s| self.faces(s) == Some(n))
    }

    /// What comes in does not leave it again.
    pub(super) fn is_stuck(&self, n: usize) -> bool {
        self.power[n] == Power::Wedged && self.faces(INSIDE) == Some(n)
    }

    /// It could carry the traffic if it were master.
    pub(super) fn could_carry(&self, n: usize) -> bool {
        self.is_sound(n) && self.upstream
    }

    /// Probes in the order of the settings: far away, the inside, the peer inside, the peer outside.
    pub(super) fn answers(&self, n: usize, probe: usize) -> bool {
        let meets = |s: usize| self.ports[0][s] && self.ports[1][s] && !self.is_off(1 - n);
        match probe {
            0 => self.ports[n][OUTSIDE] && self.upstream,
            1 => self.ports[n][INSIDE],
            2 => meets(INSIDE),
            _ => meets(OUTSIDE),
        }
    }
}
