//! The snapshot as Prometheus metrics: names, types and labels are contract, one family per fact.
//!
//! Called by the web server and by the textfile writer with what hangs on the board. A registry is filled anew for each
//! snapshot and thrown away: nothing is counted here, so nothing can disagree with what `status` shows. No label ever names
//! a flow or a host beyond the nodes; every set of labels is bounded, over all of a daemon's life, by the configuration, by
//! the engine (32 nodes where none is configured) or by the protocol (255 virtual hosts on a segment).

mod families;
mod histogram;
mod sheet;
#[cfg(test)]
mod tests;
pub mod textfile;

use crate::status::Status;
use prometheus::TextEncoder;
use sheet::Sheet;

/// What `render` makes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics of a snapshot in the text format.
///
/// # Errors
/// Two families of one name or a wrong label: a mistake in this room, which its tests would find.
pub fn render(status: &Status) -> Result<String, prometheus::Error> {
    let sheet = Sheet::default();
    families::fill(status, &sheet)?;
    TextEncoder::new().encode_to_string(&sheet.gather())
}
