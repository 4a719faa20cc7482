//! [`GymRng`], the generator with which Gymnasium seeds its environments: numpy's `SeedSequence` and `PCG64`, and the draws of
//! `numpy.random.Generator` that environments use; and [`SpaceSampler`], the `seed` and `sample` of a space.
//!
//! Sources: M. E. O'Neill, *Developing a `seed_seq` Alternative* (2015), for the mixing of seeds; M. E. O'Neill, *PCG: A
//! Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random Number Generation* (2014); D. Lemire,
//! *Fast Random Integer Generation in an Interval* (2019), for integers below a bound.

use rand_core::Rng;
use rand_pcg::Pcg64;

use crate::{EnvError, Space, StateError, StateReader, StateWriter};

/// The generator behind a Gymnasium environment: the same seed gives the same draws as `gymnasium.utils.seeding.np_random`.
///
/// ```
/// use requel_envs::GymRng;
///
/// // >>> numpy.random.default_rng(42).random()
/// assert_eq!(GymRng::from_seed(42).random(), 0.7739560485559633);
/// ```
#[derive(Clone, Debug)]
pub struct GymRng {
    /// Where the generator started; together with `draws` it describes the position in a form that outlives this version of the program.
    start: u128,
    stream: u128,
    draws: u64,
    /// The upper half of a draw of which only the lower half has been used.
    buffered: Option<u32>,
    pcg: Pcg64,
}

impl GymRng {
    /// The generator of `numpy.random.default_rng(seed)`.
    pub fn from_seed(seed: u64) -> Self {
        let words = seed_words(seed);
        let wide = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        Self::at(wide(words[0], words[1]), wide(words[2], words[3]), 0, None)
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.draws += 1;
        self.pcg.next_u64()
    }

    /// The next 32 random bits: the lower half of a 64-bit draw, then its upper half.
    pub fn next_u32(&mut self) -> u32 {
        match self.buffered.take() {
            Some(upper) => upper,
            None => {
                let both = self.next_u64();
                self.buffered = Some((both >> 32) as u32);
                both as u32
            }
        }
    }

    /// A multiple of 2⁻⁵³ in [0, 1): numpy's `random()`.
    pub fn random(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number in [`low`, `high`): numpy's `uniform(low, high)`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.random()
    }

    /// A whole number in [`low`, `high`): numpy's `integers(low, high)` at its default type `int64`.
    ///
    /// An empty interval gives `low`, and so does one with a single number; neither draws anything.
    pub fn integers(&mut self, low: i64, high: i64) -> i64 {
        let last = high.wrapping_sub(low).wrapping_sub(1) as u64;
        if high <= low {
            return low;
        }
        low.wrapping_add(self.up_to(last) as i64)
    }

