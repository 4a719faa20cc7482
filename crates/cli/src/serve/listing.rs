//! [`Listing`], the runs below a directory.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use requel::run::Run;
use serde::Serialize;
use serde_json::Value;

/// What the list says of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its path below the directory that is served, with `/` between the parts; its name in addresses.
    pub name: String,
    /// The world.
    pub world: String,
    /// The preset.
    pub preset: String,
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

/// No list is longer; the newest runs are kept.
const MOST_RUNS: usize = 2000;
/// A study lies in a directory of its own, with runs in it.
const DEEPEST: usize = 3;
/// A log that has not grown for so long is taken to be at rest.
const REST: Duration = Duration::from_secs(12);
/// As much of a log's end is read as holds the last events, bytes.
const TAIL: u64 = 16 << 10;

/// The runs below `root`, the newest first. What cannot be read is left out; links are not followed.
pub fn runs(root: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    collect(root, String::new(), DEEPEST, &mut entries);
    entries.sort_by(|a, b| b.begun.cmp(&a.begun).then_with(|| a.name.cmp(&b.name)));
    entries.truncate(MOST_RUNS);
    entries
}

/// Where the run of this name is, if there is one: found by looking, never by putting a path together from what was asked.
pub fn find(root: &Path, name: &str) -> Option<PathBuf> {
    let mut at = root.to_path_buf();
    for (depth, part) in name.split('/').enumerate() {
        let found = fs::read_dir(&at).ok()?.flatten().find(|entry| entry.file_name().to_str() == Some(part));
        let found = found.filter(|entry| depth < DEEPEST && entry.file_type().is_ok_and(|kind| kind.is_dir()))?;
        at = found.path();
    }
    Run::open(&at).ok().map(|run| run.dir().to_path_buf())
}

fn collect(dir: &Path, prefix: String, depth: usize, entries: &mut Vec<Entry>) {
    let Ok(listed) = fs::read_dir(dir) else { return };
    for entry in listed.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let Ok(part) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{part}");
        match Run::open(&entry.path()) {
            Ok(run) => entries.extend(describe(&run, name)),
            Err(_) if depth > 1 => collect(&entry.path(), name + "/", depth - 1, entries),
            Err(_) => {}
        }
    }
}

fn describe(run: &Run, name: String) -> Option<Entry> {
    let path = run.dir().join("config.toml");
    // Not the whole config: a list must not fail over one run of another version.
    let config: toml::Table = fs::read_to_string(&path).ok()?.parse().ok()?;
    let text = |table: Option<&toml::Value>, key: &str| Some(table?.get(key)?.as_str()?.to_owned());
    let begun = fs::metadata(&path).and_then(|m| m.modified()).ok().unwrap_or(SystemTime::UNIX_EPOCH);
    let (env_steps, best) = last_events(&run.dir().join("metrics.jsonl"));
    let summary = run.summary();
    let state = match (&summary, age(&run.dir().join("metrics.jsonl")).is_some_and(|age| age < REST)) {
        (Some(_), _) => State::Finished,
        (None, true) => State::Training,
        (None, false) => State::Stopped,
    };
    Some(Entry {
        name,
        world: text(config.get("env"), "id").unwrap_or_default(),
        preset: config.get("preset").and_then(|v| v.as_str()).unwrap_or_default().to_owned(),
        seed: config.get("train").and_then(|t| t.get("seed")?.as_integer()).map_or(0, |seed| seed as u64),
        state,
        env_steps: summary.as_ref().map_or(env_steps, |summary| summary.env_steps),
        best: summary.map(|summary| summary.best_evaluation.mean_return).or(best),
        begun: begun.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs()),
        report: run.dir().join("report.html").is_file(),
    })
}

fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(fs::metadata(path).ok()?.modified().ok()?).ok()
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
    use requel::Config;

    use super::*;

    #[test]
    fn runs_are_found_also_below_a_study_and_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        Run::create(&root.path().join("a"), &Config::default()).unwrap();
        Run::create(&root.path().join("study/seed-1"), &Config::default()).unwrap();
        fs::create_dir(root.path().join("empty")).unwrap();
        let mut names: Vec<String> = runs(root.path()).into_iter().map(|entry| entry.name).collect();
        names.sort();
        assert_eq!(names, ["a", "study/seed-1"]);
        assert_eq!(find(root.path(), "study/seed-1"), Some(root.path().join("study").join("seed-1")));
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let root = tempfile::tempdir().unwrap();
        let served = root.path().join("served");
        Run::create(&root.path().join("outside"), &Config::default()).unwrap();
        Run::create(&served.join("inside"), &Config::default()).unwrap();
        for name in ["../outside", "inside/../../outside", "/inside", "", ".", "..", "inside/", "./inside", "inside\0"]
        {
            assert_eq!(find(&served, name), None, "{name:?}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.path().join("outside"), served.join("link")).unwrap();
            assert_eq!((find(&served, "link"), runs(&served).len()), (None, 1));
        }
    }

    #[test]
    fn the_last_events_tell_how_far_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines: String = (1..2000)
            .map(|i| format!("{{\"event\":\"evaluation\",\"env_steps\":{},\"mean_return\":{}}}\n", i * 10, i % 7))
            .collect();
        fs::write(file.path(), lines + "{\"event\":\"epi").unwrap();
        assert_eq!(last_events(file.path()), (19_990, Some(6.0)));
    }
}
