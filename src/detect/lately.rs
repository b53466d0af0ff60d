//! What share of the last dozen came to nothing: of advertisements, of probes.

/// Weight of the latest in what is counted as lately.
const WEIGHT: f64 = 0.08;

/// A share that forgets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lately(f64);

impl Lately {
    /// One came after so many were missing.
    pub fn came_after(&mut self, missing: f64) {
        self.0 *= 1.0 - WEIGHT;
        self.0 += WEIGHT * missing / (missing + 1.0);
    }

    /// Share that was missing, 0..1.
    #[must_use]
    pub fn missing(self) -> f64 {
        self.0
    }
}
