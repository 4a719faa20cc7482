//! What is stored at the end of an episode: truncation bootstraps from the true last observation, termination from none.

use requel::config::Config;
use requel::train::{EnvFactory, Trainer};
use requel_envs::closure::from_closures;
use requel_envs::{Step, TimeLimit};

use crate::support::{preset, stored};

/// Counts its steps from a random start in hundreds, so that every observation says which episode and step it is of;
/// ends by itself with step `terminates`, and is cut off after `limit`.
fn counter(terminates: f64, limit: u32) -> EnvFactory {
    Box::new(move || {
        let start = |rng: &mut requel_envs::GymRng| [(rng.random() * 1e4).floor(), 0.0];
        let env = from_closures("Counter", 2, start, move |[_, step], action, _| {
            *step += 1.0;
            Step { reward: action as f64 + *step, terminated: *step >= terminates, truncated: false }
        });
        Ok(Box::new(TimeLimit::new(env, limit)?))
    })
}

/// Acts greedily and never learns.
fn config(num_envs: usize, env_steps: u64) -> Config {
    let mut config = preset(
        "notebook",
        &["train.episodes=0", "train.env_steps=1", "exploration.start=0", "evaluation.every_episodes=0"],
    );
    config.replay.start = config.replay.capacity - 1;
    (config.train.num_envs, config.train.env_steps) = (num_envs, env_steps);
    config
}

fn train(factory: EnvFactory, num_envs: usize, env_steps: u64) -> Trainer {
    let mut trainer = Trainer::with_envs(config(num_envs, env_steps), factory).unwrap();
    trainer.run(&mut ()).unwrap();
    trainer
}

#[test]
fn a_truncated_episode_bootstraps_from_its_true_last_observation() {
    let trainer = train(counter(f64::INFINITY, 2), 1, 40);
    for (index, transition) in stored(&trainer).iter().enumerate() {
        let step = index as f32 % 2.0;
        assert_eq!(transition.discount, 0.9);
        assert_eq!((transition.observation[1], transition.next_observation[1]), (step, step + 1.0));
        assert_eq!(transition.observation[0], transition.next_observation[0]);
        assert_eq!(transition.reward, transition.action as f32 + step + 1.0);
    }
}

#[test]
fn a_terminated_episode_bootstraps_from_nothing() {
    // With the time limit in the same step it is still an end.
    for limit in [2, 10] {
        let trainer = train(counter(2.0, limit), 1, 40);
        let transitions = stored(&trainer);
        assert_eq!(transitions.len(), 40);
        for (index, transition) in transitions.iter().enumerate() {
            assert_eq!(transition.discount, if index % 2 == 0 { 0.9 } else { 0.0 });
            assert_eq!(transition.next_observation[1], transition.observation[1] + 1.0);
        }
    }
}

#[test]
fn each_of_several_environments_acts_from_its_reset_and_stores_its_last_observation() {
    // All slots end at once; episodes of 3 steps by truncation.
    let trainer = train(counter(f64::INFINITY, 3), 3, 90);
    let transitions = stored(&trainer);
    assert_eq!(transitions.len(), 90);
    let mut policy = trainer.value_network().unwrap().greedy(1).unwrap();
    for slot in 0..3 {
        let mut of_slot = transitions.iter().skip(slot).step_by(3).peekable();
        let mut step = 0.0;
        while let Some(transition) = of_slot.next() {
            assert_eq!(transition.observation[1], step);
            assert_eq!(transition.next_observation, [transition.observation[0], step + 1.0]);
            assert_eq!(transition.action as usize, policy.act(&transition.observation, None).unwrap());
            step = (step + 1.0) % 3.0;
            if let Some(next) = of_slot.peek() {
                let same_episode = next.observation[0] == transition.observation[0];
                assert_eq!(same_episode, step != 0.0, "a new episode starts somewhere else");
            }
        }
    }
    let starts = |slot: usize| transitions[slot].observation[0];
    assert!(starts(0) != starts(1) && starts(1) != starts(2), "environments are seeded apart");
}
