//! The operator's configuration file, `pfwatch.toml`: read, checked, and printed back.
//!
//! Called by `cli` (and later by `act`, `http` and `control`, which get their part of a [`Config`]). The engine never
//! sees any of this: it is given [`crate::settings::Settings`], made here. This room reads the file that it is told to
//! read and nothing else; it starts no program and opens no socket.
//!
//! Two layers: `read` walks the parsed TOML tree with its positions, so that one run finds as many mistakes as
//! there are (a derived deserializer stops at the first); `check` then holds what belongs together against each other.

mod check;
mod context;
mod control;
mod error;
pub mod model;
mod password;
mod print;
mod read;
mod schema;
mod to_settings;
mod value;

use std::path::{Path, PathBuf};

pub use control::socket_in;
pub use error::{ConfigError, ConfigErrors, LoadError};
pub use model::{
    Actions, Canary, Command, Config, Control, Detect, Fence, FenceKind, Hooks, Node, OnFailure, PathRule, Preset,
    Probe, Segment, Sync, Web, Zone,
};
pub use password::{PasswordError, read_password};
pub use schema::{SECTIONS, Section};
pub use value::{Rate, RateUnit, format_duration, parse_duration, parse_prefix};

/// Where `run` looks when nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/pfwatch.toml";

impl Config {
    /// Parses and checks a configuration.
    ///
    /// # Errors
    /// Every mistake that can be found at once, in the order of the lines. Mistakes of TOML itself are reported
    /// alone, because what stands behind them cannot be trusted to mean what it says.
    pub fn parse(text: &str) -> Result<Self, ConfigErrors> {
        let (config, mut cx) = read::read(text);
        if !cx.is_incomplete() {
            check::check(&config, &mut cx);
        }
        cx.finish(config)
    }

    /// Reads, parses and checks a file.
    ///
    /// # Errors
    /// The file cannot be read, is not text, or does not say what a configuration may say.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let octets = std::fs::read(path).map_err(|source| LoadError::Read {
            path: path.to_owned(),
            source,
        })?;
        let text = String::from_utf8(octets).map_err(|_| LoadError::NotText { path: path.to_owned() })?;
        Self::parse(&text).map_err(|errors| LoadError::Invalid(errors.in_file(path)))
    }

    /// The node that pfwatch runs beside, if the file says which.
    #[must_use]
    pub fn self_node(&self) -> Option<&Node> {
        self.nodes.iter().find(|n| n.is_self)
    }

    /// The password files of the segments, in order; segments without one are left out.
    pub fn password_files(&self) -> impl Iterator<Item = (&str, &PathBuf)> {
        self.segments
            .iter()
            .filter_map(|s| Some((s.name.as_str(), s.password_file.as_ref()?)))
    }
}
