//! The augmentation of batches that a config describes.

use requel_envs::Space;

use crate::agent::AgentError;
use crate::config::{AugmentationKind, Config};
use crate::replay::{AugmentedReplay, RandomShift, ReplayBuffer, ShiftSpec};

/// The pixels in Yarats et al. 2021.
const PIXELS: u32 = 4;
/// The scale of Dopamine's DrQ (Agarwal et al. 2021).
const INTENSITY: f32 = 0.05;

impl Config {
    /// A replay buffer wrapped with the augmentation of `replay.augmentation`, whichever buffer it is.
    ///
    /// # Errors
    /// If the observations cannot be augmented this way.
    pub fn augmented(
        &self,
        observations: &Space,
        replay: Box<dyn ReplayBuffer>,
    ) -> Result<Box<dyn ReplayBuffer>, AgentError> {
        let intensity = match self.replay.augmentation {
            AugmentationKind::Off => return Ok(replay),
            AugmentationKind::Shift => 0.0,
            AugmentationKind::ShiftIntensity => INTENSITY,
        };
        let shift = RandomShift::new(observations, ShiftSpec { pixels: PIXELS, intensity }, self.train.seed)?;
        Ok(Box::new(AugmentedReplay::new(replay, Box::new(shift))))
    }
}

#[cfg(test)]
mod tests {
    use requel_envs::DType;

    use super::*;
    use crate::Machine;
    use crate::agent::Actions;
    use crate::config::Layers;
    use crate::replay::LatestReplay;
    use crate::transition::{Batch, Transition};

    fn config(augmentation: &str) -> Config {
        Layers::new().set(&format!("replay.augmentation={augmentation}")).unwrap().resolve().unwrap()
    }

    fn pictures(dtype: DType) -> Space {
        Space::Box { low: vec![0.0; 30], high: vec![255.0; 30], shape: vec![5, 6], dtype }
    }

    /// What is learned from of a picture that was stored.
    fn learned_from(augmentation: &str) -> Vec<u8> {
        let observation: Vec<f32> = (0..30).map(|pixel| pixel as f32 * 8.0).collect();
        let layout = crate::replay::RecordLayout::for_space(&pictures(DType::U8));
        let own = Box::new(LatestReplay::new(1, layout));
        let mut replay = config(augmentation).augmented(&pictures(DType::U8), own).unwrap();
        let (mask, next_mask) = (None, None);
        let (action, reward, discount) = (0, 0.0, 0.0);
        let next_observation = &observation;
        replay.push(&Transition {
            observation: &observation,
            mask,
            action,
            reward,
            discount,
            next_observation,
            next_mask,
        });
        let (mut shown, mut next) = (vec![0; 30], vec![0; 30]);
        replay.sample(&mut Batch::new(1).with_observation_bytes(&mut shown, &mut next));
        shown
    }

    #[test]
    fn whatever_buffer_it_is_pictures_are_changed_where_that_is_asked_for() {
        let stored: Vec<u8> = (0..30).map(|pixel| pixel * 8).collect();
        assert_eq!(learned_from("off"), stored);
        let (shifted, brighter) = (learned_from("shift"), learned_from("shift-intensity"));
        assert_ne!(shifted, stored);
        assert!(shifted.iter().all(|pixel| stored.contains(pixel)));
        assert_ne!(brighter, shifted);
    }

    #[test]
    fn what_is_no_picture_is_refused_by_the_key() {
        let (space, machine) = (pictures(DType::F32), Machine::default());
        let refused = config("shift").dqn_parts(&space, Actions::from(2), &machine).err().unwrap().to_string();
        assert!(refused.starts_with("`replay.augmentation`: observations are F32 of the shape [5, 6]"), "{refused}");
        assert!(config("off").dqn_parts(&space, Actions::from(2), &machine).is_ok());
    }
}
