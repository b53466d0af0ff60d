//! Our own hearing while we listened: a clock that was set, frames that the kernel dropped, a host too busy to listen.

use super::finding::{Finding, ok, problem, warning};
use super::listen::Heard;
use crate::capture::GapCause;

const NAME: &str = "clock";

/// See the module.
pub(super) fn check(heard: &Heard) -> Vec<Finding> {
    let mut all = Vec::new();
    for (cause, (times, length, lost)) in &heard.engine.counters().gaps {
        let seconds = length.as_secs_f64();
        all.push(match cause {
            GapCause::ClockStep | GapCause::ClocksApart => warning(
                NAME,
                format!(
                    "the wall clock was set while we listened (times: {times}), or this host slept: let ntpd slew it, because \
                     logs of both nodes are compared by it"
                ),
            ),
            GapCause::KernelDrop => problem(
                "capture",
                format!("the kernel dropped {lost} frames: this host is too slow for what it hears, or its buffer too small"),
            ),
            GapCause::Stall => warning(
                "capture",
                format!("this host did not let us listen for {seconds:.1} s: what else keeps it busy?"),
            ),
            // Only files know the second one.
            GapCause::InterfaceDown | GapCause::Unrecorded | GapCause::Ended(_) | GapCause::Resumed(_) => problem(
                "capture",
                format!("an interface was down or gone for {seconds:.1} s: look at its cable and its log"),
            ),
        });
    }
    if !all.iter().any(|f| f.check == NAME) {
        all.push(ok(NAME, "the wall clock goes as the monotonic one does"));
    }
    all
}
