//! [`OwnedExperience`] and [`ExperienceBatch`]: experience that can be stored, sent and read back.

use requel_envs::Step;
use serde::{Deserialize, Serialize};

use super::Experience;

/// An [`Experience`] that owns its numbers, for other processes, data sets and remote actors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnedExperience {
    /// Which of the parallel environments. Steps of one slot follow each other.
    pub slot: usize,
    /// The observation before the action.
    pub observation: Vec<f32>,
    /// Which actions the environment allowed then; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<Vec<bool>>,
    /// The index of the action.
    pub action: usize,
    /// The reward.
    pub reward: f64,
    /// Whether the episode ended in a terminal state.
    pub terminated: bool,
    /// Whether the episode was cut off.
    pub truncated: bool,
    /// The observation after it: at the end of an episode its true last observation.
    pub next_observation: Vec<f32>,
    /// Which actions the environment allows there; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_mask: Option<Vec<bool>>,
}

/// Steps in the order they were made, all with the same weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExperienceBatch {
    /// The version of the weights that acted: the number of updates they had received.
    pub weights_version: u64,
    /// The steps.
    pub experiences: Vec<OwnedExperience>,
}

impl OwnedExperience {
    /// The same in the form that agents observe.
    pub fn as_experience(&self) -> Experience<'_> {
        Experience {
            slot: self.slot,
            observation: &self.observation,
            mask: self.mask.as_deref(),
            action: self.action,
            step: Step { reward: self.reward, terminated: self.terminated, truncated: self.truncated },
            next_observation: &self.next_observation,
            next_mask: self.next_mask.as_deref(),
        }
    }
}

impl From<Experience<'_>> for OwnedExperience {
    fn from(experience: Experience<'_>) -> Self {
        let Step { reward, terminated, truncated } = experience.step;
        OwnedExperience {
            slot: experience.slot,
            observation: experience.observation.to_vec(),
            mask: experience.mask.map(<[bool]>::to_vec),
            action: experience.action,
            reward,
            terminated,
            truncated,
            next_observation: experience.next_observation.to_vec(),
            next_mask: experience.next_mask.map(<[bool]>::to_vec),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_as_json_reads_back_to_the_bit(
            numbers in proptest::collection::vec(proptest::num::f32::NORMAL | proptest::num::f32::SUBNORMAL, 3),
            reward in proptest::num::f64::NORMAL,
            mask in proptest::option::of(proptest::collection::vec(proptest::bool::ANY, 4)),
            weights_version: u64,
        ) {
            let experience = Experience {
                slot: 1,
                observation: &numbers,
                mask: mask.as_deref(),
                action: 2,
                step: Step { reward, terminated: false, truncated: true },
                next_observation: &numbers,
                next_mask: None,
            };
            let owned = OwnedExperience::from(experience);
            prop_assert_eq!(owned.as_experience(), experience);
            let batch = ExperienceBatch { weights_version, experiences: vec![owned] };
            let read: ExperienceBatch = serde_json::from_str(&serde_json::to_string(&batch).unwrap()).unwrap();
            prop_assert_eq!(read, batch);
        }
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        let text = r#"{"slot": 0, "observation": [null], "action": 0, "reward": 1, "terminated": false, "truncated": false,
            "next_observation": [0]}"#;
        assert!(serde_json::from_str::<OwnedExperience>(text).is_err());
        assert!(serde_json::from_str::<OwnedExperience>(&text.replace("null", "0.5")).is_ok());
    }
}
