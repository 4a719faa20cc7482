//! How runs begin and end: one process alone gets a directory, what is refused leaves nothing, and an end that was cut off is
//! made again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use requel::Trainer;
use requel::config::Config;
use requel::run::{Control, Ending, Run, RunError, Session, verify};

use crate::support::{files, short_training};

fn trainer(config: &Config) -> Trainer {
    Trainer::new(config.clone()).unwrap()
}

fn tiny() -> Config {
    let mut config = short_training("notebook-naive, 1 environments");
    config.train.env_steps = 60;
    config
}

/// Configs that only their discount tells apart.
fn discounts(count: u32) -> Vec<Config> {
    let discount = |n: u32| {
        let mut config = tiny();
        config.agent.gamma = 0.5 + 0.01 * f64::from(n);
        config
    };
    (0..count).map(discount).collect()
}

/// Does the same with each config at the same moment.
fn at_once<T: Send>(configs: &[Config], work: impl Fn(Trainer) -> T + Sync) -> Vec<T> {
    let barrier = std::sync::Barrier::new(configs.len());
    std::thread::scope(|scope| {
        let start = |config: &Config| {
            let trainer = trainer(config);
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(trainer)
            })
        };
        let threads: Vec<_> = configs.iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn of_trainings_begun_together_each_gets_a_directory_and_its_own_config() {
    for _ in 0..5 {
        let root = tempfile::tempdir().unwrap();
        let names = || (1..).map(|n| root.path().join(format!("runs/run-{n}")));
        let configs = discounts(4);
        let sessions = at_once(&configs, |trainer| Session::create_in_first_free(names(), trainer).unwrap());
        let mut dirs = BTreeSet::new();
        for (session, config) in sessions.into_iter().zip(&configs) {
            let run = session.run().clone();
            assert_eq!(run.config().unwrap(), *config);
            session.train(&mut (), &Control::new()).unwrap();
            assert!(verify(&run).unwrap().damage.is_empty());
            assert!(dirs.insert(run.dir().to_path_buf()));
        }
        let expected: Vec<PathBuf> = names().take(4).collect();
        assert_eq!(dirs.into_iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn of_runs_begun_in_one_directory_one_is_there_and_its_own() {
    for round in 0..10 {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("run");
        if round % 2 == 1 {
            // Made by a person before.
            std::fs::create_dir(&dir).unwrap();
        }
        let configs = discounts(4);
        let runs = at_once(&configs, |trainer| Run::create(&dir, trainer.config()));
        let (made, refused): (Vec<_>, Vec<_>) = runs.iter().zip(&configs).partition(|(run, _)| run.is_ok());
        assert!(refused.iter().all(|(error, _)| matches!(error, Err(RunError::Occupied { .. }))), "{runs:?}");
        let [(Ok(run), config)] = &made[..] else { panic!("{runs:?}") };
        assert_eq!(run.config().unwrap(), **config);
        assert!(verify(run).unwrap().damage.is_empty());
        assert_eq!(files(&dir).keys().collect::<Vec<_>>(), [".lock", "checksums.blake3", "config.toml"]);
    }
}

#[test]
fn a_start_that_is_refused_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/b/run");
    let mut config = tiny();
    // A billion checkpoints, all of them due.
    config.checkpoint.keep = 1_000_000_000;
    (config.train.env_steps, config.checkpoint.every_steps) = (1_000_000_000, 1);
    let error = Session::create(&dir, trainer(&config)).err().unwrap();
    assert!(matches!(error, RunError::NoRoom { .. }), "{error}");
    assert!(!root.path().join("a").exists());
    // Nor where the directory already exists, or a file is in the way.
    std::fs::create_dir_all(&dir).unwrap();
    let error = Session::create(&dir, trainer(&config)).err().unwrap();
    assert!(matches!(error, RunError::NoRoom { .. }) && files(&dir).is_empty(), "{error}");
    let file = root.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for dir in [file.clone(), file.join("run")] {
        let error = Session::create(&dir, trainer(&tiny())).err().unwrap();
        assert!(matches!(error, RunError::Io { .. }), "{error}");
    }
    std::fs::write(dir.join("notes.txt"), "x").unwrap();
    let error = Session::create(&dir, trainer(&tiny())).err().unwrap();
    assert!(matches!(error, RunError::Occupied { .. }), "{error}");
    assert_eq!(files(&dir).keys().collect::<Vec<_>>(), ["notes.txt"]);
    // And what was refused can be trained into.
    std::fs::remove_file(dir.join("notes.txt")).unwrap();
    let session = Session::create(&dir, trainer(&tiny())).unwrap();
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
}

/// Every state that dying on the way through the end of a run leaves.
#[test]
fn an_end_that_was_cut_off_anywhere_is_named_and_made_again() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let config = tiny();
    let session = Session::create(&whole, trainer(&config)).unwrap();
    let sealed_at_first = std::fs::read(whole.join("checksums.blake3")).unwrap();
    session.train(&mut (), &Control::new()).unwrap();
    assert!(Run::open(&whole).unwrap().is_finished());
    let expected = files(&whole);

    let cut = |name: &str, change: &dyn Fn(&Path)| {
        let dir = root.path().join(name);
        for (file, bytes) in &expected {
            std::fs::create_dir_all(dir.join(file).parent().unwrap()).unwrap();
            std::fs::write(dir.join(file), bytes).unwrap();
        }
        change(&dir);
        let run = Run::open(&dir).unwrap();
        assert!(!run.is_finished(), "{name}");
        let has_summary = dir.join("summary.json").exists();
        let damage = verify(&run).unwrap().damage;
        assert_eq!(damage.len(), usize::from(has_summary), "{name}: {damage:?}");
        assert!(damage.iter().all(|damage| damage.to_string().contains("does not list best/policy")), "{damage:?}");
        let (session, _) = Session::resume(run.clone()).unwrap();
        // Whoever looks now sees a run that is worked on.
        assert!(!run.is_finished() && run.is_in_use() && verify(&run).unwrap().damage.is_empty(), "{name}");
        session.train(&mut (), &Control::new()).unwrap();
        assert!(run.is_finished() && verify(&run).unwrap().damage.is_empty(), "{name}");
        let found = files(&dir);
        assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{name}");
        for file in ["summary.json", "metrics.jsonl", "progress.csv", "best/policy.safetensors", "config.toml"] {
            assert!(found[file] == expected[file], "{name}: {file}");
        }
    };
    let unseal = |dir: &Path| std::fs::write(dir.join("checksums.blake3"), &sealed_at_first).unwrap();
    let remove = |dir: &Path, file: &str| std::fs::remove_file(dir.join(file)).unwrap();
    cut("after the summary", &unseal);
    cut("in the seal", &|dir| {
        unseal(dir);
        std::fs::write(dir.join("checksums.blake3.77-0.new"), "half").unwrap();
    });
    cut("in the summary", &|dir| {
        unseal(dir);
        remove(dir, "summary.json");
        std::fs::write(dir.join("summary.json.77-0.new"), "{").unwrap();
    });
    cut("in the policy", &|dir| {
        unseal(dir);
        remove(dir, "summary.json");
        std::fs::rename(dir.join("best/policy.safetensors"), dir.join("best/policy.safetensors.77-0.new")).unwrap();
    });
}

#[test]
fn a_finished_run_without_a_seal_must_have_its_files_all_the_same() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    Session::create(&dir, trainer(&tiny())).unwrap().train(&mut (), &Control::new()).unwrap();
    let run = Run::open(&dir).unwrap();
    std::fs::remove_file(dir.join("checksums.blake3")).unwrap();
    assert!(run.is_finished() && verify(&run).unwrap().damage.is_empty());
    for file in ["best/policy.safetensors", "timing.csv"] {
        let bytes = std::fs::read(dir.join(file)).unwrap();
        std::fs::remove_file(dir.join(file)).unwrap();
        let damage = verify(&run).unwrap().damage;
        assert!(damage.iter().any(|damage| damage.to_string().contains(file)), "{file}: {damage:?}");
        std::fs::write(dir.join(file), bytes).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_copy_by_hard_links_goes_on_by_itself() {
    fn link_all(from: &Path, to: &Path) {
        std::fs::create_dir(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => link_all(&entry.path(), &to),
                false => std::fs::hard_link(entry.path(), to).unwrap(),
            }
        }
    }
    let root = tempfile::tempdir().unwrap();
    let (whole, original, copy) = (root.path().join("whole"), root.path().join("a"), root.path().join("b"));
    let mut config = short_training("notebook, 1 environments");
    config.train.env_steps = 400;
    Session::create(&whole, trainer(&config)).unwrap().train(&mut (), &Control::new()).unwrap();

    let control = Control::new();
    let mut stop = |event: &requel::TrainEvent<'_>| {
        if matches!(event, requel::TrainEvent::EpisodeEnded { env_steps, .. } if *env_steps > 150) {
            control.request_stop();
        }
        Ok(())
    };
    Session::create(&original, trainer(&config)).unwrap().train(&mut stop, &control).unwrap();
    link_all(&original, &copy);
    let before = files(&original);
    // The lock that they shared keeps nobody out of the copy.
    let held = Session::resume(Run::open(&copy).unwrap()).unwrap().0;
    assert!(!Run::open(&original).unwrap().is_in_use());
    held.train(&mut (), &Control::new()).unwrap();
    assert!(files(&original) == before);
    Session::resume(Run::open(&original).unwrap()).unwrap().0.train(&mut (), &Control::new()).unwrap();
    for dir in [&original, &copy] {
        assert!(verify(&Run::open(dir).unwrap()).unwrap().damage.is_empty());
        for file in ["metrics.jsonl", "progress.csv", "summary.json", "best/policy.safetensors"] {
            let read = |dir: &Path| std::fs::read(dir.join(file)).unwrap();
            assert!(read(dir) == read(&whole), "{file}");
        }
    }
}
