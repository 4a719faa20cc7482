//! [`advice`], which finds settings that keep a training run from learning, before the first step is made.

use std::fmt;

use requel_envs::EnvSpec;

use super::{AgentKind, Config, ExplorationKind, ReplayKind, TargetKind};
use crate::schedule::crossings;

/// How serious a piece of [`Advice`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Training can succeed, but one setting has no effect.
    Warning,
    /// Nothing can be learned, however long the run takes.
    Impossible,
}

/// A problem in a config that is worth reporting before training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The key to look at first, such as `replay.start`.
    pub key: &'static str,
    /// The key that sets the budget, if the budget is too short.
    pub budget: Option<&'static str>,
    /// Whether the config can be trained at all.
    pub severity: Severity,
    /// What is wrong and what to change, as the rest of a sentence that starts with the key.
    pub text: String,
}

impl Advice {
    /// The keys to look at, most important first.
    pub fn keys(&self) -> Vec<&'static str> {
        [self.key].into_iter().chain(self.budget).collect()
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.key, self.text)
    }
}

/// What a valid config says about whether it will learn, most serious first: a budget that ends before the first update, a target that
/// never moves, schedules longer than training. Empty if there is no advice.
///
/// If only episodes are limited, the number of env steps is that of the longest episodes that the environment `env`, created with the
/// config's options, allows; there is no advice on the budget if the environment sets no limit.
///
/// ```
/// use requel::config::{Layers, Severity, advice};
///
/// let config = Layers::new().set("train.env_steps=2500")?.set("replay.start=50000")?.resolve()?;
/// let found = advice(&config, requel_envs::make(&config.env.id)?.spec());
/// assert_eq!((found[0].key, found[0].severity), ("replay.start", Severity::Impossible));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn advice(config: &Config, env: &EnvSpec) -> Vec<Advice> {
    let mut found = Vec::new();
    let mut say = |key, budget, severity, text: String| found.push(Advice { key, budget, severity, text });
    let [has_own_agent, has_own_executor, has_own_explorer] =
        ["agent.name", "agent.executor", "exploration.name"].map(|part| config.own_parts().any(|key| key == part));
    // It is unknown how your own agent or component uses its settings.
    if has_own_agent {
        if let Some(text) = Course::of(config, env).and_then(|course| course.few_rounds()) {
            say("train.num_envs", None, Severity::Warning, text);
        }
        return found;
    }
    if config.target.kind == TargetKind::Soft && config.target.tau == 0.0 && has_target(config) {
        let text = "is 0: the target network keeps its initial random weights, and no value can be learned from \
                    those"
            .into();
        say("target.tau", None, Severity::Impossible, text);
    }
    if let Some(text) = nothing_explores(config).filter(|_| !has_own_explorer) {
        say("exploration.start", None, Severity::Warning, text);
    }
    if let Some(text) = step_size_lost(config).filter(|_| !has_own_executor) {
        say("optimizer.learning_rate", None, Severity::Warning, text);
    }
    if let Some(course) = Course::of(config, env) {
        match course.without_update(config) {
            Some((key, text)) => say(key, Some(course.key), Severity::Impossible, text),
            None => course.too_short(config, &mut |key, text| say(key, Some(course.key), Severity::Warning, text)),
        }
    }
    found.sort_by_key(|advice| std::cmp::Reverse(advice.severity));
    found
}

impl Config {
    /// The maximum number of env steps that training with this config can make, all environments together: `train.env_steps` rounded up to
    /// whole rounds of all environments, or `train.episodes` of maximum length. `None` if neither is limited.
    pub fn most_env_steps(&self, env: &EnvSpec) -> Option<u64> {
        let (train, num_envs) = (&self.train, self.train.num_envs.max(1) as u64);
        let in_rounds = |steps: u64| steps.div_ceil(num_envs).saturating_mul(num_envs);
        let by_steps = (train.env_steps > 0).then(|| in_rounds(train.env_steps));
        let by_episodes = (train.episodes > 0).then_some(env.max_episode_steps).flatten().map(|longest| {
            // However they are distributed, one environment has to finish this many of them.
            train.episodes.div_ceil(num_envs).saturating_mul(u64::from(longest)).saturating_mul(num_envs)
        });
        [by_steps, by_episodes].into_iter().flatten().min()
    }
}

/// The length of training.
struct Course {
    /// Env steps, all environments together.
    env_steps: u64,
    /// The key that sets the length.
    key: &'static str,
    /// The same in words, for messages.
    budget: String,
    num_envs: u64,
    /// Updates from the first to the last step.
    updates: u64,
}

