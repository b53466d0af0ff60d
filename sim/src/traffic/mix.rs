//! What people and machines do over the firewall, how much of each, and how many of them there are.

use crate::packet::Body;

/// What a flow is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One to three requests, then closed.
    WebShort,
    /// Several requests with pauses, then idle until one side has enough.
    WebKeep,
    /// A name looked up over UDP.
    Dns,
    /// Keystrokes and their echo, long.
    Interactive,
    /// A paced stream to the client.
    BulkDown,
    /// A paced stream to the server.
    BulkUp,
    /// Long-lived; the server says something now and then.
    Push,
    /// A UDP stream to the server that nobody answers.
    RtpOut,
    /// A UDP stream both ways.
    RtpBoth,
    /// Echo requests, one a second.
    Ping,
    /// A TCP connection on which nothing but keepalives pass.
    Keepalive,
    /// One question, one answer over UDP.
    Ntp,
    /// Web over UDP.
    Quic,
    /// A handshake and nothing else: a canary's probe.
    Probe,
    /// Like [`Kind::WebShort`], by the port that nobody encrypts on.
    Plain,
}

impl Kind {
    /// All, by their number.
    pub const ALL: [Self; 15] = [
        Self::WebShort,
        Self::WebKeep,
        Self::Dns,
        Self::Interactive,
        Self::BulkDown,
        Self::BulkUp,
        Self::Push,
        Self::RtpOut,
        Self::RtpBoth,
        Self::Ping,
        Self::Keepalive,
        Self::Ntp,
        Self::Quic,
        Self::Probe,
        Self::Plain,
    ];

    /// Whether it is a TCP connection.
    #[must_use]
    pub fn tcp(self) -> bool {
        self.proto() == 6
    }

    /// The IP protocol number.
    #[must_use]
    pub fn proto(self) -> u8 {
        match self {
            Self::Ping => 1,
            Self::Dns | Self::RtpOut | Self::RtpBoth | Self::Ntp | Self::Quic => 17,
            _ => 6,
        }
    }

    /// The server's port.
    #[must_use]
    pub fn port(self) -> u16 {
        match self {
            Self::WebShort | Self::WebKeep | Self::Quic | Self::Probe => 443,
            Self::Plain => 80,
            Self::Dns => 53,
            Self::Interactive => 22,
            Self::BulkDown => 8080,
            Self::BulkUp => 873,
            Self::Push => 5223,
            Self::RtpOut => 5004,
            Self::RtpBoth => 5006,
            Self::Ping => 0,
            Self::Keepalive => 1883,
            Self::Ntp => 123,
        }
    }

    /// Seconds that one lasts in the mean, for those that last so long that a site has many of them at any time.
    /// Their lengths are exponential, so a population that just began is like one that has been there for hours.
    #[must_use]
    pub fn life(self) -> Option<f64> {
        match self {
            Self::Interactive => Some(400.0),
            Self::Push => Some(600.0),
            Self::Keepalive => Some(1200.0),
            Self::RtpOut | Self::RtpBoth => Some(60.0),
            _ => None,
        }
    }

    /// How many are opened together, from 1 up: a page needs several connections, a resolver asks for A and AAAA.
    pub(super) fn together(self) -> &'static [f64] {
        match self {
            Self::WebShort | Self::WebKeep | Self::Quic | Self::Plain => &[0.40, 0.20, 0.15, 0.10, 0.10, 0.05],
            Self::Dns => &[0.5, 0.5],
            _ => &[1.0],
        }
    }

    pub(super) fn number(self) -> u32 {
        Self::ALL
            .iter()
            .zip(0..)
            .find_map(|(k, n)| (*k == self).then_some(n))
            .unwrap_or(0)
    }
}

/// Whether a server has somebody listening where this packet goes.
pub(super) fn served(body: &Body) -> bool {
    let open = |proto, port| Kind::ALL.iter().any(|k| k.proto() == proto && k.port() == port);
    match body {
        Body::Tcp(s) => open(6, s.ports[1]),
        Body::Udp { ports, .. } => open(17, ports[1]),
        Body::Echo { request, .. } => *request,
        Body::Other { .. } => false,
    }
}

