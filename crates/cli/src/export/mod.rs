//! What stands beside an exported policy.

mod meanings;

pub use meanings::of as action_meanings;
