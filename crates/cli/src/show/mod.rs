//! Pictures of an environment at a moment: in the terminal, as PNG, as GIF.
//!
//! A [`Frame`] is what is shown: the environment's `Scene` and a caption. [`picture()`] paints it in pixels, [`gif`] and [`png`] write
//! pixels to files, [`terminal`] paints it in character cells. Nothing here runs an environment or a policy.

mod ability;
pub mod apng;
pub mod font;
mod frame;
pub mod gif;
mod grid;
mod moments;
pub mod palette;
mod picture;
pub mod png;
pub mod raster;
pub mod terminal;

pub use ability::{Ability, ColorDepth};
pub use frame::{BarScale, Caption, Decision, Frame, tidy};
pub use grid::Grid;
pub use picture::picture;

#[cfg(test)]
mod all_envs;
#[cfg(test)]
pub mod sample;
