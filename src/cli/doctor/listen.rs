//! A few seconds of the networks, by the live source and the engine, as `run` hears them.

use super::super::failure::sentence;
use super::super::run::plan::Plan;
use super::ear::Ear;
use super::finding::{Finding, ok, problem};
use super::list;
use crate::absence::{self, Wanted};
use crate::capture::live::LiveSource;
use crate::capture::{Input, Source, SourceError};
use crate::drive;
use crate::engine::Engine;
use crate::event::Event;
use std::slice;
use std::time::Duration;

const NAME: &str = "capture";
/// Of what the engine has to say, so much is kept.
const MOST: usize = 1000;

/// What was heard.
pub(super) struct Heard {
    pub(super) length: Duration,
    pub(super) ear: Ear,
    pub(super) engine: Engine,
    /// Notices and splits.
    pub(super) events: Vec<Event>,
}

/// Why something is not there, as a clause.
pub(super) type Why<'a> = &'a dyn Fn(Wanted) -> Option<String>;

impl Heard {
    pub(super) fn why(&self, wanted: Wanted) -> Option<String> {
        absence::why(&self.engine, wanted, None).map(|why| why.clause())
    }
}

/// Listens where that is possible, and says where it is not.
pub(super) fn listen(plan: &Plan, length: Duration) -> (Option<Heard>, Vec<Finding>) {
    let mut good = Vec::new();
    let mut findings = Vec::new();
    for input in &plan.inputs {
        // Each for itself, so that all that is wrong is said at once.
        match LiveSource::open(slice::from_ref(input), plan.options.clone()) {
            Ok(_) => good.push(input.clone()),
            // Said already by who looked at the interfaces.
            Err(SourceError::NoInterface { .. }) => {}
            Err(e) => findings.push(problem(NAME, sentence(&e))),
        }
    }
    if good.is_empty() {
        return (None, findings);
    }
    let heard = LiveSource::open(&good, plan.options.clone()).and_then(|source| hear(source, plan, length));
    match heard {
        Ok(heard) => {
            if good.len() == plan.inputs.len() {
                let names: Vec<String> = good.into_iter().map(|i| i.interface).collect();
                findings.push(ok(NAME, format!("{} s on {}", length.as_secs(), list(&names))));
            }
            (Some(heard), findings)
        }
        Err(e) => {
            findings.push(problem(NAME, sentence(&e)));
            (None, findings)
        }
    }
}

fn hear(mut source: LiveSource, plan: &Plan, length: Duration) -> Result<Heard, SourceError> {
    let mut heard = Heard {
        length,
        ear: Ear::default(),
        engine: Engine::new(plan.settings.clone(), 0),
        events: Vec::new(),
    };
    tracing::info!("listening for {} s", length.as_secs());
    let until = source.now() + length;
    while source.now() < until {
        let Heard {
            ear, engine, events, ..
        } = &mut heard;
        let input = source.next(engine.next_deadline().min(until))?;
        if let Input::Frame(frame) = &input {
            ear.frame(frame);
        }
        if !drive::feed(&input, engine) {
            break;
        }
        while let Some(event) = engine.poll() {
            if matches!(
                event,
                Event::Notice(_) | Event::Unsynchronised { .. } | Event::TwoMasters { .. } | Event::NoMaster { .. }
            ) && events.len() < MOST
            {
                events.push(event);
            }
        }
    }
    Ok(heard)
}
