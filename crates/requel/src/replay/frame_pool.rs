//! [`FramePool`]: frames, each once, with how often each is referred to.

use super::frame_index::{FrameIndex, hash};
use super::ring::fresh_id;
use crate::state::{State, StateError, WriteOrder, Writes};

/// Frames by id. Two that show the same are one. Those that nothing refers to any longer make room for new ones, the latest
/// to be freed first.
pub(super) struct FramePool {
    /// 32-bit words per frame.
    words: usize,
    /// So many frames have their place from the beginning.
    planned: usize,
    /// The planned frames, one after the other.
    frames: Vec<u32>,
    /// Blocks of further frames, each an eighth of the plan.
    more: Vec<Vec<u32>>,
    /// How often each frame is referred to, by id: of all ids that were ever given.
    references: Vec<u32>,
    free: Vec<u32>,
    index: FrameIndex,
    /// Which contents these are, how many frames were written to make them so, and the ids of the latest of those: of write `w` at
    /// `w % log.len()`.
    contents: u64,
    written: u64,
    log: Vec<u32>,
}

impl FramePool {
    /// A pool that takes no memory beyond this for so many frames.
    pub(super) fn new(planned: usize, words: usize) -> Self {
        FramePool {
            words,
            planned,
            frames: vec![0; planned * words],
            more: Vec::new(),
            references: Vec::with_capacity(planned),
            free: Vec::with_capacity(planned),
            index: FrameIndex::new(planned),
            contents: fresh_id(),
            written: 0,
            log: vec![0; planned],
        }
    }

    /// Bytes that so many frames take, with their references, their places in the index and in the lists of the free and the latest.
    pub(super) fn bytes_needed(frames: usize, words: usize) -> u64 {
        let pixels = (frames as u64).saturating_mul(words as u64).saturating_mul(4);
        pixels.saturating_add((frames as u64).saturating_mul(12)).saturating_add(FrameIndex::bytes_needed(frames))
    }

    /// How many frames are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.references.len() - self.free.len()
    }

    pub(super) fn frame(&self, id: u32) -> &[u32] {
        let id = id as usize;
        match id.checked_sub(self.planned) {
            None => &self.frames[id * self.words..][..self.words],
            Some(beyond) => &self.more[beyond / self.block()][beyond % self.block() * self.words..][..self.words],
        }
    }

    /// The id of a frame that shows `frame`, found or made, with one reference more. The frame `guess` is looked at first.
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
        self.place(id).copy_from_slice(frame);
        let latest = self.written % self.log.len() as u64;
        self.log[latest as usize] = id;
        self.written += 1;
        self.references[id as usize] = 1;
        self.index.insert(hash, id);
        id
    }

    /// Takes one reference back.
    pub(super) fn release(&mut self, id: u32) {
        let references = &mut self.references[id as usize];
        *references -= 1;
        if *references == 0 {
            self.index.remove(id);
            self.free.push(id);
        }
    }

    fn block(&self) -> usize {
        self.planned.div_ceil(8).max(1)
    }

    fn place(&mut self, id: u32) -> &mut [u32] {
        let (id, words, block) = (id as usize, self.words, self.block());
        match id.checked_sub(self.planned) {
            None => &mut self.frames[id * words..][..words],
            Some(beyond) => {
                while self.more.len() <= beyond / block {
                    self.more.push(vec![0; block * words]);
                }
                &mut self.more[beyond / block][beyond % block * words..][..words]
            }
        }
    }

    pub(super) fn save<'a>(&'a self, state: &mut State<'a>) {
        self.save_frames(state);
        state.put_u32("replay/free_frames", vec![self.free.len()], &self.free);
        state.put("replay/frames", self.references.len());
        state.put("replay/free_frames", self.free.len());
    }

    /// The frames and how they came to be.
    pub(super) fn save_frames<'a>(&'a self, state: &mut State<'a>) {
        self.save_block(state, "replay/frames".into(), (0, self.planned), &self.frames);
        for (at, block) in self.more.iter().enumerate() {
            let first = self.planned + at * self.block();
            self.save_block(state, format!("replay/frames.{at}"), (first, self.block()), block);
        }
    }

    /// The frames of one piece of memory, which has room for those from a first one on.
    fn save_block<'a>(&'a self, state: &mut State<'a>, name: String, (first, room): (usize, usize), frames: &'a [u32]) {
        let used = (self.references.len() - first).min(room);
        state.put_u32(name.clone(), vec![used, self.words], &frames[..used * self.words]);
        let order = WriteOrder::Listed { log: &self.log, first: first as u32 };
        let FramePool { contents: id, written, .. } = *self;
        state.writes.insert(name, Writes { id, written, capacity: room, order });
    }

    pub(super) fn restore(
        &mut self,
        state: &State<'_>,
        references: impl Iterator<Item = u32>,
    ) -> Result<(), StateError> {
        let (given, free): (usize, usize) = (state.read("replay/frames")?, state.read("replay/free_frames")?);
        // What is claimed is there: nothing is taken for a number that is torn.
        let there = state.tensors.iter().filter(|(name, _)| is_frames(name)).map(|(_, tensor)| tensor.bytes.len());
        if given.checked_mul(self.words * 4) != Some(there.sum()) || free > given {
            return Err(StateError::new(
                "replay/frames",
                format!("is {given}, {free} of them free, not what is there"),
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
            let reason = || StateError::new("replay/free_frames", format!("name frame {id}, which is not free"));
            *unused.ok_or_else(reason)? = true;
        }
        if let Some(id) = (0..given).find(|id| counts[*id] == 0 && !unused[*id]) {
            return Err(StateError::new(
                "replay/free_frames",
                format!("leave out frame {id}, which nothing refers to"),
            ));
        }

        let planned = given.min(self.planned);
        state.read_u32("replay/frames", &mut self.frames[..planned * self.words])?;
        self.more.clear();
        let (words, block) = (self.words, self.block());
        for (at, first) in (self.planned..given).step_by(block).enumerate() {
            self.more.push(vec![0; block * words]);
            let used = (given - first).min(block);
            state.read_u32(&format!("replay/frames.{at}"), &mut self.more[at][..used * words])?;
        }
        self.index = FrameIndex::new(self.planned);
        for id in (0..given).filter(|id| counts[*id] > 0) {
            self.index.insert(hash(self.frame(id as u32)), id as u32);
        }
        self.references.clear();
        self.references.extend(counts);
        self.free.clear();
        self.free.extend(free);
        // Nobody knows how these came to be.
        (self.contents, self.written) = (fresh_id(), self.log.len() as u64);
        Ok(())
    }
}

/// Whether a tensor holds frames: the planned ones or a block of further ones.
fn is_frames(name: &str) -> bool {
    name.strip_prefix("replay/frames").is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
