//! [`Changes`], what has changed since a page last asked: the list of runs, and the curves of the chosen runs. However many pages ask, each
//! log is read once.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use requel::run::Run;

use super::entry::{Entry, State as Standing};
use super::listing::Listing;
use super::request::{Chosen, Known};
use crate::report::Following;

/// Files are not checked again within this time: a page asks once a second.
const FRESH: Duration = Duration::from_millis(900);
/// The maximum number of runs whose curves are kept; those not requested for the longest time are dropped.
const MOST_FOLLOWED: usize = 128;
/// The maximum number of runs whose curves are sent at once.
const MOST_SENT: usize = 100;

/// What has changed.
#[derive(Clone, Debug)]
pub struct Delta {
    /// The revision that the page has after receiving this.
    pub revision: u64,
    /// The list as JSON, if it has changed.
    pub runs: Option<Arc<str>>,
    /// Names and curves, as JSON, of the runs whose logs have grown.
    pub courses: Vec<(String, Arc<str>)>,
}

/// The runs below a directory and their changes.
#[derive(Debug)]
pub struct Changes {
    listing: Listing,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Increases with each change. It starts at the time of day, so that a page that knows an earlier server receives everything.
    revision: u64,
    entries: Vec<Entry>,
    list: (u64, Arc<str>),
    listed: Option<Instant>,
    followed: HashMap<String, Followed>,
}

#[derive(Debug)]
struct Followed {
    following: Following,
    dir: PathBuf,
    course: Option<(u64, Arc<str>)>,
    /// Its log differs from the one the finished run was sealed with.
    is_damaged: bool,
    looked: Option<Instant>,
    asked: Instant,
}

impl Changes {
    /// For the runs that `listing` finds.
    pub fn new(listing: Listing) -> Self {
        let revision = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_millis() as u64);
        let (entries, list, followed) = (Vec::new(), (0, Arc::from("[]")), HashMap::new());
        Changes { listing, state: Mutex::new(State { revision, entries, list, listed: None, followed }) }
    }

    /// Where runs are found.
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// What is new to a page at revision `known`, of the list and of the chosen runs.
    pub fn since(&self, known: Known, chosen: &Chosen) -> Delta {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.look_at_list(&self.listing);
        let runs = (state.list.0 > known.list).then(|| Arc::clone(&state.list.1));
        let names = Listing::names(chosen, &state.entries);
        let mut courses = Vec::new();
        for name in names.into_iter().take(MOST_SENT) {
            if let Some((revision, course)) = state.look_at(&name)
                && revision > known.courses
            {
                courses.push((name, course));
            }
        }
        Delta { revision: state.revision, runs, courses }
    }

    /// The curves of one run as JSON, if there is such a run with a log.
    pub fn course(&self, name: &str) -> Option<Arc<str>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.look_at_list(&self.listing);
        Some(state.look_at(name)?.1)
    }
}

impl State {
    fn look_at_list(&mut self, listing: &Listing) {
        if self.listed.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        let mut entries = listing.runs();
        for entry in &mut entries {
            if self.followed.get(&entry.name).is_some_and(|followed| followed.is_damaged) {
                entry.state = Standing::Damaged;
            }
        }
        if entries != self.entries || self.list.0 == 0 {
            self.revision += 1;
            self.list = (self.revision, json(&entries));
            self.entries = entries;
        }
        self.listed = Some(Instant::now());
    }

    /// The curves of a run, and the revision of their last change.
    fn look_at(&mut self, name: &str) -> Option<(u64, Arc<str>)> {
        // The requested name is only compared with the names that were found.
        let dir = self.entries.iter().find(|entry| entry.name == name)?.dir.clone();
        let now = Instant::now();
        let known = self.followed.remove(name).filter(|followed| followed.dir == dir);
        let mut followed = known.unwrap_or_else(|| {
            let following = Following::new(&dir);
            Followed { following, dir, course: None, is_damaged: false, looked: None, asked: now }
        });
        followed.asked = now;
        if followed.looked.is_none_or(|at| at.elapsed() >= FRESH) {
            // A log that cannot be read now is shown as it was before.
            if followed.following.read_on().unwrap_or(false) {
                self.revision += 1;
                // The log of a run in training has no seal yet: then this only reads the list of seals.
                let checked = Run::open(&followed.dir).and_then(|run| run.check_file("metrics.jsonl"));
                followed.is_damaged = checked.is_err();
                let shown = checked.ok().map(|()| (self.revision, json(&followed.following.shown())));
                followed.course = shown;
            }
            followed.looked = Some(Instant::now());
        }
        let course = followed.course.clone();
        if self.followed.len() >= MOST_FOLLOWED
            && let Some(oldest) =
                self.followed.iter().min_by_key(|(_, followed)| followed.asked).map(|(name, _)| name.clone())
        {
            self.followed.remove(&oldest);
        }
        self.followed.insert(name.to_owned(), followed);
        course
    }
}

