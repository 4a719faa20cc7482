//! Environments that do what no environment may: each has its documented error, none ends the program, and the run can be
//! resumed.

use std::sync::atomic::{AtomicU32, Ordering};

use requel::Trainer;
use requel::config::Config;
use requel::train::{EnvFactory, TrainError};
use requel_envs::{Action, BatchEnv, DType, Env, EnvError, EnvSpec, Space, Step};

use crate::support::short_training;

type Reset = fn(&mut Corridor, Option<u64>, &mut [f32]) -> Result<(), EnvError>;

/// A corridor of ten places, or what a test makes of it by changing one of its parts.
#[derive(Clone)]
pub(super) struct Corridor {
    spec: EnvSpec,
    observations: Space,
    actions: Space,
    mask: Option<Vec<bool>>,
    batched: bool,
    place: f32,
    steps: u32,
    reset: Reset,
    step: fn(&mut Corridor, usize, &mut [f32]) -> Result<Step, EnvError>,
    restore: fn(&mut Corridor, &[u8]) -> Result<(), EnvError>,
}

fn numbers(len: usize, dtype: DType) -> Space {
    Space::Box { low: vec![0.0; len], high: vec![255.0; len], shape: vec![len], dtype }
}

fn sound_reset(env: &mut Corridor, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
    (env.place, env.steps) = (0.0, 0);
    observation.copy_from_slice(&[0.0, 0.0]);
    Ok(())
}

fn sound_step(env: &mut Corridor, action: usize, observation: &mut [f32]) -> Result<Step, EnvError> {
    env.steps += 1;
    env.place = (env.place + if action == 1 { 1.0 } else { -1.0 }).max(0.0);
    observation.copy_from_slice(&[env.place, env.steps as f32]);
    Ok(Step { reward: 1.0, terminated: env.place >= 9.0, truncated: env.steps >= 30 })
}

impl Corridor {
    pub(super) fn sound() -> Self {
        Corridor {
            spec: EnvSpec { frames_per_second: 10.0, ..EnvSpec::new("Corridor") },
            observations: numbers(2, DType::F32),
            actions: Space::Discrete { n: 2 },
            mask: None,
            batched: false,
            place: 0.0,
            steps: 0,
            reset: sound_reset,
            step: sound_step,
            restore: |env, state| {
                let numbers = state.first_chunk::<8>().ok_or_else(|| EnvError::Other("no state".into()))?;
                env.place = f32::from_bits(u32::from_le_bytes(numbers[..4].try_into().unwrap()));
                env.steps = u32::from_le_bytes(numbers[4..].try_into().unwrap());
                Ok(())
            },
        }
    }
}

impl Env for Corridor {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }
    fn observation_space(&self) -> &Space {
        &self.observations
    }
    fn action_space(&self) -> &Space {
        &self.actions
    }
    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        (self.reset)(self, seed, observation)
    }
    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let action = action.discrete(2)?;
        (self.step)(self, action, observation)
    }
    fn save(&self) -> Result<Vec<u8>, EnvError> {
        Ok([self.place.to_bits().to_le_bytes(), self.steps.to_le_bytes()].concat())
    }
    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        (self.restore)(self, state)
    }
    fn action_mask(&self) -> Option<&[bool]> {
        self.mask.as_deref()
    }
    fn batch(&self) -> Option<Box<dyn BatchEnv>> {
        self.batched.then(|| Box::new(Corridors(vec![self.clone()])) as Box<dyn BatchEnv>)
    }
}

/// Corridors that are stepped at once.
struct Corridors(Vec<Corridor>);

