//! The dashboard: training on a full screen, with charts, the agent at play, and keys to pause, slow down, save and stop.
//!
//! Two threads meet in [`link`]: the one that trains hands over what happened and looks at a flag once a step; the other one
//! ([`drawing`]) keeps the [`chronicle`], plays the newest best policy on its [`stage`], [`audit`]s what that policy believes,
//! and draws the [`view`] about 12 times a second. Nothing that the second thread does can change a result: it can only make
//! the first one wait between two steps, save, or stop. What it leaves on the terminal
//! in the end, [`farewell`] says.

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
