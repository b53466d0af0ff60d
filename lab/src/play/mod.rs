//! What happens in the laboratory, how often, who guards meanwhile, and what came of it.

pub mod catalogue;
pub mod kills;
mod normal;
pub mod outcome;
pub mod report;
pub mod runner;
mod turn;
