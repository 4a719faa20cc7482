//! Environments that panic on the way: the run is whole, and goes on once they are mended.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use requel::Trainer;
use requel::run::{Control, Ending, Run, RunError, Session};
use requel::train::{EnvFactory, TrainError};
use requel_envs::{EnvError, EnvSpec};

use super::altered::{Alteration, Altered};
use super::bad_envs::{Corridor, config};

/// An environment that panics when it is asked for its state: an error like any other, and what was saved before stays.
#[test]
fn an_environment_that_panics_in_save_is_an_error_and_costs_no_checkpoint() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("run");
    // The state is asked for before training, to count its bytes, and at each checkpoint.
    let trainer = Trainer::with_envs(config(), fragile(u32::MAX, 3)).unwrap();
    let session = Session::create(&dir, trainer).unwrap();
    let error = session.train(&mut (), &Control::new()).unwrap_err();
    assert!(error.to_string().contains("panicked in save: where was I"), "{error}");
    let RunError::Train(TrainError::Env(EnvError::Panicked { .. })) = error else { panic!("{error:?}") };
    let mended = Trainer::with_envs(config(), fragile(u32::MAX, u32::MAX)).unwrap();
    let (session, resumed) = Session::resume_with(Run::open(&dir).unwrap(), mended).unwrap();
    assert_eq!(resumed.env_steps, 2 * 127);
    assert!(matches!(session.train(&mut (), &Control::new()).unwrap(), Ending::Finished { .. }));
}

/// Whatever the environment did, the run goes on from the last checkpoint once it is mended.
#[test]
fn a_run_whose_environment_panicked_goes_on_once_it_is_mended() {
    let root = tempfile::tempdir().unwrap();
    let (whole, broken) = (root.path().join("whole"), root.path().join("broken"));
    let train = |session: Session| session.train(&mut (), &Control::new());
    let begin = |dir: &std::path::Path, factory: EnvFactory| {
        let trainer = Trainer::with_envs(config(), factory).unwrap();
        Session::create(dir, trainer).unwrap()
    };
    train(begin(&whole, fragile(u32::MAX, u32::MAX))).unwrap();

    // The 300th step of all environments together panics, which is after two checkpoints.
    let error = train(begin(&broken, fragile(300, u32::MAX))).unwrap_err();
    assert!(matches!(error, RunError::Train(TrainError::Env(EnvError::Panicked { .. }))), "{error}");
    let mended = Trainer::with_envs(config(), fragile(u32::MAX, u32::MAX)).unwrap();
    let (session, resumed) = Session::resume_with(Run::open(&broken).unwrap(), mended).unwrap();
    assert!(resumed.env_steps >= 127, "{}", resumed.env_steps);
    assert!(matches!(train(session).unwrap(), Ending::Finished { .. }));
    for file in ["metrics.jsonl", "summary.json", "best/policy.safetensors"] {
        assert!(std::fs::read(whole.join(file)).unwrap() == std::fs::read(broken.join(file)).unwrap(), "{file}");
    }
}

/// Sound corridors that panic once they have made so many steps, or saved so often, all of them together.
fn fragile(steps: u32, saves: u32) -> EnvFactory {
    let (steps, saves) = (Arc::new(AtomicU32::new(steps)), Arc::new(AtomicU32::new(saves)));
    Box::new(move || {
        let (steps, saves) = (Arc::clone(&steps), Arc::clone(&saves));
        Ok(Box::new(Altered::new(Corridor::sound(), Fragile { steps, saves })))
    })
}

struct Fragile {
    /// Those left.
    steps: Arc<AtomicU32>,
    saves: Arc<AtomicU32>,
}

impl Alteration for Fragile {
    fn before_step(&mut self) {
        assert!(self.steps.fetch_sub(1, Ordering::Relaxed) > 0, "the gears are worn");
    }
    fn save(&self, _: &EnvSpec) -> Result<(), EnvError> {
        assert!(self.saves.fetch_sub(1, Ordering::Relaxed) > 0, "where was I");
        Ok(())
    }
}
