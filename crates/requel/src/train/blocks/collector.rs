//! [`Collector`]: environments that are stepped away from the learner.

use std::ops::Range;

use requel_envs::{Step, VectorEnv};

use super::block::{Block, BlockId, BlockWriter, can_write};
use super::frames::Frames;
use crate::agent::{Actions, Agent, AgentError, Masks};
use crate::config::Config;
use crate::experience::Experience;
use crate::state::State;
use crate::train::envs::{self, EnvFactory};
use crate::train::guarded::guarded;
use crate::train::trainer::env_seed;
use crate::train::{AgentEnv, AgentFactory, EnvOrigin, TrainError};

/// Steps some of the environments of a training run, and acts in them as the agent of its config would with the given weights. It does not
/// learn and stores nothing: what it observes is sent out in blocks.
pub struct Collector {
    envs: VectorEnv,
    agent: Box<dyn Agent>,
    acting: Acting,
    actions: Actions,
    frames: Frames,
    /// The slots that it steps, numbered among all environments.
    slots: Range<usize>,
    id: BlockId,
    weights_version: u64,
    /// Observations of all of the agent's environments; zeros for those stepped elsewhere.
    observations: Vec<f32>,
    chosen: Vec<usize>,
}

/// In which role a collector acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acting {
    /// As the single agent of all environments, using only its own: with the random draws that these would have in one process.
    AsOne,
    /// With its own random draws, which differ in each incarnation.
    Alone,
}

const ENVS: &str = "collector/envs";
const OBSERVATIONS: &str = "collector/observations";

impl Collector {
    /// The collector for these slots of the environments of a config, `train.num_envs` in total. Environments and agents come from these
    /// factories.
    ///
    /// # Errors
    /// If a value in the config is out of range, the environments cannot be created, or there are no such slots.
    pub fn new(
        config: &Config,
        (envs, agents): (EnvFactory, &AgentFactory),
        (slots, acting): (Range<usize>, Acting),
        id: BlockId,
    ) -> Result<Self, TrainError> {
        config.check()?;
        let all = config.train.num_envs;
        if slots.is_empty() || slots.end > all {
            let reason = format!("the slots {} to {} are not within {all} environments", slots.start, slots.end);
            return Err(AgentError::Failed { reason }.into());
        }
        let (made, _) = envs::several(&guarded(envs), EnvOrigin::Given, slots.len())?;
        let mut envs = VectorEnv::new(made)?;
        let mut own = vec![0.0; slots.len() * envs.observation_len()];
        let mut config = acting_config(config);
        let first = match acting {
            Acting::AsOne => slots.start as u64,
            Acting::Alone => {
                config.train.num_envs = slots.len();
                config.train.seed = own_seed(config.train.seed, id);
                0
            }
        };
        envs.reset(env_seed(&config, 0).wrapping_add(first), &mut own)?;
        let (spec, space) = (envs.spec().clone(), envs.observation_space().clone());
        let Some(count) = envs.action_space().discrete_n() else {
            return Err(AgentError::ContinuousActions { id: spec.id }.into());
        };
        let actions = Actions { count, masked: envs.action_mask(0).is_some() };
        let agent = agents(&config, &AgentEnv { spec: &spec, observations: &space, actions })?;
        let mut observations = vec![0.0; config.train.num_envs * envs.observation_len()];
        let at = first as usize * envs.observation_len();
        observations[at..at + own.len()].copy_from_slice(&own);
        let chosen = vec![0; config.train.num_envs];
        let frames = Frames::of(&space, config.env.frame_stack);
        Ok(Collector { envs, agent, acting, actions, frames, slots, id, weights_version: 0, observations, chosen })
    }

    /// Acts with these weights from now on.
    ///
    /// # Errors
    /// If their number is wrong.
    pub fn set_weights(&mut self, version: u64, parameters: &[f32]) -> Result<(), TrainError> {
        self.agent.begin_from(parameters)?;
        self.weights_version = version;
        Ok(())
    }

