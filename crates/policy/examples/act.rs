//! Loads a policy and says what it would do: `cargo run -p requel-policy --example act -- POLICY.safetensors NUMBER…`
//!
//! Without arguments it is a small policy of CartPole, shown a pole that leans to the right.

use std::path::PathBuf;

use requel_policy::SavedPolicy;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let sample = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/cartpole.safetensors"));
    let path = arguments.next().map_or_else(sample, PathBuf::from);
    let mut observation = arguments.map(|number| number.parse()).collect::<Result<Vec<f32>, _>>()?;
    if observation.is_empty() {
        observation = vec![0.0, 0.0, 0.05, 0.1];
    }

    let saved = SavedPolicy::read(&path)?;
    println!("{}: a policy of {}", path.display(), saved.env_id);
    let mut policy = saved.into_policy(1)?;
    let action = policy.act(&observation, None)?;
    for (index, value) in policy.q_values(&observation)?.iter().enumerate() {
        println!("action {index} is worth {value:.3}{}", if index == action { ", and is taken" } else { "" });
    }
    Ok(())
}
