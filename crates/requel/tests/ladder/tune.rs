//! Searches: the same end however often they are interrupted and on however many threads, and runs that a pause does not change.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use requel::Registry;
use requel::config::Layers;
use requel::run::{Control, Ending, Run, Session};
use requel::study::Crew;
use requel::train::{Observer, ObserverError, TrainEvent};
use requel::tune::{
    News, Rungs, Sampler, Search, SearchBudget, Space, Trial, TuneAudience, TuneError, TuneFile, Tuned,
};

use crate::support::files;

/// Six short trials of the notebook's training on two rungs.
fn search() -> Search {
    let rungs = Rungs { env_steps: 600, count: 2, reduction: 3, seeds: 1 };
    let settings = ["evaluation.episodes=2", "evaluation.final_episodes=3", "checkpoint.every_steps=200"];
    let layers = Layers::new().preset("notebook").unwrap();
    let layers = settings.iter().fold(layers, |layers, setting| layers.set(setting).unwrap());
    let base = rungs.apply(&layers.resolve().unwrap());
    let budget = SearchBudget::Trials(6);
    Search { space: Space::declared(&base), sampler: Sampler::Tpe, seed: 4, jobs: 3, budget, rungs }
}

fn conduct(search: &Search, dir: &Path, threads: usize) -> Tuned {
    let (registry, control) = (Registry::built_in(), Control::new());
    search.conduct(dir, Crew { registry: &registry, threads, control: &control }, &()).unwrap().unwrap()
}

/// Asks to stop after so many episodes, and counts what was known.
struct Stopping {
    control: Control,
    left: AtomicUsize,
    known: AtomicUsize,
    order: Mutex<Vec<(usize, usize)>>,
}

struct Episodes<'a>(&'a Stopping);

impl Observer for Episodes<'_> {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if matches!(event, TrainEvent::EpisodeEnded { .. })
            && self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
        {
            self.0.control.request_stop();
        }
        Ok(())
    }
}

impl TuneAudience for Stopping {
    fn begins(&self, _: usize, _: &Session) -> Box<dyn Observer + '_> {
        Box::new(Episodes(self))
    }

    fn reached(&self, trial: &Trial, news: News) {
        self.known.fetch_add(usize::from(news == News::Known), Ordering::Relaxed);
        self.order.lock().unwrap().push((trial.number, trial.rungs.len()));
    }
}

fn stopping_after(episodes: usize) -> Stopping {
    let (left, known) = (AtomicUsize::new(episodes), AtomicUsize::new(0));
    Stopping { control: Control::new(), left, known, order: Mutex::default() }
}

#[test]
fn stopped_again_and_again_and_on_other_threads_it_comes_to_the_same_end() {
    let dir = tempfile::tempdir().unwrap();
    let (search, registry) = (search(), Registry::built_in());
    let whole = conduct(&search, &dir.path().join("whole"), 1);
    assert_eq!(whole.trials.len(), 6);
    let mut last = None;
    for threads in (1..).take(100) {
        let audience = stopping_after(100);
        let crew = Crew { registry: &registry, threads: threads % 3 + 1, control: &audience.control };
        last = search.conduct(&dir.path().join("stopped"), crew, &audience).unwrap();
        if last.is_some() {
            assert!(threads > 2, "it was never stopped");
            assert!(audience.known.into_inner() > 3, "it has found all of it out again");
            break;
        }
    }
    assert_eq!(last.unwrap(), whole);
}

#[test]
fn the_order_is_that_of_the_search_and_not_of_the_threads() {
    let order = |threads: usize| {
        let dir = tempfile::tempdir().unwrap();
        let audience = stopping_after(usize::MAX);
        let crew = Crew { registry: &Registry::built_in(), threads, control: &audience.control };
        let tuned = search().conduct(dir.path(), crew, &audience).unwrap().unwrap();
        (audience.order.into_inner().unwrap(), tuned)
    };
    assert_eq!(order(1), order(3));
}

#[test]
fn a_run_that_was_paused_at_a_rung_is_the_run_that_never_was() {
    let dir = tempfile::tempdir().unwrap();
    let search = search();
    let tuned = conduct(&search, &dir.path().join("search"), 2);
    let (winner, seed) = (tuned.winner(), tuned.score().seeds[0]);
    let paused = dir.path().join(format!("search/trials/{:04}/seed-{seed}", winner.number));
    let mut config = winner.config.clone();
    config.train.seed = seed;
    let session = Session::begin(Run::create(&dir.path().join("whole"), &config).unwrap()).unwrap();
    let ending = session.train(&mut (), &Control::new()).unwrap();
    assert!(matches!(ending, Ending::Finished { .. }));
    let bits = |run: &Path| -> Vec<(String, Vec<u8>)> {
        let of_the_result = ["config.toml", "summary.json", "metrics.jsonl", "progress.csv", "best/policy.safetensors"];
        let kept = |name: &str| {
            of_the_result.contains(&name) || name.starts_with("checkpoints/") && name.ends_with(".safetensors")
        };
        files(run).into_iter().filter(|(name, _)| kept(name)).collect()
    };
    let (paused, whole) = (bits(&paused), bits(&dir.path().join("whole")));
    assert!(whole.len() > 6);
    for ((name, one), (other_name, other)) in paused.iter().zip(&whole) {
        assert_eq!(name, other_name);
        assert!(one == other, "{name} differs");
    }
    assert_eq!(paused.len(), whole.len());
}

