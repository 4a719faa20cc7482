//! [`Intake`], which decides which blocks are used for learning.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::BlockId;

/// What was accepted from each collector so far, and what was not. Nothing is used twice, whatever is sent twice or arrives late.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Intake {
    /// By the number of the collector.
    known: BTreeMap<u32, Known>,
    /// Blocks that were accepted.
    pub taken: u64,
    /// Blocks that had already been accepted.
    pub duplicates: u64,
    /// Blocks of a collector that has been restarted since.
    pub late: u64,
    /// Blocks that never arrived, judged by the numbers of later ones.
    pub missing: u64,
    /// Blocks with weights that were too many updates behind.
    pub stale: u64,
}

/// The state of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    incarnation: u32,
    /// The number of its next block.
    next: u64,
    /// Whether the previous block was used.
    is_whole: bool,
}

/// What happens to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It continues where the last block of its collector ended.
    Follows,
    /// It is the first of its collector, or an earlier one is missing: its steps do not follow the previous ones.
    Begins,
    /// It was accepted before.
    Duplicate,
    /// Its collector has been restarted since.
    Late,
    /// The weights that acted are too old.
    Stale,
}

impl Intake {
    /// Decides about a block whose weights are this many updates behind, where `most_behind` are allowed.
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

    /// The incarnation with which a collector starts, depending on whether it was started before.
    pub fn next_incarnation(&self, worker: u32) -> u32 {
        self.known.get(&worker).map_or(0, |known| known.incarnation + 1)
    }
}
