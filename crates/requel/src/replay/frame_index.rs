//! [`FrameIndex`]: frames by the hash of what they show.

/// The ids of frames by hash: open addressing with linear probing. Which frame is found does not depend on the history of the table, since
/// no two stored frames are equal.
pub(super) struct FrameIndex {
    /// A power of two; at most half are in use.
    slots: Vec<u32>,
    /// The hash of each frame, by id.
    hashes: Vec<u64>,
    used: usize,
}

const EMPTY: u32 = u32::MAX;

impl FrameIndex {
    /// With room for this many frames before the table grows.
    pub(super) fn new(frames: usize) -> Self {
        FrameIndex { slots: vec![EMPTY; Self::slots(frames)], hashes: Vec::with_capacity(frames), used: 0 }
    }

    /// Bytes that this many frames take.
    pub(super) fn bytes_needed(frames: usize) -> u64 {
        (Self::slots(frames) as u64).saturating_mul(4).saturating_add((frames as u64).saturating_mul(8))
    }

    fn slots(frames: usize) -> usize {
        // A count that no machine can hold is refused because of its frames' size.
        frames.saturating_mul(2).checked_next_power_of_two().unwrap_or(usize::MAX / 8).max(8)
    }

    /// The frame with this hash that `is_same`.
    pub(super) fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> Option<u32> {
        let mut slot = self.home(hash);
        while self.slots[slot] != EMPTY {
            let id = self.slots[slot];
            if self.hashes[id as usize] == hash && is_same(id) {
                return Some(id);
            }
            slot = self.after(slot);
        }
        None
    }

    /// Adds a frame.
    pub(super) fn insert(&mut self, hash: u64, id: u32) {
        if self.hashes.len() <= id as usize {
            self.hashes.resize(id as usize + 1, 0);
        }
        self.hashes[id as usize] = hash;
        if (self.used + 1) * 2 > self.slots.len() {
            let ids: Vec<u32> = self.slots.iter().copied().filter(|id| *id != EMPTY).collect();
            self.slots = vec![EMPTY; self.slots.len() * 2];
            ids.into_iter().for_each(|id| self.place(id));
        }
        self.used += 1;
        self.place(id);
    }

    /// Takes a frame out.
    pub(super) fn remove(&mut self, id: u32) {
        let mut gap = self.home(self.hashes[id as usize]);
        while self.slots[gap] != id {
            gap = self.after(gap);
        }
        // Entries after the gap that could no longer be reached move into it.
        let mask = self.slots.len() - 1;
        let mut slot = self.after(gap);
        while self.slots[slot] != EMPTY {
            let home = self.home(self.hashes[self.slots[slot] as usize]);
            if (slot.wrapping_sub(home) & mask) >= (slot.wrapping_sub(gap) & mask) {
                self.slots[gap] = self.slots[slot];
                gap = slot;
            }
            slot = self.after(slot);
        }
        self.slots[gap] = EMPTY;
        self.used -= 1;
    }

    fn place(&mut self, id: u32) {
        let mut slot = self.home(self.hashes[id as usize]);
        while self.slots[slot] != EMPTY {
            slot = self.after(slot);
        }
        self.slots[slot] = id;
    }

    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn after(&self, slot: usize) -> usize {
        (slot + 1) & (self.slots.len() - 1)
    }
}

/// A hash of a frame's words: four lanes, so that the multiplications do not wait for each other. It only has to spread: hits are compared
/// anyway.
pub(super) fn hash(words: &[u32]) -> u64 {
    // Fractional digits of the golden ratio and of square roots, made odd.
    const MULTIPLIERS: [u64; 4] =
        [0x9E37_79B9_7F4A_7C15, 0x6A09_E667_F3BC_C909, 0xBB67_AE85_84CA_A73B, 0x3C6E_F372_FE94_F82B];
    let mut lanes = MULTIPLIERS;
    let mix = |lane: &mut u64, word: u64, by: u64| *lane = ((*lane ^ word).wrapping_mul(by)).rotate_left(29);
    let (chunks, rest) = words.as_chunks::<8>();
    for chunk in chunks {
        for (at, lane) in lanes.iter_mut().enumerate() {
            mix(lane, u64::from(chunk[2 * at]) | u64::from(chunk[2 * at + 1]) << 32, MULTIPLIERS[at]);
        }
    }
    for (at, word) in rest.iter().enumerate() {
        mix(&mut lanes[at % 4], u64::from(*word), MULTIPLIERS[at % 4]);
    }
    let mut all = lanes.iter().fold(words.len() as u64, |all, lane| (all ^ lane).wrapping_mul(MULTIPLIERS[0]));
    all ^= all >> 32;
    all.wrapping_mul(MULTIPLIERS[1]) ^ (all >> 29)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against an ordered map, with so few hashes that they collide and wrap around the table's end.
        #[test]
        fn equals_a_map(operations in proptest::collection::vec((0u32..30, 0u64..12), 0..200)) {
            let (mut index, mut twin) = (FrameIndex::new(1), BTreeMap::new());
            for (id, hash) in operations {
                // Few homes, at both ends of the table.
                let hash = if hash < 6 { hash } else { u64::MAX - hash };
                if twin.remove(&id).is_some() {
                    index.remove(id);
                } else {
                    twin.insert(id, hash);
                    index.insert(hash, id);
                }
                for (id, hash) in &twin {
                    prop_assert_eq!(index.find(*hash, |found| found == *id), Some(*id));
                }
                for id in (0..30).filter(|id| !twin.contains_key(id)) {
                    prop_assert!((0..12).all(|hash| index.find(hash, |found| found == id).is_none()));
                }
            }
        }
    }

    #[test]
    fn hashes_spread() {
        // Frames that differ in one byte, at any place: no two of 4096 the same, and no home crowded.
        let mut hashes = Vec::new();
        for at in 0..64 {
            for value in 0..64u32 {
                let mut words = [7; 19];
                words[at % 19] ^= (value + 1) << (8 * (at / 19)).min(24);
                hashes.push(hash(&words));
            }
        }
        hashes.sort_unstable();
        hashes.dedup();
        let mut homes = [0; 256];
        hashes.iter().for_each(|hash| homes[*hash as usize & 255] += 1);
        assert!(homes.iter().all(|count| *count < 40), "{homes:?}");
        assert!(hashes.len() > 3600, "{}", hashes.len());
    }
}
