//! [`Player`], one environment and what acts in it, a frame at a time.

use std::sync::Arc;

use requel::GreedyPolicy;
use requel_envs::{Action, Env, Space, SpaceSampler, Step};

use crate::exit::Failure;
use crate::export::action_meanings;
use crate::show::{Caption, Decision, Frame};

/// What chooses the actions.
pub enum Acting {
    /// A trained policy, greedily.
    Policy(Box<GreedyPolicy>),
    /// Chance.
    Random(Box<SpaceSampler>),
}

/// Plays episodes in an environment. Episode `i`, from 1, starts from seed `seed + i - 1`.
pub struct Player {
    env: Box<dyn Env>,
    acting: Acting,
    seed: u64,
    most_steps: u32,
    observation: Vec<f32>,
    episode: u32,
    step: u32,
    episode_return: f64,
    last: Step,
    names: Option<Arc<[&'static str]>>,
}

impl Player {
    /// A player at the start of its first episode; no episode takes more than `most_steps` steps.
    ///
    /// # Errors
    /// If the environment fails.
    pub fn new(env: Box<dyn Env>, acting: Acting, (seed, most_steps): (u64, u32)) -> Result<Self, Failure> {
        let observation = vec![0.0; env.observation_len()];
        let actions = env.action_space().discrete_n();
        let names = actions.and_then(|actions| action_meanings(&env.spec().id, actions)).map(Into::into);
        let mut player = Player {
            env,
            acting,
            seed,
            most_steps,
            observation,
            episode: 0,
            step: 0,
            episode_return: 0.0,
            last: Step::default(),
            names,
        };
        player.next_episode()?;
        Ok(player)
    }

    /// Starts the next episode.
    ///
    /// # Errors
    /// If the environment fails.
    pub fn next_episode(&mut self) -> Result<(), Failure> {
        self.env.reset(Some(self.seed.wrapping_add(u64::from(self.episode))), &mut self.observation)?;
        self.episode += 1;
        (self.step, self.episode_return, self.last) = (0, 0.0, Step::default());
        Ok(())
    }

    /// Changes what chooses the actions, in the midst of an episode too.
    pub fn act_by(&mut self, acting: Acting) {
        self.acting = acting;
    }

    /// Takes the next step. There must be one: see [`Player::ended`].
    ///
    /// # Errors
    /// If the environment fails.
    pub fn step(&mut self) -> Result<(), Failure> {
        let mask = self.env.action_mask();
        let numbers;
        let action = match &mut self.acting {
            Acting::Policy(policy) => Action::Discrete(policy.act(&self.observation, mask)?),
            Acting::Random(sampler) => match (self.env.action_space(), mask) {
                (Space::Discrete { .. }, Some(mask)) => Action::Discrete(sampler.masked(mask)),
                (Space::Discrete { .. }, None) => Action::Discrete(sampler.discrete()),
                _ => {
                    numbers = sampler.sample();
                    Action::Continuous(&numbers)
                }
            },
        };
        self.last = self.env.step(action, &mut self.observation)?;
        self.step += 1;
        self.episode_return += self.last.reward;
        Ok(())
    }

    /// Whether the episode is over.
    pub fn ended(&self) -> bool {
        self.last.ended() || self.step >= self.most_steps
    }

    /// The sum of the episode's rewards so far.
    pub fn episode_return(&self) -> f64 {
        self.episode_return
    }

    /// How many steps the episode has.
    pub fn steps(&self) -> u32 {
        self.step
    }

    /// Steps per second at which the environment looks natural.
    pub fn frames_per_second(&self) -> f32 {
        self.env.spec().frames_per_second.clamp(0.1, 1000.0)
    }

    /// What there is to see now.
    ///
    /// # Errors
    /// If the policy is of another environment.
    pub fn frame(&mut self) -> Result<Frame, Failure> {
        let decision = match &mut self.acting {
            Acting::Policy(policy) => {
                let action = policy.act(&self.observation, self.env.action_mask())?;
                let names = self.names.clone();
                Some(Decision { q_values: policy.q_values(&self.observation)?.to_vec(), action, names })
            }
            Acting::Random(_) => None,
        };
        let caption = Caption {
            env: self.env.spec().id.clone(),
            episode: self.episode,
            step: self.step,
            episode_return: self.episode_return,
            note: None,
            decision,
        };
        Ok(Frame { scene: self.env.scene(), caption })
    }

    /// The frames of the present episode from here to its end.
    ///
    /// # Errors
    /// If the environment fails.
    pub fn film(&mut self) -> Result<Vec<Frame>, Failure> {
        let mut frames = vec![self.frame()?];
        while !self.ended() {
            self.step()?;
            frames.push(self.frame()?);
        }
        Ok(frames)
    }
}

#[cfg(test)]
mod tests {
    use requel_envs::make;

    use super::*;

    fn player(most_steps: u32) -> Player {
        let env = make("CartPole-v1").unwrap();
        let sampler = SpaceSampler::new(env.action_space(), 0).unwrap();
        Player::new(env, Acting::Random(Box::new(sampler)), (0, most_steps)).unwrap()
    }

    #[test]
    fn a_film_has_the_start_and_every_step() {
        let mut player = player(1000);
        let frames = player.film().unwrap();
        assert_eq!(frames.len(), player.steps() as usize + 1);
        assert_eq!(frames[0].caption.step, 0);
        let last = frames.last().unwrap();
        assert_eq!((f64::from(last.caption.step), last.caption.episode), (last.caption.episode_return, 1));
    }

    #[test]
    fn every_environment_can_be_played_at_random() {
        for spec in requel_envs::specs() {
            let env = make(&spec.id).unwrap();
            let sampler = SpaceSampler::new(env.action_space(), 0).unwrap();
            let mut player = Player::new(env, Acting::Random(Box::new(sampler)), (0, 20)).unwrap();
            assert!(player.film().unwrap().len() >= 2, "{}", spec.id);
        }
    }

    #[test]
    fn an_episode_can_be_cut_short_and_followed() {
        let mut player = player(3);
        assert_eq!(player.film().unwrap().len(), 4);
        player.next_episode().unwrap();
        assert!(!player.ended());
        assert_eq!(player.frame().unwrap().caption.episode, 2);
    }
}
