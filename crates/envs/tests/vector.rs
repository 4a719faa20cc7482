//! A vector of environments does what its environments would do one by one.

use proptest::prelude::*;
use requel_envs::{Action, Env, EnvError, EnvOptions, OptionValue, Space, Step, VectorEnv, make, make_with};

const SLOTS: usize = 3;

fn vector(id: &str) -> VectorEnv {
    VectorEnv::new((0..SLOTS).map(|_| make(id).unwrap()).collect()).unwrap()
}

/// The buffers that a vector of [`SLOTS`] environments is stepped into.
struct Buffers {
    steps: Vec<Step>,
    next: Vec<f32>,
    observations: Vec<f32>,
}

impl Buffers {
    fn of(env: &VectorEnv) -> Self {
        let zeros = vec![0.0; env.len() * env.observation_len()];
        Self { steps: vec![Step::default(); env.len()], next: zeros.clone(), observations: zeros }
    }

    fn step(&mut self, env: &mut VectorEnv, actions: &[usize]) -> Result<(), EnvError> {
        env.step(actions, &mut self.steps, &mut self.next, &mut self.observations)
    }
}

proptest! {
    #[test]
    fn slots_are_environments_seeded_one_after_the_other(
        seed in prop_oneof![0..1_000u64, Just(u64::MAX)],
        actions in prop::collection::vec([0..2usize, 0..2, 0..2], 1..120),
    ) {
        let mut vector = vector("CartPole-v1");
        let mut buffers = Buffers::of(&vector);
        vector.reset(seed, &mut buffers.observations).unwrap();
        let mut singles: Vec<Box<dyn Env>> = (0..SLOTS).map(|_| make("CartPole-v1").unwrap()).collect();
        let mut observation = [0.0; 4];
        for (slot, env) in singles.iter_mut().enumerate() {
            env.reset(Some(seed.wrapping_add(slot as u64)), &mut observation).unwrap();
            prop_assert_eq!(&buffers.observations[4 * slot..][..4], &observation);
        }
        for actions in &actions {
            buffers.step(&mut vector, actions).unwrap();
            for (slot, env) in singles.iter_mut().enumerate() {
                let step = env.step(Action::Discrete(actions[slot]), &mut observation).unwrap();
                prop_assert_eq!(buffers.steps[slot], step);
                prop_assert_eq!(&buffers.next[4 * slot..][..4], &observation);
                if step.ended() {
                    env.reset(None, &mut observation).unwrap();
                }
                prop_assert_eq!(&buffers.observations[4 * slot..][..4], &observation);
            }
        }
    }
}

#[test]
fn the_last_observation_of_an_episode_is_kept() {
    let mut vector = vector("CartPole-v1");
    let mut buffers = Buffers::of(&vector);
    vector.reset(0, &mut buffers.observations).unwrap();
    let mut ends = 0;
    for _ in 0..100 {
        buffers.step(&mut vector, &[1; SLOTS]).unwrap();
        for slot in (0..SLOTS).filter(|slot| buffers.steps[*slot].ended()) {
            let angle = |observations: &[f32]| observations[4 * slot + 2];
            assert!(angle(&buffers.next) < -0.2, "the pole has fallen");
            assert!(angle(&buffers.observations).abs() <= 0.05, "the pole stands again");
            ends += 1;
        }
    }
    assert!(ends > 3 * SLOTS, "{ends}");
}

#[test]
fn goes_on_from_a_saved_state() {
    let mut first = vector("Toy/Catch-v0");
    let mut buffers = Buffers::of(&first);
    first.reset(9, &mut buffers.observations).unwrap();
    for index in 0..25 {
        buffers.step(&mut first, &[index % 3, 0, 2]).unwrap();
    }
    let saved = first.save().unwrap();
    let mut second = vector("Toy/Catch-v0");
    second.restore(&saved).unwrap();
    let mut other = Buffers::of(&second);
    for index in 0..25 {
        buffers.step(&mut first, &[2, index % 3, 1]).unwrap();
        other.step(&mut second, &[2, index % 3, 1]).unwrap();
        assert_eq!((&buffers.steps, &buffers.next), (&other.steps, &other.next));
        assert_eq!(buffers.observations, other.observations);
    }
    assert_eq!(first.save().unwrap(), second.save().unwrap());
}

