//! [`group`], which groups runs by the differences between their configs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{RunRecord, fingerprint};
use crate::config::{Config, Layers};

/// Runs of one config, except for the seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What distinguishes it from the others.
    pub name: String,
    /// Its runs, in the order of their seeds.
    pub runs: Vec<RunRecord>,
}

/// Runs in groups, and those in none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grouping {
    /// The groups, in the order of their first runs.
    pub groups: Vec<Group>,
    /// Runs that are not finished.
    pub unfinished: Vec<PathBuf>,
    /// Runs with the same config and seed as another run. It is the same run, so counting it twice would claim more than is known.
    pub duplicates: Vec<PathBuf>,
}

/// Groups finished runs by config, environment and history, whatever their seeds, and names each group by the settings in which it differs
/// from the others: its preset if there are several, and the settings that differ from the preset.
pub fn group(records: Vec<RunRecord>) -> Grouping {
    let mut grouping = Grouping::default();
    let mut places: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for record in records {
        if record.summary.is_none() {
            grouping.unfinished.push(record.dir);
            continue;
        }
        let alike = places.entry([&[fingerprint(&record.config)], &record.course[..]].concat()).or_default();
        let is_same = |at: &&usize| difference(&grouping.groups[**at].runs[0], &record).is_none();
        let place = alike.iter().find(is_same).copied().unwrap_or_else(|| {
            grouping.groups.push(Group { name: String::new(), runs: Vec::new() });
            alike.push(grouping.groups.len() - 1);
            grouping.groups.len() - 1
        });
        let runs = &mut grouping.groups[place].runs;
        let seed = record.config.train.seed;
        match runs.binary_search_by_key(&seed, |run| run.config.train.seed) {
            Ok(_) => grouping.duplicates.push(record.dir),
            Err(at) => runs.insert(at, record),
        }
    }
    let names = names(&grouping.groups.iter().map(|group| &group.runs[0].config).collect::<Vec<_>>());
    for (group, name) in grouping.groups.iter_mut().zip(names) {
        let course = &group.runs[0].course;
        group.name = if course.is_empty() { name } else { format!("{name} ({})", course.join("; ")) };
    }
    for alike in places.into_values() {
        for at in alike.iter().skip(1) {
            let differs = difference(&grouping.groups[alike[0]].runs[0], &grouping.groups[*at].runs[0]);
            grouping.groups[*at].name.push_str(&format!(" (its environment {})", differs.unwrap_or_default()));
        }
    }
    grouping
}

/// How the environment of one run differs from that of another, if both recorded it.
fn difference(one: &RunRecord, other: &RunRecord) -> Option<String> {
    one.environment.as_ref()?.difference(other.environment.as_ref()?)
}

/// A name for each config that distinguishes it from the others.
fn names(configs: &[&Config]) -> Vec<String> {
    let tables: Vec<BTreeMap<String, String>> = configs.iter().map(|config| settings(config)).collect();
    let mut differing: Vec<&String> = tables.iter().flat_map(BTreeMap::keys).collect();
    differing.sort_unstable();
    differing.dedup();
    differing.retain(|key| tables.iter().any(|table| table.get(*key) != tables[0].get(*key)));
    let several_presets = configs.iter().any(|config| config.preset != configs[0].preset);

    let name = |with_all: bool| {
        let name = |(config, table): (&&Config, &BTreeMap<String, String>)| {
            let base = Layers::new().preset(&config.preset).and_then(|layers| layers.resolve()).unwrap_or_default();
            let base = settings(&base);
            let told = differing.iter().filter(|key| with_all || table.get(**key) != base.get(**key));
            let told = told.map(|key| format!("{key}={}", table.get(*key).map_or("unset", String::as_str)));
            let preset = (several_presets || !with_all).then(|| config.preset.clone());
            let parts: Vec<String> = preset.into_iter().filter(|_| several_presets).chain(told).collect();
            if parts.is_empty() { config.preset.clone() } else { parts.join(" ") }
        };
        configs.iter().zip(&tables).map(name).collect::<Vec<_>>()
    };
    let short = name(false);
    let mut sorted = short.clone();
    sorted.sort_unstable();
    // A user's own preset is not known here, so the differences from it are not known either.
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) { name(true) } else { short }
}

