//! A vector that steps its environments at once does, bit for bit, what environments stepped one by one do.

use proptest::prelude::*;
use requel_envs::{
    Action, Dynamics, Env, EnvOptions, OptionValue, StateWriter, Step, VectorEnv, classic, make, make_with, specs,
};

/// A vector and its twin, the same environments one by one.
struct Twins {
    vector: VectorEnv,
    singles: Vec<Box<dyn Env>>,
    steps: Vec<Step>,
    next: Vec<f32>,
    observations: Vec<f32>,
}

impl Twins {
    fn new(make: impl Fn(usize) -> Box<dyn Env>, slots: usize) -> Self {
        let vector = VectorEnv::new((0..slots).map(&make).collect()).unwrap();
        let zeros = vec![0.0; slots * vector.observation_len()];
        let steps = vec![Step::default(); slots];
        Self { vector, singles: (0..slots).map(make).collect(), steps, next: zeros.clone(), observations: zeros }
    }

    fn reset(&mut self, seed: u64) {
        self.vector.reset(seed, &mut self.observations).unwrap();
        let mut observation = vec![0.0; self.vector.observation_len()];
        for (slot, env) in self.singles.iter_mut().enumerate() {
            env.reset(Some(seed.wrapping_add(slot as u64)), &mut observation).unwrap();
            assert_eq!(bits(row(&self.observations, slot, &observation)), bits(&observation));
        }
    }

    /// Steps both and compares all that can be seen.
    fn step(&mut self, actions: &[usize]) {
        self.vector.step(actions, &mut self.steps, &mut self.next, &mut self.observations).unwrap();
        let mut observation = vec![0.0; self.vector.observation_len()];
        for (slot, env) in self.singles.iter_mut().enumerate() {
            let step = env.step(Action::Discrete(actions[slot]), &mut observation).unwrap();
            assert_eq!(self.steps[slot], step, "slot {slot}");
            assert_eq!(bits(row(&self.next, slot, &observation)), bits(&observation), "slot {slot}");
            if step.ended() {
                env.reset(None, &mut observation).unwrap();
            }
            assert_eq!(bits(row(&self.observations, slot, &observation)), bits(&observation), "slot {slot}");
            assert_eq!(self.vector.action_mask(slot), env.action_mask(), "slot {slot}");
        }
    }

    /// Compares the complete states, and the environments that the vector shows.
    fn compare_states(&self) {
        assert_eq!(self.vector.len(), self.singles.len());
        let mut states = StateWriter::new();
        states.index(self.singles.len());
        for (slot, single) in self.singles.iter().enumerate() {
            states.bytes(&single.save().unwrap());
            assert_eq!(self.vector.scene(slot), single.scene(), "slot {slot}");
        }
        assert_eq!(self.vector.save().unwrap(), states.into_bytes());
        assert_eq!(self.vector.scene(self.singles.len()), None);
    }

    /// Goes on with another vector that takes over the state of this one.
    fn change_vector(&mut self, make: impl Fn(usize) -> Box<dyn Env>) {
        let saved = self.vector.save().unwrap();
        let mut other = VectorEnv::new((0..self.singles.len()).map(make).collect()).unwrap();
        other.restore(&saved).unwrap();
        assert_eq!(other.save().unwrap(), saved);
        self.vector = other;
    }
}

fn row<'a>(batch: &'a [f32], slot: usize, like: &[f32]) -> &'a [f32] {
    &batch[slot * like.len()..][..like.len()]
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// CartPoles of both versions, rewards and several limits, by slot.
fn cart_pole(slot: usize, limits: &[i64]) -> Box<dyn Env> {
    let mut options = EnvOptions::from([("sutton_barto_reward".to_string(), OptionValue::Bool(slot % 3 == 1))]);
    if let Some(limit) = limits.get(slot % (limits.len() + 1)) {
        options.insert("max_episode_steps".to_string(), OptionValue::Int(*limit));
    }
    make_with(if slot.is_multiple_of(2) { "CartPole-v1" } else { "CartPole-v0" }, &options).unwrap()
}

/// What happens to the twins.
#[derive(Clone, Debug)]
enum Event {
    Actions(Vec<usize>),
    /// Each slot balances its pole as well as it can, for as many steps: episodes reach their time limits.
    Balance(usize),
    Reset(u64),
    SaveAndRestore,
    Look,
}

