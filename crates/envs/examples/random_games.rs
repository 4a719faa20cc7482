//! Plays an environment at random: `cargo run --release -p requel-envs --example random_games ID GAMES`.
//!
//! Prints the return and the length of each game, in env steps. `cargo xtask results minatar-random` holds them against
//! those of the original games.

use std::error::Error;
use std::io::{BufWriter, Write};

use requel_envs::{SpaceSampler, make};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [id, games] = &arguments[..] else { return Err("usage: random_games ID GAMES".into()) };
    let games: u32 = games.parse().map_err(|_| format!("`{games}` is no number of games"))?;
    let mut env = make(id)?;
    let mut actions = SpaceSampler::new(env.action_space(), 1)?;
    let mut observation = vec![0.0; env.observation_len()];
    let mut out = BufWriter::new(std::io::stdout().lock());
    // The environments' generator is another one than the actions'.
    env.reset(Some(0), &mut observation)?;
    for game in 0..games {
        if game > 0 {
            env.reset(None, &mut observation)?;
        }
        let (mut total, mut length) = (0.0, 0_u64);
        loop {
            let step = env.step(actions.discrete().into(), &mut observation)?;
            total += step.reward;
            length += 1;
            if step.ended() {
                break;
            }
        }
        writeln!(out, "{total} {length}")?;
    }
    Ok(out.flush()?)
}
