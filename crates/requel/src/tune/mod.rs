//! A search over settings: which values of keys make a training better.
//!
//! A [`Search`] tries values of the keys of a [`Space`], over a config: what is worth trying stands with the declaration of each key
//! ([`Tuning`](crate::config::Tuning)). A [`Sampler`] finds the settings of each [`Trial`], at random or where good ones lie. Trials
//! are told apart on the way, on [`Rungs`]: all but the best are left where they stand, and those go on, from their checkpoints, with
//! the bits of runs that were never paused. [`Search::conduct`] does all of it in a directory, and does it to the same end however
//! often it is killed.
//!
//! ```
//! use requel::Registry;
//! use requel::run::Control;
//! use requel::config::Layers;
//! use requel::study::Crew;
//! use requel::tune::{Rungs, Sampler, Search, SearchBudget, Space};
//!
//! let dir = tempfile::tempdir()?;
//! let rungs = Rungs { env_steps: 600, count: 2, reduction: 3, seeds: 1 };
//! let layers = Layers::new().preset("notebook")?.set("evaluation.episodes=1")?.set("evaluation.final_episodes=2")?;
//! let base = rungs.apply(&layers.resolve()?);
//! let budget = SearchBudget::Trials(3);
//! let search = Search { space: Space::declared(&base), sampler: Sampler::Random, seed: 7, jobs: 2, budget, rungs };
//! let (registry, control) = (Registry::built_in(), Control::new());
//! let tuned = search.conduct(dir.path(), Crew { registry: &registry, threads: 1, control: &control }, &())?;
//! let tuned = tuned.expect("nobody has asked it to stop");
//! assert_eq!((tuned.trials.len(), tuned.score().env_steps), (3, 600));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod conduct;
mod domain;
mod error;
mod file;
mod halving;
mod importance;
mod journal;
mod parse;
mod parzen;
mod race;
mod rungs;
mod sampler;
mod search;
mod space;
mod trial;
mod tuned;

pub use crate::config::Domain;
pub use conduct::{News, TuneAudience};
pub use error::TuneError;
pub use file::{OVERRULED, TuneFile};
pub use importance::importance;
pub use rungs::{Rung, Rungs};
pub use sampler::Sampler;
pub use search::{Search, SearchBudget, is_search};
pub use space::{Dimension, Settings, Space};
pub use trial::{LATEST, Scored, Trial};
pub use tuned::{Tuned, leader};