impl BatchEnv for Corridors {
    fn slots(&self) -> usize {
        self.0.len()
    }
    fn join(&mut self, other: Box<dyn BatchEnv>) -> bool {
        let Ok(other) = (other as Box<dyn std::any::Any>).downcast::<Self>() else { return false };
        self.0.extend(other.0);
        true
    }
    fn reset(&mut self, slot: usize, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0[slot].reset(seed, observation)
    }
    fn step(&mut self, actions: &[usize], steps: &mut [Step], observations: &mut [f32]) -> Result<(), EnvError> {
        let width = observations.len() / self.0.len();
        let rows = observations.chunks_exact_mut(width);
        for (((corridor, action), step), observation) in self.0.iter_mut().zip(actions).zip(steps).zip(rows) {
            *step = corridor.step(Action::Discrete(*action), observation)?;
        }
        Ok(())
    }
    fn action_mask(&self, slot: usize) -> Option<&[bool]> {
        self.0[slot].action_mask()
    }
    fn save(&self, slot: usize) -> Result<Vec<u8>, EnvError> {
        self.0[slot].save()
    }
    fn restore(&mut self, slot: usize, state: &[u8]) -> Result<(), EnvError> {
        self.0[slot].restore(state)
    }
}

pub(super) fn config() -> Config {
    short_training("notebook, 1 environments")
}

pub(super) fn factory(change: fn(&mut Corridor)) -> EnvFactory {
    Box::new(move || {
        let mut env = Corridor::sound();
        change(&mut env);
        Ok(Box::new(env))
    })
}

/// The same corridors, stepped at once.
fn batched(change: fn(&mut Corridor)) -> EnvFactory {
    Box::new(move || {
        let mut env = Corridor::sound();
        change(&mut env);
        Ok(Box::new(Corridor { batched: true, ..env }))
    })
}

/// What training in a batch of them comes to that is there as a whole.
fn error_of_batch(change: fn(&mut Corridor), slots: usize) -> TrainError {
    let mut env = Corridor::sound();
    change(&mut env);
    let config = short_training(&format!("notebook, {slots} environments"));
    match Trainer::with_batch(config, Box::new(Corridors(vec![env; slots])), factory(change)) {
        Err(error) => error,
        Ok(mut trainer) => trainer.run(&mut ()).expect_err("a malformed batch was trained in"),
    }
}

/// What training in such environments comes to.
fn error(factory: EnvFactory) -> TrainError {
    error_of(config(), factory)
}

/// What training in such environments comes to.
pub fn error_of(config: Config, factory: EnvFactory) -> TrainError {
    match Trainer::with_envs(config, factory) {
        Err(error) => error,
        Ok(mut trainer) => trainer.run(&mut ()).expect_err("a malformed environment was trained in"),
    }
}

#[test]
fn an_environment_that_says_it_heeds_no_seed_is_trained_in() {
    let wild: fn(&mut Corridor) = |env| {
        env.spec.heeds_seeds = false;
        env.reset = |env, _, observation| {
            static RESETS: AtomicU32 = AtomicU32::new(0);
            (env.place, env.steps) = (0.0, 0);
            observation.copy_from_slice(&[0.0, RESETS.fetch_add(1, Ordering::Relaxed) as f32]);
            Ok(())
        };
    };
    for factory in [factory(wild), batched(wild)] {
        assert!(Trainer::with_envs(config(), factory).unwrap().run(&mut ()).is_ok());
    }
}

#[test]
fn an_error_of_an_environment_comes_out_of_training_as_it_went_in() {
    let error = error(factory(|env| {
        env.step = |_, _, _| Err(EnvError::foreign(std::io::Error::other("the arm is stuck")));
    }));
    let TrainError::Env(EnvError::Foreign(foreign)) = &error else { panic!("{error}") };
    assert!(foreign.get().is::<std::io::Error>());
    assert_eq!(error.to_string(), "the arm is stuck");
}

#[test]
fn a_sound_environment_is_trained_in() {
    let train = |factory| {
        let mut trainer = Trainer::with_envs(short_training("notebook, 3 environments"), factory).unwrap();
        trainer.run(&mut ()).unwrap()
    };
    let outcome = train(factory(|_| {}));
    assert!(outcome.env_steps >= 700);
    assert_eq!(train(batched(|_| {})), outcome, "at once as one after the other");

    let config = || short_training("notebook, 3 environments");
    let batch = |slots| Box::new(Corridors(vec![Corridor::sound(); slots]));
    let mut trainer = Trainer::with_batch(config(), batch(3), factory(|_| {})).unwrap();
    assert_eq!(trainer.run(&mut ()).unwrap(), outcome, "a batch from outside");
    let error = Trainer::with_batch(config(), batch(2), factory(|_| {})).err().unwrap().to_string();
    assert_eq!(error, "the batch of Corridor has 2 environments, but `train.num_envs` is 3");
}

