//! [`Entry`], what the list shows of one run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use requel::diagnose::checks::{collapse, value_bound};
use requel::diagnose::{EndOfTraining, Evidence, Thinning};
use requel::run::{Run, Summary};
use requel::storage::read_regular_text;
use requel::study::fingerprint;
use requel::train::{Aggregates, EventRecord};
use serde::Serialize;

use crate::notes::Notes;
use crate::report::{self, Lines};
use crate::runs;

/// What the list shows of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its path below the served directory, with `/` between the parts; its name in addresses.
    pub name: String,
    /// The same for all runs with one config, whatever their seeds.
    pub group: String,
    /// The environment.
    pub env: String,
    /// The preset.
    pub preset: String,
    /// Settings that differ from the preset, such as `agent.gamma=0.95`.
    pub settings: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// Its status.
    pub state: State,
    /// Env steps so far.
    pub env_steps: u64,
    /// The best score so far during training, if the run is not finished.
    pub chosen_by: Option<f64>,
    /// The score of the best policy on fresh episodes, once the run is finished.
    pub best: Option<f64>,
    /// The score of the final policy on the same episodes.
    pub last: Option<f64>,
    /// The bounds of all possible values, if known.
    pub value_bounds: Option<[f64; 2]>,
    /// The checks that find something in its log and its summary; `requel diagnose` examines more.
    pub trouble: Vec<&'static str>,
    /// The number of these episodes.
    pub fresh_episodes: Option<usize>,
    /// The user's notes on it.
    pub notes: Notes,
    /// Where it is.
    #[serde(skip)]
    pub dir: PathBuf,
    /// When it was started, seconds since 1970.
    pub begun: u64,
    /// Whether there is a `report.html`.
    pub report: bool,
}

/// The status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is finished.
    Finished,
    /// A process holds its lock.
    Training,
    /// It was interrupted and can be resumed.
    Stopped,
    /// Its config, its summary or its log was changed; `requel verify` says more.
    Damaged,
}

/// The maximum size of a config, bytes.
const MOST_CONFIG: u64 = 1 << 20;

impl Entry {
    /// The entry of a run; `None` if its config is not TOML.
    pub fn of(run: &Run, name: String, progress: &Progress) -> Option<Self> {
        let path = run.dir().join("config.toml");
        let begun = modified(&path).unwrap_or(SystemTime::UNIX_EPOCH);
        let summary = run.summary();
        let is_damaged = summary.is_err() || run.check_file("config.toml").is_err();
        let summary = summary.unwrap_or_default();
        let known = Known::of(run).or_else(|| Known::told_by(&path, &name))?;
        Some(Entry {
            name,
            group: known.group,
            env: known.env,
            preset: known.preset,
            settings: known.settings,
            seed: known.seed,
            trouble: known.evidence.as_ref().map_or(Vec::new(), |known| trouble(known, progress, summary.as_ref())),
            value_bounds: known.evidence.and_then(|known| known.bounds()).map(|bounds| [bounds.low, bounds.high]),
            state: if is_damaged { State::Damaged } else { state(run) },
            env_steps: summary.as_ref().map_or(progress.env_steps, |summary| summary.env_steps),
            chosen_by: progress.best.filter(|_| summary.is_none()),
            best: summary.as_ref().map(|summary| summary.best_evaluation.mean_return),
            last: summary.as_ref().map(|summary| summary.final_evaluation.mean_return),
            fresh_episodes: summary.as_ref().map(|summary| summary.best_evaluation.episodes),
            // A file that does not contain notes is ignored: the list must not fail because of it.
            notes: Notes::read(run.dir()).unwrap_or_default(),
            dir: run.dir().to_path_buf(),
            begun: begun.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs()),
            report: run.dir().join("report.html").is_file(),
        })
    }
}

/// The status of a run now. A process may train for a long time without writing: its lock tells, not a clock.
pub fn state(run: &Run) -> State {
    match run.dir().join("summary.json").is_file() {
        true => State::Finished,
        false if run.is_in_use() => State::Training,
        false => State::Stopped,
    }
}

/// Findings that need no checkpoint: an impossible mean Q, and a final policy that lost what the best one had.
fn trouble(known: &Evidence, progress: &Progress, summary: Option<&Summary>) -> Vec<&'static str> {
    let line = |&(env_steps, mean_q)| Aggregates { env_steps, mean_q: Some(mean_q), ..Aggregates::default() };
    let evidence = Evidence {
        course: progress.course.iter().map(line).collect(),
        ending: summary.map(|summary| EndOfTraining {
            termination: summary.termination,
            best: summary.best_evaluation,
            last: summary.final_evaluation,
        }),
        ..known.clone()
    };
    [value_bound::check(&evidence), collapse::check(&evidence)].into_iter().flatten().map(|found| found.check).collect()
}

/// What a config says.
struct Known {
    group: String,
    env: String,
    preset: String,
    settings: Vec<String>,
    seed: u64,
    /// Its config and its environment, if this program has it.
    evidence: Option<Evidence>,
}

impl Known {
    fn of(run: &Run) -> Option<Self> {
        let config = run.config().ok()?;
        let rows = report::settings(&config).into_iter().filter(|row| row.preset.is_some() && row.key != "train.seed");
        Some(Known {
            group: fingerprint(&config),
            env: config.env.id.clone(),
            preset: config.label().to_owned(),
            settings: rows.map(|row| format!("{}={}", row.key, row.value.trim_matches('"'))).collect(),
            seed: config.train.seed,
            evidence: runs::environment(run).and_then(|env| {
                let actions = env.action_count()?;
                Some(Evidence::new(config, env.spec(), actions))
            }),
        })
    }

