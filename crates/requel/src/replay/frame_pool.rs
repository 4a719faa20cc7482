//! [`FramePool`]: frames, each once, with how often each is referred to.

use std::ops::Range;

use super::frame_index::{FrameIndex, hash};
use crate::state::{SharedRows, State, StateError};

/// Frames by id. Equal frames are stored once. Frames that nothing refers to any more make room for new ones, the most recently freed
/// first.
pub(super) struct FramePool {
    /// This many frames have memory from the start; further ones are allocated as needed.
    planned: usize,
    frames: SharedRows,
    /// Reference count of each frame, by id, for all ids ever assigned.
    references: Vec<u32>,
    free: Vec<u32>,
    index: FrameIndex,
}

impl FramePool {
    /// A pool that needs no further memory for up to this many frames.
    pub(super) fn new(planned: usize, words: usize) -> Self {
        FramePool {
            planned,
            frames: SharedRows::zeroed(planned, words),
            references: Vec::with_capacity(planned),
            free: Vec::with_capacity(planned),
            index: FrameIndex::new(planned),
        }
    }

    /// Bytes for this many frames, including their reference counts, index entries and free-list entries.
    pub(super) fn bytes_needed(frames: usize, words: usize) -> u64 {
        let pixels = (frames as u64).saturating_mul(words as u64).saturating_mul(4);
        pixels.saturating_add((frames as u64).saturating_mul(8)).saturating_add(FrameIndex::bytes_needed(frames))
    }

    /// How many frames are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.references.len() - self.free.len()
    }

    pub(super) fn frame(&self, id: u32) -> &[u32] {
        self.frames.row(id as usize)
    }

    /// The id of a frame equal to `frame`, found or created, with one more reference. The frame `guess` is checked first.
    pub(super) fn acquire(&mut self, frame: &[u32], guess: Option<u32>) -> u32 {
        if let Some(id) = guess.filter(|id| self.frame(*id) == frame) {
            self.references[id as usize] += 1;
            return id;
        }
        let hash = hash(frame);
        if let Some(id) = self.index.find(hash, |id| self.frame(id) == frame) {
            self.references[id as usize] += 1;
            return id;
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.references.push(0);
            self.references.len() as u32 - 1
        });
        self.frames.grow(self.references.len());
        self.frames.row_mut(id as usize).copy_from_slice(frame);
        self.references[id as usize] = 1;
        self.index.insert(hash, id);
        id
    }

    /// Removes one reference.
    pub(super) fn release(&mut self, id: u32) {
        let references = &mut self.references[id as usize];
        *references -= 1;
        if *references == 0 {
            self.index.remove(id);
            self.free.push(id);
        }
    }

    pub(super) fn save<'a>(&'a self, state: &mut State<'a>) {
        for (name, frames) in arrays(self.planned, self.references.len()) {
            state.put_rows(name, &self.frames, frames);
        }
        state.put_u32("replay/free_frames", vec![self.free.len()], &self.free);
        state.put("replay/frames", self.references.len());
        state.put("replay/free_frames", self.free.len());
    }

    pub(super) fn restore(
        &mut self,
        state: &State<'_>,
        references: impl Iterator<Item = u32>,
    ) -> Result<(), StateError> {
        let (given, free): (usize, usize) = (state.read("replay/frames")?, state.read("replay/free_frames")?);
        // What a state claims is verified: a corrupt number is not trusted.
        let there = state.tensors.iter().filter(|(name, _)| is_frames(name)).map(|(_, tensor)| tensor.bytes.len());
        if given.checked_mul(self.frames.words() * 4) != Some(there.sum()) || free > given {
            return Err(StateError::new(
                "replay/frames",
                format!("is {given} frames, {free} of them free, which does not match the frames stored"),
            ));
        }
        let mut counts = vec![0; given];
        for id in references {
            let count = counts.get_mut(id as usize);
            let reason = || StateError::new("replay/records", format!("refer to frame {id} of {given}"));
            *count.ok_or_else(reason)? += 1;
        }
        let mut free = vec![0; free];
        state.read_u32("replay/free_frames", &mut free)?;
        let mut unused = vec![false; given];
        for id in &free {
            let unused = unused.get_mut(*id as usize).filter(|unused| !**unused && counts[*id as usize] == 0);
            let reason = || {
                StateError::new(
                    "replay/free_frames",
                    format!(
                        "list frame {id} as free although it is in \
                use"
                    ),
                )
            };
            *unused.ok_or_else(reason)? = true;
        }
        if let Some(id) = (0..given).find(|id| counts[*id] == 0 && !unused[*id]) {
            return Err(StateError::new(
                "replay/free_frames",
                format!("do not list frame {id} as free although nothing refers to it"),
            ));
        }

        self.frames.grow(given);
        for (name, frames) in arrays(self.planned, given) {
            state.read_rows(&name, &mut self.frames, frames)?;
        }
        self.index = FrameIndex::new(self.planned);
        for id in (0..given).filter(|id| counts[*id] > 0) {
            self.index.insert(hash(self.frame(id as u32)), id as u32);
        }
        self.references.clear();
        self.references.extend(counts);
        self.free.clear();
        self.free.extend(free);
        Ok(())
    }
}

/// The arrays in which this many frames are saved: the planned ones in one array, further ones in arrays of an eighth of the plan each.
fn arrays(planned: usize, frames: usize) -> impl Iterator<Item = (String, Range<usize>)> {
    let each = planned.div_ceil(8).max(1);
    let more = (planned..frames).step_by(each).enumerate();
    let more = more.map(move |(at, first)| (format!("replay/frames.{at}"), first..frames.min(first + each)));
    std::iter::once(("replay/frames".to_owned(), 0..frames.min(planned))).chain(more)
}

/// Whether a tensor contains frames: the planned ones or a block of further ones.
fn is_frames(name: &str) -> bool {
    name.strip_prefix("replay/frames").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