impl Course {
    fn of(config: &Config, env: &EnvSpec) -> Option<Self> {
        let env_steps = config.most_env_steps(env)?;
        let (key, budget) = match (config.train.env_steps, config.train.episodes) {
            (0, episodes) => {
                ("train.episodes", format!("{episodes} episodes (`train.episodes`) take at most {env_steps} env steps"))
            }
            (steps, _) => ("train.env_steps", format!("the budget is {steps} env steps (`train.env_steps`)")),
        };
        let updates = updates(config, env_steps);
        Some(Course { env_steps, key, budget, num_envs: config.train.num_envs.max(1) as u64, updates })
    }

    /// The reason why there is no update at all, if there is none.
    fn without_update(&self, config: &Config) -> Option<(&'static str, String)> {
        if self.updates > 0 {
            return None;
        }
        let (replay, train, pqn, budget) = (&config.replay, &config.train, &config.pqn, &self.budget);
        Some(match config.agent.kind {
            AgentKind::Pqn => {
                let rollout = pqn.rollout_steps as u64 * self.num_envs;
                let text = format!(
                    "is {}, so that the first rollout is complete after {rollout} env steps, but {budget}: nothing \
                     would be learned",
                    pqn.rollout_steps
                );
                ("pqn.rollout_steps", text)
            }
            AgentKind::Dqn if self.env_steps <= replay.start as u64 => {
                let text = format!(
                    "is {}, more than will ever be stored: {budget}, and nothing would be learned",
                    replay.start
                );
                ("replay.start", text)
            }
            _ => {
                let text = format!(
                    "is {}, so no update is due in time: {budget}, and nothing would be learned",
                    train.every_steps
                );
                ("train.every_steps", text)
            }
        })
    }

