//! [`Player`], an environment and whatever acts in it, shown frame by frame.

use std::sync::Arc;

use requel::agent::Policy;
use requel_envs::{Action, Env, Scene, Space, SpaceSampler, Step};

use crate::exit::Failure;
use crate::show::{Caption, Decision, Frame};
use crate::signals::Signals;

/// What chooses the actions.
pub enum Acting {
    /// A trained policy, greedily.
    Policy(Box<dyn Policy>),
    /// Random actions.
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
    /// The action that the policy chose here, once computed: a policy with memory must be asked only once.
    chosen: Option<usize>,
    names: Option<Arc<[String]>>,
}

impl Player {
    /// A player at the start of its first episode; episodes have at most `most_steps` steps.
    ///
    /// # Errors
    /// If the environment fails.
    pub fn new(env: Box<dyn Env>, acting: Acting, (seed, most_steps): (u64, u32)) -> Result<Self, Failure> {
        let observation = vec![0.0; env.observation_len()];
        let names = &env.spec().action_names;
        let names = (!names.is_empty()).then(|| names.as_slice().into());
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
            chosen: None,
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
        (self.step, self.episode_return, self.last, self.chosen) = (0, 0.0, Step::default(), None);
        if let Acting::Policy(policy) = &mut self.acting {
            policy.begin(0);
        }
        Ok(())
    }

    /// Changes what chooses the actions, also within an episode.
    pub fn act_by(&mut self, acting: Acting) {
        (self.acting, self.chosen) = (acting, None);
    }

