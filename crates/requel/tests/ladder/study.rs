//! Many runs at once, and studies: each run is the run it would be alone, and nothing is trained twice.

use std::path::Path;
use std::sync::Mutex;

use requel::Registry;
use requel::config::Config;
use requel::run::{Control, Ending, Run, RunError, Session};
use requel::stats::Bootstrap;
use requel::study::{
    Audience, Caveat, Comparison, Crew, Metric, PlannedRun, RunRecord, Scoring, Standing, Study, StudyError, find_runs,
    group,
};
use requel::train::{Observer, ObserverError, TrainEvent};

use crate::support::{files, short_training};

/// All that is in a run but what depends on the clock: times, TensorBoard's events with theirs, and manifests with their
/// hashes.
pub fn timeless(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let clock = |name: &String| {
        ["timing.csv", "checksums.blake3", "provenance.json"].contains(&name.as_str())
            || name.contains("tensorboard/")
            || name.contains("/manifest.")
    };
    files(dir).into_iter().filter(|(name, _)| !clock(name)).collect()
}

fn train_all(
    runs: &[PlannedRun],
    threads: usize,
    control: &Control,
    audience: &dyn Audience,
) -> Result<Vec<Option<Result<Ending, RunError>>>, StudyError> {
    requel::study::train_all(runs, Crew { registry: &Registry::built_in(), threads, control }, audience)
}

fn planned(root: &Path, config: &Config, seeds: std::ops::Range<u64>) -> Vec<PlannedRun> {
    seeds.map(|seed| PlannedRun::new(root, 0, config, seed).unwrap()).collect()
}

/// Asks to stop when any of the runs has come to some env steps.
struct Stopping {
    control: Control,
    at: u64,
    begun: Mutex<Vec<u64>>,
}

struct StopAt<'a>(&'a Stopping);

impl Observer for StopAt<'_> {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if matches!(event, TrainEvent::EpisodeEnded { env_steps, .. } if *env_steps >= self.0.at) {
            self.0.control.request_stop();
        }
        Ok(())
    }
}

impl Audience for Stopping {
    fn begins(&self, _: usize, session: &Session) -> Box<dyn Observer + '_> {
        self.begun.lock().unwrap().push(session.trainer().env_steps());
        Box::new(StopAt(self))
    }

    fn ends(&self, _: usize, _: &Result<Ending, RunError>) {}
}

#[test]
fn runs_side_by_side_are_the_runs_they_would_be_alone() {
    let root = tempfile::tempdir().unwrap();
    let config = short_training("cartpole, 1 environments");
    let runs = planned(&root.path().join("together"), &config, 0..4);
    let endings = train_all(&runs, 3, &Control::new(), &()).unwrap();
    assert!(endings.iter().all(|ending| matches!(ending, Some(Ok(Ending::Finished { .. })))));
    for planned in &runs {
        let alone = Run::create(&root.path().join("alone"), &planned.config).unwrap();
        Session::begin(alone.clone()).unwrap().train(&mut (), &Control::new()).unwrap();
        let (one, other) = (timeless(alone.dir()), timeless(&planned.dir));
        assert!(one.len() > 8 && one == other, "seed {}", planned.config.train.seed);
        std::fs::remove_dir_all(alone.dir()).unwrap();
    }
}

#[test]
fn what_is_stopped_goes_on_and_what_is_finished_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let config = short_training("notebook, 1 environments");
    let whole = planned(&root.path().join("whole"), &config, 0..3);
    train_all(&whole, 1, &Control::new(), &()).unwrap();

    let runs = planned(&root.path().join("stopped"), &config, 0..3);
    train_all(&runs[..1], 1, &Control::new(), &()).unwrap();
    let untouched = std::fs::metadata(runs[0].dir.join("summary.json")).unwrap().modified().unwrap();
    let stopping = Stopping { control: Control::new(), at: 300, begun: Mutex::default() };
    let endings = train_all(&runs, 1, &stopping.control, &stopping).unwrap();
    assert!(matches!(endings[..], [None, Some(Ok(Ending::Interrupted { .. })), None]));
    let standings: Vec<Standing> = runs.iter().map(PlannedRun::standing).collect();
    // The third has its directory, so that it is known to be wanted.
    assert_eq!(standings, [Standing::Finished, Standing::Begun, Standing::Begun]);

    let watching = Stopping { control: Control::new(), at: u64::MAX, begun: Mutex::default() };
    train_all(&runs, 1, &watching.control, &watching).unwrap();
    let begun = watching.begun.into_inner().unwrap();
    assert!(begun.len() == 2 && begun[0] >= 300 && begun[1] == 0, "{begun:?}");
    assert_eq!(std::fs::metadata(runs[0].dir.join("summary.json")).unwrap().modified().unwrap(), untouched);
    for (one, other) in whole.iter().zip(&runs) {
        assert!(timeless(&one.dir) == timeless(&other.dir), "seed {}", one.config.train.seed);
    }
}