    /// A config of another version: the list must not fail because of one run. It forms its own group.
    fn told_by(path: &Path, name: &str) -> Option<Self> {
        let config: toml::Table = read_regular_text(path, MOST_CONFIG).ok()?.parse().ok()?;
        let text = |table: Option<&toml::Value>, key: &str| Some(table?.get(key)?.as_str()?.to_owned());
        Some(Known {
            group: name.to_owned(),
            env: text(config.get("env"), "id").unwrap_or_default(),
            preset: config.get("preset").and_then(|v| v.as_str()).unwrap_or_default().to_owned(),
            settings: Vec::new(),
            seed: config.get("train").and_then(|t| t.get("seed")?.as_integer()).map_or(0, |seed| seed as u64),
            evidence: None,
        })
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// The progress of a run according to its log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Env steps of the last event.
    pub env_steps: u64,
    /// The greatest mean return of an evaluation.
    pub best: Option<f64>,
    /// Env steps and mean Q, from enough lines for a check to see the trend.
    course: Vec<(u64, f64)>,
    thinning: Thinning,
}

impl Lines for Progress {
    fn line(&mut self, line: &[u8]) {
        self.env_steps = env_steps(line).unwrap_or(0).max(self.env_steps);
        if line.starts_with(EventRecord::EPISODE) {
            return;
        }
        match EventRecord::read(line) {
            Some(EventRecord::Evaluation { score, .. }) => {
                self.best = self.best.into_iter().chain([score.mean_return]).reduce(f64::max);
            }
            Some(EventRecord::Train(Aggregates { mean_q: Some(mean_q), .. })) => {
                self.thinning.push(&mut self.course, (self.env_steps, mean_q));
            }
            _ => {}
        }
    }

    fn restart(&mut self) {
        *self = Progress::default();
    }
}

/// The env steps of an event, without parsing its line: they come right after its name.
fn env_steps(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b"\"env_steps\":";
    let at = line.windows(KEY.len()).take(64).position(|window| window == KEY)? + KEY.len();
    let digits = line[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&line[at..at + digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use requel::config::Layers;

    use super::*;

    #[test]
    fn values_that_cannot_be_are_marked() {
        let root = tempfile::tempdir().unwrap();
        let run =
            Run::create(&root.path().join("a"), &Layers::new().preset("dqn").unwrap().resolve().unwrap()).unwrap();
        let marked = |mean_q: f64| {
            let mut progress = Progress::default();
            for i in 1..1000 {
                let line = format!("{{\"event\":\"train\",\"env_steps\":{},\"mean_q\":{mean_q}}}\n", i * 1000);
                progress.line(line.as_bytes());
            }
            assert!((128..=256).contains(&progress.course.len()), "{}", progress.course.len());
            let entry = Entry::of(&run, "a".into(), &progress).unwrap();
            assert_eq!(entry.value_bounds.map(|[low, high]| (low, high.round())), Some((0.0, 100.0)));
            entry.trouble
        };
        assert_eq!((marked(99.0), marked(250.0)), (vec![], vec!["value-bound"]));
    }

    #[test]
    fn the_log_tells_how_far_it_is() {
        let mut progress = Progress::default();
        for i in 1..2000 {
            let line = format!("{{\"event\":\"evaluation\",\"env_steps\":{},\"mean_return\":{}}}\n", i * 10, i % 7);
            progress.line(line.as_bytes());
        }
        progress.line(b"{\"event\":\"episode\",\"env_steps\":20003,\"index\":7,\"return\":90.0}\n");
        progress.line(b"what is this");
        assert_eq!((progress.env_steps, progress.best), (20_003, Some(6.0)));
    }

    /// However long it has said nothing: who trains holds the lock, and a log says nothing of that.
    #[test]
    fn the_lock_tells_whether_a_run_is_training() {
        let root = tempfile::tempdir().unwrap();
        let run = Run::create(&root.path().join("a"), &Layers::new().resolve().unwrap()).unwrap();
        fs::write(run.dir().join("metrics.jsonl"), "").unwrap();
        assert_eq!(state(&run), State::Stopped);
        let lock = fs::File::create(run.dir().join(".lock")).unwrap();
        lock.lock().unwrap();
        assert_eq!(state(&run), State::Training);
        drop(lock);
        assert_eq!(state(&run), State::Stopped);
    }

    #[test]
    fn seeds_of_one_config_are_one_group_that_says_what_is_set() {
        let root = tempfile::tempdir().unwrap();
        let entry = |name: &str, set: &[&str]| {
            let layers = Layers::new().preset("notebook").unwrap();
            let layers = set.iter().fold(layers, |layers, setting| layers.set(setting).unwrap());
            let run = Run::create(&root.path().join(name), &layers.resolve().unwrap()).unwrap();
            Entry::of(&run, name.into(), &Progress::default()).unwrap()
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
        let entry = Entry::of(&Run::open(root.path()).unwrap(), "old-run".into(), &Progress::default()).unwrap();
        assert_eq!((&*entry.env, &*entry.preset, &*entry.group), ("CartPole-v1", "old", "old-run"));
        assert_eq!((entry.seed, entry.state), (4, State::Stopped));
    }
}
