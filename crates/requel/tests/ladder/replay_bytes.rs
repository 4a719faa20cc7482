//! What a replay buffer comes to on disk, frozen: a checkpoint of an older version is read by this one, and the other way round.

use requel::Transition;
use requel::checkpoint::{self, Contents, Destination, Segmenting};
use requel::replay::{
    FrameLayout, FrameStore, PrioritizedReplay, PrioritySpec, RecordLayout, ReplayBuffer, Sampling, UniformReplay,
};
use requel::state::State;
use requel::storage::RealStorage;

use crate::support::files;

/// Segments that are smaller than these buffers, so that every way of cutting an array is taken.
const SMALL: Segmenting = Segmenting { block_bytes: 50_000, blocks_per_segment: 3 };

/// BLAKE3 of all files of a checkpoint of this state, but for the manifest, which names a version.
fn digest(replay: &dyn ReplayBuffer, segmenting: Segmenting) -> String {
    let root = tempfile::tempdir().unwrap();
    let destination = Destination { storage: &RealStorage, root: root.path(), keep: 1, segmenting };
    let mut state = State::default();
    replay.save(&mut state);
    let contents = Contents { env_steps: 1, state: &state, logs: Default::default() };
    let path = checkpoint::write(destination, &contents).unwrap();
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in files(&path).iter().filter(|(name, _)| !name.starts_with("manifest")) {
        hasher.update(format!("{name} {}\n", bytes.len()).as_bytes());
        hasher.update(bytes);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Pushes transitions `from` to `to` whose observations are `numbers(id)` and `numbers(id + 1)`.
fn push(replay: &mut dyn ReplayBuffer, ids: std::ops::Range<u32>, numbers: impl Fn(u32) -> Vec<f32>) {
    for id in ids {
        let mask: Vec<bool> = (0..40).map(|action| action == 0 || id >> (action % 9) & 1 == 1).collect();
        replay.push(&Transition {
            observation: &numbers(id),
            mask: Some(&mask),
            action: id % 40,
            reward: id as f32 - 0.5,
            discount: 0.99,
            next_observation: &numbers(id + 1),
            next_mask: None,
        });
        if id % 50 == 49 {
            replay.update_priorities(&[id % 50, 3], &[id as f32 / 100.0, 0.25]);
        }
    }
}

fn number(id: u32, at: usize) -> f32 {
    ((id * 31 + at as u32 * 7) % 251) as f32
}

/// A stack of four frames, each of which moves on through the stack.
fn moving(id: u32) -> Vec<f32> {
    (0..40 * 40 * 4).map(|at| number(id + (at % 4) as u32, at / 4)).collect()
}

/// A stack of four frames that no other observation has.
fn unlike_others(id: u32) -> Vec<f32> {
    (0..40 * 40 * 4).map(|at| if at / 4 < 2 { (id >> (8 * (at / 4)) & 255) as f32 } else { number(id, at) }).collect()
}

#[test]
fn value_stability() {
    let wide = |id| (0..40).map(|at| number(id, at)).collect::<Vec<f32>>();
    let records = RecordLayout::f32(40).with_mask(40);
    let frames = FrameLayout::stack_last(4, 40 * 40, 1).with_mask(40);
    let spec = PrioritySpec { alpha: 0.6, epsilon: 1e-3, cap: 1000.0 };
    let mut uniform = UniformReplay::new(3000, records, Sampling::WithoutReplacement, 1).unwrap();
    let mut prioritized = PrioritizedReplay::new(3000, RecordLayout::u8(40).with_mask(40), spec, 1).unwrap();
    let store = || FrameStore::new(300, frames).unwrap();
    let mut framed = UniformReplay::with_store(store(), Sampling::WithReplacement, 1);
    let mut crowded = PrioritizedReplay::with_store(store(), spec, 1).unwrap();
    let mut found = Vec::new();
    for ids in [0..200, 200..4500] {
        let few = ids.start / 10..ids.end / 10;
        push(&mut uniform, ids.clone(), wide);
        push(&mut prioritized, ids, wide);
        push(&mut framed, few.clone(), moving);
        push(&mut crowded, few, unlike_others);
        for replay in [&uniform as &dyn ReplayBuffer, &prioritized, &framed, &crowded] {
            found.push([digest(replay, Segmenting::default()), digest(replay, SMALL)]);
        }
    }
    let frozen = [
        ["0ccef511bdc0b2b7", "0ccef511bdc0b2b7"],
        ["bca110123186f602", "bca110123186f602"],
        ["6144172f965585f1", "6144172f965585f1"],
        ["d0d12932a506900b", "d0d12932a506900b"],
        ["f3b33eb08a2dcd62", "304146982febd559"],
        ["6235c39736160e35", "8cc2a499e25753aa"],
        ["865f711d188eb677", "b83f70677ac45b2e"],
        ["4783e7d58fb297c6", "38bd75ccffb3dd06"],
    ];
    assert_eq!(found, frozen);
}
