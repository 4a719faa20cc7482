//! Trainings that were made sick on purpose: what is wrong with them is found, in a run on disk with its logs and its checkpoint.

use requel::Registry;
use requel::config::Layers;
use requel::diagnose::{Evidence, Finding, Severity, findings};
use requel::run::{Control, Run, Session};

/// A training of a few thousand steps.
const SMALL: &[&str] = &[
    "train.env_steps=3000",
    "evaluation.every_steps=500",
    "evaluation.episodes=5",
    "evaluation.final_episodes=10",
    "evaluation.stop_after=0",
    "log.every_steps=100",
    "network.hidden=[32, 32]",
    "replay.start=200",
    "replay.batch_size=32",
    "exploration.env_steps=1500",
];

/// What is found in a short run of a preset with these settings.
fn diagnosed(preset: &str, settings: &[&str]) -> Vec<Finding> {
    let dir = tempfile::tempdir().unwrap();
    let layers = Layers::new().preset(preset).unwrap();
    let layers = SMALL.iter().chain(settings).try_fold(layers, |layers, setting| layers.set(setting)).unwrap();
    let run = Run::create(dir.path(), &layers.resolve().unwrap()).unwrap();
    Session::begin(run.clone()).unwrap().train(&mut (), &Control::new()).unwrap();
    findings(&Evidence::of_run(&run, &Registry::built_in()).unwrap())
}

fn assert_found(preset: &str, settings: &[&str], check: &str) {
    let found = diagnosed(preset, settings);
    assert!(found.iter().any(|finding| finding.check == check), "{settings:?}: {check} is not among {found:#?}");
    assert!(found.is_sorted_by(|a, b| a.severity >= b.severity), "the worst comes first");
}

#[test]
fn sick_settings_are_named() {
    for (settings, check) in [
        (&["optimizer.learning_rate=0.3"][..], "update-ratio"),
        (&["optimizer.learning_rate=0.3"], "learning-rate"),
        (&["target.kind=hard", "target.every_env_steps=0", "target.every_updates=100000"], "target-schedule"),
        (&["exploration.kind=constant", "exploration.start=1"], "exploration"),
        (&["agent.reward_scale=10000"], "reward-scale"),
        (&["replay.capacity=64", "replay.start=32"], "replay-size"),
        (&["agent.gamma=1"], "horizon"),
        (&["replay.batch_size=1"], "replay-ratio"),
        (&["optimizer.max_gradient_norm=0.001"], "clipped-gradients"),
        (&["replay.start=5000"], "updates"),
        (&["evaluation.max_episode_steps=12"], "evaluation-cut"),
    ] {
        assert_found("double-dqn", settings, check);
    }
}

/// The cause comes before what follows from it.
#[test]
fn the_cause_is_named_first() {
    for (preset, settings, check) in [
        ("dqn", &["optimizer.beta1=0.9999"][..], "momentum"),
        ("dqn", &["optimizer.epsilon=100"], "learning-rate"),
        ("dqn", &["env.sticky_actions=0.95"], "control"),
        ("dqn", &["env.action_repeat=30"], "control"),
        ("dqn", &["train.num_envs=100"], "updates"),
        ("dqn", &["replay.start=2800"], "updates"),
        ("dqn", &["exploration.random_env_steps=2900"], "exploration"),
        ("dqn", &["network.hidden=[16, 16, 16, 16, 16, 16, 16, 16]"], "network-size"),
        ("c51", &["head.v_min=99", "head.v_max=100"], "support"),
        ("per-dqn", &["replay.importance_end=0", "replay.importance_start=0"], "importance-schedule"),
        ("mountaincar", &["env.action_repeat=1"], "signal"),
        ("acrobot", &["env.options.max_episode_steps=20"], "signal"),
    ] {
        let found = diagnosed(preset, settings);
        assert_eq!(found.first().map(|finding| finding.check), Some(check), "{preset} {settings:?}: {found:#?}");
    }
}

#[test]
fn sick_heads_and_noise_are_named() {
    assert_found("c51", &["head.v_min=0", "head.v_max=3"], "clipped-targets");
    assert_found("c51", &["head.v_min=-1000", "head.v_max=1000"], "support");
    assert_found("noisy-dqn", &["network.noisy_sigma=0.0001"], "noise");
    assert_found("per-dqn", &["replay.importance_env_steps=1000000"], "importance-schedule");
}

/// A layer whose every unit has died, and what follows from it.
#[test]
fn a_dead_network_is_seen_in_its_checkpoint() {
    let found = diagnosed("double-dqn", &["optimizer.learning_rate=30", "optimizer.max_gradient_norm=0"]);
    let checks: Vec<&str> = found.iter().map(|finding| finding.check).collect();
    assert!(checks.contains(&"units") || checks.contains(&"rank"), "{found:#?}");
    assert_eq!(found[0].severity, Severity::Fault);
}

#[test]
fn healthy_trainings_have_no_finding() {
    for (preset, settings) in [
        ("c51", &["train.env_steps=4000"][..]),
        ("dqn", &["train.env_steps=4000"]),
        ("pqn", &["train.env_steps=8000", "exploration.env_steps=4000", "train.num_envs=8", "pqn.rollout_steps=16"]),
        ("notebook", &["train.episodes=0", "train.env_steps=4000"]),
    ] {
        assert_eq!(diagnosed(preset, settings), [], "{preset}");
    }
}

#[test]
fn a_training_that_has_not_begun_can_be_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::create(dir.path(), &Layers::new().preset("notebook").unwrap().resolve().unwrap()).unwrap();
    assert_eq!(findings(&Evidence::of_run(&run, &Registry::built_in()).unwrap()), []);
}
