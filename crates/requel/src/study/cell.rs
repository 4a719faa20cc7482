//! [`Cell`], a variant in one environment; and [`TaskSpec`], the settings for one environment.

use std::collections::BTreeMap;

use super::{Seeds, Study, StudyError, Variant};
use crate::config::{Config, Layers};

/// One environment of a study that has several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskSpec {
    /// Its id.
    pub env: String,
    /// The preset that variants without a preset start from in this environment; `None`: the environment's own.
    pub preset: Option<String>,
    /// Its settings, as `key=value`, applied over those of the study.
    pub set: Vec<String>,
    /// Its seeds, in place of those of the study; a variant's own seeds take precedence.
    pub seeds: Option<Seeds>,
    /// The names of the variants that are not trained in this environment.
    pub skip: Vec<String>,
    /// The return that counts as 0; `None`: from [`known_scale`](super::known_scale).
    pub zero: Option<f64>,
    /// The return that counts as 1; `None`: from [`known_scale`](super::known_scale).
    pub one: Option<f64>,
    /// The target return; `None`: the environment's reward threshold, if it has one.
    pub aim: Option<f64>,
    /// The number of decimals of its returns.
    pub decimals: Option<usize>,
    /// Figures from other sources, by name, for use in tables.
    pub published: BTreeMap<String, String>,
}

/// A variant of a study in one of its environments.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The environment, as an index into [`Study::envs`].
    pub env: usize,
    /// The variant, as an index into [`Study::variants`].
    pub variant: usize,
    /// Its config, with the seed from its settings.
    pub config: Config,
    /// Its seeds.
    pub seeds: Seeds,
    /// The arguments with which `requel train` makes the same runs, except their seeds.
    pub arguments: Vec<String>,
}

impl Cell {
    pub(super) fn new(
        study: &Study,
        (env, task): (usize, Option<&TaskSpec>),
        variant: usize,
    ) -> Result<Self, StudyError> {
        let spec = &study.variants[variant];
        let wrong = |source| StudyError::Setting { variant: spec.name.clone(), source: Box::new(source) };
        let id = task.map_or(&study.env, |task| &task.env);
        let preset = spec.preset.as_ref().or_else(|| task?.preset.as_ref());
        let of_task: &[String] = task.map_or(&[], |task| &task.set);
        let settings = [("the study's `set`", &study.set[..]), ("its task's `set`", of_task), ("its `set`", &spec.set)];

        let mut arguments = vec!["train".to_owned(), id.clone()];
        let mut layers = Layers::new();
        if let Some(preset) = preset {
            layers = layers.preset(preset).map_err(wrong)?;
            arguments.extend(["--preset".into(), preset.clone()]);
        }
        if let Some(algorithm) = &spec.algorithm {
            layers = layers.algorithm(algorithm).map_err(wrong)?;
            arguments.extend(["--algo".into(), algorithm.clone()]);
        }
        layers = layers.set(&format!("env.id={id:?}")).map_err(wrong)?;
        for (source, settings) in settings {
            for setting in settings {
                layers = layers.set_from(source, setting).map_err(wrong)?;
                arguments.extend(["--set".into(), setting.clone()]);
            }
        }
        let config = layers.for_env().and_then(|layers| layers.resolve()).map_err(wrong)?;
        Ok(Cell { env, variant, config, seeds: seeds(study, task, spec), arguments })
    }

    /// Its name in tables of all runs: `ENVIRONMENT/VARIANT` if the study has several environments, else the variant.
    pub fn name(&self, study: &Study) -> String {
        let variant = &study.variants[self.variant].name;
        match study.tasks.get(self.env) {
            Some(task) => format!("{}/{variant}", task.env),
            None => variant.clone(),
        }
    }
}

fn seeds(study: &Study, task: Option<&TaskSpec>, variant: &Variant) -> Seeds {
    let own = variant.seeds.as_ref().or_else(|| task?.seeds.as_ref());
    own.unwrap_or(&study.seeds).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = r#"
name = "s"
seeds = "0..2"
set = ["train.env_steps=1000"]
[[task]]
env = "CartPole-v1"
preset = "notebook"
set = ["train.env_steps=2000"]
seeds = "5..8"
skip = ["c"]
[[task]]
env = "Acrobot-v1"
[[variant]]
name = "a"
[[variant]]
name = "b"
set = ["train.env_steps=3000"]
seeds = [9]
[[variant]]
name = "c"
algo = "noisy-dqn"
"#;

    #[test]
    fn a_variants_settings_lie_over_those_of_the_task_and_those_over_the_studys() {
        let study = Study::parse("s.toml", STUDY).unwrap();
        let cells = study.resolve().unwrap();
        let told = |cell: &Cell| {
            let seeds = cell.seeds.as_slice().to_vec();
            (cell.name(&study), cell.config.train.env_steps, cell.config.preset.clone(), seeds)
        };
        let expected = [
            ("CartPole-v1/a", 2000, "notebook", vec![5, 6, 7]),
            ("CartPole-v1/b", 3000, "notebook", vec![9]),
            ("Acrobot-v1/a", 1000, "acrobot", vec![0, 1]),
            ("Acrobot-v1/b", 3000, "acrobot", vec![9]),
            ("Acrobot-v1/c", 1000, "acrobot", vec![0, 1]),
        ];
        let expected = expected.map(|(name, steps, preset, seeds)| (name.to_owned(), steps, preset.to_owned(), seeds));
        assert_eq!(cells.iter().map(told).collect::<Vec<_>>(), expected);
        assert!(
            cells[4].config.network.noisy && !cells[2].config.network.noisy,
            "the algorithm is laid over the preset"
        );
    }

    #[test]
    fn what_a_preset_says_of_its_own_environment_alone_is_left_out_as_in_a_training() {
        let text = "name = \"s\"\nenv = \"CartPole-v0\"\n[[variant]]\nname = \"a\"\n[[variant]]\nname = \"b\"\npreset = \"c51\"\n";
        for cell in Study::parse("s.toml", text).unwrap().resolve().unwrap() {
            assert_eq!(cell.config.env.id, "CartPole-v0");
            assert_eq!(cell.config.evaluation.stop_return, None, "{}", cell.config.preset);
        }
    }

    #[test]
    fn its_arguments_make_the_same_config() {
        let study = Study::parse("s.toml", STUDY).unwrap();
        let cells = study.resolve().unwrap();
        let command = |at: usize| cells[at].arguments.join(" ");
        assert_eq!(
            command(1),
            "train CartPole-v1 --preset notebook --set train.env_steps=1000 --set train.env_steps=2000 --set train.env_steps=3000"
        );
        assert_eq!(command(4), "train Acrobot-v1 --algo noisy-dqn --set train.env_steps=1000");
    }
}