    /// An index below `n`, that is `integers(0, n)`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        self.up_to((n as u64).saturating_sub(1)) as usize
    }

    /// An index drawn with the given probabilities: numpy's `choice(len, p=probabilities)`.
    ///
    /// They are normalised by their sum. Empty probabilities give 0.
    ///
    /// # Panics
    /// If one is negative or not finite, or all are 0.
    pub fn choice(&mut self, probabilities: &[f64]) -> usize {
        let total = probabilities.iter().fold(0.0, |sum, p| sum + p);
        let sound = probabilities.iter().all(|p| *p >= 0.0) && total.is_finite() && total > 0.0;
        assert!(sound || probabilities.is_empty(), "{probabilities:?} are no probabilities");
        let draw = self.random();
        let mut cumulative = 0.0;
        for (index, p) in probabilities.iter().enumerate() {
            cumulative += p;
            if draw < cumulative / total {
                return index;
            }
        }
        probabilities.len().saturating_sub(1)
    }

    /// An index drawn with the given probabilities like Gymnasium's toy-text environments do: the first whose cumulative sum exceeds a
    /// random number, and 0 if rounding leaves none.
    pub fn categorical(&mut self, probabilities: &[f64]) -> usize {
        let draw = self.random();
        let mut cumulative = 0.0;
        let exceeds = |p: &f64| {
            cumulative += p;
            cumulative > draw
        };
        probabilities.iter().position(exceeds).unwrap_or(0)
    }

    /// Appends the complete state of the generator.
    pub fn save(&self, writer: &mut StateWriter) {
        for wide in [self.start, self.stream] {
            writer.u64((wide >> 64) as u64);
            writer.u64(wide as u64);
        }
        writer.u64(self.draws);
        writer.bool(self.buffered.is_some());
        writer.u32(self.buffered.unwrap_or(0));
    }

    /// Reads a generator that [`GymRng::save`] wrote; it continues with the same draws.
    ///
    /// # Errors
    /// [`StateError`] if the bytes end early or are not such a state.
    pub fn restore(reader: &mut StateReader<'_>) -> Result<Self, StateError> {
        let mut wide = || Ok::<_, StateError>(u128::from(reader.u64()?) << 64 | u128::from(reader.u64()?));
        let (start, stream) = (wide()?, wide()?);
        let draws = reader.u64()?;
        let is_buffered = reader.bool()?;
        let upper = reader.u32()?;
        Ok(Self::at(start, stream, draws, is_buffered.then_some(upper)))
    }

    fn at(start: u128, stream: u128, draws: u64, buffered: Option<u32>) -> Self {
        let mut pcg = Pcg64::new(start, stream);
        pcg.advance(draws.into());
        Self { start, stream, draws, buffered, pcg }
    }

    /// A whole number from 0 to `last`, by Lemire's method, in the narrowest width that numpy uses.
    fn up_to(&mut self, last: u64) -> u64 {
        match last {
            0 => 0,
            0xFFFF_FFFF => self.next_u32().into(),
            u64::MAX => self.next_u64(),
            1..0xFFFF_FFFF => {
                let bound = last as u32 + 1;
                let mut product = u64::from(self.next_u32()) * u64::from(bound);
                if (product as u32) < bound {
                    let threshold = bound.wrapping_neg() % bound;
                    while (product as u32) < threshold {
                        product = u64::from(self.next_u32()) * u64::from(bound);
                    }
                }
                product >> 32
            }
            _ => {
                let bound = last + 1;
                let mut product = u128::from(self.next_u64()) * u128::from(bound);
                if (product as u64) < bound {
                    let threshold = bound.wrapping_neg() % bound;
                    while (product as u64) < threshold {
                        product = u128::from(self.next_u64()) * u128::from(bound);
                    }
                }
                (product >> 64) as u64
            }
        }
    }
}

impl Default for GymRng {
    /// Seeded with 0, like an environment that was never seeded.
    fn default() -> Self {
        Self::from_seed(0)
    }
}

impl PartialEq for GymRng {
    fn eq(&self, other: &Self) -> bool {
        (self.start, self.stream, self.draws, self.buffered) == (other.start, other.stream, other.draws, other.buffered)
    }
}

/// Random values of a space, as from Gymnasium's `space.seed(seed)` and `space.sample()`.
///
/// ```
/// use requel_envs::{Space, SpaceSampler};
///
/// // >>> space = Discrete(6); space.seed(3); [int(space.sample()) for _ in range(8)]
/// let mut sampler = SpaceSampler::new(&Space::Discrete { n: 6 }, 3)?;
/// assert_eq!([(); 8].map(|_| sampler.discrete()), [4, 0, 1, 1, 1, 4, 5, 3]);
/// # Ok::<(), requel_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SpaceSampler {
    space: Space,
    rng: GymRng,
}

