//! Many runs at once, and their comparison.
//!
//! A [`Study`] is a TOML file of variants × seeds; it expands to a list of [`PlannedRun`]s, which [`train_all`] trains on all cores, each
//! with the bits of a separate run, skipping finished runs and resuming unfinished ones. [`RunRecord`] reads a run back from disk,
//! [`group`] groups runs by the differences between their configs, and [`Comparison`] has the results of the groups: scores, learning
//! curves and their intervals, with the measures of [`crate::stats`].
//!
//! ```
//! use requel::Registry;
//! use requel::study::{Seeds, Study};
//!
//! let study = Study::parse("my.toml", r#"
//!     name = "gamma"
//!     env = "CartPole-v1"
//!     seeds = "0..3"
//!     [[variant]]
//!     name = "short-sighted"
//!     set = ["agent.gamma=0.9"]
//!     [[variant]]
//!     name = "far-sighted"
//! "#)?;
//! let seeds: Seeds = "0..2".parse()?;
//! let runs = study.plan("studies/gamma".as_ref(), Some(&seeds), &Registry::built_in())?;
//! assert_eq!(runs.len(), 4);
//! assert_eq!(runs[1].config.agent.gamma, 0.99);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builtin;
mod caveat;
mod cell;
mod comparison;
mod curve;
mod error;
mod fingerprint;
mod fleet;
mod group;
mod names;
mod parse;
mod places;
mod plan;
mod random;
mod raw;
mod record;
mod row;
mod scale;
mod seeds;
pub mod shared;
mod tabulate;
mod tasks;
mod unused;

pub use builtin::{BuiltIn, built_in, built_ins};
pub use caveat::Caveat;
pub use cell::{Cell, TaskSpec};
pub use comparison::{Comparison, GroupResult, Metric, Reached, RunResult, Scoring};
pub use curve::Curve;
pub use error::StudyError;
pub use fingerprint::fingerprint;
pub use fleet::{Audience, Crew, train_all};
pub use group::{Group, Grouping, group};
pub(crate) use names::{is_plain_name, not_plain};
pub use plan::{PlannedRun, Standing, Study, Variant, check_new};
pub use random::RandomPlay;
pub use record::{Evaluated, RunRecord, find_runs};
pub use row::{RowMore, RowScore, RunRow};
pub use scale::{KnownScale, RANDOM_EPISODES, known_scale, known_scales, random_return};
pub use seeds::{Seeds, SeedsError};
pub use shared::{Claims, Share, ShareError, train_claimed};
pub use tabulate::{CellRows, Column, Figure, Reference, Rows, Statistic, TableSpec, Tables};
pub use tasks::{Task, TaskAggregates, VariantAggregates};
