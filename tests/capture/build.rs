//! Builds captures octet by octet, independently of the readers under test.

/// One frame: nanoseconds, octets.
pub(crate) type Record<'a> = (u64, &'a [u8]);

/// How a classic file is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Classic {
    pub(crate) big_endian: bool,
    pub(crate) nanos: bool,
    pub(crate) link: u32,
}

pub(crate) fn word(v: u32, big_endian: bool) -> [u8; 4] {
    if big_endian { v.to_be_bytes() } else { v.to_le_bytes() }
}

pub(crate) fn half(v: u16, big_endian: bool) -> [u8; 2] {
    if big_endian { v.to_be_bytes() } else { v.to_le_bytes() }
}

pub(crate) fn classic(how: Classic, records: &[Record]) -> Vec<u8> {
    let e = how.big_endian;
    let mut out = word(if how.nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }, e).to_vec();
    out.extend([half(2, e), half(4, e)].concat());
    for v in [0, 0, 65535, how.link] {
        out.extend(word(v, e));
    }
    for (at, data) in records {
        let unit = if how.nanos { 1 } else { 1000 };
        let length = u32::try_from(data.len()).unwrap();
        let seconds = u32::try_from(at / 1_000_000_000).unwrap();
        let fraction = u32::try_from(at % 1_000_000_000 / unit).unwrap();
        for v in [seconds, fraction, length, length] {
            out.extend(word(v, e));
        }
        out.extend(*data);
    }
    out
}

/// The usual: little endian, microseconds, Ethernet.
pub(crate) fn plain(records: &[Record]) -> Vec<u8> {
    classic(
        Classic {
            big_endian: false,
            nanos: false,
            link: 1,
        },
        records,
    )
}

/// Writes pcapng blocks.
pub(crate) struct Ng {
    pub(crate) big_endian: bool,
    pub(crate) out: Vec<u8>,
}

impl Ng {
    pub(crate) fn new(big_endian: bool) -> Self {
        let mut ng = Self {
            big_endian,
            out: vec![],
        };
        ng.section();
        ng
    }

    pub(crate) fn block(&mut self, kind: u32, body: &[u8]) {
        let e = self.big_endian;
        let length = u32::try_from(body.len().next_multiple_of(4) + 12).unwrap();
        self.out.extend(word(kind, e));
        self.out.extend(word(length, e));
        self.out.extend(body);
        self.out.resize(self.out.len().next_multiple_of(4), 0);
        self.out.extend(word(length, e));
    }

    pub(crate) fn section(&mut self) {
        let e = self.big_endian;
        let mut body = word(0x1a2b_3c4d, e).to_vec();
        body.extend([half(1, e), half(0, e)].concat());
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body);
    }

    pub(crate) fn interface(&mut self, link: u16, snap: u32, options: &[(u16, &[u8])]) {
        let e = self.big_endian;
        let mut body = [half(link, e), half(0, e)].concat();
        body.extend(word(snap, e));
        body.extend(self.options(options));
        self.block(1, &body);
    }

    fn options(&self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let e = self.big_endian;
        let mut out = vec![];
        for (code, value) in options {
            out.extend(half(*code, e));
            out.extend(half(u16::try_from(value.len()).unwrap(), e));
            out.extend(*value);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        if !options.is_empty() {
            out.extend([0; 4]);
        }
        out
    }

    pub(crate) fn enhanced(&mut self, interface: u32, ticks: u64, data: &[u8], options: &[(u16, &[u8])]) {
        let e = self.big_endian;
        let length = u32::try_from(data.len()).unwrap();
        let mut body = vec![];
        let (high, low) = (
            u32::try_from(ticks >> 32).unwrap(),
            u32::try_from(ticks & 0xffff_ffff).unwrap(),
        );
        for v in [interface, high, low, length, length] {
            body.extend(word(v, e));
        }
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.options(options));
        self.block(6, &body);
    }

    pub(crate) fn simple(&mut self, wire_len: u32, data: &[u8]) {
        let mut body = word(wire_len, self.big_endian).to_vec();
        body.extend(data);
        self.block(3, &body);
    }
}

/// gzip by the same crate that reads it; the zstd fixture comes from the reference implementation.
pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut e = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    e.write_all(data).unwrap();
    e.finish().unwrap()
}
