//! What no store takes: transitions of another shape, batches that are too short, indices that were never written.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::transition::{Batch, Transition};

fn refusal<T>(call: impl FnOnce() -> T) -> String {
    let cause = catch_unwind(AssertUnwindSafe(call)).err().expect("it was taken");
    let text = cause.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| cause.downcast_ref::<String>().cloned()).expect("a message")
}

fn transition<'a>(observation: &'a [f32], next_observation: &'a [f32]) -> Transition<'a> {
    Transition { observation, mask: None, action: 1, reward: 0.5, discount: 0.9, next_observation, next_mask: None }
}

/// Stores of observations of four bytes with masks of two actions, each with one transition of nines.
fn stores() -> Vec<Box<dyn ReplayStore>> {
    let mut stores: Vec<Box<dyn ReplayStore>> = vec![
        Box::new(RecordStore::new(3, RecordLayout::f32(4).with_mask(2)).unwrap()),
        Box::new(RecordStore::new(3, RecordLayout::u8(4).with_mask(2)).unwrap()),
        Box::new(FrameStore::new(3, FrameLayout::stack_first(2, 2).with_mask(2)).unwrap()),
        Box::new(FrameStore::new(3, FrameLayout::stack_last(2, 2, 1).with_mask(2)).unwrap()),
        Box::new(FrameStore::new(3, FrameLayout::stack_last(2, 1, 2).with_mask(2)).unwrap()),
    ];
    for store in &mut stores {
        store.push(&transition(&[9.0; 4], &[9.0; 4]));
    }
    stores
}

#[test]
fn transitions_of_another_shape_are_refused_and_store_nothing() {
    let (four, three, five) = (&[1.0; 4][..], &[1.0; 3][..], &[1.0; 5][..]);
    for mut store in stores() {
        for (observation, next) in [(three, four), (four, three), (five, four), (four, five), (&[][..], four)] {
            let refusal = refusal(|| store.push(&transition(observation, next)));
            assert!(refusal.contains("where 4 are stored"), "{refusal}");
        }
        let short = Transition { mask: Some(&[true]), ..transition(four, four) };
        let long = Transition { next_mask: Some(&[true; 3]), ..transition(four, four) };
        for wrong in [short, long] {
            assert!(refusal(|| store.push(&wrong)).contains("one entry per action, of which there are 2"));
        }
        assert_eq!(store.len(), 1);
    }
    let mut latest = LatestReplay::new(1, RecordLayout::u8(4));
    assert!(refusal(|| latest.push(&transition(three, four))).contains("where 4 are stored"));
    assert_eq!(latest.len(), 0);
}

#[test]
fn batches_without_room_and_indices_never_written_are_refused() {
    type Shrink = fn(&mut Batch, &mut Vec<f32>, &mut Vec<f32>);
    let shrinks: [Shrink; 8] = [
        |_, observations, _| observations.truncate(4),
        |_, _, next| next.truncate(7),
        |_, observations, _| observations.push(0.0),
        |batch, _, _| batch.rewards.truncate(1),
        |batch, _, _| batch.discounts.truncate(1),
        |batch, _, _| batch.indices.truncate(1),
        |batch, _, _| batch.probabilities.truncate(1),
        |batch, _, _| batch.masks.truncate(1),
    ];
    for store in stores() {
        let room = || (Batch::new(2).with_masks(2), vec![0.0; 8], vec![0.0; 8]);
        let (mut batch, mut observations, mut next) = room();
        store.read(&mut batch.with_observations(&mut observations, &mut next));
        assert_eq!(observations, [9.0; 8]);
        for (at, shrink) in shrinks.iter().enumerate() {
            let (mut batch, mut observations, mut next) = room();
            shrink(&mut batch, &mut observations, &mut next);
            let refusal = refusal(|| store.read(&mut batch.with_observations(&mut observations, &mut next)));
            assert!(
                refusal.contains("rows") || refusal.contains("columns") || refusal.contains("room"),
                "{at}: {refusal}"
            );
        }
        for index in [1, 2, 3, u32::MAX] {
            let (mut batch, mut observations, mut next) = room();
            batch.indices[1] = index;
            let refusal = refusal(|| store.read(&mut batch.with_observations(&mut observations, &mut next)));
            assert!(refusal.contains("1 transitions are stored"), "{index}: {refusal}");
        }
    }
}

#[test]
fn buffers_of_nothing_are_refused() {
    let none = |store: Result<RecordStore, ReplayError>| store.err().unwrap();
    assert_eq!(none(RecordStore::new(0, RecordLayout::f32(4))), ReplayError::NoRoom);
    assert_eq!(none(RecordStore::new(4, RecordLayout::u8(0))), ReplayError::NoNumbers);
    assert!(RecordStore::new(4, RecordLayout::f32(usize::MAX)).is_err());
    assert!(RecordStore::new(4, RecordLayout::u8(usize::MAX).with_mask(usize::MAX)).is_err());
    let none = |capacity, layout| FrameStore::new(capacity, layout).err().unwrap();
    assert_eq!(none(0, FrameLayout::stack_first(2, 2)), ReplayError::NoRoom);
    for layout in [FrameLayout::stack_first(0, 2), FrameLayout::stack_first(2, 0), FrameLayout::stack_last(2, 0, 1)] {
        assert_eq!(none(4, layout), ReplayError::NoNumbers);
    }
    for layout in [FrameLayout::stack_first(usize::MAX, 2), FrameLayout::stack_last(2, usize::MAX, 1)] {
        assert_eq!(none(4, layout), ReplayError::TooLarge { capacity: 4 });
    }
    assert!(refusal(|| LatestReplay::new(0, RecordLayout::f32(4))).contains("no environment"));
    let spec = PrioritySpec { alpha: 0.6, epsilon: 1e-3, cap: 1000.0 };
    let mut used = RecordStore::new(4, RecordLayout::f32(1)).unwrap();
    used.push(&transition(&[1.0], &[1.0]));
    let error = PrioritizedReplay::with_store(used, spec, 0).err().unwrap();
    assert_eq!(error, ReplayError::NotEmpty { len: 1 });
}