/// What is wrong, and what of it must be said.
type Malformed = (&'static str, fn(&mut Corridor), &'static str);

const MALFORMED: [Malformed; 30] = [
    ("panics in reset", |w| w.reset = |_, _, _| panic!("no motor"), "panicked in reset: no motor"),
    ("panics in step", |w| w.step = |_, _, _| panic!("no motor {}", 7), "panicked in step: no motor 7"),
    ("panics with no text", |w| w.step = |_, _, _| std::panic::panic_any(7), "panicked in step: no message"),
    (
        "reads out of bounds",
        |w| w.step = |w, _, o| Ok(Step { reward: o[w.steps as usize + 2].into(), ..Step::default() }),
        "panicked in step",
    ),
    (
        "writes more than it says",
        |w| {
            w.reset = |_, _, o| {
                o.copy_from_slice(&[0.0; 3]);
                Ok(())
            }
        },
        "panicked in reset",
    ),
    (
        "writes less than it says",
        |w| {
            w.reset = |_, _, o| {
                o[0] = 0.0;
                Ok(())
            }
        },
        "number 1 of 2 of an observation was not written",
    ),
    ("writes nothing", |w| w.reset = |_, _, _| Ok(()), "number 0 of 2 of an observation was not written"),
    (
        "writes less in a step",
        |w| {
            w.step = |_, _, o| {
                o[1] = 0.0;
                Ok(Step::default())
            }
        },
        "number 0 of 2 of an observation was not written",
    ),
    (
        "refuses its own length",
        |w| w.reset = |_, _, o| Err(EnvError::ObservationLength { expected: 3, found: o.len() }),
        "observation slice has 2 numbers, expected 3",
    ),
    ("fails in reset", |w| w.reset = |_, _, _| Err(EnvError::Other("no power".into())), "no power"),
    ("fails in step", |w| w.step = |_, _, _| Err(EnvError::Other("no power".into())), "no power"),
    (
        "wants a reset in mid-episode",
        |w| w.step = |w, _, _| Err(EnvError::ResetNeeded { id: w.spec.id.clone() }),
        "step without reset",
    ),
    (
        "refuses an action of its space",
        |w| w.step = |_, a, _| Action::Discrete(a + 5).discrete(2).map(|_| Step::default()),
        "invalid action",
    ),
    (
        "ignores its seed",
        |w| {
            w.reset = |_, _, o| {
                o.fill(fresh());
                Ok(())
            }
        },
        "two resets with the seed",
    ),
    (
        "NaN in a reset",
        |w| {
            w.reset = |_, _, o| {
                o.copy_from_slice(&[0.0, f32::NAN]);
                Ok(())
            }
        },
        "observation is NaN at env step 0 in environment 0",
    ),
    (
        "infinity in a reset",
        |w| {
            w.reset = |_, _, o| {
                o.copy_from_slice(&[f32::INFINITY, 0.0]);
                Ok(())
            }
        },
        "observation is inf at env step 0 in environment 0",
    ),
    (
        "NaN in a step",
        |w| {
            w.step = |w, a, o| {
                let step = sound_step(w, a, o);
                o[1] = f32::NAN;
                step
            }
        },
        "observation is NaN at env step 0 in environment 0 after action",
    ),
    (
        "minus infinity in a step",
        |w| {
            w.step = |w, a, o| {
                let step = sound_step(w, a, o);
                o[0] = f32::NEG_INFINITY;
                step
            }
        },
        "observation is -inf at env step 0 in environment 0 after action",
    ),
    (
        "NaN as reward",
        |w| w.step = |w, a, o| Ok(Step { reward: f64::NAN, ..sound_step(w, a, o)? }),
        "reward is NaN at env step 0 in environment 0 after action",
    ),
    (
        "infinity as reward",
        |w| w.step = |w, a, o| Ok(Step { reward: f64::INFINITY, ..sound_step(w, a, o)? }),
        "reward is inf at env step 0 in environment 0 after action",
    ),
    (
        "a reward that single precision has not",
        |w| w.step = |w, a, o| Ok(Step { reward: 1e300, ..sound_step(w, a, o)? }),
        "reward is 1000000000",
    ),
    (
        "bytes above 255",
        |w| {
            w.observations = numbers(2, DType::U8);
            w.step = |_, _, o| {
                o.fill(256.0);
                Ok(Step::default())
            }
        },
        "is 256, not a whole number from 0 to 255",
    ),
    (
        "bytes below 0",
        |w| {
            w.observations = numbers(2, DType::U8);
            w.reset = |_, _, o| {
                o.fill(-1.0);
                Ok(())
            }
        },
        "is -1, not a whole number from 0 to 255",
    ),
    (
        "half a byte",
        |w| {
            w.observations = numbers(2, DType::U8);
            w.reset = |_, _, o| {
                o.fill(0.5);
                Ok(())
            }
        },
        "is 0.5, not a whole number from 0 to 255",
    ),
    ("no actions", |w| w.actions = Space::Discrete { n: 0 }, "its action space has no values"),
    ("continuous actions", |w| w.actions = numbers(1, DType::F32), "continuous actions"),
    ("no numbers", |w| w.observations = numbers(0, DType::F32), "its observation space has no numbers"),
    (
        "a shape of another size",
        |w| w.observations = Space::Box { low: vec![0.0; 2], high: vec![1.0; 2], shape: vec![3], dtype: DType::F32 },
        "shape [3] with 2 lower and 2 upper bounds",
    ),
    (
        "bounds that are upside down",
        |w| w.observations = Space::Box { low: vec![1.0; 2], high: vec![0.0; 2], shape: vec![2], dtype: DType::F32 },
        "its observation space has the bounds 1 and 0 at number 0",
    ),
    ("a mask of another length", |w| w.mask = Some(vec![true; 3]), "its action mask has 3 flags for 2 actions"),
];

