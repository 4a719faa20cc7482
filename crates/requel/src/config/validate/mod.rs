//! What values a [`Config`](super::Config) may hold, and which go together.

mod check;
mod combinations;
mod counts;
mod floats;

pub(super) use check::check;
pub(super) use floats::number;
