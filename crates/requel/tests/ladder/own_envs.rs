//! Environments of one's own: a run knows which it was trained in, and goes on in no other.

use std::path::Path;

use requel::config::{Config, Layers};
use requel::diagnose::Evidence;
use requel::policy_file::PolicyFile;
use requel::run::{Beginning, Control, Ending, Run, RunError, Session, Weights, verify};
use requel::study::{Crew, PlannedRun, train_all};
use requel::train::{EnvFactory, EnvOrigin, SpaceIdentity};
use requel::tune::{Rungs, Sampler, Search, SearchBudget, Space, TuneError};
use requel::{Registry, Trainer};
use requel_envs::closure::from_closures;
use requel_envs::{Env, Step, TimeLimit};

use crate::support::files;

/// An environment of CartPole's shape that is another: the first number counts up to the end of an episode.
fn counting(id: &str, reward: f64) -> Box<dyn Env> {
    let env = from_closures(
        id,
        2,
        |_| [0.0; 4],
        move |[count, _, _, _], action, _| {
            *count += 0.25 * (action + 1) as f64;
            Step { reward, terminated: *count >= 2.0, truncated: false }
        },
    );
    Box::new(TimeLimit::new(env, 50).unwrap())
}

/// One of its shape with longer episodes.
fn longer(id: &str) -> Box<dyn Env> {
    let env = from_closures(
        id,
        2,
        |_| [0.0; 4],
        |[count, _, _, _], _, _| {
            *count += 0.25;
            Step { reward: 1.0, terminated: *count >= 2.0, truncated: false }
        },
    );
    Box::new(TimeLimit::new(env, 60).unwrap())
}

/// One of another shape.
fn narrow(id: &str) -> Box<dyn Env> {
    let env = from_closures(
        id,
        3,
        |_| [0.0; 2],
        |[count, _], _, _| {
            *count += 0.25;
            Step { reward: 1.0, terminated: *count >= 2.0, truncated: false }
        },
    );
    Box::new(TimeLimit::new(env, 50).unwrap())
}

fn registry(make: fn() -> Box<dyn Env>) -> Registry {
    let mut registry = Registry::built_in();
    registry.register_env(move || Ok(make())).unwrap();
    registry
}

fn config(id: &str) -> Config {
    let settings = ["train.env_steps=400", "replay.start=100", "evaluation.episodes=2", "evaluation.final_episodes=2"];
    let layers = Layers::new().set(&format!("env.id={id:?}")).unwrap();
    settings.iter().fold(layers, |layers, setting| layers.set(setting).unwrap()).resolve().unwrap()
}

fn train(dir: &Path, trainer: Trainer) -> Run {
    let session = Session::create(dir, trainer).unwrap();
    let run = session.run().clone();
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
    run
}

fn given(make: fn() -> Box<dyn Env>) -> EnvFactory {
    Box::new(move || Ok(make()))
}

/// What each way of continuing a run, or of looking into it, says of the environments of a registry.
fn refusals(run: &Run, registry: &Registry) -> Vec<RunError> {
    let trainer = || run.trainer(registry);
    let before = files(run.dir());
    let refused = vec![
        trainer().err().unwrap(),
        run.env(registry).err().unwrap(),
        run.last_policy(registry).err().unwrap(),
        Beginning::from_run(run, Weights::Last, registry).err().unwrap(),
    ];
    assert!(files(run.dir()) == before, "a refusal writes nothing");
    refused
}

/// Whether all say the same, and what.
fn said(refusals: &[RunError]) -> String {
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:#?}");
    texts[0].clone()
}