#[test]
fn one_that_fails_does_not_keep_the_others() {
    let root = tempfile::tempdir().unwrap();
    let runs = planned(root.path(), &short_training("notebook-naive, 1 environments"), 0..3);
    Run::create(&runs[1].dir, &runs[1].config).unwrap();
    std::fs::create_dir(runs[1].dir.join("metrics.jsonl")).unwrap();
    let endings = train_all(&runs, 2, &Control::new(), &()).unwrap();
    assert!(matches!(endings[1], Some(Err(RunError::Io { .. }))), "{endings:?}");
    assert!([0, 2].iter().all(|i| matches!(endings[*i], Some(Ok(Ending::Finished { .. })))));
}

/// Writes down what is told of runs that another process trains.
#[derive(Default)]
struct Elsewhere {
    waited_for: Mutex<Vec<usize>>,
    ended: Mutex<Vec<usize>>,
}

impl Audience for Elsewhere {
    fn begins(&self, _: usize, _: &Session) -> Box<dyn Observer + '_> {
        Box::new(())
    }

    fn ends(&self, _: usize, _: &Result<Ending, RunError>) {}

    fn waits(&self, index: usize) {
        self.waited_for.lock().unwrap().push(index);
    }

    fn ended_elsewhere(&self, index: usize) {
        self.ended.lock().unwrap().push(index);
    }
}

