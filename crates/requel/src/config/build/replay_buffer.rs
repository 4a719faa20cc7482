//! The replay buffer that a config describes.

use requel_envs::Space;

use crate::agent::{Actions, AgentError};
use crate::config::{AgentKind, Config, ReplayKind};
use crate::machine::Machine;
use crate::replay::{
    FrameLayout, FrameStore, LatestReplay, PrioritizedReplay, PrioritySpec, RecordLayout, RecordStore, ReplayBuffer,
    ReplayStore, Sampling, UniformReplay, check_memory,
};

impl Config {
    /// The buffer of the section `replay`. Each frame of stacked images is stored once.
    ///
    /// # Errors
    /// If it does not fit into memory.
    pub fn replay_buffer(
        &self,
        observations: &Space,
        actions: Actions,
        machine: &Machine,
    ) -> Result<Box<dyn ReplayBuffer>, AgentError> {
        let mut layout = RecordLayout::for_space(observations);
        if actions.masked {
            layout = layout.with_mask(actions.count);
        }
        if self.agent.kind == AgentKind::Naive {
            return Ok(Box::new(LatestReplay::new(self.train.num_envs, layout)));
        }
        let (capacity, stack) = (self.replay.capacity, self.env.frame_stack);
        let priorities = match self.replay.kind {
            ReplayKind::Uniform => 0,
            ReplayKind::Prioritized => PrioritizedReplay::<RecordStore>::bytes_needed(capacity),
        };
        let check = |store: u64| check_memory(capacity, store.saturating_add(priorities), machine.memory);
        match FrameLayout::for_space(observations, stack).filter(|_| stack > 1) {
            Some(frames) => {
                let frames = if actions.masked { frames.with_mask(actions.count) } else { frames };
                check(FrameStore::bytes_needed(capacity, &frames))?;
                drawn(self, FrameStore::new(capacity, frames)?)
            }
            None => {
                check(RecordStore::bytes_needed(capacity, &layout))?;
                drawn(self, RecordStore::new(capacity, layout)?)
            }
        }
    }
}

/// A replay buffer over `store`, with the sampling of `config`.
fn drawn<S: ReplayStore + 'static>(config: &Config, store: S) -> Result<Box<dyn ReplayBuffer>, AgentError> {
    let (replay, seed) = (&config.replay, config.train.seed);
    Ok(match replay.kind {
        ReplayKind::Uniform => {
            let sampling = if replay.replacement { Sampling::WithReplacement } else { Sampling::WithoutReplacement };
            Box::new(UniformReplay::with_store(store, sampling, seed))
        }
        ReplayKind::Prioritized => {
            let spec = PrioritySpec {
                alpha: replay.priority_exponent,
                epsilon: replay.priority_epsilon,
                cap: replay.priority_cap,
            };
            Box::new(PrioritizedReplay::with_store(store, spec, seed)?)
        }
    })
}
