//! [`from_closures`], an environment for a quick experiment.

use crate::{
    Action, DType, Dynamics, EnvSpec, GymRng, Scene, Simulation, Space, StateError, StateReader, StateWriter, Step,
};

/// An environment whose state is `N` numbers, which are also its observation, and whose rules are two closures.
///
/// `start` returns the state at the start of an episode; `step` changes it by one of `actions` actions. Both draw their random numbers from
/// the generator that they are given, so that the environment is seeded like any other. Episodes only end by termination; put a
/// [`TimeLimit`](crate::TimeLimit) around an environment that may never end.
///
/// ```
/// use requel_envs::{Env, Step, TimeLimit, closure::from_closures, conformance};
///
/// /// Walk to the right end of a corridor on slippery ground.
/// fn corridor() -> impl Env {
///     let environment = from_closures("Corridor", 2, |_| [0.0], |[x], action, rng| {
///         let slips = rng.random() < 0.1;
///         *x += if (action == 1) != slips { 0.1 } else { -0.1 };
///         let terminated = *x >= 1.0;
///         Step { reward: if terminated { 1.0 } else { -0.01 }, terminated, truncated: false }
///     });
///     TimeLimit::new(environment, 200).unwrap()
/// }
/// conformance::check(|| Box::new(corridor())).unwrap();
/// ```
pub fn from_closures<const N: usize, Start, Next>(
    id: &str,
    actions: usize,
    start: Start,
    step: Next,
) -> Simulation<Closures<N, Start, Next>>
where
    Start: Fn(&mut GymRng) -> [f64; N] + Clone + Send + 'static,
    Next: Fn(&mut [f64; N], usize, &mut GymRng) -> Step + Clone + Send + 'static,
{
    let spec = EnvSpec { frames_per_second: 10.0, ..EnvSpec::new(id) };
    let infinite = f32::INFINITY;
    let space = Space::Box { low: vec![-infinite; N], high: vec![infinite; N], shape: vec![N], dtype: DType::F32 };
    Simulation::new(spec, space, Space::Discrete { n: actions }, Closures { state: [0.0; N], start, step })
}

/// The rules of an environment made by [`from_closures`].
#[derive(Clone, Debug)]
pub struct Closures<const N: usize, Start, Next> {
    state: [f64; N],
    start: Start,
    step: Next,
}

impl<const N: usize, Start, Next> Dynamics for Closures<N, Start, Next>
where
    Start: Fn(&mut GymRng) -> [f64; N] + Clone + Send + 'static,
    Next: Fn(&mut [f64; N], usize, &mut GymRng) -> Step + Clone + Send + 'static,
{
    fn reset(&mut self, rng: &mut GymRng) {
        self.state = (self.start)(rng);
    }

    fn step(&mut self, action: Action<'_>, rng: &mut GymRng) -> Step {
        match action {
            Action::Discrete(index) => (self.step)(&mut self.state, index, rng),
            Action::Continuous(_) => Step::default(),
        }
    }

    fn observe(&self, observation: &mut [f32]) {
        for (number, state) in observation.iter_mut().zip(self.state) {
            *number = state as f32;
        }
    }

    fn save(&self, writer: &mut StateWriter) {
        for number in self.state {
            writer.f64(number);
        }
    }

    fn restore(&mut self, reader: &mut StateReader<'_>) -> Result<(), StateError> {
        for number in &mut self.state {
            *number = reader.f64()?;
        }
        Ok(())
    }

    fn scene(&self) -> Option<Scene> {
        Some(Scene::of_numbers(&self.state))
    }
}
