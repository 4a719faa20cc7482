//! From a run's directory to [`Evidence`].

use std::collections::BTreeMap;

use requel_envs::{Env, EnvSpec};

use super::health::layer_health;
use super::logs::read_metrics;
use super::{Counts, EndOfTraining, Evidence, MemoryEvidence};
use crate::agent::{Agent, AgentError, MemorySample, ValueNetwork};
use crate::checkpoint;
use crate::config::Config;
use crate::log::METRICS;
use crate::registry::Registry;
use crate::run::{Run, RunError};
use crate::state::State;
use crate::storage::RealStorage;
use crate::td::argmax_allowed;
use crate::train::{Aggregates, TrainError, Trainer};
use crate::transition::mask_words;

/// Maximum number of transitions of a replay buffer that are examined.
const MOST_ROWS: usize = 2048;

impl Evidence {
    /// Evidence from a trainer without its logs: its config with resolved bounds, and its counts.
    pub fn of_trainer(trainer: &Trainer) -> Evidence {
        let mut evidence = Self::of_spec(trainer.config().clone(), trainer.env_spec(), trainer.actions().count);
        let aggregates = trainer.aggregates();
        let Aggregates { env_steps, updates, episodes, .. } = aggregates;
        evidence.counts = Counts { env_steps, updates, episodes };
        evidence
    }

    /// Evidence of training in this environment before its first step.
    fn of_env(config: Config, env: &dyn Env) -> Evidence {
        Self::of_spec(config, env.spec(), env.action_space().discrete_n().unwrap_or(0))
    }

    fn of_spec(config: Config, spec: &EnvSpec, actions: usize) -> Evidence {
        // The trainer's config: with numbers instead of "auto".
        let config = config.with_value_bounds(spec, actions).unwrap_or(config);
        Evidence::new(config, spec.clone(), actions)
    }

    /// Evidence of a run: its config, its logs, its result, and its newest intact checkpoint with the replay buffer in it.
    ///
    /// # Errors
    /// If the registry has another environment with the run's id, the trainer cannot be created, or a file cannot be read or differs from
    /// the one that the finished run was sealed with. Everything else that is unavailable is not an error but listed in
    /// [`Evidence::unread`]: a checkpoint that is damaged or does not fit, or whose agent or components the registry does not have.
    pub fn of_run(run: &Run, registry: &Registry) -> Result<Evidence, RunError> {
        let (registry, _) = run.registry_to_look(registry)?;
        let (mut evidence, mut trainer) = match run.trainer(&registry) {
            Ok(trainer) => (Evidence::of_trainer(&trainer), Ok(trainer)),
            Err(error @ RunError::UnknownPart { .. }) => {
                (Evidence::of_env(run.config()?, &*run.env(&registry)?), Err(error))
            }
            Err(error) => return Err(error),
        };
        evidence.read_records(run)?;
        let newest = checkpoint::newest(&RealStorage, &run.checkpoints())?;
        evidence.unread = newest.damaged.iter().map(ToString::to_string).collect();
        if let Some(found) = newest.checkpoint {
            let restored = match &mut trainer {
                Ok(trainer) => trainer.restore(&found.state).map(|()| &*trainer).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match restored {
                Ok(trainer) => evidence.look_inside(trainer.agent(), &found.state)?,
                Err(error) => evidence.unread.push(format!("its newest checkpoint cannot be read: {error}")),
            }
        }
        Ok(evidence)
    }

    /// Evidence from the files of a run alone.
    fn read_records(&mut self, run: &Run) -> Result<(), RunError> {
        let metrics = run.dir().join(METRICS);
        run.check_file(METRICS)?;
        (self.course, self.scores) = read_metrics(&metrics).map_err(RunError::io("read", &metrics))?;
        if let Some(last) = self.course.last() {
            self.counts = Counts { env_steps: last.env_steps, updates: last.updates, episodes: last.episodes };
        }
        if let Some(summary) = run.summary()? {
            let (best, last) = (summary.best_evaluation, summary.final_evaluation);
            self.ending = Some(EndOfTraining { termination: summary.termination, best, last });
            self.counts = Counts { env_steps: summary.env_steps, updates: summary.updates, episodes: summary.episodes };
        }
        Ok(())
    }

    /// Examines an agent and the state that it was restored from.
    pub(super) fn look_inside(&mut self, agent: &dyn Agent, state: &State<'_>) -> Result<(), RunError> {
        if let Some(sample) = agent.sample_memory(MOST_ROWS).filter(|sample| !sample.columns.actions.is_empty()) {
            let mut memory = memory_evidence(&sample);
            if let Some(values) = agent.value_network() {
                self.layers = layer_health(values.network, values.parameters, &sample.observations);
                if values.network.spec().input_shape.len() != 1 {
                    memory.feature_sizes.clear();
                }
                memory.greedy = greedy_counts(values, &sample, self.actions).map_err(TrainError::from)?;
            }
            memory.priority_of_top_percent = priorities(state).and_then(of_top_percent);
            self.memory = Some(memory);
        }
        self.target_distance = target_distance(state);
        self.noise = agent.value_network().map(noise).unwrap_or_default();
        Ok(())
    }
}

fn memory_evidence(sample: &MemorySample) -> MemoryEvidence {
    let (rewards, discounts) = (&sample.columns.rewards, &sample.columns.discounts);
    let rows = rewards.len();
    let len = sample.observations.len() / rows.max(1);
    let least = rewards.iter().copied().fold(f32::INFINITY, f32::min);
    let most = rewards.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut frequency: BTreeMap<u32, usize> = BTreeMap::new();
    rewards.iter().for_each(|reward| *frequency.entry(reward.to_bits()).or_default() += 1);
    let mut feature_sizes = vec![0.0f64; len];
    for observation in sample.observations.chunks_exact(len) {
        feature_sizes.iter_mut().zip(observation).for_each(|(size, x)| *size = size.max(f64::from(x.abs())));
    }
    MemoryEvidence {
        looked_at: rows,
        rewards: (f64::from(least), f64::from(most)),
        constant_rewards: *frequency.values().max().unwrap_or(&0) as f64 / rows as f64,
        terminal: discounts.iter().filter(|discount| **discount == 0.0).count() as f64 / rows as f64,
        feature_sizes,
        ..MemoryEvidence::default()
    }
}

/// How often each action is the network's greedy one.
fn greedy_counts(network: ValueNetwork<'_>, sample: &MemorySample, actions: usize) -> Result<Vec<usize>, AgentError> {
    let rows = sample.columns.actions.len();
    let mut policy = network.greedy(rows)?;
    let q = policy.q_values(&sample.observations)?;
    let mut counts = vec![0; actions];
    let words = mask_words(actions);
    for (row, q) in q.chunks_exact(actions).enumerate() {
        let mask = sample.columns.masks.get(row * words..(row + 1) * words);
        let allowed = mask.map(|mask| (0..actions).map(|a| mask[a / 32] >> (a % 32) & 1 == 1).collect::<Vec<bool>>());
        counts[argmax_allowed(q, allowed.as_deref())] += 1;
    }
    Ok(counts)
}

/// ‖target − online‖ / ‖online‖ over all parameters of a checkpoint.
fn target_distance(state: &State<'_>) -> Option<f64> {
    let (mut apart, mut all, mut found) = (0.0, 0.0, false);
    for (name, tensor) in &state.tensors {
        let Some(of) = name.strip_prefix("network/target.") else { continue };
        let online = state.tensors.get(&format!("network/online.{of}"))?;
        for (target, online) in floats(&tensor.bytes.contiguous()).zip(floats(&online.bytes.contiguous())) {
            apart += (target - online) * (target - online);
            all += online * online;
        }
        found = true;
    }
    (found && all > 0.0).then(|| (apart / all).sqrt())
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f64> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes)))
}

