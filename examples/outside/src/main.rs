//! A program with every verb of `requel`, for the parts of this crate: `cargo run -p outside -- train Greenhouse-v0`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    match outside::registry() {
        Ok(registry) => requel_cli::main_with(registry),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
