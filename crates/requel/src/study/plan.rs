//! [`Study`], and the runs that it comes to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::group::settings;
use super::{Metric, Seeds, StudyError, Task, fingerprint};
use crate::config::{Config, Layers, presets};
use crate::registry::Registry;
use crate::run::{Made, Room, Run, RunError, check_place};

/// Variants of one training, each to be trained with the same seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// What it is called; also the name of its directory.
    pub name: String,
    /// What it is for, in a sentence or two.
    pub description: String,
    /// Id of the environment; of several the first.
    pub env: String,
    /// The environments with the scales of their scores, where there are several; else empty.
    pub tasks: Vec<Task>,
    /// The seeds of each variant.
    pub seeds: Seeds,
    /// What counts as a run's score.
    pub metric: Metric,
    /// The evaluation return whose first reaching is timed; `None`: the environment's reward threshold, if it has one.
    pub threshold: Option<f64>,
    /// Settings of all variants, as `key=value`, laid over their presets.
    pub set: Vec<String>,
    /// The variants, in the order in which they are compared.
    pub variants: Vec<Variant>,
}

/// One of the things that a study compares.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// What it is called.
    pub name: String,
    /// The preset that it starts from; `None`: the environment's own.
    pub preset: Option<String>,
    /// Its settings, as `key=value`, laid over those of the study.
    pub set: Vec<String>,
}

/// A run that is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRun {
    /// Where: a directory of its own.
    pub dir: PathBuf,
    /// The variant that it is of, from 0.
    pub variant: usize,
    /// Its complete config, with its seed.
    pub config: Config,
}

/// How far a planned run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is there.
    New,
    /// Its directory is there, and may hold a checkpoint.
    Begun,
    /// It is done.
    Finished,
}

impl Study {
    /// The environments, the first one first.
    pub fn envs(&self) -> Vec<&str> {
        match &self.tasks[..] {
            [] => vec![&self.env],
            tasks => tasks.iter().map(|task| &*task.env).collect(),
        }
    }

    /// The study of one of its environments alone.
    pub fn of_env(&self, env: &str) -> Study {
        Study { env: env.into(), tasks: Vec::new(), ..self.clone() }
    }

    /// The config of each variant, in one environment after the other, with the seed that its settings come to. The agent of each can be made.
    ///
    /// # Errors
    /// If an environment, a preset or a setting is unknown or does not resolve (with the variant's name), or two variants are
    /// the same.
    pub fn configs(&self, registry: &Registry) -> Result<Vec<Config>, StudyError> {
        for env in self.envs() {
            registry.envs().make(env)?;
        }
        let configs = self.resolve()?;
        let mut known: BTreeMap<String, &str> = BTreeMap::new();
        for (variant, config) in self.variants.iter().cycle().zip(&configs) {
            if let Some(one) = known.insert(fingerprint(config), &variant.name) {
                return Err(StudyError::SameVariant { one: one.into(), other: variant.name.clone() });
            }
            registry
                .trainer(config.clone())
                .map_err(|source| StudyError::Trainer { variant: variant.name.clone(), source: Box::new(source) })?;
        }
        Ok(configs)
    }

    /// As [`Study::configs`], without a look at whether they can be trained.
    ///
    /// # Errors
    /// If a preset or a setting is unknown or does not resolve, with the variant's name.
    pub fn resolve(&self) -> Result<Vec<Config>, StudyError> {
        let in_env = |env| self.variants.iter().map(move |variant| self.config(env, variant));
        self.envs().into_iter().flat_map(in_env).collect()
    }

    /// Every run below `root`, seed after seed, so that all variants advance together. A variant's directory has its name and
    /// its config's [`fingerprint`]: a variant that is changed is trained anew, and the others are not.
    ///
    /// # Errors
    /// As [`Study::configs`], and if there is a run of another config in the place of one.
    pub fn plan(&self, root: &Path, seeds: &Seeds, registry: &Registry) -> Result<Vec<PlannedRun>, StudyError> {
        let configs = self.configs(registry)?;
        let mut runs = Vec::new();
        for &seed in seeds.as_slice() {
            for (at, config) in configs.iter().enumerate() {
                let variant = at % self.variants.len();
                let name = format!("{}-{}", self.variants[variant].name, &fingerprint(config)[..8]);
                runs.push(PlannedRun::new(&self.place(root, &config.env.id).join(name), variant, config, seed)?);
            }
        }
        Ok(runs)
    }

    /// Where what belongs to an environment lies: `root` itself, where there is no other.
    pub fn place(&self, root: &Path, env: &str) -> PathBuf {
        match self.tasks.is_empty() {
            true => root.to_path_buf(),
            false => root.join(env.replace('/', "-")),
        }
    }

