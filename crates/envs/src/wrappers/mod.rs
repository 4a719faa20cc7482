//! Worlds around worlds: each changes one thing and passes on the rest.

mod one_hot;

pub use one_hot::OneHot;