#[test]
fn a_registered_environment_is_known_to_its_run_and_no_other_is_taken() {
    let root = tempfile::tempdir().unwrap();
    let own = registry(|| counting("Counting-v0", 1.0));
    let run = train(&root.path().join("run"), own.trainer(config("Counting-v0")).unwrap());
    let known = run.environment().unwrap().unwrap();
    assert_eq!(
        (known.id.as_str(), known.origin, known.max_episode_steps),
        ("Counting-v0", EnvOrigin::Registered, Some(50))
    );
    assert!(verify(&run).unwrap().damage.is_empty());

    let dir = run.dir().display().to_string();
    let came = format!("{dir} was trained in `Counting-v0`, which the program that trained it registered");
    let expected = format!("{came}; the environment here");
    let unknown = Registry::built_in();
    assert_eq!(said(&refusals(&run, &unknown)), format!("{came}; this program has no such environment"));
    let error = Session::resume(run.clone()).err();
    assert!(matches!(error, Some(RunError::OtherEnvironment { .. })), "{error:?}");
    // What it has written down can be read all the same.
    assert_eq!(Evidence::of_run(&run, &unknown).unwrap().counts.env_steps, 400);

    let shape = registry(|| narrow("Counting-v0"));
    let text = said(&refusals(&run, &shape));
    assert_eq!(
        text,
        format!(
            "{expected} has observations of 2 numbers (float32) from −∞ to ∞, not 4 numbers (float32) from −∞ to ∞"
        )
    );

    let error = Evidence::of_run(&run, &shape).err();
    assert!(matches!(error, Some(RunError::OtherEnvironment { .. })), "{error:?}");

    // A trainer that was made without the run is looked at as well.
    let before = files(run.dir());
    let other = shape.trainer(run.config().unwrap()).unwrap();
    let error = Session::resume_with(run.clone(), other).err().unwrap();
    assert!(matches!(error, RunError::OtherEnvironment { .. }), "{error}");
    assert!(files(run.dir()) == before);

    // In its own environment it goes on.
    let more = Config {
        train: requel::config::TrainConfig { env_steps: 600, ..run.config().unwrap().train },
        ..run.config().unwrap()
    };
    let (session, resumed) = Session::extend_with(run.clone(), run.trainer_of(more, &own).unwrap()).unwrap();
    assert_eq!(resumed.env_steps, 400);
    session.train(&mut (), &Control::new()).unwrap();
    assert_eq!(run.summary().unwrap().unwrap().env_steps, 600);
    assert_eq!(run.environment().unwrap().unwrap(), known);
    assert!(verify(&run).unwrap().damage.is_empty());
}

#[test]
fn an_environment_that_was_given_is_never_taken_for_one_of_ours() {
    let root = tempfile::tempdir().unwrap();
    for id in ["CartPole-v1", "Counting-v0"] {
        let make = match id {
            "CartPole-v1" => || counting("CartPole-v1", 1.0),
            _ => || counting("Counting-v0", 1.0),
        };
        // What the config said before was the environment of requel.
        let trainer = Trainer::with_envs(config("CartPole-v1"), given(make)).unwrap();
        assert_eq!(trainer.config().env.id, id);
        let run = train(&root.path().join(id), trainer);
        assert_eq!(run.config().unwrap().env.id, id);
        let text = said(&refusals(&run, &Registry::built_in()));
        let expected = match id {
            "CartPole-v1" => "is requel's own environment with this id",
            _ => "this program has no such environment",
        };
        assert!(
            text.ends_with(expected) && text.contains("which the program that trained it passed to the trainer"),
            "{text}"
        );
        assert!(matches!(Session::resume(run.clone()), Err(RunError::OtherEnvironment { .. })));
        // Given again it goes on, and so it does where it is registered.
        let again = Trainer::with_envs(run.config().unwrap(), given(make)).unwrap();
        assert!(Session::resume_with(run.clone(), again).is_ok());
        if id == "Counting-v0" {
            let own = registry(|| counting("Counting-v0", 1.0));
            assert!(Session::resume_with(run.clone(), run.trainer(&own).unwrap()).is_ok());
        }
    }
}

