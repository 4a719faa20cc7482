//! How a key is declared: name, type, default, range, unit and meaning in one place, from which everything else is generated.

mod choice;
mod key;
mod range;
mod section;
mod tuning;
mod value_type;

pub(super) use choice::choice;
pub use key::{Key, Section};
pub(super) use key::{count, joined, meaning};
pub use range::Range;
pub(super) use range::{LARGE, LARGE_SQUARED, SMALL, TINY, number};
pub(super) use section::{config, given, section};
pub use tuning::{Condition, Domain, Scale, Tuning};
pub(super) use value_type::KeyValue;
pub use value_type::{ValueType, Word};
