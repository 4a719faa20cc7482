//! The `requel` program.
fn main() {}
