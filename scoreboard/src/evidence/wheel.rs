//! Puts what is due later where it is found when it is due. Pure.
//!
//! Two levels: slots of the next minutes, then bins of as many slots each. Within a slot the order is that of putting.

/// A moment: multiples of what one slot lasts.
pub type Slot = u32;

const BITS: u32 = 12;
const NEAR: usize = 1 << BITS;
const BINS: u32 = 1 << 10;
const FAR: usize = BINS as usize;

/// Things that wait for their slot.
pub struct Wheel<T> {
    near: Vec<Vec<T>>,
    /// One bit for each slot that is not empty.
    marks: Vec<u64>,
    far: Vec<Vec<(Slot, T)>>,
    /// Memory of slots that are over: what was written a moment ago is written again much faster than what waited.
    spare: Vec<Vec<T>>,
    now: Slot,
    len: usize,
}

impl<T> Wheel<T> {
    /// Empty, at slot 0.
    #[must_use]
    pub fn new() -> Self {
        Self {
            near: (0..NEAR).map(|_| Vec::new()).collect(),
            marks: vec![0; NEAR / 64],
            far: (0..FAR).map(|_| Vec::new()).collect(),
            spare: Vec::new(),
            now: 0,
            len: 0,
        }
    }

    /// How much waits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// `thing` is due then; what is late is due now, what is further away than the wheel reaches (58 hours) at its end.
    pub fn put(&mut self, due: Slot, thing: T) {
        self.len += 1;
        let due = due.max(self.now);
        let ahead = (due >> BITS) - (self.now >> BITS);
        if ahead == 0 {
            self.mark(due, thing);
        } else {
            let bin = (due >> BITS).min((self.now >> BITS) + BINS - 1);
            self.far[bin as usize % FAR].push((due, thing));
        }
    }

    fn mark(&mut self, due: Slot, thing: T) {
        let i = due as usize % NEAR;
        let slot = &mut self.near[i];
        if slot.capacity() == 0
            && let Some(spare) = self.spare.pop()
        {
            *slot = spare;
        }
        slot.push(thing);
        self.marks[i / 64] |= 1 << (i % 64);
    }

    /// The first slot from now on in which something waits, or at which to ask again, but at most `end`.
    #[must_use]
    pub fn next(&self, end: Slot) -> Slot {
        let from = self.now as usize % NEAR;
        let turn = ((self.now >> BITS) + 1) << BITS;
        let mut mask = u64::MAX << (from % 64);
        for (word, marks) in (0_u32..).zip(&self.marks).skip(from / 64) {
            let marks = marks & mask;
            if marks != 0 {
                let i = word * 64 + marks.trailing_zeros();
                return ((self.now >> BITS << BITS) + i).min(end);
            }
            mask = u64::MAX;
        }
        turn.min(end)
    }

    /// Time goes on to `slot`, which must not be later than [`Self::next`] said.
    pub fn advance(&mut self, slot: Slot) {
        let turned = slot >> BITS != self.now >> BITS;
        self.now = slot;
        if turned {
            let bin = (slot >> BITS) as usize % FAR;
            for (due, thing) in std::mem::take(&mut self.far[bin]) {
                if due >> BITS > slot >> BITS {
                    self.len -= 1;
                    self.put(due, thing);
                } else {
                    self.mark(due.max(slot), thing);
                }
            }
        }
    }

    /// Takes what waits in this slot; give the vector back for its memory.
    pub fn take(&mut self) -> Vec<T> {
        let i = self.now as usize % NEAR;
        self.marks[i / 64] &= !(1 << (i % 64));
        let taken = std::mem::take(&mut self.near[i]);
        self.len -= taken.len();
        taken
    }

    /// The memory of what was taken.
    pub fn give_back(&mut self, mut empty: Vec<T>) {
        empty.clear();
        if empty.capacity() > 0 {
            self.spare.push(empty);
        }
    }

    /// Everything that waits, in the order of time; the wheel is empty then.
    pub fn drain(&mut self) -> Vec<(Slot, T)> {
        let mut all = Vec::with_capacity(self.len);
        let first = self.now >> BITS << BITS;
        for (i, waiting) in (0_u32..).zip(&mut self.near).skip(self.now as usize % NEAR) {
            all.extend(waiting.drain(..).map(|t| (first + i, t)));
        }
        self.marks.fill(0);
        let bin = (self.now >> BITS) as usize;
        for n in 0..FAR {
            all.append(&mut self.far[(bin + n) % FAR]);
        }
        self.len = 0;
        all
    }
}

impl<T> Default for Wheel<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    /// Puts things at random, also while it turns, and sees that each comes when it is due.
    #[test]
    fn everything_comes_when_it_is_due() {
        let dice = &mut pf_sim::dice::stream(1, "wheel");
        let mut wheel = Wheel::new();
        for _ in 0..2_000 {
            let due = dice.random_range(0..40_000);
            wheel.put(due, due);
        }
        let (mut seen, mut put) = (0, 2_000);
        let end = 50_000;
        loop {
            let slot = wheel.next(end);
            wheel.advance(slot);
            if slot == end {
                break;
            }
            let mut due = wheel.take();
            for thing in due.drain(..) {
                assert_eq!(thing, slot);
                seen += 1;
                if put < 4_000 {
                    put += 1;
                    let later = slot + dice.random_range(1..9_000);
                    wheel.put(later, later);
                }
            }
            wheel.give_back(due);
        }
        assert_eq!((seen, wheel.len()), (put, 0));
    }

    #[test]
    fn drained_in_order_and_put_back_nothing_is_lost() {
        let mut wheel = Wheel::new();
        wheel.advance(wheel.next(10));
        for due in [20_000, 15, 4_096, 12, 8_191_000] {
            wheel.put(due, due);
        }
        let all: Vec<Slot> = wheel.drain().into_iter().map(|d| d.0).collect();
        assert_eq!(all[..2], [12, 15]);
        assert_eq!(all.len(), 5);
        assert!(wheel.is_empty());
        assert_eq!(wheel.next(u32::MAX), 4_096);
    }
}
