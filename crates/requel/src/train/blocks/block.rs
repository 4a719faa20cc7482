//! [`Block`], steps of some environments as one array of bytes.

use requel_envs::Step;
use thiserror::Error;

use super::frames::Frames;
use crate::experience::{Experience, ExperienceBatch, OwnedExperience};
use crate::transition::{ElementType, is_byte};

/// Who collected a block, and its position among that collector's blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockId {
    /// The number of the collector.
    pub worker: u32,
    /// How often the collector was restarted before: what it collects after a restart does not follow what it collected before.
    pub incarnation: u32,
    /// The number of the block in this incarnation, from 0.
    pub sequence: u64,
}

/// Steps of parallel environments, ordered by step, made with one version of the weights.
///
/// The bytes are a header of 64, then for each step of each slot the action (u32), the reward (f64), a byte of flags, the action masks if
/// there are any, and the observations not contained before: the observation, unless it is the previous step's next observation, and the
/// next observation, of which only the newest frame if its other frames are those of the observation. Numbers are bytes if the
/// environment's are, else f32; all are little-endian. The last 16 bytes are the start of the BLAKE3 of all bytes before.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    id: BlockId,
    weights_version: u64,
    first_slot: usize,
    slots: usize,
    steps: usize,
    /// Number of actions in the masks; 0: there are no masks.
    masked: usize,
    frames: Frames,
    bytes: Vec<u8>,
}

/// Why bytes are not a block.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("a block of experience {reason}")]
pub struct BlockError {
    reason: String,
}

const MAGIC: [u8; 8] = *b"RQBLOCK1";
const HEADER: usize = 64;
const SEAL: usize = 16;
const TERMINATED: u8 = 1;
const TRUNCATED: u8 = 2;
/// The observation is not the previous step's next observation, and is included.
const SHOWS: u8 = 4;
/// Only the newest frame of the next observation is included.
const FOLLOWS: u8 = 8;
/// The maximum number of slots of a collector, and of numbers or actions of a space.
const MOST: usize = 1 << 28;

fn refuse<T>(reason: impl Into<String>) -> Result<T, BlockError> {
    Err(BlockError { reason: reason.into() })
}

/// Writes a block step by step.
pub(super) struct BlockWriter {
    block: Block,
    /// The last observation of each slot.
    last: Vec<Option<Vec<f32>>>,
    written: usize,
}

impl BlockWriter {
    /// A block without steps.
    pub fn new(
        (id, weights_version): (BlockId, u64),
        slots: std::ops::Range<usize>,
        masked: usize,
        frames: Frames,
    ) -> Self {
        let last = slots.clone().map(|_| None).collect();
        let (first_slot, slots) = (slots.start, slots.len());
        let bytes = vec![0; HEADER];
        let block = Block { id, weights_version, first_slot, slots, steps: 0, masked, frames, bytes };
        BlockWriter { block, last, written: 0 }
    }

    /// Adds the result of an action; slot by slot, then the next step.
    pub fn push(&mut self, experience: &Experience<'_>) {
        let Block { slots, masked, frames, bytes, .. } = &mut self.block;
        let last = &mut self.last[self.written % *slots];
        let shows = last.as_deref() != Some(experience.observation);
        let follows = frames.follows(experience.observation, experience.next_observation);
        let Step { reward, terminated, truncated } = experience.step;
        bytes.extend((experience.action as u32).to_le_bytes());
        bytes.extend(reward.to_le_bytes());
        let flags = [(terminated, TERMINATED), (truncated, TRUNCATED), (shows, SHOWS), (follows, FOLLOWS)];
        bytes.push(flags.into_iter().filter(|(holds, _)| *holds).map(|(_, flag)| flag).sum());
        if *masked > 0 {
            for mask in [experience.mask, experience.next_mask] {
                bytes.extend((0..*masked).map(|action| u8::from(mask.is_none_or(|mask| mask[action]))));
            }
        }
        if shows {
            frames.write(experience.observation, bytes);
        }
        match follows {
            true => frames.write_newest(experience.next_observation, bytes),
            false => frames.write(experience.next_observation, bytes),
        }
        // After the end of an episode, the next observation is the first of a new one, which has to be included.
        *last = (!terminated && !truncated).then(|| experience.next_observation.to_vec());
        self.written += 1;
    }

    /// The complete block.
    pub fn finish(mut self) -> Block {
        let block = &mut self.block;
        block.steps = self.written / block.slots;
        let mut header = Vec::with_capacity(HEADER);
        header.extend(MAGIC);
        header.extend(block.id.worker.to_le_bytes());
        header.extend(block.id.incarnation.to_le_bytes());
        header.extend(block.id.sequence.to_le_bytes());
        header.extend(block.weights_version.to_le_bytes());
        let Frames { elements, stack, pixels, channels } = block.frames;
        let is_bytes = usize::from(elements == ElementType::U8);
        let sizes = [block.first_slot, block.slots, block.steps, block.masked, stack, pixels, channels, is_bytes];
        sizes.iter().for_each(|size| header.extend((*size as u32).to_le_bytes()));
        block.bytes[..HEADER].copy_from_slice(&header);
        let seal = seal(&block.bytes);
        block.bytes.extend(seal);
        self.block
    }
}

