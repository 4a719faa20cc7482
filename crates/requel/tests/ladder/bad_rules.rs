//! Environments made of nothing but their rules, and every kind of observation space: what no rules may do has its documented
//! error too, whether they are stepped one after the other or at once.

use requel::Trainer;
use requel::train::{EnvFactory, TrainError};
use requel_envs::closure::from_closures;
use requel_envs::{
    Action, BatchEnv, DType, Dynamics, Env, EnvError, EnvSpec, GymRng, MetricSpec, OverEpisode, Simulation, Space,
    StateError, StateReader, StateWriter, Step,
};

use super::altered::Altered;
use super::bad_envs::error_of;
use crate::support::short_training;

/// Shows the same numbers at every step, or what a test makes of it.
#[derive(Clone)]
struct Rules {
    shown: Vec<f32>,
    /// What is shown instead from the third step on.
    later: Vec<f32>,
    steps: usize,
    step: fn(&mut Rules) -> Step,
    observe: fn(&Rules, &mut [f32]),
    mask: fn(&Rules) -> Option<&[bool]>,
    metrics: fn(&Rules, &mut [f64]),
}

impl Rules {
    fn showing(shown: &[f32], later: &[f32]) -> Self {
        Rules {
            shown: shown.into(),
            later: later.into(),
            steps: 0,
            step: |_| Step { reward: 1.0, ..Step::default() },
            observe: |rules, observation| {
                let late = rules.steps > 2;
                observation.copy_from_slice(if late { &rules.later } else { &rules.shown });
            },
            mask: |_| None,
            metrics: |_, _| {},
        }
    }
}

impl Dynamics for Rules {
    fn reset(&mut self, _: &mut GymRng) {
        self.steps = 0;
    }
    fn step(&mut self, _: Action<'_>, _: &mut GymRng) -> Step {
        self.steps += 1;
        (self.step)(self)
    }
    fn observe(&self, observation: &mut [f32]) {
        (self.observe)(self, observation);
    }
    fn save(&self, writer: &mut StateWriter) {
        writer.index(self.steps);
    }
    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        self.steps = reader.index(usize::MAX)?;
        Ok(())
    }
    fn action_mask(&self) -> Option<&[bool]> {
        (self.mask)(self)
    }
    fn metrics(&self, numbers: &mut [f64]) {
        (self.metrics)(self, numbers);
    }
}

/// Environments that are stepped at once, one after the other: a batch from outside.
struct Row<E>(Vec<E>);

impl<E: Env + 'static> BatchEnv for Row<E> {
    fn slots(&self) -> usize {
        self.0.len()
    }
    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0[slot].reset(seed, observation)
    }
    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        let rows = observations.chunks_exact_mut(self.0[0].observation_len());
        for (((env, action), step), observation) in self.0.iter_mut().zip(actions).zip(steps).zip(rows) {
            *step = env.step(Action::Discrete(*action), observation)?;
        }
        Ok(())
    }
    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.0[slot].action_mask()
    }
    fn metrics(&self, slot: usize, numbers: &mut [f64]) {
        self.0[slot].metrics(numbers);
    }
    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError> {
        self.0[slot].save()
    }
    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        self.0[slot].restore(state)
    }
}

/// Trains in `envs` in each form and looks for `expected` in the error.
fn is_refused<E: Env + 'static>(name: &str, env: impl Fn() -> E + Clone + Send + 'static, expected: &str) {
    for (count, envs) in [(1, "notebook, 1 environments"), (3, "notebook, 3 environments")] {
        let (at_once, one_by_one) = (env.clone(), env.clone());
        let forms: [(&str, EnvFactory); 2] = [
            ("at once", Box::new(move || Ok(Box::new(at_once())))),
            ("one by one", Box::new(move || Ok(Box::new(Altered::new(one_by_one(), ()))))),
        ];
        let errors = forms.map(|(form, factory)| (form, error_of(short_training(envs), factory)));
        let single = env.clone();
        let batch = Box::new(Row((0..count).map(|_| env()).collect()));
        let trainer = Trainer::with_batch(short_training(envs), batch, Box::new(move || Ok(Box::new(single()))));
        let outside = trainer.and_then(|mut trainer| trainer.run(&mut ()));
        for (form, error) in errors.into_iter().chain([("from outside", outside.expect_err(name))]) {
            assert!(matches!(error, TrainError::Env(_) | TrainError::NotFinite { .. }), "{name}, {form}: {error:?}");
            assert!(error.to_string().contains(expected), "{name}, {envs}, {form}: {error}");
        }
    }
}

fn simulation(space: Space, rules: Rules) -> Simulation<Rules> {
    let metrics = vec![MetricSpec::new("ink", OverEpisode::Sum)];
    let spec = EnvSpec { metrics, ..EnvSpec::new("Rules") };
    Simulation::new(spec, space, Space::Discrete { n: 2 }, rules)
}

fn plain(len: usize, high: f32, dtype: DType) -> Space {
    Space::Box { low: vec![0.0; len], high: vec![high; len], shape: vec![len], dtype }
}

