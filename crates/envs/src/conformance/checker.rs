//! [`check`], which tests the rules on an environment.

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::actions::{Actions, OwnedAction};
use super::rule::{Fault, Report, Rule, Violation, ensure, fail};
use super::scene::check_scene;
use crate::{Env, EnvError, Space, Step};

/// Length of each of the compared runs, steps, unless [`EPISODES`] episodes end sooner.
const STEPS: usize = 1_200;
const EPISODES: usize = 4;
const SEEDS: [u64; 3] = [0, 1, u64::MAX];

/// Checks the environments that `make` creates, which must be alike, against every [`Rule`].
///
/// # Errors
/// The first [`Violation`] found.
pub fn check(make: impl Fn() -> Box<dyn Env>) -> Result<Report, Violation> {
    let id = std::cell::RefCell::new(String::new());
    let all = || {
        let first = make();
        id.replace(first.spec().id.clone());
        let spaces = (first.observation_space().clone(), first.action_space().clone());
        let saves = !matches!(first.save(), Err(EnvError::CannotSave { .. }));
        let checker = Checker { make: &make, spaces, masked: OnceCell::new(), saves };
        checker.described()?;
        checker.before_reset()?;
        let mut report = Report { saves, ..Report::default() };
        for seed in SEEDS {
            checker.run(seed, &mut report)?;
        }
        checker.never_seeded()?;
        checker.refusals()?;
        if saves {
            checker.states()?;
        }
        Ok(report)
    };
    let outcome = catch_unwind(AssertUnwindSafe(all)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        fail(Rule::NeverPanics, format!("panicked: {}", said.unwrap_or("no message")))
    });
    outcome.map_err(|Fault(rule, detail)| Violation { id: id.into_inner(), rule, detail })
}

/// What is compared between runs: the bits of an observation and what led to it.
#[derive(Debug, PartialEq)]
struct Moment {
    observation: Vec<u32>,
    /// `None` after a reset.
    led_here: Option<Step>,
    mask: Option<Vec<bool>>,
}

struct Checker<'a, M> {
    make: &'a M,
    /// The observation space and the action space of the first environment.
    spaces: (Space, Space),
    /// Whether there was a mask after the first reset.
    masked: OnceCell<bool>,
    /// Whether the first environment saved its state.
    saves: bool,
}

