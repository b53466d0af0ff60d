//! How improbable is what was seen, were the firewall alive? Pure arithmetic over failing hosts.
//!
//! Called by `detect` some times a second. The alternative to "the firewall is dead" is not that every host failed by
//! itself (that becomes absurd after three of them) but that something ELSE took a part of the hosts away at once: a
//! rack, a hypervisor, an uplink of theirs, one client that scans. So with f = the share of hosts taken away,
//!
//! ```text
//!   P(seen | alive) = prod h_i + RATE * integral prior(f) prod (f + (1 - f) h_i) df
//! ```
//!
//! where h_i = probability that host i got no answer to its tries although it is well. The prior has its weight at
//! small f: the larger the share, the rarer. This is the classical reason why counting timeouts is not enough and
//! counting INDEPENDENT hosts is.

/// Probability per second that something takes several hosts away at once: about once a month.
const RATE: f64 = 4e-7;
/// Probability that one host goes away by itself just now. Floors every `h_i`.
pub const HOST_GONE: f64 = 0.005;
/// Grid for f; the integrand is smooth.
const GRID: usize = 24;

/// Which side of the tries the hosts are on: what takes many of them away at once is not equally rare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those that do not answer: a rack or an uplink takes several at once, and half of them
    /// not much less often than a few. Prior 2 (1 - f)^3 + 3/2 (1 - f)^2.
    Silent,
    /// Those that try: they are alive, or they would not; several known ones that all scan at once are rarer. Prior
    /// 10 (1 - f)^9.
    Trying,
}
/// One stray proof counts as this probability under "dead" (late news of the other node, a flush in flight).
pub const STRAY: f64 = 0.02;

/// -log10 P(seen | alive) for hosts with the given `h_i`; 0 for none.
#[must_use]
pub fn suspicion(hosts: &[f64], side: Side) -> f64 {
    // As it is nearly always.
    if hosts.is_empty() {
        return 0.0;
    }
    let alone: f64 = hosts.iter().map(|h| h.max(HOST_GONE).ln()).sum();
    let mut together = 0.0;
    for i in 0..GRID {
        #[expect(clippy::cast_precision_loss, reason = "small integers")]
        let f = (i as f64 + 0.5) / GRID as f64;
        let product: f64 = hosts.iter().map(|h| f + (1.0 - f) * h).product();
        together += prior(side, f) * product;
    }
    #[expect(clippy::cast_precision_loss, reason = "small integers")]
    let together = RATE * together / GRID as f64;
    -(alone.exp() + together).min(1.0).log10()
}

fn prior(side: Side, f: f64) -> f64 {
    let g = 1.0 - f;
    match side {
        Side::Silent => g * g * (2.0 * g + 1.5),
        Side::Trying => 10.0 * g.powi(9),
    }
}

/// What `suspicion` must reach so that false alarms stay below `per_year`, were one test made each second.
#[must_use]
pub fn threshold(per_year: f64) -> f64 {
    const SECONDS: f64 = 365.25 * 86_400.0;
    (SECONDS / per_year.max(1e-12)).log10().clamp(3.0, 15.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dead_server_or_client_never_suffices() {
        for side in [Side::Silent, Side::Trying] {
            assert!(suspicion(&[HOST_GONE], side) < 2.5);
            assert!(suspicion(&[0.0], side) < 2.5);
        }
    }

    #[test]
    fn suspicion_grows_with_independent_hosts_only() {
        let s: Vec<f64> = (0..40).map(|n| suspicion(&vec![HOST_GONE; n], Side::Silent)).collect();
        assert!(s.windows(2).all(|w| w[1] >= w[0]), "{s:?}");
        assert!(s[5] < threshold(0.1) && s[9] > threshold(0.1), "{s:?}");
    }

    #[test]
    fn unanswered_for_a_moment_is_weak_and_adds_up() {
        assert!(suspicion(&[0.5; 4], Side::Silent) < 1.3);
        assert!(suspicion(&[0.2; 30], Side::Silent) > threshold(0.1));
    }

    #[test]
    fn risk_once_in_ten_years_is_eight_and_a_half() {
        assert!((threshold(0.1) - 8.5).abs() < 0.01);
    }
}
