//! [`Intake`], which blocks are learned from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BlockId;

/// What was taken of each collector so far, and what was not. Nothing is learned from twice, whatever is sent twice or comes late.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Intake {
    /// By the number of the collector.
    known: BTreeMap<u32, Known>,
    /// Blocks that were taken.
    pub taken: u64,
    /// Blocks that had been taken before.
    pub duplicates: u64,
    /// Blocks of a collector that has begun anew since.
    pub late: u64,
    /// Blocks that never came, as the numbers of those after them say.
    pub missing: u64,
    /// Blocks by weights that were too many updates behind.
    pub stale: u64,
}

/// Where a collector stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    incarnation: u32,
    /// The number of its next block.
    next: u64,
    /// Whether the block before that was learned from.
    is_whole: bool,
}

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It goes on where the last block of its collector ended.
    Follows,
    /// It is the first of its collector, or one before it is missing: its steps do not follow what was shown before.
    Begins,
    /// It was taken before.
    Duplicate,
    /// Its collector has begun anew since.
    Late,
    /// The weights that acted are too old.
    Stale,
}

impl Intake {
    /// Decides about a block whose weights are so many updates behind, of `most_behind` that are allowed.
    pub fn admit(&mut self, id: BlockId, behind: u64, most_behind: Option<u64>) -> Admission {
        let BlockId { worker, incarnation, sequence } = id;
        let new = Known { incarnation, next: 0, is_whole: false };
        let mut known = self.known.get(&worker).copied().unwrap_or(new);
        if incarnation < known.incarnation {
            self.late += 1;
            return Admission::Late;
        }
        if incarnation > known.incarnation {
            known = new;
        }
        if sequence < known.next {
            self.duplicates += 1;
            return Admission::Duplicate;
        }
        self.missing += sequence - known.next;
        let is_stale = most_behind.is_some_and(|most| behind > most);
        self.known.insert(worker, Known { incarnation, next: sequence + 1, is_whole: !is_stale });
        if is_stale {
            self.stale += 1;
            return Admission::Stale;
        }
        self.taken += 1;
        if known.is_whole && sequence == known.next { Admission::Follows } else { Admission::Begins }
    }

    /// The incarnation in which a collector begins that was begun before, or not.
    pub fn next_incarnation(&self, worker: u32) -> u32 {
        self.known.get(&worker).map_or(0, |known| known.incarnation + 1)
    }
}