/// Every setting except seed and label, by its path, as TOML.
pub(super) fn settings(config: &Config) -> BTreeMap<String, String> {
    fn collect(path: &str, table: &toml::Table, found: &mut BTreeMap<String, String>) {
        for (key, value) in table {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match value {
                toml::Value::Table(inner) => collect(&path, inner, found),
                toml::Value::String(text) => drop(found.insert(path, text.clone())),
                value => drop(found.insert(path, value.to_string())),
            }
        }
    }
    let mut found = BTreeMap::new();
    collect("", &toml::Table::try_from(config).unwrap_or_default(), &mut found);
    found.remove("preset");
    found.remove("algo");
    found.remove("train.seed");
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(preset: &str, set: &[&str]) -> Config {
        let layers = Layers::new().preset(preset).unwrap();
        set.iter().fold(layers, |layers, setting| layers.set(setting).unwrap()).resolve().unwrap()
    }

    #[test]
    fn a_group_is_called_by_what_it_alone_is() {
        let of = |configs: &[Config]| names(&configs.iter().collect::<Vec<_>>());
        let one = config("cartpole", &[]);
        assert_eq!(of(std::slice::from_ref(&one)), ["cartpole"]);
        assert_eq!(of(&[one.clone(), config("cartpole", &["agent.n_step=3"])]), ["cartpole", "agent.n_step=3"]);
        assert_eq!(
            of(&[one.clone(), config("notebook", &[]), config("notebook", &["agent.gamma=0.95"])]),
            ["cartpole", "notebook", "notebook agent.gamma=0.95"]
        );
        // What all have in common tells none from another.
        let both = ["agent.gamma=0.5", "replay.start=300"];
        assert_eq!(of(&[config("notebook", &both), config("notebook", &both[..1])]), ["replay.start=300", "notebook"]);
    }

    #[test]
    fn presets_that_are_not_known_here_are_told_apart_by_every_setting() {
        let own = |gamma: &str| Config { preset: "default".into(), ..config("notebook", &[gamma]) };
        let names = names(&[&own("agent.gamma=0.8"), &own("agent.gamma=0.7")]);
        assert_eq!(names, ["agent.gamma=0.8", "agent.gamma=0.7"]);
    }

    fn finished(name: &str, id: &str, reward: f64) -> RunRecord {
        use crate::train::{EnvIdentity, EnvOrigin};
        let env = requel_envs::make("CartPole-v1").unwrap();
        let environment = EnvIdentity {
            id: id.into(),
            reward_range: Some((0.0, reward)),
            ..EnvIdentity::of(&*env, EnvOrigin::Registered)
        };
        let score = crate::run::Score { mean_return: 1.0, std_return: 0.0, episodes: 1, cut_off: 0 };
        let summary = crate::run::Summary {
            termination: crate::train::Termination::BudgetUsed,
            env_steps: 1,
            updates: 1,
            episodes: 1,
            skipped: 0,
            inexact_resumes: 0,
            train_return_last_100: None,
            best_evaluation: score,
            best_env_steps: 1,
            final_evaluation: score,
            goal: None,
            confirmation: None,
            weights_blake3: String::new(),
            device: None,
        };
        RunRecord {
            dir: name.into(),
            config: config("cartpole", &[]),
            environment: Some(environment),
            course: Vec::new(),
            summary: Some(summary),
            evaluations: Vec::new(),
            wall_seconds: None,
        }
    }

    #[test]
    fn runs_of_one_config_in_two_environments_of_one_id_are_two_groups() {
        let grouping = group(vec![finished("a", "Mine-v0", 1.0), finished("b", "Mine-v0", 2.0)]);
        let names: Vec<&str> = grouping.groups.iter().map(|group| &*group.name).collect();
        assert_eq!(names, ["cartpole", "cartpole (its environment has rewards of 0 to 2, not 0 to 1)"]);
        // The same seed in the same environment is the same run; in another it is not.
        assert!(grouping.duplicates.is_empty());
        let grouping = group(vec![finished("a", "Mine-v0", 1.0), finished("b", "Mine-v0", 1.0)]);
        assert_eq!((grouping.groups.len(), grouping.duplicates.len()), (1, 1));
    }
}