fn event(slots: usize) -> impl Strategy<Value = Event> {
    prop_oneof![
        40 => prop::collection::vec(0..2usize, slots).prop_map(Event::Actions),
        3 => (1..40usize).prop_map(Event::Balance),
        1 => any::<u64>().prop_map(Event::Reset),
        1 => Just(Event::SaveAndRestore),
        1 => Just(Event::Look),
    ]
}

fn history() -> impl Strategy<Value = (usize, Vec<i64>, Vec<Event>)> {
    // 1 to 35 slots: whole groups of lanes, parts of one, and both.
    (1..36usize).prop_flat_map(|slots| {
        let limits = prop::collection::vec(1..60i64, 0..3);
        (Just(slots), limits, prop::collection::vec(event(slots), 1..150))
    })
}

proptest! {
    #[test]
    fn cart_poles_at_once_are_cart_poles_one_by_one((slots, limits, events) in history(), seed: u64) {
        let mut twins = Twins::new(|slot| cart_pole(slot, &limits), slots);
        twins.reset(seed);
        for event in events {
            match event {
                Event::Actions(actions) => twins.step(&actions),
                Event::Balance(steps) => (0..steps).for_each(|_| {
                    let leans = |state: &[f32]| usize::from(state[2] + 0.3 * state[3] > 0.0);
                    let actions: Vec<usize> = twins.observations.chunks(4).map(leans).collect();
                    twins.step(&actions);
                }),
                Event::Reset(seed) => twins.reset(seed),
                Event::SaveAndRestore => twins.change_vector(|slot| cart_pole(slot, &limits)),
                Event::Look => twins.compare_states(),
            }
        }
        twins.compare_states();
    }

    /// Also where no episode gets: angles beyond those that have the short way to their sine.
    #[test]
    fn any_state_is_pushed_alike(
        states in prop::collection::vec(prop::array::uniform4(-3.0..3.0f64), 1..20),
        narrow: bool,
        actions in prop::collection::vec(0..2usize, 20),
    ) {
        let scale = if narrow { 0.08 } else { 1.0 };
        let mut together: Vec<classic::CartPole> = states.iter().map(|[x, x_dot, theta, theta_dot]| {
            let (x, x_dot, theta, theta_dot) = (*x, *x_dot, theta * scale, *theta_dot);
            classic::CartPole {
                state: classic::CartPoleState { x, x_dot, theta, theta_dot },
                ..classic::CartPole::default()
            }
        }).collect();
        let mut one_by_one = together.clone();
        let count = together.len();
        let mut rngs = vec![requel_envs::GymRng::default(); count];
        let mut steps = vec![Step::default(); count];
        Dynamics::step_all(&mut together, &actions[..count], &mut rngs, &mut steps);
        for (slot, env) in one_by_one.iter_mut().enumerate() {
            let step = env.step(Action::Discrete(actions[slot]), &mut rngs[slot]);
            prop_assert_eq!(step, steps[slot]);
            let numbers = |env: &classic::CartPole| {
                let state = env.state;
                [state.x, state.x_dot, state.theta, state.theta_dot].map(f64::to_bits)
            };
            prop_assert_eq!(numbers(env), numbers(&together[slot]));
        }
    }
}

#[test]
fn every_environment_of_the_registry_is_the_same_as_a_vector() {
    for spec in specs() {
        let env = |_| make(&spec.id).unwrap();
        let Some(actions) = env(0).action_space().discrete_n() else { continue };
        let mut twins = Twins::new(env, 5);
        twins.reset(31);
        for time in 0..300usize {
            let draw = |slot: usize| (time * 7919 + slot * 104_729 + (time * time) % 31) % actions;
            twins.step(&[0, 1, 2, 3, 4].map(draw));
            match time {
                100 => twins.change_vector(env),
                150 | 151 => twins.compare_states(),
                _ => {}
            }
        }
        twins.compare_states();
    }
}

#[test]
fn environments_of_several_kinds_with_the_same_spaces_are_stepped_one_by_one() {
    let bare = |slot: usize| -> Box<dyn Env> {
        if slot == 1 { Box::new(classic::CartPole::default().into_env()) } else { make("CartPole-v1").unwrap() }
    };
    let mut twins = Twins::new(bare, 3);
    twins.reset(5);
    (0..60).for_each(|time| twins.step(&[time % 2, 1, 0]));
    twins.compare_states();
}
