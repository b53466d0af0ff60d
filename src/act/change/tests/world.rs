//! A firewall on paper: carp values of OpenBSD and FreeBSD, OPNsense's service check, hooks, a disk, and a death that can be
//! had at every point: before and after each command, in the middle of a line of the shell, before and after each write.
//!
//! Who is dead changes nothing any more and is only answered with failures. Beside each value stands what it would be
//! without us.

use crate::act::boot::Boot;
use crate::act::change::Hooks;
use crate::act::ledger::Made;
use crate::act::ledger::disk::Disk;
use crate::act::run::{Done, End, Job, Run};
use crate::act::thing::MARKER;
use crate::config::model::Command;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What goes wrong, and at which operation, counted from 0 since the last start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Harm {
    /// Death before it.
    Before(usize),
    /// Death right after it.
    After(usize),
    /// It fails and does nothing.
    Fails(usize),
    /// It does its work and is reported as a failure.
    Times(usize),
    /// From this one on, no write succeeds.
    Full(usize),
}

/// What somebody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    Nothing,
    Reboot,
    /// Adds to the counter.
    Add(i64),
    /// Sets the advskew of carp0.
    Advskew(u8),
    /// Takes what we added away by hand.
    TakesOurs,
    /// OPNsense asks its services, as it does now and then.
    Services,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) is_openbsd: bool,
    pub(super) advskew: BTreeMap<String, u8>,
    pub(super) advskew_true: BTreeMap<String, u8>,
    pub(super) counter: i64,
    pub(super) counter_true: i64,
    /// What our plan adds: the counter is never below what it would be without us by more than that.
    pub(super) ours: i64,
    marker: Option<i64>,
    pub(super) hook: bool,
    pub(super) disk: Option<Vec<u8>>,
    boot: i64,
    pub(super) harm: Option<Harm>,
    pub(super) operations: usize,
    pub(super) dead: bool,
}