impl<M: Fn() -> Box<dyn Env>> Checker<'_, M> {
    fn described(&self) -> Result<(), Fault> {
        let env = (self.make)();
        if let Err(error) = env.spec().check() {
            return fail(Rule::Described, error.to_string());
        }
        for (name, space) in [("observation", env.observation_space()), ("action", env.action_space())] {
            if let Err(reason) = space.check() {
                return fail(Rule::Described, format!("the {name} space {reason}"));
            }
        }
        let discrete = !matches!(env.action_space(), Space::MultiDiscrete { .. });
        ensure(discrete, Rule::Described, || "no action fits a MultiDiscrete action space".into())?;
        let (names, len) = (env.spec().observation_names.len(), env.observation_len());
        ensure(names == 0 || names == len, Rule::Described, || {
            format!("it names {names} numbers of an observation, but an observation has {len}")
        })?;
        let (names, actions) = (env.spec().action_names.len(), env.action_space().discrete_n());
        ensure(names == 0 || Some(names) == actions, Rule::Described, || {
            format!("it names {names} actions, but has {}", actions.map_or("continuous ones".into(), |n| n.to_string()))
        })
    }

    fn before_reset(&self) -> Result<(), Fault> {
        let mut env = (self.make)();
        self.refuses_step(env.as_mut(), "before the first reset")?;
        let mut other = (self.make)();
        match self.save(env.as_ref())? {
            Some(saved) => {
                self.restore(other.as_mut(), &saved)?;
                self.refuses_step(other.as_mut(), "before the first reset, restored")
            }
            None => {
                let refused = other.restore(&[]);
                let correct = matches!(refused, Err(EnvError::CannotSave { .. }));
                ensure(correct, Rule::Restorable, || format!("it cannot save its state, and restore gave {refused:?}"))
            }
        }
    }

    /// The environment's state, if environments of this kind save theirs.
    fn save(&self, env: &dyn Env) -> Result<Option<Vec<u8>>, Fault> {
        match env.save() {
            Ok(saved) if self.saves => Ok(Some(saved)),
            Err(EnvError::CannotSave { .. }) if !self.saves => Ok(None),
            Ok(_) => fail(Rule::Restorable, "it saved its state although it said at first that it cannot"),
            Err(error) => fail(Rule::Restorable, format!("its state could not be saved: {error}")),
        }
    }

    /// Runs `seed` twice on one instance and once on another, and compares.
    fn run(&self, seed: u64, report: &mut Report) -> Result<(), Fault> {
        let mut env = (self.make)();
        let first = self.trace(env.as_mut(), Some(seed))?;
        let again = self.trace(env.as_mut(), Some(seed))?;
        let other = self.trace((self.make)().as_mut(), Some(seed))?;
        self.same(&first, &again, Rule::Deterministic, "seeded again on the same instance")?;
        self.same(&first, &other, Rule::Deterministic, "on another instance")?;
        for step in first.iter().filter_map(|moment| moment.led_here) {
            report.steps += 1;
            report.terminated += usize::from(step.terminated);
            report.truncated += usize::from(step.truncated && !step.terminated);
        }
        Ok(())
    }

    fn never_seeded(&self) -> Result<(), Fault> {
        let never = self.trace((self.make)().as_mut(), None)?;
        let zero = self.trace((self.make)().as_mut(), Some(0))?;
        self.same(&never, &zero, Rule::SeededWithZero, "never seeded, compared with seed 0")
    }

    fn refusals(&self) -> Result<(), Fault> {
        let mut env = (self.make)();
        let len = env.observation_len();
        let mut observation = vec![0.0; len];
        let good = Actions::new(env.as_ref()).next(env.as_ref());
        for wrong in [len + 1, len - 1] {
            let refused = env.reset(Some(0), &mut vec![0.0; wrong]);
            let correct = refused == Err(EnvError::ObservationLength { expected: len, found: wrong });
            ensure(correct, Rule::LengthsChecked, || format!("reset into {wrong} numbers gave {refused:?}"))?;
        }
        self.refuses_step(env.as_mut(), "after a refused reset")?;
        self.reset(env.as_mut(), Some(0), &mut observation)?;

        let saved = self.save(env.as_ref())?;
        let untouched = |env: &dyn Env, rule, what: &str| {
            ensure(self.save(env)? == saved, rule, || format!("{what} was refused but changed the state"))
        };
        for wrong in [len + 1, len - 1] {
            let refused = env.step(good.borrow(), &mut vec![0.0; wrong]);
            let correct = refused == Err(EnvError::ObservationLength { expected: len, found: wrong });
            ensure(correct, Rule::LengthsChecked, || format!("a step into {wrong} numbers gave {refused:?}"))?;
            untouched(env.as_ref(), Rule::LengthsChecked, "a slice of the wrong length")?;
        }
        let width = env.action_space().len();
        let invalid = match env.action_space() {
            Space::Discrete { n } => {
                vec![OwnedAction::Discrete(*n), OwnedAction::Discrete(usize::MAX), OwnedAction::Continuous(vec![0.0])]
            }
            _ => vec![
                OwnedAction::Discrete(0),
                OwnedAction::Continuous(vec![]),
                OwnedAction::Continuous(vec![0.0; width + 1]),
                OwnedAction::Continuous(vec![f32::NAN; width]),
            ],
        };
        for action in invalid {
            let before = observation.clone();
            let refused = env.step(action.borrow(), &mut observation);
            let correct = matches!(refused, Err(EnvError::InvalidAction { .. })) && bits(&before) == bits(&observation);
            ensure(correct, Rule::ActionsChecked, || format!("the action {action:?} gave {refused:?}"))?;
            untouched(env.as_ref(), Rule::ActionsChecked, "an invalid action")?;
        }
        Ok(())
    }

    /// Saves at several moments of a run, including the ends of episodes, and continues from there in three ways.
    fn states(&self) -> Result<(), Fault> {
        const AHEAD: usize = 40;
        let mut env = (self.make)();
        let mut actions = Actions::new(env.as_ref());
        let mut observation = vec![0.0; env.observation_len()];
        self.reset(env.as_mut(), Some(5), &mut observation)?;
        let mut ends = 0;
        for index in 0..STEPS {
            let step = self.step(env.as_mut(), &mut actions, &mut observation)?;
            ends += usize::from(step.ended());
            if index < 3 || index % 97 == 0 || (step.ended() && ends <= 2) {
                let saved = self.save(env.as_ref())?.unwrap_or_default();
                ensure(self.holds(env.as_ref(), &saved)?, Rule::Restorable, || "two saves in a row differ".into())?;
                let expected = self.ahead(env.as_mut(), &actions, step.ended(), AHEAD)?;
                let mut other = (self.make)();
                for (instance, place) in [(env.as_mut(), "the same instance"), (other.as_mut(), "another instance")] {
                    self.restore(instance, &saved)?;
                    ensure(self.holds(instance, &saved)?, Rule::Restorable, || {
                        format!("save after restore differs on {place}")
                    })?;
                    if step.ended() {
                        self.refuses_step(instance, "after the end of an episode, restored")?;
                    }
                    let found = self.ahead(instance, &actions, step.ended(), AHEAD)?;
                    self.same(&expected, &found, Rule::Restorable, &format!("restored at step {index} on {place}"))?;
                    self.restore(instance, &saved)?;
                }
                if index < 3 || step.ended() {
                    self.damaged(env.as_mut(), &saved)?;
                }
            }
            if step.ended() {
                self.reset(env.as_mut(), None, &mut observation)?;
            }
        }
        Ok(())
    }

    /// Tries to restore damaged states, which must be refused or at least do no harm.
    fn damaged(&self, env: &mut dyn Env, saved: &[u8]) -> Result<(), Fault> {
        let mut longer = saved.to_vec();
        longer.push(0);
        let stride = saved.len() / 100 + 1;
        let wrong = (0..saved.len()).step_by(stride).map(|end| saved[..end].to_vec()).chain([longer]);
        for state in wrong {
            let refused = env.restore(&state);
            let correct = matches!(refused, Err(EnvError::InvalidState { .. }));
            let what = || format!("{} bytes in place of {} gave {refused:?}", state.len(), saved.len());
            ensure(correct, Rule::StatesChecked, what)?;
            let untouched = self.holds(env, saved)?;
            ensure(untouched, Rule::StatesChecked, || "a refused state changed the environment".into())?;
        }
        let mut observation = vec![0.0; env.observation_len()];
        for place in (0..saved.len()).step_by(stride) {
            for flip in [0x01, 0x80, 0xFF] {
                let mut state = saved.to_vec();
                state[place] ^= flip;
                if env.restore(&state).is_ok() {
                    // It may be another valid state; then it must be possible to continue from it.
                    let action = Actions::new(env).next(env);
                    env.scene();
                    // Refused or not: what matters is that nothing panics.
                    let _ = env.step(action.borrow(), &mut observation);
                    self.reset(env, None, &mut observation)?;
                    self.restore(env, saved)?;
                }
                let untouched = self.holds(env, saved)?;
                ensure(untouched, Rule::StatesChecked, || "a refused state changed the environment".into())?;
            }
        }
        Ok(())
    }

    /// The next `steps` moments; `ended`: after a reset.
    fn ahead(&self, env: &mut dyn Env, actions: &Actions, ended: bool, steps: usize) -> Result<Vec<Moment>, Fault> {
        let mut actions = actions.clone();
        let mut observation = vec![0.0; env.observation_len()];
        let mut moments = Vec::new();
        let mut ended = ended;
        for _ in 0..steps {
            if ended {
                self.reset(env, None, &mut observation)?;
                moments.push(moment(env, &observation, None));
            }
            let step = self.step(env, &mut actions, &mut observation)?;
            ended = step.ended();
            moments.push(moment(env, &observation, Some(step)));
        }
        Ok(moments)
    }

    /// A run from `reset(seed)` over several episodes, each moment checked.
    fn trace(&self, env: &mut dyn Env, seed: Option<u64>) -> Result<Vec<Moment>, Fault> {
        let mut actions = Actions::new(env);
        let mut observation = vec![0.0; env.observation_len()];
        let mut moments = Vec::new();
        let (mut steps, mut seed) = (0, seed);
        for episode in 0..EPISODES {
            self.reset(env, seed.take(), &mut observation)?;
            moments.push(moment(env, &observation, None));
            let view = env.scene().map(|scene| scene.view);
            let mut length = 0;
            loop {
                if steps >= STEPS {
                    // It must be possible to reset an endless episode too.
                    return self.reset(env, None, &mut observation).map(|()| moments);
                }
                let step = self.step(env, &mut actions, &mut observation)?;
                moments.push(moment(env, &observation, Some(step)));
                steps += 1;
                length += 1;
                if steps <= 50 || step.ended() {
                    let scene = env.scene();
                    scene.as_ref().map_or(Ok(()), check_scene)?;
                    let same = scene.map(|scene| scene.view) == view;
                    ensure(same, Rule::Drawable, || "the view changed during an episode".into())?;
                }
                let limit = env.spec().max_episode_steps.map_or(usize::MAX, |limit| limit as usize);
                let ended = step.ended();
                ensure(length < limit || ended, Rule::TimeLimit, || format!("episode {episode} passed {limit} steps"))?;
                if ended {
                    self.refuses_step(env, "after the end of an episode")?;
                    break;
                }
            }
        }
        Ok(moments)
    }

    fn reset(&self, env: &mut dyn Env, seed: Option<u64>, observation: &mut [f32]) -> Result<(), Fault> {
        if let Err(error) = env.reset(seed, observation) {
            return fail(Rule::InSpace, format!("reset({seed:?}) was refused: {error}"));
        }
        self.check_shown(env, observation)
    }

    fn step(&self, env: &mut dyn Env, actions: &mut Actions, observation: &mut [f32]) -> Result<Step, Fault> {
        let action = actions.next(env);
        match env.step(action.borrow(), observation) {
            Err(error) => fail(Rule::InSpace, format!("the valid action {action:?} was refused: {error}")),
            Ok(step) => {
                self.check_shown(env, observation)?;
                let learnable = (step.reward as f32).is_finite();
                ensure(learnable, Rule::InSpace, || format!("the reward is {}", step.reward))?;
                if let Some((low, high)) = env.spec().reward_range {
                    let outside = || {
                        format!(
                            "the reward is {}, outside the declared range of {low} to \
                                              {high}",
                            step.reward
                        )
                    };
                    ensure((low..=high).contains(&step.reward), Rule::InSpace, outside)?;
                }
                Ok(step)
            }
        }
    }

    /// Checks the result of a reset or a step.
    fn check_shown(&self, env: &dyn Env, observation: &[f32]) -> Result<(), Fault> {
        let (observations, actions) = &self.spaces;
        for (name, was, is) in
            [("observation", observations, env.observation_space()), ("action", actions, env.action_space())]
        {
            ensure(was == is, Rule::Described, || format!("the {name} space was {was:?} and is {is:?}"))?;
        }
        check_observation(env, observation)?;
        let (was, is) = (*self.masked.get_or_init(|| env.action_mask().is_some()), env.action_mask().is_some());
        let now_and_then = || if was { "the mask has disappeared" } else { "there is a mask where there was none" };
        ensure(was == is, Rule::Mask, || now_and_then().into())
    }

    /// Whether the environment is in the saved state.
    fn holds(&self, env: &dyn Env, saved: &[u8]) -> Result<bool, Fault> {
        Ok(self.save(env)?.is_some_and(|state| state == saved))
    }

    fn restore(&self, env: &mut dyn Env, saved: &[u8]) -> Result<(), Fault> {
        let refused = |error| Fault(Rule::Restorable, format!("its own state was refused: {error}"));
        env.restore(saved).map_err(refused)
    }

    fn refuses_step(&self, env: &mut dyn Env, when: &str) -> Result<(), Fault> {
        let saved = self.save(env)?;
        let action = Actions::new(env).next(env);
        let refused = env.step(action.borrow(), &mut vec![0.0; env.observation_len()]);
        let correct = matches!(refused, Err(EnvError::ResetNeeded { .. }));
        ensure(correct, Rule::ResetFirst, || format!("a step {when} gave {refused:?}"))?;
        ensure(self.save(env)? == saved, Rule::ResetFirst, || {
            format!("a step {when} was refused but changed the state")
        })
    }

    fn same(&self, expected: &[Moment], found: &[Moment], rule: Rule, how: &str) -> Result<(), Fault> {
        match expected.iter().zip(found).position(|(expected, found)| expected != found) {
            Some(at) => {
                let (expected, found) = (&expected[at], &found[at]);
                fail(rule, format!("{how}: moment {at} is {found:?} where {expected:?} was expected"))
            }
            None => ensure(expected.len() == found.len(), rule, || format!("{how}: a different number of steps")),
        }
    }
}

fn moment(env: &dyn Env, observation: &[f32], step: Option<Step>) -> Moment {
    Moment { observation: bits(observation), led_here: step, mask: env.action_mask().map(<[bool]>::to_vec) }
}

fn bits(observation: &[f32]) -> Vec<u32> {
    observation.iter().map(|value| value.to_bits()).collect()
}

fn check_observation(env: &dyn Env, observation: &[f32]) -> Result<(), Fault> {
    let space = env.observation_space();
    ensure(space.contains(observation), Rule::InSpace, || format!("{observation:?} is not in {space:?}"))?;
    if let (Some(mask), actions) = (env.action_mask(), env.action_space().discrete_n()) {
        let sound = Some(mask.len()) == actions && mask.contains(&true);
        ensure(sound, Rule::Mask, || format!("the mask {mask:?} for {actions:?} actions"))?;
    }
    Ok(())
}
