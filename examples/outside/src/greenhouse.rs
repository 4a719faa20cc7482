//! [`Greenhouse`], your own environment, which implements [`Env`] by hand.

use requel_envs::{Action, DType, Env, EnvError, EnvSpec, MetricSpec, OverEpisode, Space, Step};

/// Steps of an episode: the quarters of an hour of a day.
pub const DAY: u32 = 96;
/// The best temperature of the air, °C.
const BEST: f64 = 22.0;
/// The plants die above this temperature, °C.
const DEADLY: f64 = 40.0;

/// A greenhouse over a day, of which the vents can be opened and closed.
///
/// | observation | unit |
/// |---|---|
/// | air | 10 °C above 22 °C |
/// | outside | 10 °C above 22 °C |
/// | sun | of its greatest strength, 0 to 1 |
/// | time | of the day, 0 to 1 |
///
/// A step is a quarter of an hour; its reward is minus the distance from 22 °C, in 10 °C. An episode terminates where the air is
/// hotter than 40 °C.
///
/// It reports how often the vents were opened and the mean temperature of the air, which logs have under `env/`.
///
/// Its state cannot be saved, as that of a real greenhouse could not: [`Env::save`] is left out, and a training that is resumed
/// begins with a new day.
#[derive(Debug)]
pub struct Greenhouse {
    spec: EnvSpec,
    observations: Space,
    actions: Space,
    draws: Draws,
    day: Option<Day>,
    /// Of the last step: whether the vents were opened, and the air's temperature.
    reported: (bool, f64),
    was_open: bool,
}

/// One day.
#[derive(Clone, Copy, Debug)]
struct Day {
    /// Temperature of the air inside, °C.
    air: f64,
    /// Mean temperature outside, °C.
    outside: f64,
    /// Quarters of an hour since midnight.
    quarter: u32,
}

impl Greenhouse {
    /// A greenhouse before its first day.
    #[expect(clippy::new_without_default, reason = "there is no default greenhouse")]
    pub fn new() -> Self {
        let unbounded = || vec![f32::INFINITY; 4];
        Greenhouse {
            spec: EnvSpec {
                reward_range: Some((-10.0, 0.0)),
                action_names: vec!["close the vents".into(), "open the vents".into()],
                observation_names: ["air", "outside", "sun", "time"].map(Into::into).into(),
                metrics: vec![
                    MetricSpec::new("openings", OverEpisode::Sum),
                    MetricSpec::new("temperature", OverEpisode::Mean),
                ],
                ..EnvSpec::new("Greenhouse-v0")
            },
            observations: Space::Box {
                low: unbounded().into_iter().map(|bound| -bound).collect(),
                high: unbounded(),
                shape: vec![4],
                dtype: DType::F32,
            },
            actions: Space::Discrete { n: 2 },
            draws: Draws(0),
            day: None,
            reported: (false, BEST),
            was_open: false,
        }
    }
}

impl Env for Greenhouse {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn observation_space(&self) -> &Space {
        &self.observations
    }

    fn action_space(&self) -> &Space {
        &self.actions
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        check(observation)?;
        if let Some(seed) = seed {
            self.draws = Draws(seed);
        }
        let outside = 8.0 + 16.0 * self.draws.next();
        let day = Day { air: outside + 4.0 * self.draws.next(), outside, quarter: 0 };
        (self.day, self.was_open) = (Some(day), false);
        day.observe(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let is_open = action.discrete(2)? == 1;
        check(observation)?;
        let Some(day) = &mut self.day else { return Err(EnvError::ResetNeeded { id: self.spec.id.clone() }) };
        let exchange = if is_open { 0.35 } else { 0.05 };
        day.air += exchange * (day.outside_now() - day.air) + 2.0 * day.sun();
        day.quarter += 1;
        self.reported = (is_open && !self.was_open, day.air);
        self.was_open = is_open;
        let (reward, terminated) = ((-(day.air - BEST).abs() / 10.0).max(-10.0), day.air > DEADLY);
        day.observe(observation);
        if terminated {
            self.day = None;
        }
        Ok(Step { reward, terminated, truncated: false })
    }

    fn metrics(&self, numbers: &mut [f64]) {
        let (opened, air) = self.reported;
        numbers.copy_from_slice(&[if opened { 1.0 } else { 0.0 }, air]);
    }
}

/// Whatever is refused is refused before anything changes.
fn check(observation: &[f32]) -> Result<(), EnvError> {
    match observation.len() {
        4 => Ok(()),
        found => Err(EnvError::ObservationLength { expected: 4, found }),
    }
}

impl Day {
    fn sun(&self) -> f64 {
        // A triangle from six to six: sines are not the same bits everywhere.
        let hour = f64::from(self.quarter % DAY) / 4.0;
        (1.0 - (hour - 12.0).abs() / 6.0).max(0.0)
    }

    fn outside_now(&self) -> f64 {
        self.outside + 6.0 * self.sun() - 2.0
    }

    fn observe(&self, observation: &mut [f32]) {
        let time = f64::from(self.quarter) / f64::from(DAY);
        let seen = [(self.air - BEST) / 10.0, (self.outside_now() - BEST) / 10.0, self.sun(), time];
        observation.iter_mut().zip(seen).for_each(|(to, value)| *to = value as f32);
    }
}

/// Numbers from 0 to 1 (SplitMix64; Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_contract_of_an_environment() {
        requel_envs::conformance::check(|| Box::new(Greenhouse::new())).unwrap();
    }

    #[test]
    fn the_sun_heats_and_the_vents_cool() {
        let warmest = |action: usize| {
            let (mut env, mut seen, mut warmest) = (Greenhouse::new(), [0.0; 4], f32::MIN);
            env.reset(Some(1), &mut seen).unwrap();
            for _ in 0..60 {
                let step = env.step(Action::Discrete(action), &mut seen).unwrap();
                warmest = warmest.max(seen[0]);
                if step.ended() {
                    break;
                }
            }
            warmest
        };
        assert!(warmest(0) > warmest(1) + 0.5, "closed {}, open {}", warmest(0), warmest(1));
    }
}