#[test]
fn a_run_that_another_trains_is_waited_for_last_and_gone_on_with_if_it_stops() {
    let root = tempfile::tempdir().unwrap();
    let runs = planned(root.path(), &short_training("notebook-naive, 1 environments"), 0..3);
    for finishes in [true, false] {
        let session = Session::create(&runs[0].dir, requel::Trainer::new(runs[0].config.clone()).unwrap()).unwrap();
        let (elsewhere, done) = (Elsewhere::default(), std::sync::atomic::AtomicBool::new(false));
        let endings = std::thread::scope(|scope| {
            scope.spawn(|| {
                // The others do not wait for it.
                while elsewhere.waited_for.lock().unwrap().is_empty() {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                assert!(runs[1].standing() == Standing::Finished && runs[2].standing() == Standing::Finished);
                assert!(!done.load(std::sync::atomic::Ordering::SeqCst));
                let control = Control::new();
                if !finishes {
                    control.request_stop();
                }
                session.train(&mut (), &control).unwrap();
            });
            let endings = train_all(&runs, 1, &Control::new(), &elsewhere).unwrap();
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            endings
        });
        assert_eq!(*elsewhere.waited_for.lock().unwrap(), [0]);
        assert_eq!(endings[0].is_none(), finishes);
        assert_eq!(elsewhere.ended.lock().unwrap().len(), usize::from(finishes));
        assert!(runs.iter().all(|run| run.standing() == Standing::Finished));
        std::fs::remove_dir_all(root.path().join("seed-0")).unwrap();
    }
}

#[test]
fn a_stop_is_heard_while_another_is_waited_for() {
    let root = tempfile::tempdir().unwrap();
    let runs = planned(root.path(), &short_training("notebook-naive, 1 environments"), 0..1);
    let held = Session::create(&runs[0].dir, requel::Trainer::new(runs[0].config.clone()).unwrap()).unwrap();
    let (control, elsewhere) = (Control::new(), Elsewhere::default());
    let endings = std::thread::scope(|scope| {
        scope.spawn(|| {
            while elsewhere.waited_for.lock().unwrap().is_empty() {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            control.request_stop();
        });
        train_all(&runs, 1, &control, &elsewhere).unwrap()
    });
    assert!(matches!(endings[..], [None]));
    drop(held);
}

#[test]
fn groups_begun_together_share_their_runs_and_none_fails() {
    let root = tempfile::tempdir().unwrap();
    let config = short_training("notebook-naive, 1 environments");
    let (alone, together) = (root.path().join("alone"), root.path().join("together"));
    let whole = planned(&alone, &config, 0..4);
    train_all(&whole, 1, &Control::new(), &()).unwrap();
    let runs = planned(&together, &config, 0..4);
    let barrier = std::sync::Barrier::new(2);
    let endings = std::thread::scope(|scope| {
        let train = || {
            barrier.wait();
            train_all(&runs, 1, &Control::new(), &()).unwrap()
        };
        [scope.spawn(train), scope.spawn(train)].map(|thread| thread.join().unwrap())
    });
    for (index, (one, other)) in whole.iter().zip(&runs).enumerate() {
        let trained = endings.iter().filter(|endings| endings[index].is_some()).count();
        assert_eq!(trained, 1, "{endings:?}");
        assert!(matches!(
            endings.iter().find_map(|endings| endings[index].as_ref()),
            Some(Ok(Ending::Finished { .. }))
        ));
        assert!(timeless(&one.dir) == timeless(&other.dir), "seed {}", one.config.train.seed);
    }
}

#[test]
fn a_group_that_is_refused_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let all = root.path().join("a/all");
    let config = short_training("notebook-naive, 1 environments");
    let mut keeps_much = config.clone();
    keeps_much.checkpoint.keep = 1_000_000_000;
    (keeps_much.train.env_steps, keeps_much.checkpoint.every_steps) = (1_000_000_000, 1);
    let error = train_all(&planned(&all, &keeps_much, 0..2), 1, &Control::new(), &()).unwrap_err();
    assert!(matches!(error, StudyError::Run(RunError::NoRoom { .. })), "{error}");
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    // Each has room, and all together have not.
    keeps_much.checkpoint.keep = 20_000;
    let runs: Vec<PlannedRun> = planned(&all, &keeps_much, 0..9_000);
    let error = train_all(&runs, 1, &Control::new(), &()).unwrap_err();
    assert!(matches!(error, StudyError::Run(RunError::NoRoom { .. })), "{error}");
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    // The last place is somebody else's.
    std::fs::create_dir_all(all.join("seed-2")).unwrap();
    std::fs::write(all.join("seed-2/notes.txt"), "x").unwrap();
    let error = train_all(&planned(&all, &config, 0..3), 1, &Control::new(), &()).unwrap_err();
    assert!(matches!(error, StudyError::Run(RunError::Occupied { .. })), "{error}");
    assert_eq!(std::fs::read_dir(&all).unwrap().count(), 1);
}

#[test]
fn another_group_that_takes_the_places_meanwhile_is_not_gone_on_with() {
    let root = tempfile::tempdir().unwrap();
    let config = short_training("notebook-naive, 1 environments");
    let mut other = config.clone();
    other.agent.gamma = 0.5;
    let runs = planned(root.path(), &config, 0..1);
    // Between the plan and its beginning.
    Run::create(&runs[0].dir, &other).unwrap();
    let error = train_all(&runs, 1, &Control::new(), &()).unwrap_err();
    assert!(error.to_string().contains("agent.gamma is 0.5, not 0.9"), "{error}");
}

const STUDY: &str = r#"
name = "small"
env = "CartPole-v1"
seeds = [4, 2]
threshold = 15.0
set = [
    "train.episodes=0", "train.env_steps=600", "network.hidden=[8]", "evaluation.every_steps=200",
    "evaluation.every_episodes=0", "evaluation.episodes=2", "evaluation.final_episodes=3",
]
[[variant]]
name = "one"
preset = "notebook"
[[variant]]
name = "two"
preset = "notebook"
set = ["agent.gamma=0.5"]
"#;

#[test]
fn a_study_is_trained_read_back_and_compared() {
    let root = tempfile::tempdir().unwrap();
    let study = Study::parse("small.toml", STUDY).unwrap();
    let runs = study.plan(root.path(), None, &Registry::built_in()).unwrap();
    let order: Vec<(usize, u64)> = runs.iter().map(|run| (run.variant, run.config.train.seed)).collect();
    assert_eq!(order, [(0, 4), (1, 4), (0, 2), (1, 2)]);
    assert_eq!((runs[1].config.agent.gamma, runs[0].config.agent.gamma), (0.5, 0.9));
    train_all(&runs, 0, &Control::new(), &()).unwrap();

    let records: Vec<RunRecord> =
        find_runs(root.path()).unwrap().iter().map(|run| RunRecord::read(run).unwrap()).collect();
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|r| r.evaluations.iter().map(|e| e.env_steps).eq([200, 400, 600])), "{records:?}");
    let grouping = group(records);
    let names: Vec<&str> = grouping.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["notebook", "agent.gamma=0.5"]);
    assert!(grouping.groups.iter().all(|group| group.runs.len() == 2 && group.runs[0].config.train.seed == 2));

    let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::default() };
    let scoring = Scoring { metric: Metric::Best, threshold: Some(15.0), bootstrap };
    let comparison = Comparison::new(&grouping.groups, &scoring);
    for (result, group) in comparison.groups.iter().zip(&grouping.groups) {
        let scores: Vec<f64> =
            group.runs.iter().map(|run| run.summary.as_ref().unwrap().best_evaluation.mean_return).collect();
        assert_eq!(result.score.value, (scores[0] + scores[1]) / 2.0);
        // Two runs are no sample to be sure of.
        assert_eq!((result.score.interval, result.mean_over_training.unwrap().interval), (None, None));
        assert!(result.curve.low.is_empty() && result.curve.high.is_empty());
        assert_eq!(result.curve.env_steps, [200.0, 400.0, 600.0]);
        // The area by hand: two trapezia of one width.
        let areas: Vec<f64> = group
            .runs
            .iter()
            .map(|run| {
                let r: Vec<f64> = run.evaluations.iter().map(|e| e.mean_return).collect();
                (r[0] + 2.0 * r[1] + r[2]) / 4.0
            })
            .collect();
        let mean = result.mean_over_training.unwrap().value;
        assert!((mean - (areas[0] + areas[1]) / 2.0).abs() < 1e-9);
        let firsts = group.runs.iter().map(|run| run.evaluations.iter().find(|e| e.mean_return >= 15.0));
        assert_eq!(result.reached.unwrap().runs, firsts.flatten().count());
    }
    assert_eq!(comparison.groups[0].improvement_over_first, None);
    assert_eq!(
        (comparison.groups[1].improvement_over_first, comparison.groups[1].improvement_over_previous),
        (None, None)
    );
    let names = vec!["notebook".to_owned(), "agent.gamma=0.5".to_owned()];
    assert_eq!(comparison.caveats, [Caveat::FewRuns { groups: names, least_runs: 5 }]);
    assert_eq!((comparison.envs.len(), comparison.threshold), (1, Some(15.0)));
}

