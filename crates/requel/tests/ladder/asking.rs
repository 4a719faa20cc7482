//! An observer that asks training to stop.

use requel::Trainer;
use requel::config::{Config, TrainConfig};
use requel::run::{Control, Ending, Session};
use requel::train::{Observer, ObserverError, Termination, TrainEvent};

use crate::support::preset;

/// Asks to stop at some env steps, and takes no step for itself.
struct AsksAt {
    at: u64,
    heard: u64,
}

impl Observer for AsksAt {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if let TrainEvent::Progress(aggregates) = event {
            self.heard = aggregates.env_steps;
        }
        Ok(())
    }

    fn asks_to_stop(&self) -> bool {
        self.heard >= self.at
    }
}

#[test]
fn an_observer_can_ask_training_to_stop_and_the_run_says_so() {
    let root = tempfile::tempdir().unwrap();
    let config = preset("notebook", &["train.episodes=0", "train.env_steps=900", "log.every_steps=100"]);
    let session = Session::create(&root.path().join("run"), Trainer::new(config.clone()).unwrap()).unwrap();
    let run = session.run().clone();
    let ending = session.train(&mut (&mut AsksAt { at: 300, heard: 0 }, &mut ()), &Control::new()).unwrap();
    let Ending::Finished { summary, .. } = ending else { panic!("it is finished") };
    assert_eq!((summary.termination, summary.env_steps), (Termination::Asked, 300));
    assert!(run.is_finished());

    // Resumed as it is, only its end is made again: nobody needs to ask anew.
    let session = Session::resume(run.clone()).unwrap().0;
    let Ending::Finished { summary: again, .. } = session.train(&mut (), &Control::new()).unwrap() else { panic!() };
    assert_eq!(again, summary);

    // Extended it goes on, with the bits of a training that nobody has stopped.
    let more = Config { train: TrainConfig { env_steps: 1000, ..config.train.clone() }, ..config.clone() };
    let session = Session::extend(run, &more).unwrap().0;
    let Ending::Finished { summary, .. } = session.train(&mut (), &Control::new()).unwrap() else { panic!() };
    assert_eq!((summary.termination, summary.env_steps), (Termination::BudgetUsed, 1000));
    let whole = Trainer::new(more).unwrap().run(&mut ()).unwrap();
    assert_eq!(summary.weights_blake3, whole.weights_blake3);
}