impl SpaceSampler {
    /// A sampler of `space`.
    ///
    /// # Errors
    /// [`EnvError::Other`] for a space that is invalid, see [`Space::check`], or has an unbounded element, on which no uniform distribution
    /// exists.
    pub fn new(space: &Space, seed: u64) -> Result<Self, EnvError> {
        let unbounded = |low: &[f32], high: &[f32]| low.iter().chain(high).any(|bound| !bound.is_finite());
        let reason = match space.check() {
            Err(reason) => reason,
            Ok(()) => match space {
                Space::Box { low, high, .. } if unbounded(low, high) => "is unbounded".into(),
                _ => return Ok(Self { space: space.clone(), rng: GymRng::from_seed(seed) }),
            },
        };
        Err(EnvError::Other(format!("a space that {reason} cannot be sampled")))
    }

    /// The next value of a [`Space::Discrete`]; the first number of any other space's value.
    pub fn discrete(&mut self) -> usize {
        match self.space {
            Space::Discrete { n } => self.rng.below(n),
            _ => self.sample().first().map_or(0, |v| *v as usize),
        }
    }

    /// The next value of a [`Space::Discrete`] among those that `mask` allows; 0, drawing nothing, if it allows none.
    pub fn masked(&mut self, mask: &[bool]) -> usize {
        let allowed = mask.iter().filter(|allowed| **allowed).count();
        if allowed == 0 {
            return 0;
        }
        let nth = self.rng.below(allowed);
        mask.iter().enumerate().filter(|(_, allowed)| **allowed).nth(nth).map_or(0, |(index, _)| index)
    }

    /// The next value, as many numbers as [`Space::len`].
    pub fn sample(&mut self) -> Vec<f32> {
        let rng = &mut self.rng;
        match &self.space {
            Space::Discrete { n } => vec![rng.below(*n) as f32],
            Space::MultiDiscrete { n } => n.iter().map(|n| (rng.random() * *n as f64).floor() as f32).collect(),
            Space::Box { low, high, dtype, .. } => {
                // Spaces of whole numbers include their upper bound, so the interval is one wider and the number is rounded down.
                let whole = *dtype != crate::DType::F32;
                let bounds =
                    low.iter().zip(high).map(|(l, h)| (f64::from(*l), f64::from(*h) + f64::from(u8::from(whole))));
                let draws = bounds.map(|(low, high)| rng.uniform(low, high));
                draws.map(|v| if whole { v.floor() as f32 } else { v as f32 }).collect()
            }
        }
    }
}

/// The four words of numpy's `SeedSequence(seed).generate_state(4, uint64)`.
fn seed_words(seed: u64) -> [u64; 4] {
    const POOL: usize = 4;
    const MIX_LEFT: u32 = 0xca01_f9dd;
    const MIX_RIGHT: u32 = 0x4973_f715;

    // Each hash multiplies by a constant that itself changes from call to call.
    struct Hash {
        constant: u32,
        factor: u32,
    }
    impl Hash {
        fn next(&mut self, value: u32) -> u32 {
            let value = value ^ self.constant;
            self.constant = self.constant.wrapping_mul(self.factor);
            let value = value.wrapping_mul(self.constant);
            value ^ value >> 16
        }
    }
    let mix = |x: u32, y: u32| {
        let mixed = MIX_LEFT.wrapping_mul(x).wrapping_sub(MIX_RIGHT.wrapping_mul(y));
        mixed ^ mixed >> 16
    };

    let mut hash = Hash { constant: 0x43b0_d7e5, factor: 0x931e_8875 };
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(|word| hash.next(word));
    for source in 0..POOL {
        for target in (0..POOL).filter(|target| *target != source) {
            pool[target] = mix(pool[target], hash.next(pool[source]));
        }
    }

    let mut hash = Hash { constant: 0x8b51_f9dd, factor: 0x58f3_8ded };
    let mut halves = [0; 2 * POOL];
    for (index, half) in halves.iter_mut().enumerate() {
        *half = hash.next(pool[index % POOL]);
    }
    [0, 1, 2, 3].map(|i| u64::from(halves[2 * i]) | u64::from(halves[2 * i + 1]) << 32)
}
