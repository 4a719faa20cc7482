//! [`Boltzmann`], which takes better actions more often.

use super::streams::ExplorationStreams;
use super::{Choice, Explorer};
use crate::Schedule;
use crate::state::{State, StateError};
use crate::td::argmax_allowed;

/// The name, in a state, of a function given by the program.
const FUNCTION: &str = "exploration/temperature_function";

/// Boltzmann exploration: each action is taken with a probability proportional to exp(value / temperature) (Sutton & Barto 2018, on
/// soft-max action selection). At temperature 0 it is greedy.
///
/// Exponentials and their sum are computed in `f64` by libm, so that the same draw gives the same action on every machine. Each choice
/// takes one draw.
#[derive(Clone, Debug)]
pub struct Boltzmann {
    temperature: Schedule,
    streams: ExplorationStreams,
}

impl Boltzmann {
    /// Exploration in `num_envs` environments with a temperature, in units of the return, that depends on the env steps.
    pub fn new(temperature: Schedule, seed: u64, num_envs: usize) -> Self {
        Boltzmann { temperature, streams: ExplorationStreams::new(seed, num_envs) }
    }
}

impl Explorer for Boltzmann {
    fn choose(&mut self, choice: &Choice<'_>, values: &[f32]) -> usize {
        let draw = f64::from(self.streams.of(choice.slot).uniform());
        let best = argmax_allowed(values, choice.mask);
        let temperature = self.temperature.at(choice.env_steps);
        if temperature <= 0.0 {
            return best;
        }
        let is_allowed = |action: usize| choice.mask.is_none_or(|mask| mask[action]);
        let weights = values.iter().enumerate().filter(|(action, _)| is_allowed(*action));
        // Differences from the best value, so that none overflows.
        let weights = weights.map(|(action, value)| {
            let difference = f64::from(*value) - f64::from(values[best]);
            (action, libm::exp(difference / temperature))
        });
        let mut left = draw * weights.clone().map(|(_, weight)| weight).sum::<f64>();
        let mut chosen = best;
        for (action, weight) in weights.filter(|(_, weight)| *weight > 0.0) {
            chosen = action;
            if left < weight {
                break;
            }
            left -= weight;
        }
        chosen
    }

    fn statistics(&self, env_steps: u64, report: &mut dyn FnMut(&str, f64)) {
        report("temperature", self.temperature.at(env_steps));
    }

    fn save(&self, state: &mut State<'_>) {
        self.streams.save(state);
        state.put_name(FUNCTION, self.temperature.name());
    }

    fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        state.check_name(FUNCTION, self.temperature.name())?;
        self.streams.restore(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(mask: Option<&[bool]>) -> Choice<'_> {
        Choice { slot: 0, env_steps: 0, actions: 3, mask }
    }

    #[test]
    fn actions_come_as_often_as_the_exponentials_of_their_values() {
        // Values that are ln 1, ln 2 and ln 5 at temperature 2: shares of 1, 2 and 5 eighths.
        let values = [0.0, 2.0 * 2.0f32.ln(), 2.0 * 5.0f32.ln()];
        let mut explorer = Boltzmann::new(Schedule::Constant(2.0), 0, 1);
        let mut counts = [0u32; 3];
        let draws = 80_000;
        (0..draws).for_each(|_| counts[explorer.choose(&choice(None), &values)] += 1);
        for (count, share) in counts.into_iter().zip([1.0 / 8.0, 2.0 / 8.0, 5.0 / 8.0]) {
            // Four standard deviations of a binomial.
            let (mean, deviation) = (f64::from(draws) * share, (f64::from(draws) * share * (1.0 - share)).sqrt());
            assert!((f64::from(count) - mean).abs() < 4.0 * deviation, "{counts:?}");
        }
    }

    #[test]
    fn masks_hold_whatever_the_values() {
        let mut explorer = Boltzmann::new(Schedule::Constant(1.0), 0, 1);
        for values in [[1e30, 0.0, 1.0], [f32::NEG_INFINITY, -1e30, 1e30], [0.0; 3]] {
            let chosen: Vec<usize> =
                (0..200).map(|_| explorer.choose(&choice(Some(&[false, true, true])), &values)).collect();
            assert!(chosen.iter().all(|action| [1, 2].contains(action)), "{values:?}: {chosen:?}");
        }
        // Where nothing is allowed some action is taken all the same.
        assert!(explorer.choose(&choice(Some(&[false; 3])), &[0.0, 2.0, 1.0]) < 3);
    }

    #[test]
    fn without_temperature_it_is_greedy() {
        let mut explorer = Boltzmann::new(Schedule::Linear { start: 5.0, end: 0.0, env_steps: 10 }, 0, 1);
        let at = Choice { env_steps: 10, ..choice(None) };
        assert!((0..100).all(|_| explorer.choose(&at, &[1.0, 1.5, 1.2]) == 1));
        let mut reported = vec![];
        explorer.statistics(5, &mut |name, value| reported.push((name.to_owned(), value)));
        assert_eq!(reported, [("temperature".to_owned(), 2.5)]);
    }

    #[test]
    fn what_is_saved_goes_on_with_the_same_draws() {
        let mut explorer = Boltzmann::new(Schedule::Constant(1.0), 3, 2);
        let draw = |explorer: &mut Boltzmann| {
            (0..50).map(|_| explorer.choose(&choice(None), &[0.3, 0.2, 0.1])).collect::<Vec<_>>()
        };
        draw(&mut explorer);
        let mut state = State::default();
        explorer.save(&mut state);
        let mut other = Boltzmann::new(Schedule::Constant(1.0), 3, 2);
        other.restore(&state).unwrap();
        assert_eq!(draw(&mut explorer), draw(&mut other));
        assert!(Boltzmann::new(Schedule::Constant(1.0), 3, 1).restore(&state).is_err());
    }
}
