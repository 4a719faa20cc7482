//! The dashboard: training on a full screen, with charts, the agent at play, and keys to pause, slow down, save and stop.
//!
//! Two threads meet in [`link`]: the training thread passes on what happened and checks a flag once per step; the other one ([`drawing`])
//! keeps the [`chronicle`], plays the newest best policy on its [`stage`], [`audit`]s that policy's values, and draws the [`view`] about 12
//! times a second. Nothing that the second thread does can change a result: it can only make the first one wait between two steps, save, or
//! stop. [`farewell`] is what it leaves on the terminal at the end.

mod audit;
mod charts;
mod chronicle;
mod drawing;
mod farewell;
mod keys;
mod link;
mod plot;
mod screen;
mod stage;
mod view;

pub use drawing::{Dashboard, Subject, fits};
pub use view::LEAST;