/// Another number at each call.
fn fresh() -> f32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed) as f32
}

#[test]
fn thirty_malformed_environments_have_their_documented_errors() {
    for (name, change, expected) in MALFORMED {
        let three = || short_training("notebook, 3 environments");
        for (form, error) in [
            ("one", error(factory(change))),
            ("one after the other", error_of(three(), factory(change))),
            ("one at once", error(batched(change))),
            ("at once", error_of(three(), batched(change))),
            ("a batch of one", error_of_batch(change, 1)),
            ("a batch", error_of_batch(change, 3)),
        ] {
            assert!(
                matches!(error, TrainError::Env(_) | TrainError::NotFinite { .. } | TrainError::Agent(_)),
                "{name}, {form}: {error:?}"
            );
            assert!(error.to_string().contains(expected), "{name}, {form}: {error}");
        }
    }
    println!("faults put in: {}", 6 * MALFORMED.len());
}

#[test]
fn factories_and_masks_that_go_wrong_are_errors_too() {
    let text = |factory: EnvFactory| error(factory).to_string();
    assert!(text(Box::new(|| panic!("no port"))).contains("its factory panicked in making it: no port"));
    assert!(text(Box::new(|| Err(EnvError::Other("no port".into())))).contains("no port"));
    for form in [factory, batched] {
        assert!(text(form(|w| w.mask = Some(vec![false; 2]))).contains("allows no action"));
        let late: fn(&mut Corridor) = |w| {
            w.step = |w, a, o| {
                w.mask = (w.steps > 3).then(|| vec![true; 2]);
                sound_step(w, a, o)
            };
        };
        assert!(text(form(late)).contains("an action mask now although it had none at first"));
        let lost: fn(&mut Corridor) = |w| {
            w.mask = Some(vec![true; 2]);
            w.step = |w, a, o| {
                w.mask = None;
                sound_step(w, a, o)
            };
        };
        assert!(text(form(lost)).contains("its action mask has disappeared"));
        assert!(text(form(|w| w.spec.reward_threshold = Some(f64::NAN))).contains("`reward_threshold` is NaN"));
        assert!(text(form(|w| w.spec.id = "a\n<b>".into())).contains("is not allowed in its id"));
    }
    let growing: fn(&mut Corridor) = |w| {
        w.step = |w, a, o| {
            w.actions = Space::Discrete { n: 700 };
            sound_step(w, a, o)
        };
    };
    assert!(text(factory(growing)).contains("its action space was Discrete { n: 2 } and is Discrete { n: 700 }"));
    // Environments that are not alike.
    let made = AtomicU32::new(0);
    let growing: EnvFactory = Box::new(move || {
        let mut env = Corridor::sound();
        env.observations = numbers(2 + made.fetch_add(1, Ordering::Relaxed) as usize, DType::F32);
        env.reset = |_, _, o| {
            o.fill(0.0);
            Ok(())
        };
        Ok(Box::new(env))
    });
    let several = short_training("notebook, 3 environments");
    let error = Trainer::with_envs(several, growing).err().unwrap().to_string();
    assert!(error.contains("differ from those of slot 0"), "{error}");
}