#[test]
fn rules_that_break_the_contract_have_their_documented_errors() {
    type Change = fn(&mut Rules);
    let cases: [(&str, Change, &str); 9] = [
        ("panics in step", |rules| rules.step = |_| panic!("no motor"), "panicked in step: no motor"),
        ("panics in observe", |rules| rules.observe = |_, _| panic!("no eye"), "panicked in reset: no eye"),
        ("panics in metrics", |rules| rules.metrics = |_, _| panic!("no ink"), "panicked in metrics: no ink"),
        (
            "reports too much",
            |rules| rules.metrics = |_, numbers| numbers[1] = 0.0,
            "panicked in metrics: index out of",
        ),
        ("panics in action_mask", |rules| rules.mask = |_| panic!("no hand"), "panicked in action_mask: no hand"),
        (
            "panics in action_mask later",
            |rules| {
                rules.mask = |rules| {
                    assert!(rules.steps < 3, "no hand");
                    None
                }
            },
            "panicked in action_mask: no hand",
        ),
        (
            "writes half an observation",
            |rules| {
                rules.observe = |rules, observation| {
                    let written = if rules.steps > 2 { 1 } else { 2 };
                    observation[..written].fill(0.0);
                }
            },
            "number 1 of 2 of an observation was not written",
        ),
        (
            "has a mask later",
            |rules| rules.mask = |rules| (rules.steps > 2).then_some(&[true, true][..]),
            "an action mask now although it had none at first",
        ),
        ("has a short mask", |rules| rules.mask = |_| Some(&[true][..]), "has 1 flags for 2 actions"),
    ];
    for (name, change, expected) in cases {
        let env = move || {
            let mut rules = Rules::showing(&[0.0, 0.0], &[0.0, 0.0]);
            change(&mut rules);
            simulation(plain(2, 1.0, DType::F32), rules)
        };
        is_refused(name, env, expected);
    }
    let closures = || from_closures("Closures", 2, |_| [0.0], |_, _, _| panic!("no motor"));
    is_refused("closures that panic", closures, "panicked in step: no motor");
}

#[test]
fn observations_outside_of_every_kind_of_space_are_refused() {
    let (nan, infinite) = (f32::NAN, f32::INFINITY);
    let four = || Space::Discrete { n: 4 };
    let pair = || Space::MultiDiscrete { n: vec![3, 4] };
    let cases = [
        (four(), vec![0.0], vec![nan], "observation is NaN"),
        (four(), vec![3.0], vec![infinite], "observation is inf"),
        (four(), vec![3.0], vec![-1.0], "the observation -1 is not in Discrete { n: 4 }"),
        (four(), vec![3.0], vec![2.7], "the observation 2.7 is not in"),
        (four(), vec![3.0], vec![4.0], "the observation 4 is not in"),
        (four(), vec![3.0], vec![1e12], "the observation 1000000000000 is not in"),
        (pair(), vec![2.0, 3.0], vec![3.0, 0.0], "the observation [3.0, 0.0] is not in MultiDiscrete { n: [3, 4] }"),
        (pair(), vec![2.0, 3.0], vec![0.0, 4.0], "the observation [0.0, 4.0] is not in"),
        (pair(), vec![2.0, 3.0], vec![-1.0, 0.0], "is not in"),
        (pair(), vec![2.0, 3.0], vec![0.0, nan], "observation is NaN"),
        (plain(1, 255.0, DType::U8), vec![255.0], vec![300.5], "is 300.5, not a whole number from 0 to 255"),
        (plain(1, 1.0, DType::U8), vec![1.0], vec![200.0], "is 200, not a whole number from 0 to 1"),
        (plain(1, 1.0, DType::Bool), vec![1.0], vec![2.0], "is 2, not a whole number from 0 to 1"),
        (plain(1, 1.0, DType::Bool), vec![1.0], vec![nan], "observation is NaN"),
        (plain(1, 1.0, DType::F32), vec![1.0], vec![-infinite], "observation is -inf"),
    ];
    for (space, sound, unsound, expected) in cases {
        let name = format!("{space:?} shows {unsound:?}");
        let env = |shown: &[f32], later: &[f32]| {
            let rules = Rules::showing(shown, later);
            let space = space.clone();
            move || simulation(space.clone(), rules.clone())
        };
        is_refused(&format!("{name} at once"), env(&unsound, &unsound), expected);
        is_refused(&format!("{name} later"), env(&sound, &unsound), expected);
    }
    for (space, expected) in [
        (Space::Discrete { n: 1_000_000_000_000 }, "its observation space has 1000000000000 values"),
        (Space::MultiDiscrete { n: vec![0, 4] }, "its observation space has no values"),
        (Space::MultiDiscrete { n: vec![1 << 24; 2] }, "more than 16777216 discrete values"),
        (plain(1, 2.0, DType::Bool), "has the bounds 0 and 2 at number 0, of the type Bool"),
    ] {
        let rules = Rules::showing(&[0.0; 2][..space.len()], &[0.0; 2][..space.len()]);
        let name = format!("{space:?}");
        is_refused(&name, move || simulation(space.clone(), rules.clone()), expected);
    }
}
