//! What the actions of the environments mean, for those who use an exported policy without the environment's documentation.

/// The meaning of each action of an environment with `actions` of them; `None` where it is not known.
pub fn of(env_id: &str, actions: usize) -> Option<Vec<&'static str>> {
    let name = env_id.split("-v").next().unwrap_or(env_id);
    let all = ["nothing", "left", "up", "right", "down", "fire"];
    let meanings = match name {
        "CartPole" => vec!["push left", "push right"],
        "MountainCar" => vec!["accelerate left", "coast", "accelerate right"],
        "Acrobot" => vec!["torque -1 N m", "no torque", "torque 1 N m"],
        "CliffWalking" => vec!["up", "right", "down", "left"],
        "FrozenLake" | "FrozenLake8x8" => vec!["left", "down", "right", "up"],
        "Taxi" => vec!["down", "up", "right", "left", "pick up", "drop off"],
        "Blackjack" => vec!["stop", "take a card"],
        _ if name.starts_with("MinAtar/") && actions == all.len() => all.to_vec(),
        "MinAtar/Asterix" => vec!["nothing", "left", "up", "right", "down"],
        "MinAtar/Breakout" => vec!["nothing", "left", "right"],
        "MinAtar/Freeway" => vec!["nothing", "up", "down"],
        "MinAtar/SpaceInvaders" => vec!["nothing", "left", "right", "fire"],
        _ => return None,
    };
    (meanings.len() == actions).then_some(meanings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_meaning_belongs_to_an_environment_and_there_is_one_for_each_action() {
        let mut known = 0;
        for spec in requel_envs::specs() {
            let env = requel_envs::make(&spec.id).unwrap();
            let Some(actions) = env.action_space().discrete_n() else { continue };
            if let Some(meanings) = of(&spec.id, actions) {
                assert_eq!(meanings.len(), actions, "{}", spec.id);
                known += 1;
            }
        }
        assert!(known >= 12, "{known} environments");
        assert_eq!(of("CartPole-v1", 3), None);
    }
}
