//! What is wrong with the arguments, in one sentence, and the help that was asked for.
//!
//! Called by `cli` with what clap has to say; clap's own layout of several paragraphs is for nobody who reads a log.

use super::exit;
use clap::error::{Error, ErrorKind};
use std::io::{self, Write};

/// Prints help or the sentence, and returns the exit code.
pub(super) fn answer(error: &Error) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that left has read enough.
        let _ = error.print();
        return exit::OK;
    }
    let said = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "there is no command".into(),
        _ => error.to_string(),
    };
    let _ = writeln!(io::stderr(), "pfwatch: {}", sentence(&said));
    exit::USAGE
}

/// Clap's paragraphs up to the usage, joined.
fn sentence(said: &str) -> String {
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let end = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .filter_map(|mark| said.find(mark))
        .min();
    let said = said.get(..end.unwrap_or(said.len())).unwrap_or(said);
    let words: Vec<&str> = said.split_whitespace().collect();
    let mut text = words.join(" ").replace(" tip: ", "; ");
    if !text.contains("[possible values:") && !text.contains("; ") {
        text.push_str("; `pfwatch --help` says what is understood");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn paragraphs_become_one_sentence() {
        let said = "error: invalid value 'html' for '--format <FORMAT>'\n  [possible values: text, json]\n\nFor more \
                    information, try '--help'.\n";
        assert_eq!(
            sentence(said),
            "invalid value 'html' for '--format <FORMAT>' [possible values: text, json]"
        );
        let said = "error: unexpected argument '--fromat' found\n\n  tip: a similar argument exists: '--format'\n\n\
                    Usage: pfwatch decode <FILE>...\n";
        assert_eq!(
            sentence(said),
            "unexpected argument '--fromat' found; a similar argument exists: '--format'"
        );
    }
}
