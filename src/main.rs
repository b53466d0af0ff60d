//! The `pfwatch` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(pfwatch::cli::run())
}