#[test]
fn the_same_run_twice_counts_once_and_an_unfinished_one_not_at_all() {
    let root = tempfile::tempdir().unwrap();
    let config = short_training("notebook, 1 environments");
    let runs = planned(&root.path().join("a"), &config, 0..2);
    train_all(&runs, 0, &Control::new(), &()).unwrap();
    let again = planned(&root.path().join("b"), &config, 1..2);
    train_all(&again, 0, &Control::new(), &()).unwrap();
    Run::create(&root.path().join("c"), &Config { preset: "c".into(), ..config }).unwrap();
    let records = find_runs(root.path()).unwrap().iter().map(|run| RunRecord::read(run).unwrap()).collect();
    let grouping = group(records);
    assert_eq!((grouping.groups.len(), grouping.groups[0].runs.len()), (1, 2));
    assert_eq!((grouping.duplicates, grouping.unfinished), (vec![again[0].dir.clone()], vec![root.path().join("c")]));
}

#[test]
fn a_changed_variant_is_trained_anew_and_another_run_is_not_written_over() {
    let root = tempfile::tempdir().unwrap();
    let study = Study::parse("small.toml", STUDY).unwrap();
    let changed = Study::parse("small.toml", &STUDY.replace("agent.gamma=0.5", "agent.gamma=0.6")).unwrap();
    let dirs = |study: &Study| -> Vec<_> {
        study.plan(root.path(), None, &Registry::built_in()).unwrap().into_iter().map(|run| run.dir).collect()
    };
    let (before, after) = (dirs(&study), dirs(&changed));
    assert!(before[0] == after[0] && before[1] != after[1], "{before:?} {after:?}");

    let config = short_training("notebook, 1 environments");
    Run::create(&root.path().join("seed-3"), &config).unwrap();
    let error = PlannedRun::new(root.path(), 0, &config, 3).unwrap_err();
    assert!(error.to_string().contains("train.seed is 0, not 3"), "{error}");
    let mut other = config.clone();
    (other.agent.gamma, other.train.seed) = (0.25, 3);
    let error = PlannedRun::new(root.path(), 0, &other, 3).unwrap_err();
    assert!(error.to_string().contains("agent.gamma is 0.9, not 0.25"), "{error}");
}

