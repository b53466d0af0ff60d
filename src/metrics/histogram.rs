//! How long hooks took, as a histogram that was counted elsewhere: the crate's own counts for itself.

use crate::status::tally::{BOUNDS, Tally};
use prometheus::core::{Collector, Desc};
use prometheus::proto::{Bucket, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::{BTreeMap, HashMap};

/// See the module.
pub(super) struct Durations {
    desc: Desc,
    all: BTreeMap<String, Tally>,
}

impl Durations {
    pub(super) fn new(name: &str, help: &str, all: BTreeMap<String, Tally>) -> prometheus::Result<Self> {
        let desc = Desc::new(name.into(), help.into(), vec!["action".into()], HashMap::new())?;
        Ok(Self { desc, all })
    }
}

impl Collector for Durations {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(self.desc.fq_name.clone());
        family.set_help(self.desc.help.clone());
        family.set_field_type(MetricType::HISTOGRAM);
        let metrics: Vec<Metric> = self.all.iter().map(|(action, tally)| metric(action, tally)).collect();
        family.set_metric(metrics);
        vec![family]
    }
}

fn metric(action: &str, tally: &Tally) -> Metric {
    let mut label = LabelPair::default();
    label.set_name("action".into());
    label.set_value(action.to_owned());
    let bucket = |(bound, within): (f64, &u64)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(bound);
        bucket.set_cumulative_count(*within);
        bucket
    };
    let buckets: Vec<Bucket> = BOUNDS.into_iter().zip(&tally.within).map(bucket).collect();
    let mut histogram = Histogram::default();
    histogram.set_sample_count(tally.ok + tally.failed);
    histogram.set_sample_sum(tally.seconds);
    histogram.set_bucket(buckets);
    let mut metric = Metric::from_label(vec![label]);
    metric.set_histogram(histogram);
    metric
}
