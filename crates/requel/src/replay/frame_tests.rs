//! [`FrameStore`] compared with [`RecordStore`]: it draws the same transitions and takes less memory.

use proptest::prelude::*;
use requel_envs::Step;

use super::*;
use crate::agent::Experience;
use crate::checkpoint::Snapshots;
use crate::memory::Memory;
use crate::state::State;
use crate::transition::{Batch, Transition};

const STACK: usize = 4;
const PIXELS: usize = 3;
const CHANNELS: usize = 2;
const LEN: usize = STACK * PIXELS * CHANNELS;
const ACTIONS: usize = 3;

/// An environment that shows its last frames, oldest first, in either axis.
struct StackedFrames {
    stack: Vec<[u8; PIXELS * CHANNELS]>,
    layout: FrameLayout,
}

impl StackedFrames {
    fn new(layout: FrameLayout, frame: u8) -> Self {
        let mut env = StackedFrames { stack: vec![], layout };
        env.reset(frame);
        env
    }

    fn reset(&mut self, frame: u8) {
        self.stack = vec![Self::frame(frame); STACK];
    }

    fn step(&mut self, frame: u8) {
        self.stack.remove(0);
        self.stack.push(Self::frame(frame));
    }

    /// Few numbers give few frames, so that some come again.
    fn frame(number: u8) -> [u8; PIXELS * CHANNELS] {
        std::array::from_fn(|at| number.wrapping_mul(at as u8 + 1))
    }

    fn observation(&self) -> Vec<f32> {
        let mut observation = vec![0.0; LEN];
        for (at, frame) in self.stack.iter().enumerate() {
            for (place, byte) in frame.iter().enumerate() {
                let index = if self.layout == last() {
                    place / CHANNELS * STACK * CHANNELS + at * CHANNELS + place % CHANNELS
                } else {
                    at * frame.len() + place
                };
                observation[index] = f32::from(*byte);
            }
        }
        observation
    }
}

fn last() -> FrameLayout {
    FrameLayout::stack_last(STACK, PIXELS, CHANNELS).with_mask(ACTIONS)
}

fn first() -> FrameLayout {
    FrameLayout::stack_first(STACK, PIXELS * CHANNELS).with_mask(ACTIONS)
}

fn records() -> RecordLayout {
    RecordLayout::u8(LEN).with_mask(ACTIONS)
}

/// One step of one of the environments: which, the number of the frame it leads to, and whether the episode ends.
type Turn = (usize, u8, bool);

fn turns(frames: u8) -> impl Strategy<Value = Vec<Turn>> {
    proptest::collection::vec((0usize..3, 0..frames, proptest::bool::weighted(0.1)), 1..150)
}

