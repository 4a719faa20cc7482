//! Scores of a policy: each episode is its own, whatever is played beside it.

use requel::agent::GreedyPolicy;
use requel::train::{EnvFactory, Evaluation, Evaluator, Termination};
use requel::{Trainer, td::argmax};
use requel_envs::{Action, make};

use crate::support::{preset, short_training};

const LIMIT: u64 = 120;

fn trained(id: &str) -> GreedyPolicy {
    let mut config = short_training("notebook, 1 worlds");
    config.env.id = id.into();
    let mut trainer = Trainer::new(config).unwrap();
    trainer.run(&mut ()).unwrap();
    GreedyPolicy::new(trainer.agent().value_spec(), trainer.agent().parameters().to_vec(), 64).unwrap()
}

fn factory(id: &'static str) -> EnvFactory {
    Box::new(move || make(id))
}

/// One world, one episode after the other.
fn twin(id: &str, policy: &mut GreedyPolicy, episodes: usize, seed: u64) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for episode in 0..episodes as u64 {
        let mut env = make(id).unwrap();
        let mut observation = vec![0.0; env.observation_len()];
        env.reset(Some(seed + episode), &mut observation).unwrap();
        let (mut return_, mut length) = (0.0, 0);
        loop {
            let action = argmax(policy.q_values(&observation));
            let step = env.step(Action::Discrete(action), &mut observation).unwrap();
            return_ += step.reward;
            length += 1;
            if step.ended() || length == LIMIT {
                break;
            }
        }
        evaluation.returns.push(return_);
        evaluation.lengths.push(length);
    }
    evaluation
}

#[test]
fn side_by_side_equals_one_after_the_other() {
    for id in ["CartPole-v1", "Toy/Catch-v0", "Toy/Identity-v0"] {
        let mut policy = trained(id);
        let expected = twin(id, &mut policy, 77, 1000);
        for most in [1, 2, 7, 32, 100] {
            let mut evaluator = Evaluator::new(&factory(id), most, LIMIT).unwrap();
            assert_eq!(evaluator.rows(), most.min(32));
            for episodes in [77, 0, 1, 31, 33] {
                let evaluation = evaluator.evaluate(&mut policy, episodes, 1000).unwrap();
                assert_eq!(evaluation.returns, expected.returns[..episodes], "{id}, {most} worlds");
                assert_eq!(evaluation.lengths, expected.lengths[..episodes], "{id}, {most} worlds");
            }
        }
        // Episode i starts from seed + i: a later seed shows the same episodes shifted.
        let shifted = Evaluator::new(&factory(id), 5, LIMIT).unwrap().evaluate(&mut policy, 40, 1007).unwrap();
        assert_eq!(shifted.returns, expected.returns[7..47], "{id}");
    }
}

/// A return that was cut off is not what the policy would have come to, and looks like one that is.
#[test]
fn episodes_that_did_not_end_are_counted() {
    let mut policy = trained("CartPole-v1");
    let mut evaluate =
        |limit| Evaluator::new(&factory("CartPole-v1"), 40, limit).unwrap().evaluate(&mut policy, 40, 5).unwrap();
    let whole = evaluate(500);
    // The time limit of the environment is an end; nothing falls in two steps.
    assert_eq!((whole.cut_off, evaluate(2).cut_off), (0, 40));
    let longest = *whole.lengths.iter().max().unwrap();
    assert_eq!(evaluate(longest).cut_off, 0);
    let cut = evaluate(longest - 1);
    assert_eq!(cut.cut_off, whole.lengths.iter().filter(|length| **length == longest).count());
    assert!(cut.cut_off > 0 && *cut.lengths.iter().max().unwrap() == longest - 1);
}

#[test]
fn means_by_hand() {
    let evaluation = Evaluation { returns: vec![1.0, 2.0, 6.0], lengths: vec![1, 2, 3], cut_off: 0 };
    assert_eq!((evaluation.mean_return(), evaluation.mean_length(), evaluation.episodes()), (3.0, 2.0, 3));
    // numpy.std([1, 2, 6])
    assert!((evaluation.std_return() - 2.160_246_899_469_287).abs() < 1e-15);
    assert_eq!((Evaluation::default().mean_return(), Evaluation::default().std_return()), (0.0, 0.0));
}

#[test]
fn stops_when_solved_as_often_as_wanted() {
    // Every policy reaches 1 on CartPole: the second score ends it.
    let settings = ["evaluation.every_episodes=0", "evaluation.every_steps=50", "evaluation.stop_after=2"];
    let mut config = preset("notebook", &[&settings[..], &["evaluation.stop_return=1"]].concat());
    config.evaluation.final_episodes = 2;
    // Handed over between the two: the first one is not forgotten.
    let mut first = Trainer::new(config.clone()).unwrap();
    (0..75).for_each(|_| assert_eq!(first.advance(&mut ()).unwrap(), None));
    let mut second = Trainer::new(config.clone()).unwrap();
    second.restore(&first.save()).unwrap();
    for mut trainer in [Trainer::new(config).unwrap(), second] {
        let outcome = trainer.run(&mut ()).unwrap();
        assert_eq!((outcome.termination, outcome.env_steps), (Termination::Solved, 100));
    }
}