    /// Takes the next step. There must be one: see [`Player::ended`].
    ///
    /// # Errors
    /// If the environment fails.
    pub fn step(&mut self) -> Result<(), Failure> {
        let chosen = self.choose()?;
        let mask = self.env.action_mask();
        let numbers;
        let action = match &mut self.acting {
            Acting::Policy(_) => Action::Discrete(chosen.expect("a policy chooses")),
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
        self.chosen = None;
        self.step += 1;
        self.episode_return += self.last.reward;
        Ok(())
    }

    /// The action that the policy chooses here; `None` for random actions.
    fn choose(&mut self) -> Result<Option<usize>, Failure> {
        if let (Acting::Policy(policy), None) = (&mut self.acting, self.chosen) {
            self.chosen = Some(policy.act(&self.observation, self.env.action_mask())?);
        }
        Ok(self.chosen)
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

    /// The current frame.
    ///
    /// # Errors
    /// If the policy is for another environment, or fails.
    pub fn frame(&mut self) -> Result<Frame, Failure> {
        let chosen = self.choose()?;
        let values = match &self.acting {
            Acting::Policy(policy) => policy.values(),
            Acting::Random(_) => None,
        };
        let decision = chosen.zip(values).map(|(action, values)| {
            let names = self.names.clone();
            Decision { q_values: values.to_vec(), action, names }
        });
        let caption = Caption {
            env: self.env.spec().id.clone(),
            episode: self.episode,
            step: self.step,
            episode_return: self.episode_return,
            note: None,
            decision,
        };
        let numbers = || self.observation.iter().copied().map(f64::from).collect::<Vec<_>>();
        let scene = self.env.scene().unwrap_or_else(|| Scene::of_numbers(&numbers()));
        Ok(Frame { scene, caption })
    }

    /// The frames of the current episode from here to its end.
    ///
    /// # Errors
    /// If the environment fails, the episode has more than [`MOST_FILMED`] steps, or a signal comes.
    pub fn film(&mut self, signals: &Signals) -> Result<Vec<Frame>, Failure> {
        let mut frames = vec![self.frame()?];
        while !self.ended() {
            signals.check()?;
            if frames.len() > MOST_FILMED {
                let what =
                    format!("the episode is longer than {MOST_FILMED} steps, the most that an animation can have");
                return Err(Failure::bad_input(what).hint(format!("shorten it with `--steps {MOST_FILMED}` or less")));
            }
            self.step()?;
            frames.push(self.frame()?);
        }
        Ok(frames)
    }

    /// Frames spread evenly over the current episode from here to its end, including its last: `least` of them or all that there are, and
    /// never more than twice as many, however long it is.
    ///
    /// # Errors
    /// If the environment fails or a signal comes.
    pub fn film_thinned(&mut self, least: usize, signals: &Signals) -> Result<Vec<Frame>, Failure> {
        let mut frames = vec![self.frame()?];
        let (start, mut every) = (self.step, 1);
        while !self.ended() {
            signals.check()?;
            self.step()?;
            let is_kept = (self.step - start).is_multiple_of(every);
            if is_kept || self.ended() {
                frames.push(self.frame()?);
            }
            if is_kept && frames.len() > 2 * least {
                every *= 2;
                let mut index = 0..;
                frames.retain(|_| index.next().is_some_and(|index: usize| index.is_multiple_of(2)));
            }
        }
        Ok(frames)
    }
}

/// The maximum number of steps of an episode in an animation: each frame is kept until the last is known, a few kB.
const MOST_FILMED: usize = 20_000;

#[cfg(test)]
mod tests {
    use requel_envs::{GymRng, closure, make};

    use super::*;
    use crate::exit::Exit;

    fn player(most_steps: u32) -> Player {
        let env = make("CartPole-v1").unwrap();
        let sampler = SpaceSampler::new(env.action_space(), 0).unwrap();
        Player::new(env, Acting::Random(Box::new(sampler)), (0, most_steps)).unwrap()
    }

    fn signals() -> Signals {
        Signals::default()
    }

    /// In an environment whose episodes never end.
    fn endless(most_steps: u32) -> Player {
        let rules = |_: &mut [f64; 1], _: usize, _: &mut GymRng| Step::default();
        let env = Box::new(closure::from_closures("Endless-v0", 2, |_| [0.0], rules));
        let sampler = SpaceSampler::new(env.action_space(), 0).unwrap();
        Player::new(env, Acting::Random(Box::new(sampler)), (0, most_steps)).unwrap()
    }

    #[test]
    fn a_film_of_an_endless_episode_is_refused_with_the_number() {
        let most = u32::try_from(MOST_FILMED).unwrap();
        assert_eq!(endless(most).film(&signals()).unwrap().len(), MOST_FILMED + 1);
        for steps in [most + 1, u32::MAX] {
            let failure = endless(steps).film(&signals()).unwrap_err();
            assert!(failure.what.contains("20000") && failure.exit == Exit::BadInput, "{failure:?}");
        }
    }

    #[test]
    fn a_thinned_film_is_short_and_even_however_long_the_episode_is() {
        for steps in [1, 2, 9, 10, 11, 40, 41, 12_345] {
            let frames = endless(steps).film_thinned(10, &signals()).unwrap();
            let at: Vec<u32> = frames.iter().map(|frame| frame.caption.step).collect();
            assert!(at.len() <= 21 && (at.len() > 10 || at.len() == steps as usize + 1), "{steps}: {at:?}");
            assert_eq!((at[0], at[at.len() - 1]), (0, steps));
            let gap = at[1];
            assert!(at[..at.len() - 1].iter().enumerate().all(|(index, at)| *at == gap * index as u32), "{at:?}");
        }
    }

    #[test]
    fn filming_hears_a_signal() {
        let heard = Signals::of(Exit::Terminated);
        for film in [endless(u32::MAX).film(&heard), endless(u32::MAX).film_thinned(10, &heard)] {
            assert_eq!(film.unwrap_err().exit, Exit::Terminated);
        }
    }

    #[test]
    fn a_film_has_the_start_and_every_step() {
        let mut player = player(1000);
        let frames = player.film(&signals()).unwrap();
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
            assert!(player.film(&signals()).unwrap().len() >= 2, "{}", spec.id);
        }
    }

    #[test]
    fn an_episode_can_be_cut_short_and_followed() {
        let mut player = player(3);
        assert_eq!(player.film(&signals()).unwrap().len(), 4);
        player.next_episode().unwrap();
        assert!(!player.ended());
        assert_eq!(player.frame().unwrap().caption.episode, 2);
    }
}
