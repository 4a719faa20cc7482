//! Worlds around worlds: each changes one thing and passes on the rest.

mod discretize;
mod one_hot;

pub use discretize::Discretize;
pub use one_hot::OneHot;