impl Delta {
    /// Everything as one JSON object.
    pub fn json(&self) -> String {
        let mut text = format!(
            "{{\"revision\":{},\"runs\":{},\"courses\":{{",
            self.revision,
            self.runs.as_deref().unwrap_or("null")
        );
        for (at, (name, course)) in self.courses.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(text, "{comma}{}:{course}", json(name)).expect("text takes all");
        }
        text + "}}"
    }
}

fn json(value: &(impl serde::Serialize + ?Sized)) -> Arc<str> {
    serde_json::to_string(value).expect("columns are plain data").into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use requel::Config;
    use requel::run::Run;
    use serde_json::Value;

    use super::*;

    fn episode(env_steps: u64) -> String {
        format!("{{\"event\":\"episode\",\"env_steps\":{env_steps},\"index\":{env_steps},\"return\":2.0}}\n")
    }

    #[test]
    fn a_page_is_told_what_it_does_not_know_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let log = |name: &str| root.path().join(name).join("metrics.jsonl");
        for name in ["a", "b"] {
            Run::create(&root.path().join(name), &Config::default()).unwrap();
            fs::write(log(name), episode(9)).unwrap();
        }
        let changes = Changes::new(Listing::new(root.path().to_path_buf()));
        let chosen = Chosen { runs: vec!["a".into(), "../a".into(), "b".into()], groups: Vec::new() };
        let expire = || {
            let mut state = changes.state.lock().unwrap();
            state.listed = None;
            state.followed.values_mut().for_each(|followed| followed.looked = None);
        };
        let names = |delta: &Delta| delta.courses.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let first = changes.since(Known::default(), &chosen);
        assert!(first.runs.is_some());
        assert_eq!(names(&first), ["a", "b"]);
        let known = Known { list: first.revision, courses: first.revision };
        for _ in 0..2 {
            let same = changes.since(known, &chosen);
            assert!(same.runs.is_none() && same.courses.is_empty() && same.revision == first.revision, "{same:?}");
            expire();
        }
        // One log grows: the list gives its length, and its curves are sent. A page that knows nothing yet is sent everything.
        fs::write(log("b"), episode(9) + &episode(18)).unwrap();
        let grown = changes.since(known, &chosen);
        let parsed: Value = serde_json::from_str(&grown.json()).unwrap();
        assert_eq!(parsed["courses"]["b"]["episodes"]["x"], serde_json::json!([9.0, 18.0]));
        assert!(parsed["runs"].as_array().unwrap().len() == 2 && names(&grown) == ["b"]);
        assert_eq!(names(&changes.since(Known::default(), &chosen)), ["a", "b"]);
        // A page that ticks another run knows the list already.
        let ticked = changes
            .since(Known { list: grown.revision, courses: 0 }, &Chosen { runs: vec!["a".into()], groups: Vec::new() });
        assert!(ticked.runs.is_none() && names(&ticked) == ["a"]);
        assert!(changes.course("a").is_some() && changes.course("../a").is_none());
    }

    #[test]
    fn curves_that_nobody_asks_for_are_forgotten() {
        let root = tempfile::tempdir().unwrap();
        for run in 0..MOST_FOLLOWED + 3 {
            let dir = root.path().join(format!("r{run}"));
            Run::create(&dir, &Config::default()).unwrap();
            fs::write(dir.join("metrics.jsonl"), episode(9)).unwrap();
        }
        let changes = Changes::new(Listing::new(root.path().to_path_buf()));
        (0..MOST_FOLLOWED + 3).for_each(|run| assert!(changes.course(&format!("r{run}")).is_some()));
        let state = changes.state.lock().unwrap();
        assert!(state.followed.len() == MOST_FOLLOWED && !state.followed.contains_key("r0"));
    }
}