/// In a hundred openings, see [`Mix::standard`].
const STANDARD: [(Kind, f64); 13] = [
    (Kind::WebShort, 36.2),
    (Kind::WebKeep, 18.0),
    (Kind::Dns, 20.0),
    (Kind::Quic, 12.0),
    (Kind::Ntp, 3.0),
    (Kind::Push, 3.5),
    (Kind::Ping, 2.5),
    (Kind::Keepalive, 1.5),
    (Kind::BulkDown, 1.5),
    (Kind::BulkUp, 0.8),
    (Kind::Interactive, 0.5),
    (Kind::RtpBoth, 0.3),
    (Kind::RtpOut, 0.2),
];

/// Shares of kinds.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    shares: Vec<(Kind, f64)>,
    few: bool,
}

impl Mix {
    /// An office's uplink. Counted by openings, most are names and pages: about one lookup for three connections of
    /// a page (caches answer the rest), a quarter of web flows over QUIC where browsers and big sites agree on it,
    /// a third of the others kept open. What lives long is rare among openings and the majority of the state table.
    /// Bulk, calls and shells are each a per cent or less of the openings and half of the packets.
    #[must_use]
    pub fn standard() -> Self {
        Self::of(&STANDARD)
    }

    /// The same, and a third of all openings go to port 80, which a site redirects to a proxy.
    #[must_use]
    pub fn proxied() -> Self {
        let plain = STANDARD.iter().copied().chain([(Kind::Plain, 50.0)]);
        Self::of(&plain.collect::<Vec<_>>())
    }

    /// Telephones and resolvers: nothing that keeps sequence numbers.
    #[must_use]
    pub fn udp_only() -> Self {
        Self::of(&[
            (Kind::Dns, 60.0),
            (Kind::Quic, 25.0),
            (Kind::Ntp, 9.0),
            (Kind::RtpBoth, 4.0),
            (Kind::RtpOut, 2.0),
        ])
    }

    /// Things that keep a connection to their cloud and say nothing. An opening lasts 20 minutes, so there are 1200
    /// connections for each opening a second.
    #[must_use]
    pub fn keepalive_only() -> Self {
        Self::of(&[(Kind::Keepalive, 1.0)])
    }

    /// Machines that talk to two others: a till, a sensor hub, a tunnel's far end.
    #[must_use]
    pub fn few_hosts() -> Self {
        Self {
            few: true,
            ..Self::of(&[
                (Kind::WebShort, 55.0),
                (Kind::Dns, 15.0),
                (Kind::WebKeep, 10.0),
                (Kind::Push, 6.0),
                (Kind::BulkUp, 5.0),
                (Kind::Ntp, 4.0),
                (Kind::Ping, 3.0),
                (Kind::Keepalive, 2.0),
            ])
        }
    }

    /// The laboratory in which the captures of real pairs were made: 41 clients, 30 servers, 13 openings a second. Counted
    /// in its steady capture; what lasts for all of it (14 shells, 7 calls, 10 downloads) stands here by what keeps as many
    /// going or makes as many updates, so that a few more are opened.
    #[must_use]
    pub fn laboratory() -> Self {
        Self::of(&[
            (Kind::WebShort, 5.9),
            (Kind::Dns, 4.05),
            (Kind::WebKeep, 1.75),
            (Kind::Probe, 0.23),
            (Kind::Ping, 0.35),
            (Kind::BulkUp, 0.08),
            (Kind::Interactive, 14.0 / 400.0),
            (Kind::BulkDown, 0.52),
            (Kind::RtpBoth, 7.0 / 300.0),
        ])
    }

    /// Any shares; they need not add up to anything. What is not finite or below 0 counts as 0.
    #[must_use]
    pub fn of(shares: &[(Kind, f64)]) -> Self {
        let clean = |x: f64| if x.is_finite() { x.max(0.0) } else { 0.0 };
        let total: f64 = shares.iter().map(|s| clean(s.1)).sum();
        let shares = shares
            .iter()
            .map(|&(k, x)| (k, clean(x) / total.max(f64::MIN_POSITIVE)))
            .collect();
        Self { shares, few: false }
    }