/// Plays the turns in three environments over `n` steps per transition and shows every transition to `visit`.
fn play(layout: FrameLayout, n: usize, turns: &[Turn], mut visit: impl FnMut(&Transition<'_>)) {
    let mut envs: Vec<StackedFrames> = (0..3).map(|slot| StackedFrames::new(layout, slot)).collect();
    let window = |_| NStepAccumulator::new(n, 0.9, LEN).unwrap().with_masks(ACTIONS);
    let mut windows: Vec<NStepAccumulator> = (0..3).map(window).collect();
    for (count, (slot, frame, ends)) in turns.iter().enumerate() {
        let env = &mut envs[*slot];
        let observation = env.observation();
        env.step(*frame);
        let mask = [count % 2 == 0, true, count % 3 == 0];
        let own = [true, count % 4 == 0, count % 7 != 0];
        let experience = Experience {
            slot: *slot,
            observation: &observation,
            mask: (count % 3 != 0).then_some(&own[..]),
            action: count % ACTIONS,
            step: Step { reward: count as f64, terminated: *ends && count % 2 == 0, truncated: *ends },
            next_observation: &env.observation(),
            next_mask: (count % 5 != 0).then_some(&mask[..]),
        };
        windows[*slot].push(&experience, &mut visit);
        if *ends {
            env.reset(frame.wrapping_add(1));
        }
    }
}

fn draw(replay: &mut dyn ReplayBuffer) -> (Batch, Vec<f32>, Vec<f32>) {
    let (mut batch, mut observations, mut next) =
        (Batch::new(5).with_masks(ACTIONS), vec![0.0; 5 * LEN], vec![0.0; 5 * LEN]);
    replay.sample(&mut batch.with_observations(&mut observations, &mut next));
    let errors: Vec<f32> = batch.rewards.iter().map(|reward| reward.sin()).collect();
    replay.update_priorities(&batch.indices, &errors);
    (batch, observations, next)
}

const SPEC: PrioritySpec = PrioritySpec { alpha: 0.5, epsilon: 0.01, cap: 1000.0 };

/// Each sampler over frames, and over records.
fn samplers(capacity: usize, layout: FrameLayout) -> Vec<[Box<dyn ReplayBuffer>; 2]> {
    let frames = || FrameStore::new(capacity, layout).unwrap();
    let records = || RecordStore::new(capacity, records()).unwrap();
    let sampling = Sampling::WithReplacement;
    vec![
        [
            Box::new(UniformReplay::with_store(frames(), sampling, 1)),
            Box::new(UniformReplay::with_store(records(), sampling, 1)),
        ],
        [
            Box::new(PrioritizedReplay::with_store(frames(), SPEC, 1).unwrap()),
            Box::new(PrioritizedReplay::with_store(records(), SPEC, 1).unwrap()),
        ],
    ]
}

proptest! {
    /// Same draws, same contents: with frames that come again and with few that do, in small rings and in large ones.
    #[test]
    fn equals_records(capacity in 1usize..80, n in 1usize..4, turns in prop_oneof![turns(6), turns(255)]) {
        for layout in [first(), last()] {
            for [frames, records] in &mut samplers(capacity, layout) {
                let mut all_equal = true;
                play(layout, n, &turns, |transition| {
                    frames.push(transition);
                    records.push(transition);
                    all_equal &= draw(&mut **frames) == draw(&mut **records);
                });
                prop_assert!(all_equal);
                prop_assert_eq!(frames.len(), records.len());
            }
        }
    }

    /// After a restore, every store with every sampler continues as if nothing had happened, and saves the same bytes again.
    #[test]
    fn restored_goes_on(capacity in 1usize..60, n in 1usize..4, turns in turns(40), at in 0.0f64..1.0) {
        let layout = last();
        let mut count = 0;
        play(layout, n, &turns, |_| count += 1);
        let cut = (f64::from(count) * at) as i32;
        for (kind, pair) in samplers(capacity, layout).into_iter().enumerate() {
            for (store, mut replay) in pair.into_iter().enumerate() {
                let mut resumed = None;
                let (mut at, mut all_equal) = (0, true);
                play(layout, n, &turns, |transition| {
                    if at == cut {
                        let mut state = State::default();
                        replay.save(&mut state);
                        let twin = samplers(capacity, layout).swap_remove(kind);
                        let mut twin = twin.into_iter().nth(store).unwrap();
                        twin.restore(&state).unwrap();
                        resumed = Some(twin);
                    }
                    at += 1;
                    replay.push(transition);
                    let drawn = draw(&mut *replay);
                    if let Some(resumed) = &mut resumed {
                        resumed.push(transition);
                        all_equal &= drawn == draw(&mut **resumed);
                    }
                });
                prop_assert!(all_equal);
                if let Some(resumed) = resumed {
                    let (mut state, mut state_resumed) = (State::default(), State::default());
                    replay.save(&mut state);
                    resumed.save(&mut state_resumed);
                    prop_assert_eq!(state, state_resumed);
                }
            }
        }
    }
}

proptest! {
    /// A snapshot does not change while the buffer is used further, whatever is written meanwhile and however long it is kept.
    #[test]
    fn snapshots_do_not_see_what_comes_later(capacity in 1usize..60, turns in prop_oneof![turns(9), turns(255)]) {
        for mut replay in samplers(capacity, last()).into_iter().flatten() {
            let (mut snapshots, mut kept) = (Snapshots::default(), Vec::new());
            let mut count = 0;
            play(last(), 1, &turns, |transition| {
                replay.push(transition);
                count += 1;
                if count % 13 == 0 {
                    let mut state = State::default();
                    replay.save(&mut state);
                    let bytes = |state: &State<'_>| -> Vec<Vec<u8>> {
                        state.tensors.values().map(|tensor| tensor.bytes.contiguous().into_owned()).collect()
                    };
                    let expected = bytes(&state);
                    kept.push((snapshots.copy(&state), expected));
                }
            });
            for (copy, expected) in kept {
                let found = copy.tensors.values().map(|tensor| tensor.bytes.contiguous().into_owned());
                prop_assert!(found.eq(expected));
            }
        }
    }
}