#[test]
fn a_run_that_was_made_for_another_environment_is_not_begun() {
    let root = tempfile::tempdir().unwrap();
    let run = Run::create(&root.path().join("run"), &config("CartPole-v1")).unwrap();
    let before = files(run.dir());
    let trainer = Trainer::with_envs(config("CartPole-v1"), given(|| counting("Counting-v0", 1.0))).unwrap();
    let error = Session::begin_with(run.clone(), trainer).err().unwrap().to_string();
    assert!(
        error.contains("says env.id = \"CartPole-v1\", but the environments of the trainer are \"Counting-v0\""),
        "{error}"
    );
    assert!(files(run.dir()) == before);
}

#[test]
fn a_run_of_before_writes_its_environment_down_when_it_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let run = train(&root.path().join("run"), Trainer::new(config("CartPole-v1")).unwrap());
    let known = run.environment().unwrap();
    assert!(known.is_some());
    for name in ["environment.json", "checksums.blake3"] {
        std::fs::remove_file(run.dir().join(name)).unwrap();
    }
    assert_eq!(run.environment().unwrap(), None);
    let (session, _) = Session::resume(run.clone()).unwrap();
    session.train(&mut (), &Control::new()).unwrap();
    assert_eq!(run.environment().unwrap(), known);

    // A damaged one is refused, not taken for none.
    std::fs::write(run.dir().join("environment.json"), "{").unwrap();
    for error in [run.trainer(&Registry::built_in()).err().unwrap(), Session::resume(run.clone()).err().unwrap()] {
        assert!(error.to_string().contains("environment.json is damaged"), "{error}");
    }
}

#[test]
fn weights_of_ones_own_environment_begin_in_none_of_ours() {
    let root = tempfile::tempdir().unwrap();
    let own = || Trainer::with_envs(config("CartPole-v1"), given(|| counting("CartPole-v1", 1.0))).unwrap();
    let run = train(&root.path().join("run"), own());
    let policy = run.best_policy().unwrap();
    assert_eq!(policy.origin, EnvOrigin::Given);
    own().begin_from(&policy).unwrap();
    let error = Trainer::new(config("CartPole-v1")).unwrap().begin_from(&policy).unwrap_err().to_string();
    assert!(error.contains("an environment `CartPole-v1` that is not requel's own"), "{error}");
}

#[test]
fn what_was_learned_in_one_environment_is_not_begun_from_in_another_of_its_id() {
    let root = tempfile::tempdir().unwrap();
    let own = registry(|| counting("Counting-v0", 1.0));
    let run = train(&root.path().join("run"), own.trainer(config("Counting-v0")).unwrap());
    let other = registry(|| longer("Counting-v0"));
    let of_run = Beginning::from_run(&run, Weights::Best, &other).unwrap();
    let alone = Beginning::from_file(&run.best_policy_path()).unwrap();
    // As files were before policies knew their environment.
    let older = PolicyFile { identity: None, ..run.best_policy().unwrap() };
    std::fs::write(run.best_policy_path(), older.to_bytes().unwrap()).unwrap();
    std::fs::remove_file(run.dir().join("checksums.blake3")).unwrap();
    let of_older = Beginning::from_run(&run, Weights::Best, &other).unwrap();
    for beginning in [of_run, alone, of_older] {
        let error = beginning.apply(&mut other.trainer(config("Counting-v0")).unwrap()).unwrap_err().to_string();
        let expected = "another `Counting-v0`: the environment here has episodes of 60 steps, not 50 steps";
        assert!(error.contains(expected), "{error}");
        beginning.apply(&mut own.trainer(config("Counting-v0")).unwrap()).unwrap();
    }
}

