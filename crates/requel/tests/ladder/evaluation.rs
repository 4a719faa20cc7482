//! Scores of a policy: each episode is its own, whatever is played beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use requel::agent::{AgentError, GreedyPolicy, Policy, PolicyInput};
use requel::run::Summary;
use requel::train::{Confirmation, EnvFactory, Evaluation, Evaluator, Termination, TrainEvent};
use requel::{Trainer, td::argmax};
use requel_envs::{Action, TimeLimit, make};

use crate::support::{preset, short_training};

const LIMIT: u64 = 120;

fn trained(id: &str) -> GreedyPolicy {
    let mut config = short_training("notebook, 1 environments");
    config.env.id = id.into();
    let mut trainer = Trainer::new(config).unwrap();
    trainer.run(&mut ()).unwrap();
    trainer.value_network().unwrap().greedy(64).unwrap()
}

fn factory(id: &'static str) -> EnvFactory {
    Box::new(move || make(id))
}

/// One environment, one episode after the other.
fn twin(id: &str, policy: &mut GreedyPolicy, episodes: usize, seed: u64) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for episode in 0..episodes as u64 {
        let mut env = make(id).unwrap();
        let mut observation = vec![0.0; env.observation_len()];
        env.reset(Some(seed + episode), &mut observation).unwrap();
        let (mut return_, mut length) = (0.0, 0);
        loop {
            let action = argmax(policy.q_values(&observation).unwrap());
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

/// Acts by how many steps of the episode it remembers, which it does for each slot apart.
struct Remembering {
    steps: Vec<usize>,
}

impl Policy for Remembering {
    fn choose(&mut self, input: &PolicyInput<'_>, actions: &mut [usize]) -> Result<(), AgentError> {
        for (slot, action) in input.slots.iter().zip(actions) {
            *action = usize::from(self.steps[*slot] % 5 < 2);
            self.steps[*slot] += 1;
        }
        Ok(())
    }

    fn begin(&mut self, slot: usize) {
        self.steps[slot] = 0;
    }

    fn parameters(&self) -> &[f32] {
        &[]
    }

    fn set_parameters(&mut self, _: &[f32]) -> Result<(), AgentError> {
        Ok(())
    }
}

/// Environments change places when one is done, and begin anew at different times: what a policy remembers must not.
#[test]
fn what_a_policy_remembers_stays_with_its_episode() {
    let score = |most| {
        let mut evaluator = Evaluator::new(&factory("CartPole-v1"), most, LIMIT).unwrap();
        evaluator.evaluate(&mut Remembering { steps: vec![usize::MAX / 2; most] }, 50, 1000).unwrap()
    };
    let alone = score(1);
    assert!(alone.lengths.iter().any(|length| *length != alone.lengths[0]), "{:?}", alone.lengths);
    for most in [2, 7, 32] {
        assert_eq!(score(most), alone, "{most} side by side");
    }
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
                assert_eq!(evaluation.returns, expected.returns[..episodes], "{id}, {most} environments");
                assert_eq!(evaluation.lengths, expected.lengths[..episodes], "{id}, {most} environments");
            }
        }
        // Episode i starts from seed + i: a later seed shows the same episodes shifted.
        let shifted = Evaluator::new(&factory(id), 5, LIMIT).unwrap().evaluate(&mut policy, 40, 1007).unwrap();
        assert_eq!(shifted.returns, expected.returns[7..47], "{id}");
    }
}

/// A return that was cut off is not what the policy would have come to, and looks like one that is.
#[test]
fn scores_and_weights_do_not_depend_on_how_many_environments_there_are() {
    let trained = |most: Option<usize>| {
        let made = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&made);
        let factory: EnvFactory = Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            make("CartPole-v1")
        });
        let mut trainer = Trainer::with_envs(short_training("notebook, 1 environments"), factory).unwrap();
        most.iter().for_each(|most| trainer.evaluate_side_by_side(*most));
        (trainer.run(&mut ()).unwrap(), made.load(Ordering::Relaxed))
    };
    let (many, made_for_many) = trained(None);
    let (one, made_for_one) = trained(Some(1));
    assert_eq!(one, many);
    assert_eq!((made_for_one, made_for_many), (2, 5), "one is trained in, the others are scored in");
}

