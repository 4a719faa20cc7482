//! The replay buffer and the target network.

use crate::config::declare::Condition::{Is, IsNot};
use crate::config::declare::Range::{self, Between, Share};
use crate::config::declare::{LARGE, SMALL, Scale, TINY, Tuning, choice, section};

choice! {
    /// How transitions are sampled.
    pub enum ReplayKind {
        /// Each with the same probability.
        "uniform" => Uniform,
        /// Those with a large TD error more often (Schaul 2016, proportional).
        "prioritized" => Prioritized,
    }
}

choice! {
    /// How pictures are changed before they are learned from.
    pub enum AugmentationKind {
        /// Pictures are used unchanged.
        "off" => Off,
        /// Each picture is shifted by up to 4 pixels in each direction, repeating its edge (Yarats et al. 2021).
        "shift" => Shift,
        /// The same, and its brightness changes by up to 10 % (as in Agarwal et al. 2021 for Atari).
        "shift-intensity" => ShiftIntensity,
    }
}

choice! {
    /// How the target network follows the online network.
    pub enum TargetKind {
        /// There is no target network: the online network values the next state.
        "none" => None,
        /// A copy at each interval.
        "hard" => Hard,
        /// A moving average with rate `tau` at each interval.
        "soft" => Soft,
    }
}

section! {
    /// The replay buffer.
    pub struct ReplayConfig = "replay" {
        /// How transitions are sampled.
        kind: ReplayKind = ReplayKind::Uniform;
        /// Name of a replay buffer of your own, registered by the program, in place of `kind` (empty: none).
        #[serde(skip_serializing_if = "String::is_empty")]
        name: String = String::new();
        /// Number of transitions to keep; the oldest is overwritten first.
        capacity: usize = 100_000, in Range::at_least(1), unit "transitions",
            tune Tuning::whole(2_000, 100_000, Scale::Log).when(&[Is("agent.kind", "dqn")]);
        /// Batch size.
        batch_size: usize = 64, in Range::at_least(1), unit "transitions", may change,
            tune Tuning::one_of(&["32", "64", "128", "256"]).when(&[Is("agent.kind", "dqn")]);
        /// Start learning once the buffer holds more than this.
        start: usize = 1_000, unit "transitions", may change;
        /// Uniform: sample with replacement, so that a batch can hold a transition twice.
        replacement: bool = false, may change;
        /// How pictures are changed before they are learned from.
        ///
        /// The change is drawn each time a picture is used, and separately for an observation and the next one.
        augmentation: AugmentationKind = AugmentationKind::Off;
        /// Prioritized: exponent alpha of the priorities (0: uniform sampling).
        priority_exponent: f64 = 0.6, in Share,
            tune Tuning::number(0.3, 0.9, Scale::Linear).when(&[Is("replay.kind", "prioritized")]);
        /// Prioritized: constant added to each |TD error|.
        priority_epsilon: f64 = 1e-6, in Between(TINY, LARGE), unit "units of return";
        /// Prioritized: largest |TD error| that a priority reflects.
        ///
        /// A larger error counts as this much, so that a single outlier does not keep the largest priority forever.
        priority_cap: f64 = 1000.0, in Between(SMALL, LARGE), unit "units of return";
        /// Prioritized: exponent beta of the importance weights at the first environment step.
        importance_start: f64 = 0.4, in Share, may change,
            tune Tuning::number(0.2, 0.8, Scale::Linear).when(&[Is("replay.kind", "prioritized")]);
        /// Prioritized: exponent beta at the end of its schedule.
        importance_end: f64 = 1.0, in Share, may change;
        /// Prioritized: length of the linear schedule of beta (0: all of `train.env_steps`).
        importance_env_steps: u64 = 0, unit "environment steps", may change;
    }
}

section! {
    /// The target network.
    pub struct TargetConfig = "target" {
        /// How the target network follows the online network.
        kind: TargetKind = TargetKind::Hard,
            tune Tuning::one_of(&[r#""none""#, r#""hard""#])
                .when(&[Is("agent.kind", "dqn"), IsNot("target.kind", "soft"), Is("target.every_env_steps", "0")]);
        /// Update the target network every N updates (0: count environment steps instead).
        every_updates: u64 = 500, unit "updates", may change,
            tune Tuning::whole(10, 2_000, Scale::Log).when(&[Is("target.kind", "hard"), Is("target.every_env_steps", "0")]);
        /// Update the target network every N environment steps (0: count updates instead).
        every_env_steps: u64 = 0, unit "environment steps", may change,
            tune Tuning::whole(50, 10_000, Scale::Log).when(&[Is("target.kind", "hard"), Is("target.every_updates", "0")]);
        /// Soft: share of the online network mixed into the target each time.
        tau: f64 = 0.005, in Share, may change,
            tune Tuning::number(0.002, 0.2, Scale::Log).when(&[Is("target.kind", "soft")]);
    }
}