#[test]
fn a_refused_state_changes_nothing() {
    let mut env = vector("Toy/Catch-v0");
    env.reset(0, &mut Buffers::of(&env).observations).unwrap();
    let saved = env.save().unwrap();
    let mut other = vector("Toy/Catch-v0");
    other.reset(77, &mut Buffers::of(&env).observations).unwrap();
    let before = other.save().unwrap();
    assert_ne!(saved, before);

    // Damage in the last slot must not leave the slots before it restored.
    let mut damaged = saved.clone();
    *damaged.last_mut().unwrap() = 0xFF;
    for wrong in [&damaged[..], &saved[..saved.len() - 1], &[]] {
        assert!(matches!(other.restore(wrong), Err(EnvError::InvalidState { .. })));
        assert_eq!(other.save().unwrap(), before);
    }
    let two = VectorEnv::new((0..2).map(|_| make("Toy/Catch-v0").unwrap()).collect()).unwrap();
    assert!(matches!(other.restore(&two.save().unwrap()), Err(EnvError::InvalidState { .. })));
    assert_eq!(other.save().unwrap(), before);
}

#[test]
fn bad_input_is_refused_before_any_slot_moves() {
    let mut env = vector("CartPole-v1");
    let mut buffers = Buffers::of(&env);
    assert!(matches!(buffers.step(&mut env, &[0; SLOTS]), Err(EnvError::ResetNeeded { .. })));
    env.reset(0, &mut buffers.observations).unwrap();
    let saved = env.save().unwrap();
    assert!(matches!(buffers.step(&mut env, &[0, 0, 2]), Err(EnvError::InvalidAction { .. })));
    assert!(matches!(buffers.step(&mut env, &[0, 0]), Err(EnvError::Other(_))));
    buffers.next.pop();
    assert!(matches!(buffers.step(&mut env, &[0; SLOTS]), Err(EnvError::ObservationLength { .. })));
    assert!(matches!(env.reset(0, &mut [0.0; 4]), Err(EnvError::ObservationLength { .. })));
    assert_eq!(env.save().unwrap(), saved);
}

#[test]
fn continuous_actions_are_refused_with_what_to_do() {
    let refusal = |env: Box<dyn Env>| VectorEnv::new(vec![env]).err().unwrap().to_string();
    assert_eq!(
        refusal(make("Pendulum-v1").unwrap()),
        "Pendulum-v1 has continuous actions, but a vector of environments needs discrete ones: \
         set its option `discretize` to the number of values you want, such as 5"
    );
    let options = EnvOptions::from([("discretize".to_string(), OptionValue::Int(5))]);
    let vector = VectorEnv::new((0..2).map(|_| make_with("Pendulum-v1", &options).unwrap()).collect()).unwrap();
    assert_eq!(vector.action_space(), &Space::Discrete { n: 5 });
}

#[test]
fn environments_must_be_alike() {
    assert!(VectorEnv::new(vec![]).is_err());
    let error = VectorEnv::new(vec![make("CartPole-v1").unwrap(), make("Toy/Catch-v0").unwrap()]).err().unwrap();
    assert_eq!(error.to_string(), "the spaces of slot 1 (Toy/Catch-v0) differ from those of slot 0 (CartPole-v1)");
    let options = EnvOptions::from([("sutton_barto_reward".to_string(), OptionValue::Bool(true))]);
    assert!(VectorEnv::new(vec![make_with("CartPole-v1", &options).unwrap(), make("CartPole-v0").unwrap()]).is_ok());
}

/// What 40 steps of `envs` environments bring, with so many threads.
#[cfg(feature = "threads")]
fn stepped(id: &str, envs: usize, threads: usize) -> (Vec<Step>, Vec<u32>, Vec<u8>) {
    let mut vector = VectorEnv::new((0..envs).map(|_| make(id).unwrap()).collect()).unwrap();
    let mut buffers = Buffers::of(&vector);
    vector.reset(3, &mut buffers.observations).unwrap();
    vector.set_threads(threads);
    let (mut steps, mut observations) = (vec![], vec![]);
    for step in 0..40 {
        let actions: Vec<usize> = (0..envs).map(|slot| (slot * 7 + step * slot / 3) % 2).collect();
        buffers.step(&mut vector, &actions).unwrap();
        steps.extend_from_slice(&buffers.steps);
        observations.extend(buffers.next.iter().chain(&buffers.observations).map(|x| x.to_bits()));
    }
    (steps, observations, vector.save().unwrap())
}

#[test]
#[cfg(feature = "threads")]
fn threads_change_nothing() {
    // CartPole is stepped in batches, of which several are made from 512 slots on; Blackjack and the games with sticky
    // actions end in different slots at different steps.
    for (id, envs) in [("CartPole-v1", 1025), ("Acrobot-v1", 512), ("MinAtar/Breakout-v1", 7), ("Blackjack-v1", 600)] {
        let one = stepped(id, envs, 1);
        assert!(one.0.iter().any(Step::ended) || id == "Acrobot-v1", "{id} never ends, so resets are not seen");
        for threads in [2, 3, 8] {
            assert!(stepped(id, envs, threads) == one, "{id}: {threads} threads give other bits than one");
        }
    }
}