    /// Makes this many steps in each of its environments, after all environments together have made `env_steps`.
    ///
    /// # Errors
    /// If an environment fails, or the computation of actions.
    pub fn collect(&mut self, steps: usize, env_steps: u64, all_envs: usize) -> Result<Block, TrainError> {
        let masked = if self.actions.masked { self.actions.count } else { 0 };
        let mut writer = BlockWriter::new((self.id, self.weights_version), self.slots.clone(), masked, self.frames);
        let (own, len) = (self.slots.len(), self.envs.observation_len());
        let first = if self.acting == Acting::AsOne { self.slots.start } else { 0 };
        let (mut made, mut next, mut following) =
            (vec![Step::default(); own], vec![0.0; own * len], vec![0.0; own * len]);
        let mut masks = vec![true; masked * self.chosen.len()];
        for step in 0..steps as u64 {
            for slot in (0..own).filter(|_| masked > 0) {
                let allowed = self.envs.action_mask(slot).unwrap_or_default();
                masks[(first + slot) * masked..][..masked].copy_from_slice(allowed);
            }
            let at = env_steps + step * all_envs as u64;
            self.agent.act(&self.observations, Masks::new(&masks, self.actions.count), at, &mut self.chosen)?;
            let chosen = &self.chosen[first..first + own];
            self.envs.step(chosen, &mut made, &mut next, &mut following)?;
            let seen = &mut self.observations[first * len..(first + own) * len];
            for slot in 0..own {
                let row = slot * len..(slot + 1) * len;
                if !can_write(self.frames, &next[row.clone()]) {
                    let reason = "an observation has numbers that are not whole ones from 0 to 255".into();
                    return Err(AgentError::Failed { reason }.into());
                }
                writer.push(&Experience {
                    slot,
                    observation: &seen[row.clone()],
                    mask: (masked > 0).then(|| &masks[(first + slot) * masked..][..masked]),
                    action: chosen[slot],
                    step: made[slot],
                    next_observation: &next[row],
                    next_mask: self.envs.next_action_mask(slot),
                });
            }
            seen.copy_from_slice(&following);
        }
        self.id.sequence += 1;
        Ok(writer.finish())
    }

    /// Its identity, with the number of its next block.
    pub fn id(&self) -> BlockId {
        self.id
    }

    /// The complete state, with which [`Collector::restore`] continues with the same bits.
    ///
    /// # Errors
    /// If the environments cannot save their state.
    pub fn save(&self) -> Result<State<'_>, TrainError> {
        let mut state = State::default();
        self.agent.save(&mut state);
        state.put_bytes(ENVS, self.envs.save()?);
        state.put_f32(OBSERVATIONS, vec![self.observations.len()], &self.observations);
        state.put("collector/sequence", self.id.sequence);
        state.put("collector/weights_version", self.weights_version);
        Ok(state)
    }

    /// Restores the state of a collector with the same config and slots.
    ///
    /// # Errors
    /// If it is not such a state; the collector must then not be used any more.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), TrainError> {
        self.agent.restore(state)?;
        self.envs.restore(state.read_bytes(ENVS)?)?;
        state.read_f32(OBSERVATIONS, &mut self.observations)?;
        self.id.sequence = state.read("collector/sequence")?;
        self.weights_version = state.read("collector/weights_version")?;
        Ok(())
    }
}

/// A config that acts like this one and stores hardly anything.
fn acting_config(config: &Config) -> Config {
    let mut config = config.clone();
    let batch = config.replay.batch_size;
    config.replay.capacity = config.replay.capacity.min(2 * batch + 1);
    config.replay.start = config.replay.start.min(batch);
    config
}

/// A seed that no other collector and no other incarnation has.
fn own_seed(seed: u64, id: BlockId) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&id.worker.to_le_bytes());
    hasher.update(&id.incarnation.to_le_bytes());
    let bytes: [u8; 8] = hasher.finalize().as_bytes()[..8].try_into().expect("a hash is longer");
    // TOML has no larger numbers.
    u64::from_le_bytes(bytes) >> 1
}
