//! pfwatch and what people use today, on the same simulated frames, judged by the same truth.
//!
//! ```text
//!   world (pf-sim) --heard--> scene (who sent what, who is master) --> watchers: pfwatch, CARP, ifstated, pings, silence
//!                                                                        |  turns of health, deeds
//!   truth (pf-sim) ----------------------------------------------------> score --> raw lines --> tables
//! ```
//!
//! Called by the binary beside it (`make scoreboard`) and by tests. Simulates each run once and shows it to all
//! watchers at the same time. Nothing that is judged is carried out: the simulated pair goes on as if nobody watched
//! it, so that all watchers are judged on the same frames.

pub mod board;
pub mod compare;
pub mod effort;
pub mod evidence;
pub mod pair;
pub mod rate;
pub mod run;
pub mod scene;
pub mod score;
pub mod watch;
