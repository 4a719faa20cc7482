//! [`Study`], and the runs that it expands to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::group::settings;
use super::{Cell, Metric, Reference, Seeds, StudyError, TableSpec, TaskSpec, fingerprint};
use crate::config::Config;
use crate::registry::Registry;
use crate::run::{Made, Room, Run, RunError, check_place};

/// Variants of one training setup, each trained with the same seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Its name; also the name of its directory.
    pub name: String,
    /// Its purpose, in a sentence or two.
    pub description: String,
    /// Id of the environment; the first one if there are several.
    pub env: String,
    /// The environments with their own settings, if there are several; otherwise empty.
    pub tasks: Vec<TaskSpec>,
    /// The seeds of each variant without its own.
    pub seeds: Seeds,
    /// What counts as a run's score.
    pub metric: Metric,
    /// The evaluation return whose first reaching is timed; `None`: the environment's reward threshold, if it has one.
    pub threshold: Option<f64>,
    /// Settings of all variants, as `key=value`, applied over their presets.
    pub set: Vec<String>,
    /// The variants, in the order they are compared.
    pub variants: Vec<Variant>,
    /// Known scores of other people's runs.
    pub references: Vec<Reference>,
    /// The tables on its page in addition to the usual one.
    pub tables: Vec<TableSpec>,
}

/// One of the things that a study compares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The preset that it starts from; `None`: that of the task, or the environment's own.
    pub preset: Option<String>,
    /// The algorithm that is applied over the preset.
    pub algorithm: Option<String>,
    /// Its settings, as `key=value`, applied over those of study and task.
    pub set: Vec<String>,
    /// Its seeds, in place of those of the study.
    pub seeds: Option<Seeds>,
}

/// A planned run.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRun {
    /// Its directory.
    pub dir: PathBuf,
    /// The index of its variant.
    pub variant: usize,
    /// Its complete config, with its seed.
    pub config: Config,
}

/// The progress of a planned run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not exist.
    New,
    /// Its directory exists, and may contain a checkpoint.
    Begun,
    /// It is finished.
    Finished,
}

impl Study {
    /// The environments, first one first.
    pub fn envs(&self) -> Vec<&str> {
        match &self.tasks[..] {
            [] => vec![&self.env],
            tasks => tasks.iter().map(|task| &*task.env).collect(),
        }
    }

    /// The study of only one of its environments.
    pub fn of_env(&self, env: &str) -> Study {
        Study { env: env.into(), tasks: Vec::new(), ..self.clone() }
    }

    /// The variants that are trained in every environment, as indices into [`Study::variants`].
    pub fn everywhere(&self) -> Vec<usize> {
        let is_skipped = |name: &String| self.tasks.iter().any(|task| task.skip.contains(name));
        (0..self.variants.len()).filter(|&at| !is_skipped(&self.variants[at].name)).collect()
    }

    /// Like [`Study::resolve`], and checks that every environment exists, every agent can be created, and no two cells are the same.
    ///
    /// # Errors
    /// If an environment, a preset or a setting is unknown or does not resolve (with the variant's name), or two variants are
    /// the same.
    pub fn cells(&self, registry: &Registry) -> Result<Vec<Cell>, StudyError> {
        for env in self.envs() {
            registry.envs().make(env)?;
        }
        let cells = self.resolve()?;
        let mut known: BTreeMap<String, &str> = BTreeMap::new();
        for cell in &cells {
            let variant = &self.variants[cell.variant].name;
            if let Some(one) = known.insert(fingerprint(&cell.config), variant) {
                return Err(StudyError::SameVariant { one: one.into(), other: variant.clone() });
            }
            registry
                .trainer(cell.config.clone())
                .map_err(|source| StudyError::Trainer { variant: variant.clone(), source: Box::new(source) })?;
        }
        Ok(cells)
    }

    /// Each variant in each environment that it is trained in, one environment after the other, without checking whether they can be
    /// trained.
    ///
    /// # Errors
    /// If a preset, an algorithm or a setting is unknown or does not resolve, with the variant's name.
    pub fn resolve(&self) -> Result<Vec<Cell>, StudyError> {
        let tasks: Vec<Option<&TaskSpec>> = match &self.tasks[..] {
            [] => vec![None],
            tasks => tasks.iter().map(Some).collect(),
        };
        let mut cells = Vec::new();
        for (at, task) in tasks.into_iter().enumerate() {
            for (variant, spec) in self.variants.iter().enumerate() {
                if task.is_none_or(|task| !task.skip.contains(&spec.name)) {
                    cells.push(Cell::new(self, (at, task), variant)?);
                }
            }
        }
        Ok(cells)
    }

