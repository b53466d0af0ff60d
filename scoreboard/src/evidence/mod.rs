//! The level of evidence: what the tracker would tell the detector, without packets, so that years can be judged.
//!
//! ```text
//!   frames (pf-sim's world) -> engine -> what the tracker told -> library of lives        (record, once per load)
//!   arrivals (the same as the world draws) + lives + moods of the site -> detector        (replay, years)
//! ```
//!
//! A life is what became known of one connection and its retries, as a real tracker told it from real (simulated)
//! frames: well, or towards a host that does not answer, or cut short in the middle. Replay draws the same arrivals as
//! the world does, gives each a life of its kind that fits what is broken at that moment, and tells the very same
//! detector. That both levels come to the same verdicts is measured (`agree`), not assumed.

pub mod agree;
pub mod commands;
pub mod life;
pub mod mood;
pub mod record;
pub mod replay;
pub mod span;
pub mod thin;
pub mod weather;
pub mod wheel;