#[test]
fn policies_are_scored_in_the_environments_that_are_meant_for_it() {
    let trainer = || Trainer::new(short_training("notebook, 1 environments")).unwrap();
    let mut scored_elsewhere = trainer();
    scored_elsewhere.evaluate_in(Box::new(|| Ok(Box::new(TimeLimit::new(make("CartPole-v1")?, 3)?)))).unwrap();
    let (elsewhere, usual) = (scored_elsewhere.run(&mut ()).unwrap(), trainer().run(&mut ()).unwrap());
    assert_eq!(elsewhere.final_evaluation.returns, [3.0; 4]);
    assert_eq!(elsewhere.weights_blake3, usual.weights_blake3, "scores decide nothing that is learned");
    let error = trainer().evaluate_in(factory("Acrobot-v1")).unwrap_err().to_string();
    assert!(error.contains("Acrobot-v1, differ from those of CartPole-v1"), "{error}");
}

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
fn a_policy_of_another_environment_is_an_error_and_no_panic() {
    let mut of_acrobot = trained("Acrobot-v1");
    let mut evaluator = Evaluator::new(&factory("CartPole-v1"), 3, LIMIT).unwrap();
    let error = evaluator.evaluate(&mut of_acrobot, 3, 0).unwrap_err().to_string();
    let expected =
        "a policy for observations of 6 numbers and 3 actions cannot act in CartPole-v1, which has 4 and 2".to_owned();
    assert_eq!(error, expected);
    // Of as many actions, and made for fewer episodes at once than are played.
    let few = trained("CartPole-v1");
    let spec = requel::agent::ValueSpec { network: few.network().spec().clone(), head: Default::default() };
    let mut few = GreedyPolicy::new(&spec, few.parameters().to_vec(), 2).unwrap();
    let error = evaluator.evaluate(&mut few, 3, 0).unwrap_err().to_string();
    assert_eq!(error, "3 observations at once exceed the 2 that this policy was created for");
    let mut evaluator = Evaluator::new(&factory("Pendulum-v1"), 1, LIMIT).unwrap();
    assert!(evaluator.evaluate(&mut few, 1, 0).unwrap_err().to_string().contains("continuous actions"));
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
    second.restore(&first.save().unwrap()).unwrap();
    for mut trainer in [Trainer::new(config).unwrap(), second] {
        let outcome = trainer.run(&mut ()).unwrap();
        assert_eq!((outcome.termination, outcome.env_steps), (Termination::StopReturnReached, 100));
        let confirmation = outcome.confirmation.unwrap();
        assert_eq!((confirmation.episodes, confirmation.env_steps, confirmation.is_confirmed), (1_000, 100, true));
        assert_eq!(
            (confirmation.failed, outcome.goal),
            (1_000, Some(475.0)),
            "of the goal that is the environment's they are short"
        );
    }
}

/// The confirmations of a training, and how it ended.
fn confirmations(settings: &[&str], cut_at: Option<u64>) -> (Vec<Confirmation>, Termination) {
    let config = preset("notebook", settings);
    let mut seen = Vec::new();
    let mut listen = |event: &TrainEvent<'_>| {
        if let TrainEvent::Confirmed { confirmation, .. } = event {
            seen.push(*confirmation);
        }
        Ok(())
    };
    let mut trainer = Trainer::new(config.clone()).unwrap();
    let termination = loop {
        if Some(trainer.env_steps()) == cut_at {
            let mut resumed = Trainer::new(config.clone()).unwrap();
            resumed.restore(&trainer.save().unwrap()).unwrap();
            trainer = resumed;
        }
        if let Some(termination) = trainer.advance(&mut listen).unwrap() {
            break termination;
        }
    };
    (seen, termination)
}

#[test]
fn a_lucky_score_does_not_stop_training() {
    // Untrained policies fall after 8 to 11 steps: one episode of 10 is luck, and the mean of 1,000 is not.
    let settings = [
        "evaluation.every_episodes=0",
        "evaluation.every_steps=25",
        "evaluation.episodes=1",
        "evaluation.stop_after=1",
        "evaluation.stop_return=10",
        "train.env_steps=2000",
        "train.episodes=0",
        "replay.start=1990",
    ];
    let (seen, termination) = confirmations(&settings, None);
    assert_eq!(termination, Termination::BudgetUsed);
    assert!(seen.len() > 10, "{}", seen.len());
    for confirmation in &seen {
        assert!(!confirmation.is_confirmed && confirmation.mean_return < 10.0, "{confirmation:?}");
        // It is given up as soon as a hundred episodes say so.
        assert!(confirmation.episodes <= 300 && confirmation.failed == confirmation.episodes, "{confirmation:?}");
    }
    // Each has fresh episodes, and a resumed training goes on with the next of them.
    assert!(seen.windows(2).any(|pair| pair[0].mean_return != pair[1].mean_return));
    assert_eq!(confirmations(&settings, Some(seen[2].env_steps)), (seen, termination));
}

#[test]
fn without_confirmation_scores_alone_stop_training() {
    let settings = ["evaluation.every_episodes=0", "evaluation.every_steps=50", "evaluation.stop_after=1"];
    let more = ["evaluation.stop_return=1", "evaluation.confirm_episodes=0"];
    let (seen, termination) = confirmations(&[&settings[..], &more].concat(), None);
    assert_eq!((seen, termination), (vec![], Termination::StopReturnReached));
}

#[test]
fn solved_is_the_environments_goal_over_many_episodes() {
    // Reaching 1 of at most 1 on a corridor of one symbol: every policy solves it.
    let mut config = preset("notebook", &["train.env_steps=100", "train.episodes=0", "evaluation.every_episodes=0"]);
    config.env.id = "Toy/Identity-v0".into();
    config.env.options.insert("symbols".into(), 2.into());
    config.evaluation.confirm_episodes = 250;
    let outcome = Trainer::new(config.clone()).unwrap().run(&mut ()).unwrap();
    let reaches = outcome.final_evaluation.mean_return() >= 20.0;
    assert_eq!(
        outcome.confirmation.is_some(),
        reaches,
        "what reaches the goal is tried on more episodes, and nothing else"
    );
    assert_eq!(Summary::from(&outcome).is_solved(), outcome.confirmation.is_some_and(|c| c.mean_return >= 20.0));
    // With a shorter episode the goal means nothing.
    config.env.options.insert("max_episode_steps".into(), 5.into());
    let outcome = Trainer::new(config).unwrap().run(&mut ()).unwrap();
    assert_eq!((outcome.goal, outcome.confirmation), (None, None));
    assert!(!Summary::from(&outcome).is_solved());
}