#[test]
fn settings_around_an_environment_do_not_hide_that_its_actions_are_others() {
    let root = tempfile::tempdir().unwrap();
    let own = registry(|| counting("Counting-v0", 1.0));
    let run = train(&root.path().join("run"), own.trainer(config("Counting-v0")).unwrap());
    let mut policy = run.best_policy().unwrap();
    let mut sticky = config("Counting-v0");
    sticky.env.sticky_actions = 0.1;
    own.trainer(sticky.clone()).unwrap().begin_from(&policy).unwrap();
    policy.identity.as_mut().unwrap().actions = SpaceIdentity::MultiDiscrete { n: vec![2] };
    let error = own.trainer(sticky).unwrap().begin_from(&policy).unwrap_err().to_string();
    assert!(error.contains("the environment here has actions of one of 2 values"), "{error}");
}

#[test]
fn a_search_goes_on_in_no_other_environment() {
    let root = tempfile::tempdir().unwrap();
    let rungs = Rungs { env_steps: 600, count: 1, reduction: 2, seeds: 1 };
    let base = rungs.apply(&config("Counting-v0"));
    let budget = SearchBudget::Trials(1);
    let search = Search { space: Space::declared(&base), sampler: Sampler::Random, seed: 7, jobs: 1, budget, rungs };
    let conduct =
        |registry: &Registry| search.conduct(root.path(), Crew { registry, threads: 1, control: &Control::new() }, &());
    let found = conduct(&registry(|| counting("Counting-v0", 1.0))).unwrap().unwrap();
    let before = files(root.path());
    let refused = conduct(&registry(|| longer("Counting-v0"))).err();
    assert!(matches!(refused, Some(TuneError::OtherSearch { .. })), "{refused:?}");
    assert!(files(root.path()) == before, "a refusal writes nothing");
    assert_eq!(conduct(&registry(|| counting("Counting-v0", 1.0))).unwrap().unwrap().trials, found.trials);
}

#[test]
fn a_policy_tells_where_the_run_does_not_any_more() {
    let root = tempfile::tempdir().unwrap();
    let own = Trainer::with_envs(config("CartPole-v1"), given(|| counting("CartPole-v1", 1.0))).unwrap();
    let run = train(&root.path().join("run"), own);
    for name in ["environment.json", "checksums.blake3"] {
        std::fs::remove_file(run.dir().join(name)).unwrap();
    }
    let text = said(&refusals(&run, &Registry::built_in()));
    assert!(text.contains("an environment `CartPole-v1` that is not requel's own"), "{text}");
    assert!(Session::resume(run.clone()).is_err());
    assert_eq!(run.environment().unwrap(), None, "nothing was written");
}

#[test]
fn a_group_of_runs_is_of_one_environment_finished_ones_too() {
    let root = tempfile::tempdir().unwrap();
    let (control, threads) = (Control::new(), 1);
    let plan = |seeds: std::ops::Range<u64>| -> Vec<PlannedRun> {
        seeds.map(|seed| PlannedRun::new(root.path(), 0, &config("Counting-v0"), seed).unwrap()).collect()
    };
    let own = registry(|| counting("Counting-v0", 1.0));
    train_all(&plan(0..1), Crew { registry: &own, threads, control: &control }, &()).unwrap();
    let before = files(root.path());
    let other = registry(|| narrow("Counting-v0"));
    let error = train_all(&plan(0..2), Crew { registry: &other, threads, control: &control }, &()).err().unwrap();
    assert!(error.to_string().contains("has observations of 2 numbers"), "{error}");
    assert!(files(root.path()) == before);
}

#[test]
fn what_is_registered_under_an_id_keeps_it() {
    let made = std::sync::atomic::AtomicU32::new(0);
    let mut registry = Registry::built_in();
    let other_each_time = move || {
        let count = made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(counting(if count == 0 { "First-v0" } else { "Second-v0" }, 1.0))
    };
    registry.register_env(other_each_time).unwrap();
    let error = registry.trainer(config("First-v0")).err().unwrap().to_string();
    assert!(error.contains("First-v0") && error.contains("now calls itself `Second-v0`"), "{error}");
}
