//! Continuing in other environments than those used for learning so far.

use super::Trainer;
use crate::train::TrainError;

impl Trainer {
    /// Continues from the state of `other`, in the environments of this trainer: takes its agent, with everything it has learned and
    /// stored, and its counts of env steps and updates. New episodes start, and no transition leads from one environment into another. Only
    /// before the first step; `other` must not be used afterwards.
    ///
    /// # Errors
    /// [`TrainError::Beginning`] if training has started, or the settings, spaces or numbers of environments differ: `other` is then
    /// unchanged. Or if the environments cannot be reset.
    pub fn go_on_from(&mut self, other: &mut Trainer) -> Result<(), TrainError> {
        self.check_is_new()?;
        if let Some(reason) = self.difference_to(other) {
            return Err(TrainError::Beginning { reason });
        }
        std::mem::swap(&mut self.agent, &mut other.agent);
        self.agent.set_threads(self.threads);
        (self.env_steps, self.updates) = (other.env_steps, other.updates);
        (0..self.envs.len()).for_each(|slot| self.agent.interrupt(slot));
        self.begin_other_episodes(other.begun_anew)
    }

    /// Why the agent of `other` cannot act in these environments, or does not fit these settings.
    fn difference_to(&self, other: &Trainer) -> Option<String> {
        let mut theirs = other.config.clone();
        theirs.env.id.clone_from(&self.config.env.id);
        if self.envs.len() != other.envs.len() {
            return Some(format!("it is for {} environments, but there are {}", other.envs.len(), self.envs.len()));
        }
        if self.envs.observation_space() != other.envs.observation_space() {
            return Some("the observation spaces differ".into());
        }
        if self.action_space != other.action_space {
            return Some("the action spaces differ".into());
        }
        (theirs != self.config).then(|| "the settings differ".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Layers};
    use crate::state::State;

    fn config(settings: &[&str]) -> Config {
        let small = ["train.env_steps=400", "train.episodes=0", "replay.start=50", "evaluation.every_steps=0"];
        let layers = Layers::new().preset("notebook").unwrap();
        let set = |layers: Layers, setting: &&str| layers.set(setting).unwrap();
        small.iter().chain(settings).fold(layers, set).resolve().unwrap()
    }

    fn trained(config: Config) -> Trainer {
        let mut trainer = Trainer::new(config).unwrap();
        while trainer.advance(&mut ()).unwrap().is_none() {}
        trainer
    }

    #[test]
    fn what_was_learned_stored_and_counted_goes_along_and_learning_goes_on() {
        let mut first = trained(config(&[]));
        let mut second = Trainer::new(first.config().clone()).unwrap();
        let (weights, stored) = (first.weights_blake3().unwrap(), first.agent().sample_memory(400));
        assert_ne!(second.weights_blake3().unwrap(), weights);
        second.go_on_from(&mut first).unwrap();
        assert_eq!((second.env_steps(), second.weights_blake3().unwrap()), (400, weights));
        assert_eq!(second.agent().sample_memory(400), stored);
        second.change_config(config(&["train.env_steps=500"])).unwrap();
        while second.advance(&mut ()).unwrap().is_none() {}
        assert_eq!(second.env_steps(), 500);
        // The step at which the environments changed is in no transition: there is one for each step.
        assert_eq!(second.agent().sample_memory(9999).unwrap().columns.rewards.len(), 500);
    }

    #[test]
    fn a_buffer_that_was_saved_is_begun_with_and_counting_begins_where_it_is_told_to() {
        let first = trained(config(&[]));
        let saved = first.save_replay().unwrap();
        assert!(saved.tensors.keys().chain(saved.values.keys()).all(|name| name.starts_with("replay/")));
        let mut second = Trainer::new(config(&["train.env_steps=600"])).unwrap();
        assert_eq!(second.agent().stored(), Some(0));
        second.begin_with_replay(&saved).unwrap();
        assert_eq!(second.agent().stored(), Some(400));
        second.count_from(400);
        while second.advance(&mut ()).unwrap().is_none() {}
        assert_eq!((second.env_steps(), second.agent().stored()), (600, Some(600)));
        // Every fourth of 200 steps, from the first one on: the buffer held enough.
        assert_eq!(second.updates(), 50);
        let naive = Trainer::new(config(&["agent.kind=naive"])).unwrap();
        assert!(naive.save_replay().unwrap_err().to_string().contains("no replay buffer"));
    }

    #[test]
    fn what_was_learned_and_stored_is_begun_with_as_if_learning_went_on() {
        let owned = |state: State<'_>| State::from_sealed_bytes(&state.to_sealed_bytes().unwrap()).unwrap();
        for more in [&[][..], &["head.kind=quantile", "network.noisy=true"], &["agent.double=true", "agent.n_step=3"]] {
            let settings = |env_steps| [&["target.kind=hard", env_steps], more].concat();
            let mut first = trained(config(&settings("train.env_steps=400")));
            let learned = owned(first.save_learned().unwrap());
            let stored = owned(first.save_replay().unwrap());
            let begun = |learned: &State<'_>| {
                let mut begun = Trainer::new(first.config().clone()).unwrap();
                begun.begin_with_learned(learned).unwrap();
                begun.begin_with_replay(&stored).unwrap();
                begun.count_from(400);
                begun
            };
            let found = begun(&learned);
            let mut forgetful = learned.clone();
            let averages = forgetful.tensors.iter_mut().filter(|(name, _)| name.starts_with("optimizer/"));
            averages.for_each(|(_, tensor)| tensor.bytes = vec![0; tensor.bytes.len()].into());
            let forgetful = begun(&forgetful);
            let mut other = Trainer::new(first.config().clone()).unwrap();
            other.go_on_from(&mut first).unwrap();
            let on = |mut trainer: Trainer| {
                trainer.change_config(config(&settings("train.env_steps=600"))).unwrap();
                while trainer.advance(&mut ()).unwrap().is_none() {}
                (trainer.weights_blake3().unwrap(), trainer.updates())
            };
            let expected = on(other);
            assert_eq!(on(found), expected, "{more:?}");
            assert_ne!(on(forgetful), expected, "{more:?}: the optimiser's averages are of no matter");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_the_other_one_stays_whole() {
        let mut first = trained(config(&[]));
        let weights = first.weights_blake3().unwrap();
        for (settings, told) in [
            (vec!["env.id=MountainCar-v0"], "observation spaces differ"),
            (vec!["train.num_envs=2"], "it is for 1 environments, but there are 2"),
            (vec!["agent.gamma=0.5"], "settings differ"),
        ] {
            let refused = Trainer::new(config(&settings)).unwrap().go_on_from(&mut first).unwrap_err();
            assert!(refused.to_string().contains(told), "{refused}");
        }
        let mut begun = trained(config(&[]));
        assert!(begun.go_on_from(&mut first).unwrap_err().to_string().contains("400 env steps"));
        assert_eq!(first.weights_blake3().unwrap(), weights);
    }
}
