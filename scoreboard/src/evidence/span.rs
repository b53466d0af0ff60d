//! Long spans of a site whose firewall is fine: every `down` is a false alarm. Measures whether the stated risk holds.

use super::agree::settings;
use super::life::Library;
use super::mood::Mood;
use super::replay::Replay;
use super::weather::Weather;
use pf_sim::traffic::{Canary, Load, Mix};
use pfwatch::event::Health;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The detector may learn this long before it is held to anything.
pub const WARM_UP: Duration = Duration::from_secs(3_600);

/// A false alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Seconds since the warm-up.
    pub at: f64,
    /// In the detector's words.
    pub words: String,
    /// What went on at the site.
    pub mood: String,
}

/// A span and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// Seconds, without the warm-up.
    pub length: f64,
    /// Each `down`.
    pub alarms: Vec<Alarm>,
    /// Turns to `suspect`.
    pub suspected: u64,
    /// Things that the detector was told.
    pub told: u64,
}

/// A site that is watched.
pub struct Site<'l> {
    /// What was recorded there, at its busiest and at quieter hours.
    pub levels: &'l [Library],
    /// How much there is.
    pub load: Load,
    /// Of what.
    pub mix: &'l Mix,
    /// Connections that are there to be watched.
    pub canaries: &'l [Canary],
    /// What breaks.
    pub weather: Weather,
}

/// Runs a healthy node for `length`, which begins at midnight; `risk` = false alarms per year.
#[must_use]
pub fn span(site: &Site<'_>, risk: f64, length: Duration, seed: u64) -> Span {
    let mut settings = settings(site.canaries);
    settings.detect.risk_per_year = risk;
    let (clients, servers) = (site.mix.clients(&site.load), site.mix.servers(&site.load));
    let mood = Mood::new(clients, servers, site.canaries.len(), site.weather, seed);
    let place = (&site.load, site.mix, site.canaries);
    let mut replay = Replay::new(site.levels, place, &settings, mood, seed);
    let mut span = Span {
        length: length.as_secs_f64(),
        ..Span::default()
    };
    replay.run(WARM_UP + length, &mut |at, verdict, mood| {
        let Some(at) = at.checked_sub(WARM_UP) else { return };
        match verdict.to {
            Health::Down => span.alarms.push(Alarm {
                at: at.as_secs_f64(),
                words: verdict.sentence(),
                mood: mood.words(),
            }),
            Health::Suspect => span.suspected += 1,
            _ => {}
        }
    });
    span.told = replay.told;
    span
}
