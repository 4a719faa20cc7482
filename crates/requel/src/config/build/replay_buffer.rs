//! The replay buffer that a config describes.

use requel_envs::Space;

use crate::agent::{Actions, AgentError};
use crate::config::{AgentKind, Config, ReplayKind};
use crate::replay::{
    FrameLayout, FrameStore, LatestReplay, PrioritizedReplay, PrioritySpec, RecordLayout, RecordStore, ReplayBuffer,
    ReplayStore, Sampling, UniformReplay,
};

impl Config {
    /// The buffer of the section `replay`. Stacked images are kept frame by frame, each once.
    ///
    /// # Errors
    /// If it does not fit the memory.
    pub fn replay_buffer(&self, observations: &Space, actions: Actions) -> Result<Box<dyn ReplayBuffer>, AgentError> {
        let mut layout = RecordLayout::for_space(observations);
        if actions.masked {
            layout = layout.with_mask(actions.count);
        }
        if self.agent.kind == AgentKind::Naive {
            return Ok(Box::new(LatestReplay::new(self.train.num_envs, layout)));
        }
        let (capacity, stack) = (self.replay.capacity, self.env.frame_stack);
        match FrameLayout::for_space(observations, stack).filter(|_| stack > 1) {
            Some(frames) => {
                let frames = if actions.masked { frames.with_mask(actions.count) } else { frames };
                drawn(self, FrameStore::new(capacity, frames)?)
            }
            None => drawn(self, RecordStore::new(capacity, layout)?),
        }
    }
}

/// `store`, drawn from as `config` says.
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
