//! Trainings that begin from what was learned elsewhere.

use std::path::Path;

use requel::checkpoint;
use requel::config::Config;
use requel::run::{Beginning, Control, Run, RunError, Session, Weights, verify};
use requel::storage::RealStorage;
use requel::train::TrainError;
use requel::{Registry, Trainer};

use crate::sessions::{Cut, Scissors, assert_same_files, train_at_once};
use crate::support::{files, short_training};

fn source(dir: &Path, config: &Config) -> Run {
    train_at_once(dir, config);
    Run::open(dir).unwrap()
}

fn begin(dir: &Path, config: &Config, beginning: &Beginning) -> Result<Session, RunError> {
    let mut trainer = Trainer::new(config.clone())?;
    beginning.apply(&mut trainer)?;
    let run = Run::create_from(dir, &trainer, beginning)?;
    Ok(Session::resume_with(run, trainer)?.0)
}

#[test]
fn the_first_weights_are_those_that_were_learned_and_a_kill_does_not_change_them() {
    for name in ["hard by updates, 1 environments", "pqn, masks", "rainbow, 3 environments"] {
        let mut config = short_training(name);
        let root = tempfile::tempdir().unwrap();
        let first = source(&root.path().join("first"), &config);
        config.train.seed = 5;
        for weights in [Weights::Best, Weights::Last] {
            let beginning = Beginning::from_run(&first, weights, &Registry::built_in()).unwrap();
            let learned = match weights {
                Weights::Last => first.last_policy(&Registry::built_in()).unwrap(),
                _ => first.best_policy().unwrap(),
            };
            let (whole, killed) =
                (root.path().join(format!("whole-{weights:?}")), root.path().join(format!("killed-{weights:?}")));
            let session = begin(&whole, &config, &beginning).unwrap();
            assert!(session.trainer().value_network().unwrap().parameters == learned.parameters, "{name}");
            assert_eq!((session.trainer().env_steps(), session.trainer().updates()), (0, 0));
            session.train(&mut (), &Control::new()).unwrap();
            // Before its first checkpoint: what it began from may be gone by then.
            let control = Control::new();
            let mut scissors = Scissors { control: &control, at: 50, cut: Cut::Death };
            begin(&killed, &config, &beginning).unwrap().train(&mut scissors, &control).unwrap_err();
            let (session, _) = Session::resume(Run::open(&killed).unwrap()).unwrap();
            assert_eq!(session.trainer().env_steps(), 0);
            session.train(&mut (), &Control::new()).unwrap();
            let same = ["config.toml", "origin.json", "metrics.jsonl", "best/policy.safetensors", "summary.json"];
            assert_same_files(name, &killed, &whole, &same);

            let run = Run::open(&whole).unwrap();
            assert_eq!(run.origin().unwrap().unwrap(), *beginning.origin());
            assert_eq!(run.course().unwrap().len(), 1);
            assert!(verify(&run).unwrap().damage.is_empty());
        }
    }
}

#[test]
fn a_replay_buffer_comes_along_if_it_is_asked_for() {
    for name in ["notebook, 1 environments", "frames, prioritized"] {
        let mut config = short_training(name);
        let root = tempfile::tempdir().unwrap();
        let first = source(&root.path().join("first"), &config);
        let newest = |run: &Run| {
            let (_, path) = checkpoint::list(&RealStorage, &run.checkpoints()).unwrap().pop().unwrap();
            let mut state = checkpoint::read(&RealStorage, &path).unwrap().state;
            state.tensors.retain(|name, _| name.starts_with("replay/"));
            state.values.retain(|name, _| name.starts_with("replay/"));
            state
        };
        let beginning =
            Beginning::from_run(&first, Weights::Last, &Registry::built_in()).unwrap().with_replay(&first).unwrap();
        config.optimizer.learning_rate *= 0.5;
        let session = begin(&root.path().join("second"), &config, &beginning).unwrap();
        assert_eq!(newest(session.run()), newest(&first), "{name}");
        assert!(beginning.origin().replay_env_steps.is_some_and(|steps| steps >= 700), "{name}");
        // It learns from the first step on, and not once the buffer has filled.
        let control = Control::new();
        session.train(&mut Scissors { control: &control, at: 40, cut: Cut::Stop }, &control).unwrap();
        let (session, _) = Session::resume(Run::open(&root.path().join("second")).unwrap()).unwrap();
        assert!(session.trainer().updates() > 0, "{name}");
        // Transitions that were made otherwise are no such beginning.
        config.agent.gamma = 0.5;
        let error = begin(&root.path().join("third"), &config, &beginning).err().unwrap();
        assert!(error.to_string().contains("agent.gamma from"), "{error}");
        assert!(!root.path().join("third").exists());
    }
}

#[test]
fn what_does_not_go_together_is_refused_and_nothing_is_written() {
    let config = short_training("notebook, 1 environments");
    let root = tempfile::tempdir().unwrap();
    let first = source(&root.path().join("first"), &config);
    let beginning = Beginning::from_run(&first, Weights::Best, &Registry::built_in()).unwrap();
    let before = files(root.path());
    let refusal = |change: &dyn Fn(&mut Config)| {
        let mut config = config.clone();
        change(&mut config);
        let error = begin(&root.path().join("second"), &config, &beginning).err().unwrap();
        assert!(matches!(error, RunError::Train(TrainError::Beginning { .. })), "{error}");
        assert!(files(root.path()) == before, "{error}");
        error.to_string()
    };
    let said = refusal(&|c| c.env.id = "Acrobot-v1".into());
    assert!(said.contains("the policy is for CartPole-v1, but this run trains in Acrobot-v1"), "{said}");
    let said = refusal(&|c| c.network.hidden = vec![12, 9]);
    assert!(said.contains("its layer 2 is") && said.contains("\"outputs\":9"), "{said}");
    assert!(refusal(&|c| c.network.hidden = vec![12]).contains("it has 3 layers instead of 2"));
    assert!(refusal(&|c| c.env.frame_stack = 2).contains("it reads [4] numbers instead of [8]"));
    assert!(
        refusal(&|c| c.head.kind = requel::config::HeadKind::Quantile)
            .contains("the policy's outputs are an expected return for each action, but `head` needs 51 quantiles")
    );

    let mut trainer = Trainer::new(config.clone()).unwrap();
    trainer.advance(&mut ()).unwrap();
    assert!(
        beginning
            .apply(&mut trainer)
            .unwrap_err()
            .to_string()
            .contains("1 env steps of training have already been made")
    );
    // A run of which nothing is left that it began from must not begin anew from drawn weights.
    let second = root.path().join("second");
    drop(begin(&second, &config, &beginning).unwrap());
    std::fs::remove_dir_all(second.join("checkpoints")).unwrap();
    let run = Run::open(&second).unwrap();
    assert!(matches!(Session::resume(run.clone()).err().unwrap(), RunError::NoBeginning { .. }));
    assert!(!verify(&run).unwrap().damage.is_empty());
}