    fn config(&self, env: &str, variant: &Variant) -> Result<Config, StudyError> {
        let wrong = |source| StudyError::Setting { variant: variant.name.clone(), source: Box::new(source) };
        let mut layers = Layers::new();
        if let Some(preset) = &variant.preset {
            layers = layers.preset(preset).map_err(wrong)?;
        }
        layers = layers.set(&format!("env.id={env:?}")).map_err(wrong)?;
        for assignment in &self.set {
            layers = layers.set_from("the study's `set`", assignment).map_err(wrong)?;
        }
        for assignment in &variant.set {
            layers = layers.set_from("its `set`", assignment).map_err(wrong)?;
        }
        if layers.named_preset().is_none()
            && let Some(preset) = presets::default_for(env)
        {
            layers = layers.preset(preset.name).map_err(wrong)?;
        }
        layers.resolve().map_err(wrong)
    }
}

impl PlannedRun {
    /// The run of `config` with `seed`, in `parent/seed-N`.
    ///
    /// # Errors
    /// If there is a run of another config, or something that is no run.
    pub fn new(parent: &Path, variant: usize, config: &Config, seed: u64) -> Result<Self, StudyError> {
        let mut config = config.clone();
        config.train.seed = seed;
        let planned = PlannedRun { dir: parent.join(format!("seed-{seed}")), variant, config };
        if let Ok(run) = Run::open(&planned.dir) {
            planned.check_same(&run)?;
        }
        Ok(planned)
    }

    /// How far it has come.
    pub fn standing(&self) -> Standing {
        match Run::open(&self.dir) {
            Err(_) => Standing::New,
            // One whose summary is damaged has that written again from its last checkpoint.
            Ok(run) if run.is_finished() => Standing::Finished,
            Ok(_) => Standing::Begun,
        }
    }

    /// The run, with what takes it back if it is new. Another process may be making the same at this moment: one of them makes
    /// it, and both have it.
    pub(crate) fn open_or_create(&self) -> Result<(Run, Option<Made>), StudyError> {
        for attempt in 1.. {
            if let Ok(run) = Run::open(&self.dir) {
                self.check_same(&run)?;
                return Ok((run, None));
            }
            match Run::create_for_now(&self.dir, &self.config) {
                // It is locked until its config is there.
                Err(RunError::Occupied { .. }) if attempt < ATTEMPTS => std::thread::sleep(PAUSE),
                created => return Ok(created.map(|(run, made)| (run, Some(made)))?),
            }
        }
        unreachable!("the last attempt returns")
    }

    fn check_same(&self, run: &Run) -> Result<(), StudyError> {
        let there = run.config()?;
        if fingerprint(&there) == fingerprint(&self.config) && there.train.seed == self.config.train.seed {
            return Ok(());
        }
        Err(StudyError::OtherRun { path: self.dir.clone(), differences: differences(&there, &self.config) })
    }
}

/// A directory that somebody is making a run in is looked at so often before it counts as occupied.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// Refuses runs that cannot begin, before anything is written: a place that is occupied, a config that comes to no training, a run
/// of another environment than the registry has, a disk without room for all their checkpoints. [`train_all`](super::train_all) begins with it.
///
/// # Errors
/// The first that cannot begin, or [`RunError::NoRoom`] for all together.
pub fn check_new(runs: &[PlannedRun], registry: &Registry) -> Result<(), StudyError> {
    let new: Vec<&PlannedRun> = runs.iter().filter(|run| run.standing() == Standing::New).collect();
    new.iter().try_for_each(|run| check_place(&run.dir))?;
    // Those that are there are of the same environment, finished ones too: they are scored together.
    for there in runs.iter().filter(|run| run.standing() != Standing::New) {
        drop(Run::open(&there.dir)?.env_factory(registry)?);
    }
    // Runs that differ in their seeds alone need the same.
    let mut alike: BTreeMap<String, (&Config, u64)> = BTreeMap::new();
    new.iter().for_each(|run| alike.entry(fingerprint(&run.config)).or_insert((&run.config, 0)).1 += 1);
    let mut room = Room::default();
    for (config, count) in alike.into_values() {
        room.add(&registry.trainer(config.clone()).map_err(RunError::from)?, count)?;
    }
    match new.first() {
        Some(first) => Ok(room.check(first.dir.parent().unwrap_or(&first.dir))?),
        None => Ok(()),
    }
}

/// What differs, as `key: there → here`.
fn differences(there: &Config, here: &Config) -> Vec<String> {
    let seed = |config: &Config| ("train.seed".to_owned(), config.train.seed.to_string());
    let with_seed = |config| settings(config).into_iter().chain([seed(config)]).collect::<BTreeMap<_, _>>();
    let (there, here) = (with_seed(there), with_seed(here));
    let mut keys: Vec<&String> = there.keys().chain(here.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let value = |table: &BTreeMap<String, String>, key| table.get(key).cloned().unwrap_or_else(|| "unset".into());
    keys.into_iter()
        .filter(|key| there.get(*key) != here.get(*key))
        .map(|key| format!("{key} is {}, not {}", value(&there, key), value(&here, key)))
        .collect()
}
