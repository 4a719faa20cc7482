//! [`Parzen`], the density of places that were tried.

use std::f64::consts::{PI, SQRT_2};

use crate::rng::StreamRng;

/// A density on 0 to 1: normal distributions, cut off at the ends, around places that were tried, and a wide one in the middle that
/// stands for what is not known (Bergstra et al. 2011). Of a choice, a share for each place instead.
#[derive(Clone, Debug)]
pub(super) enum Parzen {
    /// Around places.
    Kernels(Vec<Kernel>),
    /// The share of each of as many equal parts.
    Shares(Vec<f64>),
}

/// A normal distribution on 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    mean: f64,
    deviation: f64,
    /// Its share of the real line that lies on 0 to 1.
    inside: f64,
}

impl Parzen {
    /// The density of these places; where there are so many `choices`, of those.
    pub fn of(places: &[f64], choices: Option<usize>) -> Self {
        if let Some(choices) = choices {
            // As if each had been tried once.
            let mut counts = vec![1.0; choices];
            places.iter().for_each(|place| counts[part(*place, choices)] += 1.0);
            let sum: f64 = counts.iter().sum();
            return Parzen::Shares(counts.into_iter().map(|count| count / sum).collect());
        }
        let mut means: Vec<f64> = places.iter().copied().chain([0.5]).collect();
        means.sort_unstable_by(f64::total_cmp);
        let narrowest = 1.0 / (1.0 + means.len() as f64).min(100.0);
        let kernel = |at: usize| {
            let before = at.checked_sub(1).map_or(0.0, |before| means[before]);
            let after = means.get(at + 1).copied().unwrap_or(1.0);
            let widest = (means[at] - before).max(after - means[at]);
            Kernel::new(means[at], widest.clamp(narrowest, 1.0))
        };
        Parzen::Kernels((0..means.len()).map(kernel).chain([Kernel::new(0.5, 1.0)]).collect())
    }

    /// The density at a place.
    pub fn density(&self, place: f64) -> f64 {
        match self {
            Parzen::Kernels(kernels) => {
                kernels.iter().map(|kernel| kernel.density(place)).sum::<f64>() / kernels.len() as f64
            }
            Parzen::Shares(shares) => shares[part(place, shares.len())] * shares.len() as f64,
        }
    }

    /// A place drawn from it.
    pub fn draw(&self, rng: &mut StreamRng) -> f64 {
        match self {
            Parzen::Kernels(kernels) => kernels[rng.below(kernels.len() as u32) as usize].draw(rng),
            Parzen::Shares(shares) => {
                let mut left = f64::from(rng.uniform());
                let chosen = shares.iter().position(|share| {
                    left -= share;
                    left < 0.0
                });
                (chosen.unwrap_or(shares.len() - 1) as f64 + 0.5) / shares.len() as f64
            }
        }
    }
}

impl Kernel {
    fn new(mean: f64, deviation: f64) -> Self {
        let below = |x: f64| 0.5 * (1.0 + libm::erf((x - mean) / (deviation * SQRT_2)));
        Kernel { mean, deviation, inside: below(1.0) - below(0.0) }
    }

    fn density(&self, place: f64) -> f64 {
        let z = (place - self.mean) / self.deviation;
        libm::exp(-0.5 * z * z) / (self.deviation * (2.0 * PI).sqrt() * self.inside)
    }

    /// By drawing until it lies inside: its mean does, so that every fourth draw at least is one.
    fn draw(&self, rng: &mut StreamRng) -> f64 {
        loop {
            let mut pair = [0.0f32; 2];
            rng.fill_normal(&mut pair);
            let inside = pair.iter().map(|z| self.mean + self.deviation * f64::from(*z));
            if let Some(place) = inside.into_iter().find(|place| (0.0..=1.0).contains(place)) {
                return place;
            }
        }
    }
}

/// Which of so many equal parts a place lies in.
fn part(place: f64, parts: usize) -> usize {
    ((place * parts as f64) as usize).min(parts - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    fn rng() -> StreamRng {
        StreamRng::new(3, Stream::Search { trial: 0 })
    }

    #[test]
    fn it_is_a_density_and_draws_follow_it() {
        for (places, choices) in [(vec![], None), (vec![0.2, 0.21, 0.9], None), (vec![0.1, 0.1, 0.9], Some(4))] {
            let parzen = Parzen::of(&places, choices);
            let step = 1e-3;
            let at = |i: u32| (f64::from(i) + 0.5) * step;
            let whole: f64 = (0..1000).map(|i| parzen.density(at(i)) * step).sum();
            assert!((whole - 1.0).abs() < 1e-3, "{places:?}: {whole}");
            let below: f64 = (0..300).map(|i| parzen.density(at(i)) * step).sum();
            let mut rng = rng();
            let drawn = (0..4000).filter(|_| parzen.draw(&mut rng) < 0.3).count() as f64 / 4000.0;
            // Of a choice a place is the middle of its part: 0.125 lies below 0.3, 0.375 above, so that a fifth of the second part counts.
            let expected = if choices.is_some() { parzen.density(0.1) / 4.0 } else { below };
            assert!((drawn - expected).abs() < 0.03, "{places:?}: {drawn}, {expected}");
        }
    }

    #[test]
    fn it_is_high_where_something_was_tried() {
        let parzen = Parzen::of(&[0.2, 0.22, 0.24], None);
        assert!(parzen.density(0.22) > 2.0 * parzen.density(0.8));
        let shares = Parzen::of(&[0.1, 0.1], Some(2));
        assert_eq!((shares.density(0.1), shares.density(0.9)), (1.5, 0.5));
    }
}