    /// What a site is called whose traffic is of one kind, or between a handful of hosts: what can be known of it is less.
    #[must_use]
    pub fn special(&self) -> Option<&'static str> {
        let all = [
            (Self::few_hosts(), "few hosts"),
            (Self::udp_only(), "UDP alone"),
            (Self::keepalive_only(), "keepalives alone"),
        ];
        all.into_iter().find(|(mix, _)| mix == self).map(|(_, name)| name)
    }

    /// Shares of the openings; they add up to 1.
    #[must_use]
    pub fn shares(&self) -> &[(Kind, f64)] {
        &self.shares
    }

    /// How many clients there are under this load.
    #[must_use]
    pub fn clients(&self, load: &Load) -> usize {
        load.clients.clamp(1, if self.few { 3 } else { 60_000 })
    }

    /// How many servers there are under this load, without those that never answer.
    #[must_use]
    pub fn servers(&self, load: &Load) -> usize {
        load.servers.clamp(1, if self.few { 2 } else { 50_000 })
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Openings of flows of all kinds a second, without retries; at the busiest hour if `daily`.
    pub flows_per_second: f64,
    /// Inside hosts.
    pub clients: usize,
    /// Outside hosts.
    pub servers: usize,
    /// Follow a curve of day and night; the simulation starts at midnight.
    pub daily: bool,
    /// How far the servers are, as a multiple of what is usual (one way 2 to 60 ms).
    pub distance: f64,
}

impl Load {
    /// A campus.
    pub const BUSY: Self = Self {
        flows_per_second: 500.0,
        clients: 2000,
        servers: 1500,
        daily: false,
        distance: 1.0,
    };
    /// The laboratory of the real captures, see [`Mix::laboratory`].
    pub const LABORATORY: Self = Self {
        flows_per_second: 12.5,
        clients: 41,
        servers: 30,
        daily: false,
        distance: 0.05,
    };
    /// A house of offices.
    pub const OFFICE: Self = Self {
        flows_per_second: 20.0,
        clients: 120,
        servers: 300,
        daily: false,
        distance: 1.0,
    };
    /// A branch.
    pub const BRANCH: Self = Self {
        flows_per_second: 2.0,
        clients: 15,
        servers: 60,
        daily: false,
        distance: 1.0,
    };
    /// Nobody is there.
    pub const NIGHT: Self = Self {
        flows_per_second: 0.1,
        clients: 4,
        servers: 8,
        daily: false,
        distance: 1.0,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_one_whatever_is_given() {
        for mix in [
            Mix::standard(),
            Mix::udp_only(),
            Mix::keepalive_only(),
            Mix::few_hosts(),
        ] {
            let total: f64 = mix.shares().iter().map(|s| s.1).sum();
            assert!((total - 1.0).abs() < 1e-9, "{mix:?}");
        }
        let odd = Mix::of(&[(Kind::Dns, f64::NAN), (Kind::Ntp, -3.0), (Kind::Ping, 2.0)]);
        assert_eq!(odd.shares(), [(Kind::Dns, 0.0), (Kind::Ntp, 0.0), (Kind::Ping, 1.0)]);
        assert!(Mix::udp_only().shares().iter().all(|(k, _)| k.proto() == 17));
    }

    #[test]
    fn few_hosts_are_few_under_any_load() {
        assert_eq!(Mix::few_hosts().clients(&Load::BUSY), 3);
        assert_eq!(Mix::few_hosts().servers(&Load::BUSY), 2);
        assert_eq!(
            Mix::standard().clients(&Load {
                clients: 0,
                ..Load::BUSY
            }),
            1
        );
    }

    #[test]
    fn every_kind_has_a_number_of_its_own_that_fits_four_bits() {
        for (n, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(kind.number() as usize, n);
        }
        assert!(Kind::ALL.len() <= 16);
    }
}
