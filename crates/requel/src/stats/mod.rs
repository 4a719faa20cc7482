//! Statistics of returns over seeds: what a table of results can state about a handful of runs.
//!
//! With few runs, means and maxima are mostly luck. These are the measures of Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge
//! of the Statistical Precipice" (and of their package rliable): the interquartile mean, percentile intervals by a stratified
//! [`Bootstrap`], performance profiles, and the probability of improvement; [`Aggregate`] is for runs on several tasks. All are pure
//! functions: the same sample gives the same bits. [`Estimate`] decides what is claimed: below [`LEAST_RUNS`] runs there is no interval and
//! no probability of improvement.
//!
//! ```
//! use requel::stats::{Bootstrap, interquartile_mean};
//!
//! let returns = [500.0, 481.0, 500.0, 112.0, 497.0, 500.0, 463.0, 500.0];
//! let middle = interquartile_mean(&returns).unwrap();
//! let interval = Bootstrap::default().interval(&[&returns], |sample| interquartile_mean(sample).unwrap()).unwrap();
//! assert_eq!(middle, 494.5);
//! assert!(interval.low < middle && middle <= interval.high);
//! ```

mod aggregate;
mod aggregates;
mod bootstrap;
mod estimate;
mod improvement;
mod known_quantile;
mod order;
mod profile;
mod proportion;

pub use aggregate::{interquartile_mean, mean, optimality_gap};
pub use aggregates::{Aggregate, normalized};
pub use bootstrap::{Bootstrap, Interval};
pub use estimate::{Estimate, LEAST_RUNS, coverage};
pub use improvement::probability_of_improvement;
pub use known_quantile::{KnownQuantile, Placement};
pub use order::{highest, lowest, median, quantile};
pub use profile::performance_profile;
pub use proportion::proportion_interval;
