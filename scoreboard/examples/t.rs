//! x
use std::io::Write;
fn main() {
    let t = pfwatch_scoreboard::compare::table(std::path::Path::new("captures/openbsd-pair"), 1).unwrap();
    std::io::stdout().write_all(t.as_bytes()).unwrap();
}
