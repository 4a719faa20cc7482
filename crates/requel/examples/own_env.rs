//! An environment of your own, from its rules to a policy: `cargo run --release --example own_env -p requel`.

use requel::Trainer;
use requel::config::Layers;
use requel_envs::closure::from_closures;
use requel_envs::{Step, TimeLimit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A thermostat: the room cools, the heater warms it; stay near 20 °C.
    let room = || {
        from_closures(
            "Thermostat",
            2,
            |rng| [rng.uniform(10.0, 30.0)],
            |[celsius], heater_on, _| {
                *celsius += if heater_on == 1 { 0.8 } else { -0.5 };
                Step { reward: -(*celsius - 20.0).abs(), terminated: false, truncated: false }
            },
        )
    };
    let config = Layers::new().set("train.env_steps=20_000")?.resolve()?;
    let mut trainer = Trainer::with_envs(config, Box::new(move || Ok(Box::new(TimeLimit::new(room(), 100)?))))?;
    let outcome = trainer.run(&mut ())?;
    println!("mean return {:.1} over 100 episodes", outcome.best_evaluation.mean_return());

    let mut policy = trainer.policy()?; // owns its weights: ship it
    println!("at 15 °C: {}, at 25 °C: {}", policy.act(&[15.0], None)?, policy.act(&[25.0], None)?);
    Ok(())
}
