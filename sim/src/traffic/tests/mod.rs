//! Hosts over a wire that only delays and loses.

mod faults;
mod kinds;
mod loss;
mod wire;
