//! [`Listing`], the runs below a directory.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use requel::run::Run;

use super::entry::{Entry, Progress, State, state};
use super::request::Chosen;
use crate::report::Tail;

/// The runs below a directory. What was read of a run is cached until its files change.
#[derive(Debug)]
pub struct Listing {
    root: PathBuf,
    read: Mutex<HashMap<String, Read>>,
}

/// What was read of a run, and the position reached in its log.
#[derive(Debug)]
struct Read {
    stamp: Stamp,
    entry: Entry,
    log: Tail,
    progress: Progress,
}

/// When the files of a run that the list is made from last changed.
type Stamp = [Option<(SystemTime, u64)>; 5];

/// The files that the list is made from.
const FILES: [&str; 5] = ["config.toml", "metrics.jsonl", "summary.json", "report.html", "notes.toml"];
/// The one that only a finished run has.
const SUMMARY: usize = 2;
/// The one that grows.
const LOG: usize = 1;
/// Longer logs of finished runs are not read for a mark in the list, bytes.
const MOST_LOG: u64 = 1 << 20;
/// The maximum length of a list; the newest runs are kept.
const MOST_RUNS: usize = 2000;
/// A study has its own directory, with runs in it.
const DEEPEST: usize = 3;

impl Listing {
    /// The runs below `root`.
    pub fn new(root: PathBuf) -> Self {
        Listing { root, read: Mutex::default() }
    }

    /// The current runs, newest first. Unreadable ones are left out; links are not followed.
    pub fn runs(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        collect(&self.root, String::new(), DEEPEST, &mut found);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<Entry> = found.iter().filter_map(|(run, name)| entry(run, name, &mut read)).collect();
        if read.len() > found.len() {
            let names: std::collections::HashSet<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
            read.retain(|name, _| names.contains(name.as_str()));
        }
        entries.sort_by(|a, b| b.begun.cmp(&a.begun).then_with(|| a.name.cmp(&b.name)));
        entries.truncate(MOST_RUNS);
        entries
    }

    /// The names of the chosen runs, each once; the runs of a group in the order of their seeds. `entries` are those returned by
    /// [`Listing::runs`].
    pub fn names(chosen: &Chosen, entries: &[Entry]) -> Vec<String> {
        let mut names = Vec::new();
        for group in &chosen.groups {
            let mut members: Vec<&Entry> = entries.iter().filter(|entry| entry.group == *group).collect();
            members.sort_by_key(|entry| entry.seed);
            names.extend(members.into_iter().map(|entry| entry.name.clone()));
        }
        for run in &chosen.runs {
            if !names.contains(run) {
                names.push(run.clone());
            }
        }
        names
    }

    /// The path of the run with this name, if there is one: found by searching, never by assembling a path from the request.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let mut at = self.root.clone();
        for (depth, part) in name.split('/').enumerate() {
            let found = fs::read_dir(&at).ok()?.flatten().find(|entry| entry.file_name().to_str() == Some(part));
            let found = found.filter(|entry| depth < DEEPEST && entry.file_type().is_ok_and(|kind| kind.is_dir()))?;
            at = found.path();
        }
        Run::open(&at).ok().map(|run| run.dir().to_path_buf())
    }
}

fn collect(dir: &Path, prefix: String, depth: usize, found: &mut Vec<(Run, String)>) {
    let Ok(listed) = fs::read_dir(dir) else { return };
    for entry in listed.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let Ok(part) = entry.file_name().into_string() else { continue };
        let name = format!("{prefix}{part}");
        match Run::open(&entry.path()) {
            Ok(run) => found.push((run, name)),
            Err(_) if depth > 1 => collect(&entry.path(), name + "/", depth - 1, found),
            Err(_) => {}
        }
    }
}

fn entry(run: &Run, name: &str, read: &mut HashMap<String, Read>) -> Option<Entry> {
    let stamp = FILES.map(|file| {
        let data = fs::metadata(run.dir().join(file)).ok()?;
        Some((data.modified().ok()?, data.len()))
    });
    let before = read.remove(name);
    let now = match before {
        Some(mut before) if before.stamp == stamp => {
            // The only thing that changes with time alone.
            if before.entry.state != State::Damaged {
                before.entry.state = state(run);
            }
            before
        }
        before => {
            let (log, progress) = match before {
                Some(before) => (before.log, before.progress),
                None => (Tail::new(run.dir().join("metrics.jsonl")), Progress::default()),
            };
            let (mut log, mut progress) = (log, progress);
            // There may be no log yet; the summary of a finished run has nearly everything that the list shows.
            if stamp[SUMMARY].is_none() || stamp[LOG].is_some_and(|(_, bytes)| bytes <= MOST_LOG) {
                log.read_on(&mut progress).unwrap_or_default();
            }
            let entry = Entry::of(run, name.to_owned(), &progress)?;
            Read { stamp, entry, log, progress }
        }
    };
    let entry = now.entry.clone();
    read.insert(name.to_owned(), now);
    Some(entry)
}

#[cfg(test)]
mod tests {
    use requel::Config;

    use super::*;

    #[test]
    fn runs_are_found_also_below_a_study_and_nothing_else_is() {
        let root = tempfile::tempdir().unwrap();
        Run::create(&root.path().join("a"), &Config::default()).unwrap();
        let second = Config { preset: "default".into(), ..Config::default() };
        Run::create(&root.path().join("study/seed-1"), &second).unwrap();
        fs::create_dir(root.path().join("empty")).unwrap();
        let listing = Listing::new(root.path().to_path_buf());
        let mut runs = listing.runs();
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(runs.iter().map(|entry| &*entry.name).collect::<Vec<_>>(), ["a", "study/seed-1"]);
        assert_eq!(listing.find("study/seed-1"), Some(root.path().join("study").join("seed-1")));
        let chosen = Chosen { runs: vec!["x".into(), "a".into()], groups: vec![runs[0].group.clone()] };
        assert_eq!(Listing::names(&chosen, &runs), ["a", "study/seed-1", "x"]);
    }

    #[test]
    fn what_changed_is_read_again_and_what_is_gone_forgotten() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            Run::create(&root.path().join(name), &Config::default()).unwrap();
        }
        let listing = Listing::new(root.path().to_path_buf());
        assert_eq!(listing.runs().iter().map(|entry| entry.env_steps).sum::<u64>(), 0);
        let log = "{\"event\":\"episode\",\"env_steps\":9,\"return\":2.0}\n";
        fs::write(root.path().join("a/metrics.jsonl"), log).unwrap();
        assert_eq!(listing.runs().iter().map(|entry| entry.env_steps).sum::<u64>(), 9);
        fs::remove_dir_all(root.path().join("b")).unwrap();
        assert_eq!((listing.runs().len(), listing.read.lock().unwrap().len()), (1, 1));
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let root = tempfile::tempdir().unwrap();
        let served = root.path().join("served");
        Run::create(&root.path().join("outside"), &Config::default()).unwrap();
        Run::create(&served.join("inside"), &Config::default()).unwrap();
        let listing = Listing::new(served.clone());
        for name in ["../outside", "inside/../../outside", "/inside", "", ".", "..", "inside/", "./inside", "inside\0"]
        {
            assert_eq!(listing.find(name), None, "{name:?}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.path().join("outside"), served.join("link")).unwrap();
            assert_eq!((listing.find("link"), listing.runs().len()), (None, 1));
        }
    }
}