    /// Every run below `root`, ordered by seed, so that all variants advance together; with `seeds` in place of the study's own, if given.
    /// A variant's directory has its name and its config's [`fingerprint`]: if a variant is changed, only that variant is trained again.
    ///
    /// # Errors
    /// As [`Study::cells`], and if another run already has the place of one.
    pub fn plan(&self, root: &Path, seeds: Option<&Seeds>, registry: &Registry) -> Result<Vec<PlannedRun>, StudyError> {
        let cells = self.cells(registry)?;
        let of = |cell: &Cell| seeds.unwrap_or(&cell.seeds).as_slice().to_vec();
        let all: Vec<(&Cell, Vec<u64>)> = cells.iter().map(|cell| (cell, of(cell))).collect();
        let most = all.iter().map(|(_, seeds)| seeds.len()).max().unwrap_or(0);
        let mut runs = Vec::new();
        for at in 0..most {
            for (cell, seeds) in &all {
                let Some(&seed) = seeds.get(at) else { continue };
                let name = format!("{}-{}", self.variants[cell.variant].name, &fingerprint(&cell.config)[..8]);
                let parent = self.place(root, &cell.config.env.id).join(name);
                runs.push(PlannedRun::new(&parent, cell.variant, &cell.config, seed)?);
            }
        }
        Ok(runs)
    }

    /// The study's own seeds, whatever the variant.
    pub fn own_seeds(&self) -> Vec<u64> {
        let of_tasks = self.tasks.iter().filter_map(|task| task.seeds.as_ref());
        let of_variants = self.variants.iter().filter_map(|variant| variant.seeds.as_ref());
        let all = of_tasks.chain(of_variants).chain([&self.seeds]);
        let mut seeds: Vec<u64> = all.flat_map(|seeds| seeds.as_slice().iter().copied()).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds
    }

    /// Whether the seeds of variants differ.
    pub fn has_seeds_apart(&self) -> bool {
        let own = self.tasks.iter().map(|task| &task.seeds).chain(self.variants.iter().map(|variant| &variant.seeds));
        own.flatten().any(|seeds| *seeds != self.seeds)
    }

    /// The directory of an environment's files: `root` itself if there is only one environment.
    pub fn place(&self, root: &Path, env: &str) -> PathBuf {
        match self.tasks.is_empty() {
            true => root.to_path_buf(),
            false => root.join(env.replace('/', "-")),
        }
    }
}

impl PlannedRun {
    /// The run of `config` with `seed`, in `parent/seed-N`.
    ///
    /// # Errors
    /// If a run with another config is there, or something that is not a run.
    pub fn new(parent: &Path, variant: usize, config: &Config, seed: u64) -> Result<Self, StudyError> {
        let mut config = config.clone();
        config.train.seed = seed;
        let planned = PlannedRun { dir: parent.join(format!("seed-{seed}")), variant, config };
        if let Ok(run) = Run::open(&planned.dir) {
            planned.check_same(&run)?;
        }
        Ok(planned)
    }

    /// Its progress.
    pub fn standing(&self) -> Standing {
        match Run::open(&self.dir) {
            Err(_) => Standing::New,
            // If its summary is damaged, it is written again from the last checkpoint.
            Ok(run) if run.is_finished() => Standing::Finished,
            Ok(_) => Standing::Begun,
        }
    }

    /// The run, with what undoes its creation if it is new. Another process may be creating the same one right now: one of them creates it,
    /// and both get it.
    pub(crate) fn open_or_create(&self) -> Result<(Run, Option<Made>), StudyError> {
        for attempt in 1.. {
            if let Ok(run) = Run::open(&self.dir) {
                self.check_same(&run)?;
                return Ok((run, None));
            }
            match Run::create_for_now(&self.dir, &self.config) {
                // It is locked until its config is written.
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

/// How often a directory in which somebody is creating a run is checked before it counts as occupied.
const ATTEMPTS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(5);

/// Refuses runs that cannot start, before anything is written: an occupied place, a config that cannot be trained, a run in an environment
/// other than the registry's, a disk without room for all their checkpoints. [`train_all`](super::train_all) starts with this.
///
/// # Errors
/// The first that cannot start, or [`RunError::NoRoom`] for all together.
pub fn check_new(runs: &[PlannedRun], registry: &Registry) -> Result<(), StudyError> {
    let new: Vec<&PlannedRun> = runs.iter().filter(|run| run.standing() == Standing::New).collect();
    new.iter().try_for_each(|run| check_place(&run.dir))?;
    // Existing runs, including finished ones, must be in the same environment: they are scored together.
    for there in runs.iter().filter(|run| run.standing() != Standing::New) {
        drop(Run::open(&there.dir)?.env_factory(registry)?);
    }
    // Runs that differ only in their seeds need the same space.
    let mut alike: BTreeMap<String, (&Config, u64)> = BTreeMap::new();
    new.iter().for_each(|run| alike.entry(fingerprint(&run.config)).or_insert((&run.config, 0)).1 += 1);
    let mut room = Room::default();
    for (config, count) in alike.into_values() {
        room.add(&registry.trainer(config.clone()).map_err(RunError::from)?, count)?;
    }
    match new.first() {
        Some(first) => {
            let at_once = registry.machine().threads.min(new.len());
            Ok(room.check(first.dir.parent().unwrap_or(&first.dir), at_once)?)
        }
        None => Ok(()),
    }
}

/// The difference, as `key: there → here`.
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
