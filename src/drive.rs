//! The loop that joins a source and the engine: the same for files, live capture and simulation.

use crate::capture::{Input, Source, SourceError};
use crate::engine::Engine;

/// Feeds one input and says whether there will be more.
///
/// # Errors
/// What the source could not go on with; the engine holds everything that came before.
pub fn step(source: &mut dyn Source, engine: &mut Engine) -> Result<bool, SourceError> {
    let input = source.next(engine.next_deadline())?;
    Ok(feed(&input, engine))
}

/// Feeds what a source said and says whether there will be more.
pub fn feed(input: &Input<'_>, engine: &mut Engine) -> bool {
    match input {
        Input::Frame(frame) => engine.frame(frame),
        Input::Idle(at) => engine.idle(*at),
        Input::Gap {
            at,
            length,
            cause,
            lost,
        } => engine.gap(*at, *length, *cause, *lost),
        Input::End => return false,
    }
    true
}