#[test]
fn what_is_wrong_with_a_study_is_said_with_its_place() {
    let parse = |text: &str| {
        let cells = Study::parse("s.toml", text).and_then(|study| study.cells(&Registry::built_in()));
        cells.map_err(|error| error.in_text("s.toml", text))
    };
    let with = |from: &str, to: &str| parse(&STUDY.replacen(from, to, 1)).unwrap_err();
    let cases = [
        (with("threshold", "treshold"), "unknown key `treshold` in s.toml, line 5: `treshold = 15.0`", "`threshold`"),
        (with("preset", "prset"), "unknown key `prset` in s.toml, line 12: `prset = \"notebook\"`", "`preset`"),
        (with("name = \"two\"", "name = \"one\""), "two variants are called `one`, in s.toml, line 14", "its own name"),
        (
            with("\"notebook\"", "\"notbook\""),
            "variant `one`: unknown preset `notbook`, in s.toml, line 12: `preset = \"notbook\"`",
            "`notebook`",
        ),
        (
            with("preset = \"notebook\"", "algo = \"rainbwo\""),
            "variant `one`: unknown algorithm `rainbwo`, in s.toml, line 12",
            "`rainbow`",
        ),
        (with("CartPole-v1", "CartPoel-v1"), "in s.toml, line 3: `env = \"CartPoel-v1\"`", "`CartPole-v1`"),
        (
            with("agent.gamma=0.5", "env.id=\\\"Acrobot-v1\\\""),
            "`env.id` is not a setting that a study can have: give its environment with `env = …`, or a `[[task]]` for each of several, in s.toml, \
             line 16",
            "",
        ),
        (
            with("agent.gamma=0.5", "train.seed=3"),
            "`train.seed` is not a setting that a study can have: give its seeds with `seeds = …`, in s.toml, line 16",
            "",
        ),
        (
            with("name = \"two\"", "name = \"two\"\nseeds = \"0..x\""),
            "`0..x` is neither a seed nor a range; write 0..20, 5..=9, 0,3,7, or how many, in s.toml, line 15",
            "",
        ),
        (
            with("agent.gamma=0.5", "agent.gama=0.5"),
            "unknown key `agent.gama` in s.toml, line 16: `set = [\"agent.gama=0.5\"]`",
            "`agent.gamma`",
        ),
        (
            with("agent.gamma=0.5", "agent.gamma=5"),
            "`agent.gamma` is 5, not between 0 and 1, in s.toml, line 16: `set = [\"agent.gamma=5\"]`",
            "agent.gamma: discount",
        ),
        (with("agent.gamma=0.5", "agent.gamma"), "`agent.gamma` has no `=`, in s.toml, line 16", "section.key=value"),
        (
            with("agent.gamma=0.5", "agent.gamma=0.9"),
            "variants `one` and `two` have exactly the same settings, in s.toml, line 14",
            "identical",
        ),
        (
            with("train.episodes=0", "train.episode=0"),
            "unknown key `train.episode` in s.toml, line 7",
            "`train.episodes`",
        ),
        (
            with("name = \"one\"", "name = \"a/b\""),
            "`a/b` is not a valid name: use letters, digits and any of `-_.+`, in s.toml, line",
            "",
        ),
        (with("\"one\"", &format!("{:?}", "x".repeat(300))), "xxx…` is longer than 60 characters, in s.toml, line", ""),
    ];
    for (error, expected, hint) in cases {
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hint().unwrap_or_default().contains(hint), "{error}: {:?}", error.hint());
    }
    let none = parse("name = \"x\"\nenv = \"CartPole-v1\"\n").unwrap_err();
    assert!(matches!(none, StudyError::NoVariants { .. }) && none.hint().is_some());
    for (text, expected) in [
        (
            "name = \"x\"\nseeds = \"0..x\"\nenv = \"CartPole-v1\"\n",
            "`0..x` is neither a seed nor a range; write 0..20, 5..=9, 0,3,7, or how many, in s.toml, line 2",
        ),
        ("name = \"x\"\nenv = 1\n", "line 2"),
        ("name = \"x\"\nmetric = \"worst\"\nenv = \"e\"\n", "line 2"),
        ("name = \"x\"\n[variant\n", "line 2"),
        ("name = \"x\"\nthreshold = nan\nenv = \"e\"\n", "`threshold` is NaN, not a finite number, in s.toml, line 2"),
        ("env = \"CartPole-v1\"\n", "missing field `name`"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_is_wrong_with_tasks_and_tables_is_said_with_its_place() {
    const TASKS: &str = "name = \"s\"\n[[task]]\nenv = \"CartPole-v1\"\n[[task]]\nenv = \"Acrobot-v1\"\nskip = []\n\
                         [[variant]]\nname = \"a\"\n[[variant]]\nname = \"b\"\nset = [\"agent.gamma=0.5\"]\n\
                         [[table]]\nname = \"t\"\ncolumns = [{ head = \"x\" }]\n";
    assert!(Study::parse("s.toml", TASKS).is_ok());
    for (from, to, said) in [
        ("skip = []", "zero = nan", "`zero` of `Acrobot-v1` is NaN, not a finite number, in s.toml, line 5"),
        ("skip = []", "one = -inf", "`one` of `Acrobot-v1` is -inf, not a finite number, in s.toml, line 5"),
        ("skip = []", "aim = nan", "`aim` of `Acrobot-v1` is NaN"),
        ("skip = []", "zero = 1.0\none = 1.0", "the scale of `Acrobot-v1` is from 1 to 1"),
        ("skip = []", "skip = [\"c\"]", "no variant is called `c`, in s.toml, line 5"),
        ("skip = []", "skip = [\"a\", \"b\"]", "no variant that is trained in every environment is left"),
        ("skip = []", "skips = []", "unknown key `skips` in s.toml, line 6"),
        ("Acrobot-v1", "CartPole-v1", "two tasks have the environment `CartPole-v1`, in s.toml, line 5"),
        ("{ head = \"x\" }", "", "table `t` has no column, in s.toml, line 13"),
        ("head = \"x\"", "head = \"x\", show = \"shre\"", "`shre` is not one of"),
        ("head = \"x\"", "head = \"x\", sow = \"share\"", "unknown key `sow` in s.toml, line 14"),
        ("head = \"x\"", "head = \"x\", at_least = nan", "`at_least` of column `x` is not a finite number"),
        ("name = \"t\"", "name = \"t\"\nvariants = [\"z\"]", "no variant is called `z`"),
        (
            "[[table]]",
            "[[reference]]\nvariant = \"c\"\nruns = 1\nquantiles = []\n[[table]]",
            "no variant is called `c`",
        ),
        (
            "[[table]]",
            "[[reference]]\nvariant = \"a\"\nruns = 1\nquantiles = [[2.0, 1.0]]\n[[table]]",
            "levels from 0 to 1",
        ),
    ] {
        let error = Study::parse("s.toml", &TASKS.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(said), "{to}: {error}");
    }
}

#[test]
fn variants_with_seeds_of_their_own_are_planned_with_those() {
    let root = tempfile::tempdir().unwrap();
    let text = STUDY.replacen("name = \"two\"", "name = \"two\"\nseeds = [7]", 1);
    let study = Study::parse("small.toml", &text).unwrap();
    assert!(study.has_seeds_apart() && study.own_seeds().contains(&7));
    let seeds = |given: Option<&str>| {
        let given = given.map(|seeds| seeds.parse().unwrap());
        let runs = study.plan(root.path(), given.as_ref(), &Registry::built_in()).unwrap();
        runs.iter().map(|run| (run.variant, run.config.train.seed)).collect::<Vec<_>>()
    };
    assert_eq!(seeds(None).iter().filter(|(variant, _)| *variant == 1).collect::<Vec<_>>(), [&(1, 7)]);
    assert_eq!(seeds(Some("3..4")), [(0, 3), (1, 3)]);
}