    /// Schedules that do not reach their end, or hardly start.
    fn too_short(&self, config: &Config, say: &mut dyn FnMut(&'static str, String)) {
        let (budget, env_steps) = (&self.budget, self.env_steps);
        if let Some(text) = self.few_rounds() {
            say("train.num_envs", text);
        }
        self.target_at_rest(config, say);
        let exploration = &config.exploration;
        if exploration.name.is_empty()
            && exploration.kind != ExplorationKind::Constant
            && exploration.start != exploration.end
            && exploration.env_steps > env_steps
        {
            let course = match exploration.kind {
                ExplorationKind::Exponential => "as a time constant",
                _ => "over which epsilon changes",
            };
            let last = exploration.schedule().at(env_steps);
            let text =
                format!("is {} {course}, but {budget}: epsilon never gets below {last:.3}", exploration.env_steps);
            say("exploration.env_steps", text);
        }
        let replay = &config.replay;
        if config.agent.kind == AgentKind::Dqn
            && replay.kind == ReplayKind::Prioritized
            && replay.importance_start != replay.importance_end
            && config.importance_env_steps() > env_steps
        {
            let text = format!(
                "is {}, but {budget}: beta never reaches {}, and the weights never fully correct for the priorities",
                config.importance_env_steps(),
                replay.importance_end
            );
            say("replay.importance_env_steps", text);
        }
    }

    /// Reports that each of many environments takes very few steps.
    fn few_rounds(&self) -> Option<String> {
        let rounds = self.env_steps / self.num_envs;
        let each = if rounds == 1 { "a single step".into() } else { format!("only {rounds} steps") };
        let text = || format!("is {}, so that each environment takes {each}: {}", self.num_envs, self.budget);
        (rounds < FEW_ROUNDS).then(text)
    }

    fn target_at_rest(&self, config: &Config, say: &mut dyn FnMut(&'static str, String)) {
        let target = &config.target;
        if !has_target(config) {
            return;
        }
        let (key, every, made, unit) = match target.every_updates {
            0 => ("target.every_env_steps", target.every_env_steps, self.env_steps, "env steps"),
            every => ("target.every_updates", every, self.updates, "updates"),
        };
        if every > made {
            let text = format!(
                "is {every}, but there are only {made} {unit}: the target network keeps its initial random weights \
                 ({})",
                self.budget
            );
            say(key, text);
        }
    }
}

/// With fewer steps than this per environment, most of the training data is the start of episodes.
const FEW_ROUNDS: u64 = 10;

/// Half the distance from 0.1 to the next number in single precision: a smaller step leaves such a weight unchanged.
const LOST_STEP: f64 = 3.7e-9;

/// The number of updates in `env_steps` env steps, if every episode provides one transition per step.
fn updates(config: &Config, env_steps: u64) -> u64 {
    let (train, num_envs) = (&config.train, config.train.num_envs.max(1) as u64);
    match config.agent.kind {
        AgentKind::Pqn => {
            let rollout = (config.pqn.rollout_steps as u64).saturating_mul(num_envs).max(1);
            (env_steps / rollout).saturating_mul(config.pqn.epochs as u64 * config.pqn.minibatches as u64)
        }
        // With several environments, the naive agent makes one batch per round.
        AgentKind::Naive => {
            (env_steps / train.every_steps.max(1)).min(env_steps / num_envs).saturating_mul(train.updates)
        }
        AgentKind::Dqn => {
            let waiting = (config.replay.start as u64 / num_envs * num_envs).min(env_steps);
            crossings(train.every_steps.max(1), waiting, env_steps).saturating_mul(train.updates)
        }
    }
}

/// Whether requel's own target network is used.
fn has_target(config: &Config) -> bool {
    config.target.kind != TargetKind::None && config.agent.kind != AgentKind::Pqn && config.agent.executor.is_empty()
}

fn nothing_explores(config: &Config) -> Option<String> {
    let exploration = &config.exploration;
    let always_greedy = match exploration.kind {
        ExplorationKind::Constant => exploration.start == 0.0,
        _ => exploration.start == 0.0 && exploration.end == 0.0,
    };
    (always_greedy && !config.network.noisy)
        .then(|| "is 0 throughout and `network.noisy` is off: the agent never explores".into())
}

fn step_size_lost(config: &Config) -> Option<String> {
    let rate = config.optimizer.learning_rate;
    (rate < LOST_STEP).then(|| format!("is {rate:e}, too small to change a weight of 0.1 in single precision"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Trainer;
    use crate::config::{Layers, presets};

    fn config(preset: &str, settings: &[&str]) -> Config {
        let layers = Layers::new().preset(preset).unwrap();
        settings.iter().fold(layers, |layers, s| layers.set(s).unwrap()).resolve().unwrap()
    }

    fn env(config: &Config) -> EnvSpec {
        crate::Registry::built_in().env_factory(&config.env)().unwrap().spec().clone()
    }

    fn advised(config: &Config) -> Vec<Advice> {
        advice(config, &env(config))
    }

    fn keys(preset: &str, settings: &[&str], severity: Severity) -> Vec<&'static str> {
        let found = advised(&config(preset, settings));
        found.iter().filter(|advice| advice.severity == severity).map(|advice| advice.key).collect()
    }

    #[test]
    fn what_a_part_of_ones_own_does_with_its_settings_is_not_judged() {
        let silenced = [
            ("agent.name=own", "train.env_steps=900"),
            ("agent.name=own", "target.kind=soft target.tau=0"),
            ("agent.executor=own", "target.every_env_steps=0 target.every_updates=1000000"),
            ("agent.executor=own", "optimizer.learning_rate=1e-10"),
            ("exploration.name=own", "exploration.start=0 exploration.end=0"),
            ("exploration.name=own", "exploration.env_steps=1000000"),
        ];
        for (own, settings) in silenced {
            let plain: Vec<&str> = settings.split(' ').collect();
            assert!(!advised(&config("dqn", &plain)).is_empty(), "{settings}");
            let found = advised(&config("dqn", &[&[own], &plain[..]].concat()));
            assert!(found.is_empty(), "{own} {settings}: {found:?}");
        }
        let few = config("dqn", &["agent.name=own", "train.num_envs=6000", "train.env_steps=30000"]);
        assert_eq!(advised(&few)[0].key, "train.num_envs");
    }

    #[test]
    fn presets_need_no_advice() {
        for preset in presets::with_envs() {
            let found = advised(&config(preset.name, &[]));
            assert!(found.is_empty(), "{}: {found:?}", preset.name);
        }
    }

    #[test]
    fn what_cannot_learn_is_told_with_its_key() {
        let table: [(&str, &[&str], &str); 8] = [
            ("dqn", &["train.env_steps=2500", "replay.start=50000"], "replay.start"),
            ("dqn", &["train.env_steps=500"], "replay.start"),
            ("dqn", &["train.env_steps=2500", "train.every_steps=10000"], "train.every_steps"),
            ("dqn", &["train.env_steps=2500", "train.every_steps=2000", "replay.start=2200"], "train.every_steps"),
            ("notebook-naive", &["train.env_steps=100", "train.every_steps=101"], "train.every_steps"),
            ("pqn", &["train.env_steps=500", "pqn.rollout_steps=1000"], "pqn.rollout_steps"),
            ("notebook", &["train.episodes=2", "replay.start=1500"], "replay.start"),
            ("dqn", &["target.tau=0"], "target.tau"),
        ];
        for (preset, settings, key) in table {
            assert_eq!(keys(preset, settings, Severity::Impossible), [key], "{settings:?}");
        }
    }

    #[test]
    fn what_does_not_come_to_its_end_is_warned_of() {
        let table: [(&str, &[&str], &[&str]); 9] = [
            ("dqn", &["train.env_steps=3000"], &["exploration.env_steps"]),
            ("dqn", &["train.env_steps=3000", "exploration.kind=constant"], &[]),
            (
                "dqn",
                &["train.env_steps=6000", "target.kind=hard", "target.every_env_steps=6001"],
                &["target.every_env_steps"],
            ),
            (
                "per-dqn",
                &["train.env_steps=6000", "replay.importance_env_steps=6001"],
                &["replay.importance_env_steps"],
            ),
            ("dqn", &["train.env_steps=20000", "train.num_envs=65536"], &["train.num_envs"]),
            ("pqn", &["train.env_steps=100", "exploration.env_steps=1024"], &[]),
            ("dqn", &["exploration.start=0", "exploration.end=0"], &["exploration.start"]),
            ("noisy-dqn", &["exploration.start=0", "exploration.end=0"], &[]),
            ("dqn", &["optimizer.learning_rate=1e-10"], &["optimizer.learning_rate"]),
        ];
        for (preset, settings, expected) in table {
            assert_eq!(keys(preset, settings, Severity::Warning), expected, "{preset} {settings:?}");
        }
        let by_updates =
            ["train.env_steps=6000", "target.kind=hard", "target.every_env_steps=0", "target.every_updates=3000"];
        assert_eq!(keys("dqn", &by_updates, Severity::Warning), ["target.every_updates"]);
    }

    /// The count of updates that advice rests on is the trainer's own.
    #[test]
    fn updates_are_counted_as_training_makes_them() {
        let table: [(&str, &[&str]); 8] = [
            ("dqn", &["train.env_steps=64", "replay.start=15", "replay.batch_size=16", "train.every_steps=3"]),
            ("dqn", &["train.env_steps=16", "replay.start=15", "replay.batch_size=16", "train.every_steps=16"]),
            ("dqn", &["train.env_steps=16", "replay.start=16", "replay.batch_size=16", "train.every_steps=1"]),
            ("dqn", &["train.env_steps=90", "replay.start=20", "replay.batch_size=8", "train.num_envs=7"]),
            ("dqn", &["train.env_steps=40", "replay.start=20", "replay.batch_size=8", "train.every_steps=41"]),
            ("notebook-naive", &["train.env_steps=50", "train.episodes=0", "train.num_envs=4", "train.every_steps=3"]),
            ("pqn", &["train.env_steps=100", "pqn.rollout_steps=4", "train.num_envs=8", "pqn.minibatches=2"]),
            ("pqn", &["train.env_steps=31", "pqn.rollout_steps=5", "train.num_envs=8", "pqn.minibatches=2"]),
        ];
        for (preset, settings) in table {
            let quick = ["evaluation.every_steps=0", "evaluation.final_episodes=1", "evaluation.max_episode_steps=1"];
            let config = config(preset, &[settings, &quick].concat());
            let made = Trainer::new(config.clone()).unwrap().run(&mut ()).unwrap();
            let most = config.most_env_steps(&env(&config)).unwrap();
            let expected = updates(&config, most);
            assert_eq!((made.updates, made.env_steps), (expected, most), "{settings:?}");
            let impossible = advised(&config).iter().any(|advice| advice.severity == Severity::Impossible);
            assert_eq!(impossible, made.updates == 0, "{settings:?}");
        }
    }

    #[test]
    fn nothing_is_said_of_a_budget_that_is_not_known() {
        let settings = ["env.id=Own-v0", "train.env_steps=0", "train.episodes=3", "replay.start=90000"];
        let (config, env) = (config("dqn", &settings), EnvSpec::new("Own-v0"));
        assert_eq!((advice(&config, &env), config.most_env_steps(&env)), (vec![], None));
    }
}
