//! Streams of randomness: every draw is a function of (seed, stream, counter).
//!
//! A run has one seed. Each consumer (initial weights, replay, exploration of each environment, …) has its own [`Stream`], so that more
//! draws in one place change nothing in another, and the whole state of a stream is one counter.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The purpose of random draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Resamples of a bootstrap over finished runs.
    Bootstrap,
    /// Initial weights.
    Init,
    /// Indices of replayed transitions.
    Replay,
    /// Exploratory actions in one of the parallel environments.
    Exploration {
        /// Index of the environment.
        slot: u32,
    },
    /// Noise of the weights while acting.
    ActingNoise,
    /// Noise of the weights while learning.
    LearningNoise,
    /// Fractions of return distributions.
    Fractions,
    /// How a rollout is divided into minibatches.
    Minibatches,
    /// Seeds of the training environments.
    Envs,
    /// Seeds of evaluation episodes.
    Evaluation,
    /// Seeds of the final evaluation's episodes, which were not used to choose anything.
    FinalEvaluation,
    /// Seeds of the episodes over which a policy is confirmed before training stops because of it.
    Confirmation,
    /// How images are changed before they are used for learning.
    Augmentation,
    /// Settings of one of the trials of a search.
    Search {
        /// Number of the trial.
        trial: u32,
    },
}

impl Stream {
    /// The number of the ChaCha stream. Part of what a version promises: changing one changes every result.
    fn id(self) -> u64 {
        match self {
            // Far from the streams of training, whose number may grow.
            Stream::Bootstrap => 1 << 48,
            Stream::Search { trial } => (1 << 49) | u64::from(trial),
            Stream::Init => 1,
            Stream::Replay => 2,
            Stream::Envs => 3,
            Stream::Evaluation => 4,
            Stream::FinalEvaluation => 5,
            Stream::ActingNoise => 6,
            Stream::LearningNoise => 7,
            Stream::Fractions => 8,
            Stream::Minibatches => 9,
            Stream::Confirmation => 10,
            Stream::Augmentation => 11,
            Stream::Exploration { slot } => (1 << 32) | u64::from(slot),
        }
    }
}

/// ChaCha with 8 rounds, keyed by a seed, on one stream.
#[derive(Clone, Debug)]
pub struct StreamRng(ChaCha8Rng);

impl StreamRng {
    /// The start of `stream` with `seed`.
    pub fn new(seed: u64, stream: Stream) -> Self {
        let mut key = *b"........requel stream generator.";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(stream.id());
        StreamRng(rng)
    }

    /// How many 32-bit words have been drawn: the only state to save.
    pub fn position(&self) -> u64 {
        self.0.get_word_pos() as u64
    }

    /// Moves to the position after `position` words.
    pub fn set_position(&mut self, position: u64) {
        self.0.set_word_pos(u128::from(position));
    }

    /// 32 random bits.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴.
    #[inline]
    pub fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / (1 << 24) as f32)
    }

    /// Uniform among 0 … `n` − 1, exactly (Lemire 2019).
    ///
    /// # Panics
    /// If `n` is 0.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        assert!(n > 0, "there is no number below 0");
        let mut product = u64::from(self.next_u32()) * u64::from(n);
        if (product as u32) < n {
            let threshold = n.wrapping_neg() % n;
            while (product as u32) < threshold {
                product = u64::from(self.next_u32()) * u64::from(n);
            }
        }
        (product >> 32) as u32
    }

    /// Fills `values` with draws that are uniform in [0, 1).
    pub fn fill_uniform(&mut self, values: &mut [f32]) {
        values.fill_with(|| self.uniform());
    }

    /// Fills `values` with standard normals, two from two words (Box & Muller 1958). None exceeds 5.8 in magnitude, because the argument of
    /// ln is at least 2⁻²⁴.
    pub fn fill_normal(&mut self, values: &mut [f32]) {
        for pair in values.chunks_mut(2) {
            let radius = libm::sqrtf(-2.0 * libm::logf(1.0 - self.uniform()));
            let (sin, cos) = libm::sincosf(std::f32::consts::TAU * self.uniform());
            pair[0] = radius * cos;
            if let Some(second) = pair.get_mut(1) {
                *second = radius * sin;
            }
        }
    }

    /// The generator itself, for code that needs one.
    pub fn inner(&mut self) -> &mut ChaCha8Rng {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_stability() {
        let mut rng = StreamRng::new(7, Stream::Replay);
        let first: Vec<u32> = (0..4).map(|_| rng.next_u32()).collect();
        assert_eq!(first, VALUES);
    }

    const VALUES: [u32; 4] = [1_874_904_562, 1_845_092_263, 2_868_146_528, 4_151_453_036];

    #[test]
    fn position_is_the_whole_state() {
        let mut rng = StreamRng::new(3, Stream::Exploration { slot: 5 });
        for _ in 0..37 {
            rng.next_u32();
        }
        let mut other = StreamRng::new(3, Stream::Exploration { slot: 5 });
        other.set_position(rng.position());
        assert!((0..100).all(|_| rng.next_u32() == other.next_u32()));
    }

    #[test]
    fn streams_and_seeds_differ() {
        let draw = |seed, stream| StreamRng::new(seed, stream).next_u64();
        let streams = [
            Stream::Bootstrap,
            Stream::Init,
            Stream::Replay,
            Stream::Envs,
            Stream::Evaluation,
            Stream::FinalEvaluation,
            Stream::ActingNoise,
            Stream::LearningNoise,
            Stream::Fractions,
            Stream::Minibatches,
            Stream::Augmentation,
            Stream::Exploration { slot: 0 },
            Stream::Exploration { slot: 1 },
        ];
        let mut draws: Vec<u64> = streams.iter().flat_map(|s| [draw(0, *s), draw(1, *s)]).collect();
        draws.sort_unstable();
        draws.dedup();
        assert_eq!(draws.len(), 2 * streams.len());
    }

    #[test]
    fn normals_are_normal() {
        let mut values = vec![0.0; 100_001];
        StreamRng::new(0, Stream::LearningNoise).fill_normal(&mut values);
        let n = values.len() as f64;
        let moment = |power: i32| values.iter().map(|x| f64::from(*x).powi(power)).sum::<f64>() / n;
        // Moments 0, 1, 0, 3 of a standard normal, within four standard errors: √(1, 2, 15, 96)/√n.
        for (power, expected, variance) in [(1, 0.0, 1.0f64), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
            let error = (moment(power) - expected).abs();
            assert!(error < 4.0 * (variance / n).sqrt(), "moment {power} is off by {error}");
        }
        let beyond = values.iter().filter(|x| x.abs() > 1.959_964).count() as f64 / n;
        assert!((beyond - 0.05).abs() < 4.0 * (0.05f64 * 0.95 / n).sqrt(), "{beyond} beyond 1.96");
        let (mut first, mut second) = ([0.0; 3], [0.0; 1]);
        let mut rng = StreamRng::new(3, Stream::ActingNoise);
        rng.fill_normal(&mut first);
        rng.fill_normal(&mut second);
        assert!(first[2] != second[0] && rng.position() == 6);
    }

    #[test]
    fn below_is_uniform() {
        // Chi-squared with 6 degrees of freedom: 22.46 is the 0.999 quantile; the seed is fixed.
        let mut rng = StreamRng::new(0, Stream::Replay);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[rng.below(7) as usize] += 1;
        }
        let chi2: f64 = counts.iter().map(|c| (f64::from(*c) - 10_000.0).powi(2) / 10_000.0).sum();
        assert!(chi2 < 22.46, "chi-squared {chi2}");
    }
}
