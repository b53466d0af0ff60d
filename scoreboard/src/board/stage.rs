//! From the simulator's catalogue to a run.
