//! What environments report beside their rewards is in every log, and part of what a checkpoint holds.

use requel::config::Config;
use requel::run::{Control, Ending, Run, Session};
use requel::{TrainEvent, Trainer};
use requel_envs::{Action, Env, EnvError, EnvSpec, MetricSpec, OverEpisode, Space, Step, make};

use crate::support::{Draws, Notes, preset};

/// Training in the grid of the book, the environment of requel's own that reports something.
fn config(settings: &[&str]) -> Config {
    let common = [
        "env.id=GridWorld-v0",
        "train.episodes=0",
        "train.env_steps=700",
        "train.num_envs=3",
        "network.hidden=[8]",
        "replay.start=60",
        "evaluation.every_steps=0",
        "evaluation.every_episodes=0",
        "evaluation.final_episodes=1",
        "log.every_steps=90",
        "env.options.max_episode_steps=23",
    ];
    preset("notebook", &[&common, settings].concat())
}

const NAMES: [&str; 2] = ["env/attempts_to_leave", "env/steps_on_forbidden"];

#[test]
fn metrics_of_an_episode_are_those_of_its_steps() {
    // Every attempt to leave costs 1 and nothing else does, so that they are known from the return too.
    let only_attempts = ["env.options.reward_forbidden=0.0", "env.options.reward_target=0.0"];
    for repeat in ["env.action_repeat=1", "env.action_repeat=3"] {
        let mut trainer = Trainer::new(config(&[&only_attempts[..], &[repeat]].concat())).unwrap();
        let (mut reported, mut compared, mut forbidden) = (None, 0, 0.0);
        let mut compare = |event: &TrainEvent<'_>| {
            match event {
                TrainEvent::EnvReported { episode: Some(index), metrics, .. } => {
                    assert_eq!(metrics.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), NAMES);
                    reported = Some((*index, metrics[0].1));
                    forbidden += metrics[1].1;
                }
                TrainEvent::EpisodeEnded { episode, .. } => {
                    assert_eq!(reported.take(), Some((episode.index, -episode.return_)));
                    compared += 1;
                }
                _ => {}
            }
            Ok(())
        };
        trainer.run(&mut compare).unwrap();
        assert!(compared > 20 && forbidden > 0.0, "{repeat}: {compared} {forbidden}");
    }
}

#[test]
fn metrics_are_part_of_the_state() {
    let config = config(&[]);
    let mut expected = Notes::default();
    Trainer::new(config.clone()).unwrap().run(&mut expected).unwrap();
    let mut notes = Notes::default();
    let mut draws = Draws(5);
    let mut trainer = Trainer::new(config.clone()).unwrap();
    let termination = loop {
        let mut next = Trainer::new(config.clone()).unwrap();
        next.restore(&trainer.save().unwrap()).unwrap();
        trainer = next;
        let gap = 1 + draws.below(30);
        if let Some(termination) = (0..gap).find_map(|_| trainer.advance(&mut notes).unwrap()) {
            break termination;
        }
    };
    trainer.finish(termination, &mut notes).unwrap();
    assert!(notes.lines.iter().any(|line| line.contains(NAMES[0])));
    assert_eq!(notes.lines, expected.lines);
}

#[test]
fn every_log_has_them() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    Session::create(&dir, Trainer::new(config(&[])).unwrap()).unwrap().train(&mut (), &Control::new()).unwrap();
    let run = Run::open(&dir).unwrap();
    let read = |name: &str| std::fs::read(run.dir().join(name)).unwrap();
    let metrics = String::from_utf8(read("metrics.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = metrics.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
    assert_eq!(count("env"), count("episode") + count("train"));
    // The means come before the aggregates of the same step, in the log as in a row of the table.
    let means: Vec<&serde_json::Value> =
        lines.iter().filter(|line| line["event"] == "env" && line.get("episode").is_none()).collect();
    let table = String::from_utf8(read("progress.csv")).unwrap();
    let mut rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    assert_eq!(header[header.len() - 2..], NAMES);
    let rows: Vec<Vec<&str>> = rows.collect();
    assert_eq!(rows.len(), means.len());
    for (row, means) in rows.iter().zip(means) {
        assert_eq!(row[0], means["env_steps"].to_string());
        for (cell, name) in row[row.len() - 2..].iter().zip(NAMES) {
            let cell: Option<f64> = cell.parse().ok();
            assert_eq!(cell, means.get(name).map(|number| number.as_f64().unwrap()));
        }
    }
    let events = read("tensorboard/events.out.tfevents.requel");
    assert!(NAMES.iter().all(|name| events.windows(name.len()).any(|bytes| bytes == name.as_bytes())));
}

/// An environment that reports the steps of an episode under any names.
struct Reporting {
    inner: Box<dyn Env>,
    spec: EnvSpec,
}

impl Reporting {
    fn factory(names: &'static [&'static str]) -> impl Fn() -> Result<Box<dyn Env>, EnvError> + Send + Sync + 'static {
        move || {
            let inner = make("CartPole-v1")?;
            let metrics = names.iter().map(|name| MetricSpec::new(*name, OverEpisode::Sum)).collect();
            let spec = EnvSpec { metrics, ..inner.spec().clone() };
            Ok(Box::new(Reporting { inner, spec }) as Box<dyn Env>)
        }
    }
}

impl Env for Reporting {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        self.inner.observation_space()
    }

    fn action_space(&self) -> &Space {
        self.inner.action_space()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.inner.reset(seed, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.inner.step(action, observation)
    }

    fn save(&self) -> Result<Vec<u8>, EnvError> {
        self.inner.save()
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), EnvError> {
        self.inner.restore(state)
    }

    fn metrics(&self, numbers: &mut [f64]) {
        numbers.fill(1.0);
    }
}

/// A program that was changed while its run was interrupted: the table keeps its columns, and the run goes on.
#[test]
fn a_run_goes_on_where_its_environment_reports_other_metrics() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    let mut config = preset(
        "notebook",
        &["train.episodes=0", "train.env_steps=600", "log.every_steps=100", "evaluation.final_episodes=1"],
    );
    config.network.hidden = vec![8];
    let trainer = |names| Trainer::with_envs(config.clone(), Box::new(Reporting::factory(names))).unwrap();
    let control = Control::new();
    let mut stop = |event: &TrainEvent<'_>| {
        if let TrainEvent::Progress(aggregates) = event
            && aggregates.env_steps == 300
        {
            control.request_stop();
        }
        Ok(())
    };
    let session = Session::create(&dir, trainer(&["bumps", "heat"])).unwrap();
    assert!(matches!(session.train(&mut stop, &control).unwrap(), Ending::Interrupted { .. }));
    let run = Run::open(&dir).unwrap();
    let (session, resumed) = Session::resume_with(run, trainer(&["heat", "falls", "wind"])).unwrap();
    assert_eq!(resumed.env_steps, 300);
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
    let table = std::fs::read_to_string(dir.join("progress.csv")).unwrap();
    let mut rows = table.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let at = |name: &str| header.iter().position(|column| *column == name);
    let (bumps, heat) = (at("env/bumps").unwrap(), at("env/heat").unwrap());
    assert_eq!(at("env/falls"), None);
    for row in rows.filter(|row| !row[1].is_empty()) {
        assert_eq!(row.len(), header.len());
        let before: u64 = row[0].parse().unwrap();
        assert_eq!((row[bumps].is_empty(), row[heat].is_empty()), (before > 300, false), "{row:?}");
    }
    let metrics = std::fs::read_to_string(dir.join("metrics.jsonl")).unwrap();
    assert!(metrics.contains("\"env/falls\":"));
}
