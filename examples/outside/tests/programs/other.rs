//! A program with another environment under the id of this crate's: other observations, other actions.

use std::process::ExitCode;

use requel::Registry;
use requel_envs::closure::from_closures;
use requel_envs::{Step, TimeLimit};

fn main() -> ExitCode {
    let mut registry = Registry::built_in();
    let registered = registry.register_env(|| {
        let other = from_closures(
            "Greenhouse-v0",
            3,
            |_| [0.0, 0.0],
            |[count, _], _, _| {
                *count += 1.0;
                Step { reward: 0.0, terminated: *count >= 9.0, truncated: false }
            },
        );
        Ok(Box::new(TimeLimit::new(other, 96)?))
    });
    registered.expect("no environment of requel has this id");
    requel_cli::main_with(registry)
}
