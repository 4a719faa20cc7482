//! The contract of [`Env`](crate::Env) as a function: [`check`] any environment, including your own, in a test.
//!
//! ```
//! use requel_envs::{conformance, make};
//!
//! let report = conformance::check(|| make("CartPole-v1").unwrap()).unwrap();
//! assert!(report.terminated > 0);
//! ```

mod actions;
mod checker;
mod rule;
mod scene;

pub use checker::check;
pub use rule::{Report, Rule, Violation};
