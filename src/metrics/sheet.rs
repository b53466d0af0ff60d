//! A registry that is filled once and read once.

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{CounterVec, GaugeVec, IntCounterVec, Opts, Registry};

/// See the module.
#[derive(Default)]
pub(super) struct Sheet(Registry);

impl Sheet {
    /// What goes up and down.
    pub(super) fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<GaugeVec> {
        let family = GaugeVec::new(Opts::new(name, help), labels)?;
        self.add(family.clone())?;
        Ok(family)
    }

    /// What only goes up.
    pub(super) fn counter(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        let family = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.add(family.clone())?;
        Ok(family)
    }

    /// The same in seconds.
    pub(super) fn seconds(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<CounterVec> {
        let family = CounterVec::new(Opts::new(name, help), labels)?;
        self.add(family.clone())?;
        Ok(family)
    }

    pub(super) fn add(&self, family: impl Collector + 'static) -> prometheus::Result<()> {
        self.0.register(Box::new(family))
    }

    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.0.gather()
    }
}