fn priorities(state: &State<'_>) -> Option<Vec<f64>> {
    let bytes = state.tensors.get("replay/priorities")?.bytes.contiguous();
    Some(bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

/// Fraction of the sum that belongs to the largest hundredth, for at least 1,000 numbers.
pub(super) fn of_top_percent(mut priorities: Vec<f64>) -> Option<f64> {
    const LEAST: usize = 1000;
    let total: f64 = priorities.iter().sum();
    priorities.sort_unstable_by(|a, b| b.total_cmp(a));
    let top = priorities.len() / 100;
    (priorities.len() >= LEAST && total > 0.0).then(|| priorities[..top].iter().sum::<f64>() / total)
}

/// Mean |σ| over mean |μ| of the weights of each noisy part.
fn noise(values: ValueNetwork<'_>) -> Vec<(String, f64)> {
    let slices = values.network.slices();
    let mean = |range: &std::ops::Range<usize>| {
        let values = &values.parameters[range.clone()];
        values.iter().map(|value| f64::from(value.abs())).sum::<f64>() / values.len().max(1) as f64
    };
    let sigmas = slices.iter().filter(|slice| slice.name.ends_with("weight_sigma"));
    let ratios = sigmas.filter_map(|sigma| {
        let part = sigma.name.strip_suffix("weight_sigma")?;
        let mu = slices.iter().find(|slice| slice.name == format!("{part}weight_mu"))?;
        let size = mean(&mu.range);
        (size > 0.0).then(|| (part.trim_end_matches('.').to_owned(), mean(&sigma.range) / size))
    });
    ratios.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_hundredth_of_priorities() {
        assert_eq!(of_top_percent(vec![1.0; 999]), None);
        assert_eq!(of_top_percent(vec![1.0; 1000]), Some(0.01));
        let mut priorities = vec![1.0; 1980];
        priorities.extend([99.0; 20]);
        assert_eq!(of_top_percent(priorities), Some(0.5));
    }

    #[test]
    fn how_far_the_target_is() {
        let mut state = State::default();
        assert_eq!(target_distance(&state), None);
        state.put_f32("network/online.w", vec![2], &[3.0, 4.0]);
        assert_eq!(target_distance(&state), None);
        state.put_f32("network/target.w", vec![2], &[3.0, 3.0]);
        assert_eq!(target_distance(&state), Some(0.2));
    }
}
