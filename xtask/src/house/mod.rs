//! The rules of this house that neither the compiler nor clippy knows (see CONTRIBUTING.md).
//!
//! [`rules`] holds the rules, each a function over one file or the whole tree; [`modules`] is the one about who may know whom;
//! [`source`] sees code without its comments
//! and strings, so that a rule about code is not broken by a sentence about it.

mod modules;
mod rules;
mod source;

pub use rules::faults;
