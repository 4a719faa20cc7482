//! [`Entry`], what the list says of one run.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use requel::run::Run;
use requel::study::fingerprint;
use serde::Serialize;
use serde_json::Value;

use crate::report;

/// What the list says of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its path below the directory that is served, with `/` between the parts; its name in addresses.
    pub name: String,
    /// The same for all runs of one config, whatever their seeds.
    pub group: String,
    /// The world.
    pub world: String,
    /// The preset.
    pub preset: String,
    /// What is set otherwise than in the preset, such as `agent.gamma=0.95`.
    pub settings: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// How it stands.
    pub state: State,
    /// Env steps so far.
    pub env_steps: u64,
    /// Mean return of the best policy, if one was scored.
    pub best: Option<f64>,
    /// When it was begun, seconds since 1970.
    pub begun: u64,
    /// Whether there is a `report.html`.
    pub report: bool,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It came to its end.
    Finished,
    /// Its log has grown in the last seconds.
    Training,
    /// It was interrupted and can be resumed.
    Stopped,
}

/// A log that has not grown for so long is taken to be at rest.
const REST: Duration = Duration::from_secs(12);
/// As much of a log's end is read as holds the last events, bytes.
const TAIL: u64 = 16 << 10;

impl Entry {
    /// What there is to say of a run; `None` if its config is no TOML.
    pub fn of(run: &Run, name: String) -> Option<Self> {
        let path = run.dir().join("config.toml");
        let begun = modified(&path).unwrap_or(SystemTime::UNIX_EPOCH);
        let (env_steps, best) = last_events(&run.dir().join("metrics.jsonl"));
        let summary = run.summary();
        let known = Known::of(run).or_else(|| Known::told_by(&path, &name))?;
        Some(Entry {
            name,
            group: known.group,
            world: known.world,
            preset: known.preset,
            settings: known.settings,
            seed: known.seed,
            state: state(run),
            env_steps: summary.as_ref().map_or(env_steps, |summary| summary.env_steps),
            best: summary.map(|summary| summary.best_evaluation.mean_return).or(best),
            begun: begun.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs()),
            report: run.dir().join("report.html").is_file(),
        })
    }
}

/// How a run stands at this moment.
pub fn state(run: &Run) -> State {
    let rests = || Some(SystemTime::now().duration_since(modified(&run.dir().join("metrics.jsonl"))?).ok()? >= REST);
    match run.dir().join("summary.json").is_file() {
        true => State::Finished,
        false if rests() == Some(false) => State::Training,
        false => State::Stopped,
    }
}

/// What a config tells.
struct Known {
    group: String,
    world: String,
    preset: String,
    settings: Vec<String>,
    seed: u64,
}

impl Known {
    fn of(run: &Run) -> Option<Self> {
        let config = run.config().ok()?;
        let rows = report::settings(&config).into_iter().filter(|row| row.preset.is_some() && row.key != "train.seed");
        Some(Known {
            group: fingerprint(&config),
            world: config.env.id.clone(),
            preset: config.preset.clone(),
            settings: rows.map(|row| format!("{}={}", row.key, row.value.trim_matches('"'))).collect(),
            seed: config.train.seed,
        })
    }

    /// Of another version's config: a list must not fail over one run. It is in a group of its own.
    fn told_by(path: &Path, name: &str) -> Option<Self> {
        let config: toml::Table = fs::read_to_string(path).ok()?.parse().ok()?;
        let text = |table: Option<&toml::Value>, key: &str| Some(table?.get(key)?.as_str()?.to_owned());
        Some(Known {
            group: name.to_owned(),
            world: text(config.get("env"), "id").unwrap_or_default(),
            preset: config.get("preset").and_then(|v| v.as_str()).unwrap_or_default().to_owned(),
            settings: Vec::new(),
            seed: config.get("train").and_then(|t| t.get("seed")?.as_integer()).map_or(0, |seed| seed as u64),
        })
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Env steps of the last event, and the greatest evaluation among the last ones.
fn last_events(path: &Path) -> (u64, Option<f64>) {
    let read = || -> std::io::Result<String> {
        let mut file = fs::File::open(path)?;
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let (mut steps, mut best) = (0, None);
    for line in text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        steps = line["env_steps"].as_u64().unwrap_or(steps).max(steps);
        if line["event"] == "evaluation" {
            best = line["mean_return"].as_f64().into_iter().chain(best).reduce(f64::max);
        }
    }
    (steps, best)
}

#[cfg(test)]
mod tests {
    use requel::config::Layers;

    use super::*;

    #[test]
    fn the_last_events_tell_how_far_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines: String = (1..2000)
            .map(|i| format!("{{\"event\":\"evaluation\",\"env_steps\":{},\"mean_return\":{}}}\n", i * 10, i % 7))
            .collect();
        fs::write(file.path(), lines + "{\"event\":\"epi").unwrap();
        assert_eq!(last_events(file.path()), (19_990, Some(6.0)));
    }

    #[test]
    fn seeds_of_one_config_are_one_group_that_says_what_is_set() {
        let root = tempfile::tempdir().unwrap();
        let entry = |name: &str, set: &[&str]| {
            let layers = Layers::new().preset("notebook").unwrap();
            let layers = set.iter().fold(layers, |layers, setting| layers.set(setting).unwrap());
            let run = Run::create(&root.path().join(name), &layers.resolve().unwrap()).unwrap();
            Entry::of(&run, name.into()).unwrap()
        };
        let [a, b] = ["a", "b"].map(|name| entry(name, &["agent.gamma=0.95", "train.seed=3"]));
        let (c, d) = (entry("c", &["agent.gamma=0.95"]), entry("d", &[]));
        assert!(a.group == b.group && a.group == c.group && a.group != d.group);
        assert_eq!(
            (a.settings.as_slice(), a.seed, d.settings.len()),
            (["agent.gamma=0.95".to_owned()].as_slice(), 3, 0)
        );
    }

    #[test]
    fn a_config_of_another_version_is_listed_by_itself() {
        let root = tempfile::tempdir().unwrap();
        let text = "preset = \"old\"\nwhat = 1\n[env]\nid = \"CartPole-v1\"\n[train]\nseed = 4\n";
        fs::write(root.path().join("config.toml"), text).unwrap();
        let entry = Entry::of(&Run::open(root.path()).unwrap(), "old-run".into()).unwrap();
        assert_eq!((&*entry.world, &*entry.preset, &*entry.group), ("CartPole-v1", "old", "old-run"));
        assert_eq!((entry.seed, entry.state), (4, State::Stopped));
    }
}
