//! Environments that cannot save their state: a resume begins new episodes, learns nothing across the gap, and says so.

use requel::Trainer;
use requel::config::Config;
use requel::run::{Control, Ending, Run, Session};
use requel::train::{EnvFactory, Observer, ObserverError, TrainEvent};
use requel_envs::{EnvError, EnvSpec};

use crate::altered::{Alteration, Altered};
use crate::bad_envs::{Corridor, factory};
use crate::support::{preset, short_training, stored};

struct Unsaved;

impl Alteration for Unsaved {
    fn save(&self, spec: &EnvSpec) -> Result<(), EnvError> {
        Err(EnvError::CannotSave { id: spec.id.clone() })
    }
}

/// Corridors, which show their place and the number of the step in the episode.
fn unsaved() -> EnvFactory {
    Box::new(|| Ok(Box::new(Altered::new(Corridor::sound(), Unsaved))))
}

/// Looks whether episodes are whole.
#[derive(Default)]
struct Episodes(u64);

impl Observer for Episodes {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if let TrainEvent::EpisodeEnded { episode, .. } = event {
            assert!(episode.length >= 9 && episode.return_ == episode.length as f64, "{episode:?}");
            self.0 += 1;
        }
        Ok(())
    }
}

#[test]
fn what_is_learned_has_no_gap_in_it() {
    let three_steps = |num_envs: usize| {
        let envs = format!("train.num_envs={num_envs}");
        let settings = ["train.episodes=0", "train.env_steps=900", "replay.start=60", "agent.n_step=3", &envs];
        preset("notebook", &settings)
    };
    let trainings = [three_steps(1), three_steps(3), short_training("pqn, 3 environments")];
    for config in trainings {
        let fresh = || Trainer::with_envs(config.clone(), unsaved()).unwrap();
        let mut trainer = fresh();
        let mut episodes = Episodes::default();
        let (mut handed_over, mut turns) = (0, 0);
        let termination = loop {
            turns += 1;
            if turns % 53 == 0 {
                let mut next = fresh();
                next.restore(&trainer.save().unwrap()).unwrap();
                assert_eq!(next.save().unwrap(), trainer.save().unwrap());
                assert!(next.begins_new_episodes() && !trainer.begins_new_episodes());
                trainer = next;
                handed_over += 1;
            }
            if let Some(termination) = trainer.advance(&mut episodes).unwrap() {
                break termination;
            }
        };
        let outcome = trainer.finish(termination, &mut episodes).unwrap();
        assert_eq!((outcome.inexact_resumes, outcome.episodes), (handed_over, episodes.0));
        assert!(handed_over > 3 && outcome.updates > 0);
        if config.agent.n_step == 3 {
            let transitions = stored(&trainer);
            assert!(transitions.len() > 600, "{}", transitions.len());
            for transition in transitions {
                let steps = transition.next_observation[1] - transition.observation[1];
                let gamma = config.agent.gamma as f32;
                let expected: f32 = (0..steps as i32).map(|k| gamma.powi(k)).sum();
                let whole = (1.0..=3.0).contains(&steps) && (transition.reward - expected).abs() < 1e-5;
                assert!(whole, "{transition:?}");
            }
        }
    }
}

/// Asks to stop after so many env steps.
struct StopAt<'a>(u64, &'a Control);

impl Observer for StopAt<'_> {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        if matches!(event, TrainEvent::Stepped { env_steps, .. } if *env_steps >= self.0) {
            self.1.request_stop();
        }
        Ok(())
    }

    fn wants_steps(&self) -> bool {
        true
    }
}

fn config() -> Config {
    short_training("notebook, 3 environments")
}

fn begin(dir: &std::path::Path, envs: EnvFactory) -> Session {
    Session::create(dir, Trainer::with_envs(config(), envs).unwrap()).unwrap()
}

/// Trains to the 300th env step, and from there to the end. Whether that began new episodes, and what the run came to.
fn interrupted(dir: &std::path::Path, envs: fn() -> EnvFactory) -> (bool, String) {
    let control = Control::new();
    let ending = begin(dir, envs()).train(&mut StopAt(300, &control), &control).unwrap();
    assert!(matches!(ending, Ending::Interrupted { env_steps: 300, .. }), "{ending:?}");
    let resume = || Session::resume_with(Run::open(dir).unwrap(), Trainer::with_envs(config(), envs()).unwrap());
    let (session, resumed) = resume().unwrap();
    session.train(&mut (), &Control::new()).unwrap();
    let summary = std::fs::read_to_string(dir.join("summary.json")).unwrap();
    // Of a run that is finished only the end is made again, without a step.
    let (session, again) = resume().unwrap();
    assert!(!again.begins_new_episodes);
    session.train(&mut (), &Control::new()).unwrap();
    assert_eq!(std::fs::read_to_string(dir.join("summary.json")).unwrap(), summary);
    (resumed.begins_new_episodes, summary)
}

#[test]
fn a_run_says_that_it_was_not_resumed_exactly() {
    let root = tempfile::tempdir().unwrap();
    let dir = |name: &str| root.path().join(name);
    let whole = |name: &str, envs: EnvFactory| {
        begin(&dir(name), envs).train(&mut (), &Control::new()).unwrap();
        std::fs::read_to_string(dir(name).join("summary.json")).unwrap()
    };
    // Whether they can save it makes no difference to a training that is never interrupted.
    let uninterrupted = whole("whole", unsaved());
    assert_eq!(uninterrupted, whole("saved", factory(|_| {})));
    assert!(!uninterrupted.contains("inexact_resumes"));

    assert_eq!(interrupted(&dir("exact"), || factory(|_| {})), (false, uninterrupted.clone()));
    let (began_anew, inexact) = interrupted(&dir("inexact"), unsaved);
    assert!(began_anew && inexact.contains("\"inexact_resumes\": 1"), "{inexact}");
    assert_ne!(inexact, uninterrupted);
    // What it comes to is still a function of where it was interrupted.
    assert_eq!(interrupted(&dir("again"), unsaved).1, inexact);
    let summary = Run::open(&dir("inexact")).unwrap().summary().unwrap().unwrap();
    assert_eq!(summary.inexact_resumes, 1);
}