impl Block {
    /// Reads the bytes of a block.
    ///
    /// # Errors
    /// If they are not a block, or incomplete.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, BlockError> {
        if bytes.len() < HEADER + SEAL || bytes[..8] != MAGIC {
            return refuse("has no header of this version");
        }
        let (content, sealed) = bytes.split_at(bytes.len() - SEAL);
        if seal(content) != sealed {
            return refuse("is damaged: its checksum does not match");
        }
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let size = |number: usize| word(32 + 4 * number) as usize;
        let id = BlockId { worker: word(8), incarnation: word(12), sequence: long(16) };
        let [first_slot, slots, steps, masked, stack, pixels, channels] = std::array::from_fn(size);
        let elements = if size(7) == 1 { ElementType::U8 } else { ElementType::F32 };
        let frames = Frames { elements, stack, pixels, channels };
        let numbers = stack.checked_mul(pixels).and_then(|frames| frames.checked_mul(channels));
        if slots == 0 || slots > MOST || masked > MOST || numbers.is_none_or(|numbers| numbers == 0 || numbers > MOST) {
            return refuse("has impossible sizes");
        }
        let block = Block { id, weights_version: long(24), first_slot, slots, steps, masked, frames, bytes };
        // Users of the block need not check again.
        block.walk(&mut |_, _| Ok::<(), BlockError>(()))??;
        Ok(block)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Who collected it.
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The version of the weights that acted.
    pub fn weights_version(&self) -> u64 {
        self.weights_version
    }

    /// Its slots, numbered among all environments.
    pub fn slots(&self) -> std::ops::Range<usize> {
        self.first_slot..self.first_slot + self.slots
    }

    /// Steps per slot.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Env steps, all slots together.
    pub fn env_steps(&self) -> u64 {
        (self.steps * self.slots) as u64
    }

    /// Passes on each step, slot by slot, with its number in the block.
    ///
    /// # Errors
    /// The error of the first call that fails.
    pub fn for_each<E>(&self, mut show: impl FnMut(usize, &Experience<'_>) -> Result<(), E>) -> Result<(), E> {
        self.walk(&mut show).expect("it was looked at when it was taken")
    }

    /// The whole block, each step with its own observations.
    pub fn to_batch(&self) -> ExperienceBatch {
        let mut experiences = Vec::new();
        let kept = self.for_each(|_, experience| {
            experiences.push(OwnedExperience::from(*experience));
            Ok::<(), BlockError>(())
        });
        debug_assert!(kept.is_ok());
        ExperienceBatch { weights_version: self.weights_version, experiences }
    }

    fn walk<E>(
        &self,
        show: &mut impl FnMut(usize, &Experience<'_>) -> Result<(), E>,
    ) -> Result<Result<(), E>, BlockError> {
        let mut rest = &self.bytes[HEADER..self.bytes.len() - SEAL];
        let mut take = |count: usize| match rest.split_at_checked(count) {
            Some((taken, left)) => {
                rest = left;
                Ok(taken)
            }
            None => refuse("ends before its last step"),
        };
        let len = self.frames.observation_len();
        let mut seen: Vec<Option<Vec<f32>>> = vec![None; self.slots];
        let (mut observation, mut next) = (vec![0.0; len], vec![0.0; len]);
        let mut masks = [vec![true; self.masked], vec![true; self.masked]];
        for number in 0..self.steps * self.slots {
            let slot = number % self.slots;
            let action = u32::from_le_bytes(take(4)?.try_into().expect("four bytes")) as usize;
            let reward = f64::from_le_bytes(take(8)?.try_into().expect("eight bytes"));
            let flags = take(1)?[0];
            for mask in masks.iter_mut().filter(|mask| !mask.is_empty()) {
                let bytes = take(mask.len())?;
                mask.iter_mut().zip(bytes).for_each(|(flag, byte)| *flag = *byte != 0);
            }
            if flags & SHOWS != 0 {
                self.frames.read(take(self.frames.bytes_of(len))?, &mut observation);
            } else {
                match &seen[slot] {
                    Some(last) => observation.copy_from_slice(last),
                    None => return refuse("continues from an observation that it does not contain"),
                }
            }
            match flags & FOLLOWS != 0 {
                true => {
                    let newest = take(self.frames.bytes_of(self.frames.frame_len()))?;
                    self.frames.read_newest(newest, &observation, &mut next);
                }
                false => self.frames.read(take(self.frames.bytes_of(len))?, &mut next),
            }
            let step = Step { reward, terminated: flags & TERMINATED != 0, truncated: flags & TRUNCATED != 0 };
            let mask = |mask: usize| (self.masked > 0).then(|| masks[mask].as_slice());
            let experience = Experience {
                slot: self.first_slot + slot,
                observation: &observation,
                mask: mask(0),
                action,
                step,
                next_observation: &next,
                next_mask: mask(1),
            };
            if let Err(error) = show(number, &experience) {
                return Ok(Err(error));
            }
            match (&mut seen[slot], step.ended()) {
                (seen, true) => *seen = None,
                (Some(last), false) => last.copy_from_slice(&next),
                (seen @ None, false) => *seen = Some(next.clone()),
            }
        }
        if rest.is_empty() { Ok(Ok(())) } else { refuse("continues after its last step") }
    }
}

/// Whether the numbers of an observation can be written without loss.
pub(super) fn can_write(frames: Frames, observation: &[f32]) -> bool {
    frames.elements == ElementType::F32 || observation.iter().all(|number| is_byte(*number))
}

fn seal(bytes: &[u8]) -> [u8; SEAL] {
    blake3::hash(bytes).as_bytes()[..SEAL].try_into().expect("a hash is longer")
}
