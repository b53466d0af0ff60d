//! Fixed-size windows on octets: the one place of this crate that turns positions into values.
//!
//! Used by every layout, both ways. A window knows its size at compile time and every position is a const parameter
//! that is compared with it at compile time, so a layout that reaches beyond its struct does not build, and nothing
//! here can fail at run time: the length was checked once, where the window was made.

/// A window of exactly `L` octets for reading.
#[derive(Clone, Copy)]
pub(crate) struct Octets<'a, const L: usize>(&'a [u8; L]);

impl<'a, const L: usize> Octets<'a, L> {
    /// The first `L` octets of `data`, if it has as many.
    #[inline]
    pub(crate) fn new(data: &'a [u8]) -> Option<Self> {
        data.first_chunk::<L>().map(Self)
    }

    /// The `N` octets from `AT` as a window of their own.
    #[inline]
    pub(crate) fn part<const AT: usize, const N: usize>(self) -> Octets<'a, N> {
        const { assert!(AT + N <= L, "a layout reaches beyond its struct") };
        // The second arm is dead code: the line above does not compile otherwise.
        match self.0.get(AT..).and_then(|tail| tail.first_chunk::<N>()) {
            Some(part) => Octets(part),
            None => Octets(&[0; N]),
        }
    }

    /// The `N` octets from `AT`.
    #[inline]
    pub(crate) fn take<const AT: usize, const N: usize>(self) -> [u8; N] {
        *self.part::<AT, N>().0
    }

    #[inline]
    pub(crate) fn u8<const AT: usize>(self) -> u8 {
        let [octet] = self.take::<AT, 1>();
        octet
    }

    #[inline]
    pub(crate) fn be16<const AT: usize>(self) -> u16 {
        u16::from_be_bytes(self.take::<AT, 2>())
    }

    #[inline]
    pub(crate) fn be32<const AT: usize>(self) -> u32 {
        u32::from_be_bytes(self.take::<AT, 4>())
    }

    #[inline]
    pub(crate) fn be64<const AT: usize>(self) -> u64 {
        u64::from_be_bytes(self.take::<AT, 8>())
    }
}

/// A window of exactly `L` octets for writing, all zero at first so that padding never leaks what was there before.
pub(crate) struct Fill<const L: usize>([u8; L]);

impl<const L: usize> Fill<L> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self([0; L])
    }

    /// Writes `octets` at `AT`.
    #[inline]
    pub(crate) fn put<const AT: usize, const N: usize>(&mut self, octets: [u8; N]) -> &mut Self {
        const { assert!(AT + N <= L, "a layout reaches beyond its struct") };
        if let Some(slot) = self.0.get_mut(AT..).and_then(|tail| tail.first_chunk_mut::<N>()) {
            *slot = octets;
        }
        self
    }

    #[inline]
    pub(crate) fn u8<const AT: usize>(&mut self, v: u8) -> &mut Self {
        self.put::<AT, 1>([v])
    }

    #[inline]
    pub(crate) fn be16<const AT: usize>(&mut self, v: u16) -> &mut Self {
        self.put::<AT, 2>(v.to_be_bytes())
    }

    #[inline]
    pub(crate) fn be32<const AT: usize>(&mut self, v: u32) -> &mut Self {
        self.put::<AT, 4>(v.to_be_bytes())
    }

    #[inline]
    pub(crate) fn be64<const AT: usize>(&mut self, v: u64) -> &mut Self {
        self.put::<AT, 8>(v.to_be_bytes())
    }

    /// What was written.
    #[inline]
    pub(crate) fn done(&self) -> [u8; L] {
        self.0
    }
}