#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl World {
    pub(super) fn new(is_openbsd: bool, counter: i64) -> Self {
        let advskew = BTreeMap::from([("carp0", 100), ("carp1", 0), ("carp2", 50)].map(|(n, s)| (n.to_owned(), s)));
        Self {
            is_openbsd,
            advskew_true: advskew.clone(),
            advskew,
            counter,
            counter_true: counter,
            ours: 0,
            marker: None,
            hook: false,
            disk: None,
            boot: 1_790_000_000,
            harm: None,
            operations: 0,
            dead: false,
        }
    }

    /// One operation: what it does, unless it is kept from it.
    fn operation<T>(&mut self, is_write: bool, work: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let at = self.operations;
        self.operations += 1;
        if self.harm == Some(Harm::Before(at)) {
            self.dead = true;
        }
        let full = is_write && matches!(self.harm, Some(Harm::Full(from)) if at >= from);
        if self.dead || full || self.harm == Some(Harm::Fails(at)) {
            return None;
        }
        let done = work(self);
        assert!(
            self.counter - self.counter_true >= self.ours.min(0),
            "too attractive: {self:?}"
        );
        match self.harm {
            Some(Harm::After(after)) if after == at => {
                self.dead = true;
                None
            }
            Some(Harm::Times(times)) if times == at => None,
            _ => done,
        }
    }

    fn set(&mut self, is_write: bool, work: impl FnOnce(&mut Self)) -> Option<()> {
        self.operation(is_write, |w| {
            work(w);
            Some(())
        })
    }

    fn add(&mut self, amount: i64) -> bool {
        let sum = self.counter + amount;
        // What if_setgroupattribs() refuses.
        if self.is_openbsd && !(0..=255).contains(&sum) {
            return false;
        }
        self.counter = sum;
        true
    }

    /// OPNsense's check, as it is: one bit of the demotion tells it whether it has demoted.
    fn services(&mut self) {
        let bad = self.marker.is_some_and(|boot| self.boot - boot <= 5);
        let is_set = self.counter & (1 << 20) != 0;
        if bad && !is_set {
            self.counter += 1 << 20;
        } else if !bad && is_set {
            self.counter -= 1 << 20;
        }
    }

    pub(super) fn other(&mut self, other: Other) {
        match other {
            Other::Nothing => {}
            Other::Reboot => {
                self.boot += 1_000;
                (self.counter, self.counter_true) = (0, 0);
                let configured = Self::new(self.is_openbsd, 0).advskew;
                (self.advskew, self.advskew_true) = (configured.clone(), configured);
            }
            Other::Add(amount) => {
                if self.counter_true + amount >= self.counter_true.min(0) && self.add(amount) {
                    self.counter_true += amount;
                }
            }
            Other::Advskew(to) => {
                self.advskew.insert("carp0".to_owned(), to);
                self.advskew_true.insert("carp0".to_owned(), to);
            }
            Other::TakesOurs if self.counter - self.counter_true == self.ours => self.counter = self.counter_true,
            Other::TakesOurs => {}
            Other::Services => self.services(),
        }
    }

    pub(super) fn boot(&self) -> Boot {
        Boot::Time(self.boot)
    }

    /// A new process in the same world.
    pub(super) fn restart(&mut self, harm: Option<Harm>) {
        self.harm = harm;
        self.operations = 0;
        self.dead = false;
    }

    fn command(&mut self, words: &[&str]) -> Option<String> {
        self.operation(false, |w| w.carry_out(words))
    }

    fn carry_out(&mut self, words: &[&str]) -> Option<String> {
        match words {
            ["ifconfig", "carp"] if self.is_openbsd => Some(self.shown()),
            ["ifconfig"] if !self.is_openbsd => Some(self.shown()),
            ["ifconfig", "-g", "carp"] => Some(format!("carp: carp demote count {}\n", self.counter)),
            ["ifconfig", "-g", "carp", "carpdemote", n] => self.add(n.parse().ok()?).then(String::new),
            ["ifconfig", "-g", "carp", "-carpdemote", n] => self.add(-n.parse::<i64>().ok()?).then(String::new),
            ["ifconfig", name, "advskew", n] => {
                *self.advskew.get_mut(*name)? = n.parse().ok()?;
                Some(String::new())
            }
            ["sysctl", "-n", "net.inet.carp.preempt"] => Some("1\n".to_owned()),
            ["sysctl", "-n", "net.inet.carp.demotion"] => Some(format!("{}\n", self.counter)),
            ["sysctl", set] => {
                let amount = set.strip_prefix("net.inet.carp.demotion=")?.parse().ok()?;
                self.add(amount).then(String::new)
            }
            ["sysctl", "-n", "kern.boottime", to] => {
                assert_eq!(to.strip_prefix('>'), Some(MARKER));
                self.marker = Some(self.boot);
                Some(String::new())
            }
            ["rm", "-f", MARKER] => {
                self.marker = None;
                Some(String::new())
            }
            ["configctl", "interface", "update", "carp", "service_status"] => {
                self.services();
                Some("OK\n".to_owned())
            }
            _ => panic!("no such command: {words:?}"),
        }
    }

    fn shown(&self) -> String {
        let mut text = String::new();
        for ((name, skew), vhid) in self.advskew.iter().zip(1..) {
            let dev = if self.is_openbsd {
                format!(" carpdev em{vhid}")
            } else {
                String::new()
            };
            let _ = write!(
                text,
                "{name}: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\
                 \tcarp: BACKUP{dev} vhid {vhid} advbase 1 advskew {skew}\n"
            );
        }
        text
    }

    /// Everything is as it would be without us.
    pub(super) fn is_clean(&self) -> bool {
        self.counter == self.counter_true && self.rest_is_clean()
    }

    /// Everything but the counter.
    pub(super) fn rest_is_clean(&self) -> bool {
        self.advskew == self.advskew_true && self.marker.is_none() && !self.hook
    }
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Run for Shared {
    fn run(&mut self, job: &Job) -> Done {
        let mut world = self.world();
        let lines: Vec<Vec<&str>> = match &job.command {
            Command::Argv(argv) => vec![argv.iter().map(String::as_str).collect()],
            Command::Shell(line) => line.split(" && ").map(|l| l.split(' ').collect()).collect(),
        };
        let mut output = Some(String::new());
        for line in lines {
            output = world.command(&line);
            if output.is_none() {
                break;
            }
        }
        Done {
            end: if output.is_some() { End::Exit(0) } else { End::Timeout },
            output: output.unwrap_or_default().into(),
            took: Duration::ZERO,
        }
    }
}

impl Hooks for Shared {
    fn act(&mut self, _: Made) -> Result<(), String> {
        let done = self.world().set(false, |w| w.hook = true);
        done.ok_or_else(|| "the hook failed".to_owned())
    }

    fn restore(&mut self, _: Made) -> Result<(), String> {
        let done = self.world().set(false, |w| w.hook = false);
        done.ok_or_else(|| "the hook failed".to_owned())
    }
}

impl Disk for Shared {
    fn load(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.world().disk.clone())
    }

    fn store(&mut self, text: &[u8]) -> io::Result<()> {
        let done = self.world().set(true, |w| w.disk = Some(text.to_vec()));
        done.ok_or_else(|| io::ErrorKind::StorageFull.into())
    }

    fn put_aside(&mut self) -> io::Result<String> {
        panic!("this disk is never damaged");
    }

    fn aside(&self) -> Option<String> {
        None
    }

    fn place(&self) -> String {
        "paper".to_owned()
    }
}
