//! What a person sees, checked and photographed: `cargo xtask test --ui` and `cargo xtask screenshots`.
//!
//! The work is done in Python in `xtask/ui/`, where a terminal is tmux and a browser is headless Chromium
//! driven over its DevTools protocol. This module has everything at hand that those scripts need.

mod programs;
mod verb;

pub use verb::{screenshots, test};
