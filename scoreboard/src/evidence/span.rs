//! Long spans of a site whose firewall is fine: every `down` is a false alarm. Measures whether the stated risk holds.

use super::life::Library;
use super::mood::{Mood, Weather};
use super::replay::Replay;
use pf_sim::Time;
use pf_sim::traffic::{Load, Mix};
use pfwatch::event::Health;
use pfwatch::settings::Settings;
use std::time::Duration;

/// Seconds of a year.
pub const YEAR: f64 = 365.25 * 86_400.0;
/// The detector may learn this long before it is held to anything.
const WARM_UP: Duration = Duration::from_secs(3_600);

/// A span and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// How long, without the warm-up.
    pub length: Duration,
    /// When it said `down`, and in which words.
    pub alarms: Vec<(Time, String)>,
    /// How often it was at least `suspect`.
    pub suspected: u64,
    /// Things that the detector was told.
    pub told: u64,
}

/// Runs a healthy node for `length` at this load, with the weather of its site; `risk` = false alarms per year.
#[must_use]
pub fn span(
    library: &Library,
    load: &Load,
    mix: &Mix,
    weather: Weather,
    risk: f64,
    length: Duration,
    seed: u64,
) -> Span {
    let mut settings = Settings::default();
    settings.detect.risk_per_year = risk;
    let mood = Mood::new(load.clients, load.servers, Some(weather), seed);
    let mut replay = Replay::new(library, load, mix, &settings, mood, seed);
    let mut span = Span {
        length,
        ..Span::default()
    };
    replay.run(WARM_UP + length, &mut |at, verdict| {
        if at < WARM_UP {
            return;
        }
        match verdict.to {
            Health::Down => span.alarms.push((at, verdict.sentence())),
            Health::Suspect => span.suspected += 1,
            _ => {}
        }
    });
    span.told = replay.told;
    span
}