/// An environment that panicked is in no known state: it is not touched again.
#[test]
fn an_environment_that_panicked_stays_broken() {
    let mut trainer = Trainer::with_envs(config(), factory(|w| w.step = |_, _, _| panic!("no motor"))).unwrap();
    let (first, second) = (trainer.run(&mut ()).unwrap_err(), trainer.run(&mut ()).unwrap_err());
    assert_eq!(first.to_string(), second.to_string());
}

/// Bounds of single-precision spaces are a description, which nothing is computed from: what lies outside is taken as it is.
#[test]
fn numbers_out_of_their_bounds_are_taken_as_they_are() {
    let outside: fn(&mut Corridor) = |w| {
        w.step = |w, a, o| {
            let step = sound_step(w, a, o);
            o[0] += 1e6;
            step
        };
    };
    let mut trainer = Trainer::with_envs(config(), factory(outside)).unwrap();
    assert_eq!(trainer.run(&mut ()).unwrap().env_steps, 700);
}

/// An episode that never ends: training goes to its budget, metrics are told, and evaluations are cut off.
#[test]
fn an_episode_that_never_ends_ends_with_the_budget() {
    let endless: fn(&mut Corridor) = |w| {
        w.step = |w, a, o| Ok(Step { terminated: false, truncated: false, ..sound_step(w, a, o)? });
    };
    let mut config = config();
    config.evaluation.max_episode_steps = 50;
    config.log.long_episode_steps = 120;
    let mut trainer = Trainer::with_envs(config.clone(), factory(endless)).unwrap();
    let (mut told, mut warned) = (0, Vec::new());
    let mut count = |event: &requel::TrainEvent<'_>| {
        told += u32::from(matches!(event, requel::TrainEvent::Progress(_)));
        if let requel::TrainEvent::LongEpisode { env_steps, env, length } = event {
            warned.push((*env_steps, *env, *length));
        }
        Ok(())
    };
    let outcome = trainer.run(&mut count).unwrap();
    assert_eq!((outcome.env_steps, outcome.episodes, told), (700, 0, 700 / 89 + 1), "and once at the end");
    // Once per episode, not at every step beyond.
    assert_eq!(warned, [(120, 0, 120)]);
    assert!(outcome.final_evaluation.lengths.iter().all(|length| *length == 50));
}

/// In each episode that gets so long, and in none that ends before.
#[test]
fn long_episodes_are_told_in_every_environment() {
    for (long, expected) in [(30, 0), (29, 700 / 30), (5, 700 / 30 + 1), (0, 0)] {
        // Always to the left: cut off after 30 steps.
        let standing: fn(&mut Corridor) = |w| w.step = |w, _, o| sound_step(w, 0, o);
        let mut config = config();
        config.log.long_episode_steps = long;
        let mut trainer = Trainer::with_envs(config, factory(standing)).unwrap();
        let mut warned = 0;
        let mut count = |event: &requel::TrainEvent<'_>| {
            warned += u64::from(matches!(event, requel::TrainEvent::LongEpisode { length, .. } if *length == long));
            Ok(())
        };
        trainer.run(&mut count).unwrap();
        assert_eq!(warned, expected, "{long}");
    }
}
