//! The `requel` program.
#![forbid(unsafe_code)]

#[allow(dead_code, unused_imports)] // The commands that draw come next.
mod show;

fn main() {}
