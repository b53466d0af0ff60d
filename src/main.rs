//! The `pfwatch` command.
fn main() {}
