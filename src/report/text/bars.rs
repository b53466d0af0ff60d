//! Numbers as bars of one line.
//!
//! Used by the plot of a report and by the live view.

const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '%', '#'];

/// A bar of so many eighths.
pub(in crate::report) fn block(eighths: usize, unicode: bool) -> char {
    let blocks = if unicode { BLOCKS } else { ASCII };
    blocks.get(eighths).or(blocks.last()).copied().unwrap_or(' ')
}

/// One bar for each; whatever is there at all is seen.
pub(in crate::report) fn bars(values: &[f64], top: f64, unicode: bool) -> String {
    let eighths = |value: f64| match value / top.max(f64::MIN_POSITIVE) * 8.0 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 8")]
        share if share > 0.0 => share.min(8.0).ceil() as usize,
        _ => 0,
    };
    values.iter().map(|v| block(eighths(*v), unicode)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_their_numbers() {
        assert_eq!(bars(&[0.0, 0.1, 50.0, 100.0, 200.0, f64::NAN], 100.0, true), " ▁▄██ ");
        assert_eq!(bars(&[0.0, 1.0], 0.0, false), " #");
    }
}