/// A long episode of frames that are all different, for one environment and for three by turns.
#[test]
fn keeps_about_a_frame_per_transition() {
    const CAPACITY: usize = 200;
    for (envs, n) in [(1, 1), (3, 1), (3, 3)] {
        // 250 different frames in each environment, no two environments alike: the number decides all of a frame's bytes.
        let layout = FrameLayout::stack_first(STACK, 8);
        let mut store = FrameStore::new(CAPACITY, layout).unwrap();
        let frame = |slot: usize, count: usize| (0..8).map(move |at| if at == 0 { slot } else { count } as f32);
        let shown = |slot: usize, count: usize| -> Vec<f32> {
            (0..STACK).flat_map(|at| frame(slot, (count + at).saturating_sub(STACK - 1))).collect()
        };
        let mut windows: Vec<NStepAccumulator> =
            (0..envs).map(|_| NStepAccumulator::new(n, 0.9, STACK * 8).unwrap()).collect();
        for count in 0..250 {
            for (slot, window) in windows.iter_mut().enumerate() {
                let experience = Experience {
                    slot,
                    observation: &shown(slot, count),
                    mask: None,
                    action: 0,
                    step: Step { reward: 0.0, terminated: false, truncated: false },
                    next_observation: &shown(slot, count + 1),
                    next_mask: None,
                };
                window.push(&experience, &mut |transition| {
                    store.push(transition);
                });
            }
        }
        assert_eq!(store.len(), CAPACITY);
        // Beyond one frame each, an environment has the rest of its oldest stack and the steps up to its latest.
        let frames = CAPACITY + envs * (STACK - 1 + n);
        assert!(store.pool_len() <= frames, "{envs} environments, {n} steps: {} frames", store.pool_len());
        assert!(store.pool_len() >= CAPACITY, "frames of different environments are not the same");
    }
    let whole = RecordStore::new(10_000, RecordLayout::u8(STACK * 84 * 84)).unwrap();
    let once = FrameStore::new(10_000, FrameLayout::stack_first(STACK, 84 * 84)).unwrap();
    assert!(once.bytes() * 7 < whole.bytes(), "{} bytes of {}", once.bytes(), whole.bytes());
}

/// Observations that share nothing take a place for each frame, beyond what was planned.
#[test]
fn observations_that_share_nothing_are_kept_too() {
    let layout = FrameLayout::stack_last(STACK, 1, 4);
    let numbers = |id: u32| -> Vec<f32> { (0..16).map(|at| ((id * 16 + at) * 7 % 251) as f32).collect() };
    let mut store = FrameStore::new(50, layout).unwrap();
    for id in 0..80 {
        let (observation, next_observation) = (&numbers(2 * id)[..], &numbers(2 * id + 1)[..]);
        store.push(&Transition {
            observation,
            mask: None,
            action: id,
            reward: 0.0,
            discount: 0.9,
            next_observation,
            next_mask: None,
        });
    }
    assert!(store.pool_len() > 100, "{} frames", store.pool_len());
    let mut state = State::default();
    store.save(&mut state);
    let mut resumed = FrameStore::new(50, layout).unwrap();
    resumed.restore(&state).unwrap();
    for store in [store, resumed] {
        let (mut batch, mut observations, mut next) = (Batch::new(50), vec![0.0; 50 * 16], vec![0.0; 50 * 16]);
        batch.indices = (0..50).collect();
        store.read(&mut batch.with_observations(&mut observations, &mut next));
        for (row, id) in batch.actions.iter().enumerate() {
            assert_eq!(observations[row * 16..][..16], numbers(2 * id));
            assert_eq!(next[row * 16..][..16], numbers(2 * id + 1));
        }
    }
}

#[test]
fn refuses_what_does_not_fit() {
    let layout = FrameLayout::stack_last(4, 84 * 84, 1);
    let needed = FrameStore::bytes_needed(1_000_000, &layout);
    // A frame of a byte per pixel for each transition, and an eighth more.
    assert!((1_125_000 * 84 * 84..1_300_000 * 84 * 84).contains(&needed), "{needed}");
    assert!(check_memory(1_000_000, needed, Memory::Bytes(needed - 1)).is_err());
    let error = FrameStore::new(usize::MAX, layout).err().unwrap();
    assert_eq!(error, ReplayError::TooLarge { capacity: usize::MAX });
}

#[test]
fn refuses_states_that_are_not_its_own() {
    let new = || FrameStore::new(20, last()).unwrap();
    let mut store = new();
    let turns: Vec<Turn> = (0..60).map(|count| (count % 3, count as u8 * 3, count % 11 == 0)).collect();
    play(last(), 1, &turns, |transition| {
        store.push(transition);
    });
    let mut state = State::default();
    store.save(&mut state);
    new().restore(&state).unwrap();
    let refused = |state: &State<'_>| new().restore(state).unwrap_err().name;
    let torn = |name: &str, word: usize, value: u32| {
        let mut torn = state.clone();
        let tensor = torn.tensors.get_mut(name).unwrap();
        let mut bytes = tensor.bytes.contiguous().into_owned();
        bytes[word * 4..][..4].copy_from_slice(&value.to_le_bytes());
        tensor.bytes = bytes.into();
        torn
    };
    assert_eq!(refused(&torn("replay/records", 3, 1_000_000)), "replay/records");
    assert_eq!(refused(&torn("replay/free_frames", 0, 1_000_000)), "replay/free_frames");
    let id = u32::from_le_bytes(*state.tensors["replay/records"].bytes.contiguous()[12..].first_chunk().unwrap());
    assert_eq!(refused(&torn("replay/free_frames", 0, id)), "replay/free_frames");
    let mut short = state.clone();
    short.put("replay/frames", usize::MAX);
    assert_eq!(refused(&short), "replay/frames");
    let mut short = state.clone();
    short.tensors.remove("replay/frames");
    assert_eq!(refused(&short), "replay/frames");
}
