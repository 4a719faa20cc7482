//! Every number that is not finite, at every site, at the first, a middle and the last step: training stops, names it, and
//! leaves what was saved before. These are tests alone, inside the crate, since nobody else can put numbers into learning.

use std::path::Path;

use requel_envs::{EnvError, Step, make};

use self::altered::{Alteration, Altered};
use super::{EnvFactory, TrainError, Trainer};
use crate::agent::poison;
use crate::checkpoint;
use crate::config::{Config, Layers};
use crate::run::{Control, Ending, Run, RunError, Session, verify};
use crate::storage::RealStorage;

#[path = "../../tests/ladder/altered.rs"]
mod altered;

const VALUES: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
const SITES: [&str; 4] = ["observation", "reward", "loss", "gradient"];
const SAVE_EVERY: u64 = 50;

/// What an environment gives that is not finite: where, at which of its steps, counted from 0, and what.
#[derive(Clone, Copy)]
struct Fault {
    site: &'static str,
    step: u64,
    value: f32,
}

impl Alteration for Option<Fault> {
    fn step(&mut self, life: u32, step: &mut Step, observation: &mut [f32]) -> Result<(), EnvError> {
        if let Some(Fault { site, value, .. }) = self.filter(|fault| fault.step + 1 == u64::from(life)) {
            match site {
                "observation" => observation[2] = value,
                _ => step.reward = value.into(),
            }
        }
        Ok(())
    }
}

fn trainer(config: &Config, fault: Option<Fault>) -> Trainer {
    let factory: EnvFactory = Box::new(move || Ok(Box::new(Altered::new(make("CartPole-v1")?, fault))));
    Trainer::with_envs(config.clone(), factory).unwrap()
}

/// A short training from a preset that learns from its first steps on, with a save now and then.
fn config(preset: &str, settings: &[&str]) -> Config {
    let short = [
        "train.episodes=0",
        "train.env_steps=240",
        "train.num_envs=1",
        "network.hidden=[8]",
        "evaluation.every_steps=0",
        "evaluation.every_episodes=0",
        "evaluation.final_episodes=1",
        "log.every_steps=30",
        "checkpoint.every_steps=50",
    ];
    let layers = Layers::new().preset(preset).unwrap();
    let settings = short.iter().chain(settings);
    settings.fold(layers, |layers, setting| layers.set(setting).unwrap()).resolve().unwrap()
}

fn trainings() -> [(&'static str, Config); 3] {
    let off_policy = ["replay.start=40", "replay.batch_size=16", "train.every_steps=4"];
    let distributed = ["replay.kind=prioritized", "agent.n_step=3", "optimizer.max_gradient_norm=10"];
    [
        ("dqn", config("notebook", &off_policy)),
        ("c51, prioritized, clipped", config("c51", &[&off_policy[..], &distributed].concat())),
        ("pqn", config("pqn", &["pqn.rollout_steps=16", "pqn.minibatches=4"])),
    ]
}

/// A reward that can be learned from, and that `agent.reward_scale` makes too large: the setting is named, not the environment.
#[test]
fn a_reward_that_only_its_scale_makes_infinite_is_blamed_on_the_scale() {
    for (value, scale, wanted) in [(1e30, 1e15, super::SCALED_REWARD), (-1e30, 1e15, super::SCALED_REWARD)]
        .into_iter()
        .chain(VALUES.map(|value| (value, 1e15, "reward")))
    {
        let mut config = config("notebook", &["replay.start=40"]);
        config.agent.reward_scale = scale;
        let mut trainer = trainer(&config, Some(Fault { site: "reward", step: 7, value }));
        let error = std::iter::repeat_with(|| trainer.advance(&mut ())).find_map(Result::err).unwrap();
        let TrainError::NotFinite { site, env: Some(0), .. } = error else { panic!("{error}") };
        assert_eq!(site, wanted, "{value} times {scale}");
        assert!(trainer.env_steps() <= 8);
    }
}

fn begin(dir: &Path, config: &Config, fault: Option<Fault>) -> Session {
    Session::create(dir, trainer(config, fault)).unwrap()
}

/// Trains to the end; which updates were made at which env step, counted from 0, by the step before.
fn undisturbed(config: &Config) -> (Vec<u64>, String) {
    let mut trainer = trainer(config, None);
    let mut made_at = Vec::new();
    loop {
        let before = trainer.env_steps();
        let ended = trainer.advance(&mut ()).unwrap();
        made_at.resize(trainer.updates() as usize, before);
        if ended.is_some() {
            return (made_at, trainer.weights_blake3().unwrap());
        }
    }
}

#[test]
fn every_bad_number_at_every_site_and_time_is_named_and_costs_no_checkpoint() {
    let mut tried = 0;
    for (agent, config) in trainings() {
        let (made_at, weights) = undisturbed(&config);
        let (steps, updates) = (config.train.env_steps, made_at.len());
        assert!(updates > 20, "{agent}: {updates}");
        for site in SITES {
            let in_env = ["observation", "reward"].contains(&site);
            // The step of the environment or the number of the update, and the env steps before it.
            let moments = if in_env {
                [0, steps / 2, steps - 1].map(|step| (step, step))
            } else {
                [0, updates / 2, updates - 1].map(|update| (update as u64, made_at[update]))
            };
            for ((at, before), value) in moments.into_iter().flat_map(|moment| VALUES.map(|value| (moment, value))) {
                let name = format!("{agent}: {value} in {site} {at}");
                let root = tempfile::tempdir().unwrap();
                let dir = root.path().join("run");
                let fault = in_env.then_some(Fault { site, step: at, value });
                if !in_env {
                    poison::put(site, at, value);
                }
                let error = begin(&dir, &config, fault).train(&mut (), &Control::new()).unwrap_err();
                let RunError::Train(TrainError::NotFinite { site: found, value: number, env_steps, env, action }) =
                    error
                else {
                    panic!("{name}: {error}")
                };
                assert_eq!((found, env_steps), (site, before), "{name}");
                assert_eq!((env, action.is_some()), (in_env.then_some(0), in_env), "{name}");
                // Clipping, which comes before, makes NaN of an infinite gradient.
                let clipped = site == "gradient" && config.optimizer.max_gradient_norm > 0.0;
                assert!(number.to_string() == value.to_string() || clipped && number.is_nan(), "{name}: {number}");

                let run = Run::open(&dir).unwrap();
                assert!(verify(&run).unwrap().damage.is_empty(), "{name}");
                let newest = checkpoint::newest(&RealStorage, &run.checkpoints()).unwrap();
                let kept = newest.checkpoint.map_or(0, |checkpoint| checkpoint.manifest.env_steps);
                assert_eq!((kept, newest.damaged.len()), (before / SAVE_EVERY * SAVE_EVERY, 0), "{name}");
                tried += 1;
                // What is kept depends on when it was, not on which number: one of the three is gone on from.
                if value.is_nan() {
                    let (session, _) = Session::resume_with(run, trainer(&config, None)).unwrap();
                    let ending = session.train(&mut (), &Control::new()).unwrap();
                    let Ending::Finished { summary, .. } = ending else { panic!("{name}: {ending:?}") };
                    assert_eq!(summary.weights_blake3, weights, "{name}");
                }
            }
        }
    }
    assert_eq!(tried, 3 * VALUES.len() * SITES.len() * 3);
    println!("faults put in: {tried}");
}