#[test]
fn a_larger_budget_goes_on_with_what_is_there_and_another_search_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let rungs = Rungs { env_steps: 400, count: 1, ..search().rungs };
    let with = |trials: u64| Search { rungs, budget: SearchBudget::Trials(trials), ..search() };
    let three = conduct(&with(3), dir.path(), 1);
    let four = conduct(&with(4), dir.path(), 1);
    assert_eq!(four.trials[..3], three.trials[..]);
    let registry = Registry::built_in();
    let again = |search: &Search, dir: &Path| {
        let control = Control::new();
        search.conduct(dir, Crew { registry: &registry, threads: 1, control: &control }, &()).unwrap_err()
    };
    let error = again(&Search { seed: 9, jobs: 1, ..with(4) }, dir.path());
    assert_eq!(error.to_string(), format!("{} holds another search: jobs, seed differ", dir.path().display()));
    assert!(error.hint().is_some());
    let written = || ["search.json", "journal.jsonl"].map(|name| std::fs::read(dir.path().join(name)).unwrap());
    let before = written();
    for smaller in [with(3), Search { budget: SearchBudget::EnvSteps(800), ..with(4) }] {
        let refused = again(&smaller, dir.path());
        assert!(matches!(refused, TuneError::FewerTrials { there: 4, .. }), "{refused}");
        assert!(refused.hint().is_some_and(|hint| hint.contains("a larger one")));
        assert!(written() == before, "it has written something");
    }
    let occupied = again(&with(3), &dir.path().join("trials"));
    assert!(matches!(occupied, TuneError::Occupied { .. }), "{occupied}");
}

#[test]
fn a_budget_in_env_steps_is_kept_but_for_the_first_trial() {
    let dir = tempfile::tempdir().unwrap();
    for (budget, most) in [(1, 600), (9_000, 9_000), (20_000, 20_000)] {
        let search = Search { budget: SearchBudget::EnvSteps(budget), ..search() };
        let tuned = conduct(&search, &dir.path().join(budget.to_string()), 2);
        assert!(tuned.env_steps <= most, "{budget}: {}", tuned.env_steps);
        assert!(tuned.env_steps > most / 2 && tuned.score().env_steps == 600, "{budget}: {}", tuned.env_steps);
    }
}

#[test]
fn a_clock_drops_no_trial_that_is_known_and_says_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    // As a search that was killed after most of its time: none of what it has found out was decided by a clock.
    let known = conduct(&search(), dir.path(), 2);
    let journal = || std::fs::read_to_string(dir.path().join("journal.jsonl")).unwrap();
    let before = journal();
    let minutes = |minutes| Search { budget: SearchBudget::Minutes(minutes), ..search() };
    let over = conduct(&minutes(1e-6), dir.path(), 2);
    assert_eq!(over, known);
    assert_ne!(journal(), before, "what the clock has said is written down");
    let before = journal();
    assert_eq!(conduct(&minutes(1e-6), dir.path(), 1), over);
    assert_eq!(conduct(&minutes(1e-7), dir.path(), 1), over, "fewer minutes were over before");
    assert_eq!(journal(), before);
}

#[test]
fn a_trial_whose_training_fails_is_told_and_does_not_win() {
    let dir = tempfile::tempdir().unwrap();
    let mut search = search();
    search.rungs.count = 1;
    let file = TuneFile::parse("mine.toml", "[keys]\noptimizer.learning_rate = [0.001, 1e30, 1e29, 1e28]").unwrap();
    search.space = file.search(search.space.start()).unwrap().space;
    search.sampler = Sampler::Random;
    let tuned = conduct(&search, dir.path(), 2);
    let failed: Vec<&Trial> = tuned.trials.iter().filter(|trial| trial.failure.is_some()).collect();
    assert!(!failed.is_empty() && failed.len() < 6, "{}", failed.len());
    assert!(failed.iter().all(|trial| trial.settings["optimizer.learning_rate"].as_float() >= Some(1e28)));
    assert!(tuned.winner().failure.is_none());
    assert_eq!(conduct(&search, dir.path(), 1), tuned, "the journal knows that they failed");
}
