//! Settings of a study that have no effect where they are laid.

use super::{Cell, Study, StudyError};
use crate::config::unused;

impl Study {
    /// Its settings that have no effect in any of the configs that they are laid over, a sentence for each: those of a variant are
    /// laid over the variant's, those of a task over the task's, those of the study over all. One that some of the variants read is
    /// meant for them.
    ///
    /// # Errors
    /// As [`Study::resolve`].
    pub fn unused(&self) -> Result<Vec<String>, StudyError> {
        let cells = self.resolve()?;
        let all: Vec<&Cell> = cells.iter().collect();
        let mut said = without_effect(&self.set, &all, "the study's `set`");
        for (at, task) in self.tasks.iter().enumerate() {
            let of_task: Vec<&Cell> = cells.iter().filter(|cell| cell.env == at).collect();
            said.extend(without_effect(&task.set, &of_task, &format!("the `set` of task {}", task.env)));
        }
        for (at, variant) in self.variants.iter().enumerate() {
            let of_variant: Vec<&Cell> = cells.iter().filter(|cell| cell.variant == at).collect();
            said.extend(without_effect(&variant.set, &of_variant, &format!("the `set` of variant `{}`", variant.name)));
        }
        Ok(said)
    }
}

fn without_effect(set: &[String], cells: &[&Cell], place: &str) -> Vec<String> {
    let said = |setting: &String| {
        let key = setting.split('=').next()?.trim();
        let whys = cells.iter().map(|cell| unused(&cell.config, key)).collect::<Option<Vec<_>>>()?;
        let first = whys.first()?;
        Some(match whys.iter().all(|why| why == first) {
            true => format!("{first}, in {place}"),
            false => format!("`{key}` has no effect with any of the settings that it is laid over, in {place}"),
        })
    };
    set.iter().filter_map(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::built_ins;

    #[test]
    fn a_setting_that_no_variant_reads_is_named_with_its_place_and_others_are_not() {
        let text = r#"
name = "s"
set = ["pqn.lambda=0.5", "head.atoms=21", "target.tau=0.1", "loss.delta=2"]
[[task]]
env = "CartPole-v1"
set = ["replay.priority_cap=2"]
[[task]]
env = "Acrobot-v1"
[[variant]]
name = "plain"
preset = "notebook"
[[variant]]
name = "wide"
preset = "c51"
set = ["head.atoms=31", "network.noisy_sigma=0.1"]
"#;
        let study = Study::parse("s.toml", text).unwrap();
        let expected = [
            "`pqn.lambda` has no effect while `agent.kind` is \"dqn\", in the study's `set`",
            "`loss.delta` has no effect with any of the settings that it is laid over, in the study's `set`",
            "`replay.priority_cap` has no effect while `replay.kind` is \"uniform\", in the `set` of task CartPole-v1",
            "`network.noisy_sigma` has no effect while `network.noisy` is false, in the `set` of variant `wide`",
        ];
        assert_eq!(study.unused().unwrap(), expected);
    }

    #[test]
    fn no_study_of_this_crate_sets_what_has_no_effect() {
        for built_in in built_ins() {
            let study = Study::parse(built_in.name, built_in.toml).unwrap();
            assert_eq!(study.unused().unwrap(), [""; 0], "{}", built_in.name);
        }
    }
}
