//! [`LearningBatch`]: the transitions of an update, with the networks' workspaces that their observations lie in.

use requel_nn::{Network, Workspace};

use super::{Bootstrap, CpuSpec};
use crate::agent::FractionCounts;
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::transition::{Batch, BatchMut, ElementType};

/// The sizes of an update.
pub(super) struct BatchShape {
    /// Transitions.
    pub rows: usize,
    /// What their observations are handed on as.
    pub observations: ElementType,
    /// Rows that the online network looks at: the observations, and where it looks ahead the next ones below.
    pub online_rows: usize,
    /// Rows that the target network looks at: the next observations, and where Munchausen's rule asks for them the present
    /// ones below; 0 without a target network.
    pub target_rows: usize,
    /// Rows that whoever chooses the next action looks at by draws of its own; 0 where it sees what the others see.
    pub selector_rows: usize,
    /// Fractions of each row through the online network.
    pub fractions: usize,
    /// Fractions of each row through the target network.
    pub target_fractions: usize,
    /// Fractions of each row by which the next action is chosen.
    pub selector_fractions: usize,
}

impl BatchShape {
    pub fn new(spec: &CpuSpec, network: &Network, (rows, observations): (usize, ElementType)) -> Self {
        let bootstrap = spec.bootstrap;
        let FractionCounts { current: fractions, next: target_fractions } = spec.head.fractions();
        let implicit = spec.values.head.reads_fractions();
        let is_noisy = network.noise_len() > 0;
        // The choice has fractions of its own (Dabney et al. 2018: K, beside the N and N' of the loss), and where the online network
        // makes it for the target network noise of its own too (Fortunato et al. 2018: ε'', beside ε and ε').
        let selects_apart = implicit || bootstrap == Bootstrap::Double && is_noisy;
        let looks_ahead = bootstrap.looks_ahead() && !(selects_apart && bootstrap == Bootstrap::Double);
        let looks_back = spec.rule.looks_back();
        BatchShape {
            rows,
            observations,
            online_rows: if looks_ahead { 2 * rows } else { rows },
            selector_rows: if selects_apart { rows } else { 0 },
            target_rows: if bootstrap.has_target() { rows * (1 + usize::from(looks_back)) } else { 0 },
            fractions,
            target_fractions,
            selector_fractions: spec.values.head.acting_fractions(),
        }
    }
}

/// What is drawn for one update.
pub(super) struct LearningBatch {
    pub columns: Batch,
    pub online: Workspace,
    /// `None` without a target network.
    pub target: Option<Workspace>,
    /// Of whoever chooses the next action, where that takes draws of its own.
    pub selector: Option<Workspace>,
    /// The fractions of the observations, rows × fractions; empty but for the implicit quantile head.
    pub fractions: Vec<f32>,
    observation_len: usize,
    observations: ElementType,
    /// Whether the network reads noise or fractions.
    reads_draws: bool,
    noise_rng: StreamRng,
    fraction_rng: StreamRng,
}

impl LearningBatch {
    /// Room for an update of `shape`, with masks of `masked` actions where the environment has them.
    pub fn new(network: &Network, shape: &BatchShape, masked: Option<usize>, seed: u64) -> Self {
        let columns = Batch::new(shape.rows);
        let target = || Workspace::with_fractions(network, shape.target_rows, shape.target_fractions);
        let selector = || Workspace::with_fractions(network, shape.selector_rows, shape.selector_fractions);
        LearningBatch {
            columns: if let Some(actions) = masked { columns.with_masks(actions) } else { columns },
            online: Workspace::with_fractions(network, shape.online_rows, shape.fractions),
            target: (shape.target_rows > 0).then(target),
            selector: (shape.selector_rows > 0).then(selector),
            fractions: vec![0.0; if network.reads_fractions() { shape.rows * shape.fractions } else { 0 }],
            observation_len: network.input_len(),
            observations: shape.observations,
            reads_draws: network.noise_len() > 0 || network.reads_fractions(),
            noise_rng: StreamRng::new(seed, Stream::LearningNoise),
            fraction_rng: StreamRng::new(seed, Stream::Fractions),
        }
    }

    /// Room for the transitions: their observations lie in the workspaces of the networks that read them.
    pub fn transitions_mut(&mut self) -> BatchMut<'_> {
        let LearningBatch { columns, online, target, observation_len, .. } = self;
        let len = columns.actions.len() * *observation_len;
        match self.observations {
            ElementType::F32 => {
                let (observations, next) = places(len, all_rows(online), target.as_mut().map(all_rows));
                columns.with_observations(observations, next)
            }
            ElementType::U8 => {
                let (observations, next) = places(len, all_bytes(online), target.as_mut().map(all_bytes));
                columns.with_observation_bytes(observations, next)
            }
        }
    }

    /// Shows the transitions to every network that looks at them too, and draws noise and fractions for networks that read them.
    pub fn prepare(&mut self) {
        let rows = self.columns.actions.len();
        let LearningBatch { online, target, selector, .. } = self;
        let len = rows * self.observation_len;
        match self.observations {
            ElementType::F32 => share(
                len,
                all_rows(online),
                target.as_mut().map(all_rows),
                selector.as_mut().map(|selector| selector.input_mut(rows)),
            ),
            ElementType::U8 => share(
                len,
                all_bytes(online),
                target.as_mut().map(all_bytes),
                selector.as_mut().map(|selector| selector.input_bytes_mut(rows)),
            ),
        }
        self.noise_rng.fill_normal(self.online.noise_mut());
        self.fraction_rng.fill_uniform(self.online.fractions_mut(self.online.max_rows()));
        let drawn = self.online.fractions_mut(rows);
        self.fractions.copy_from_slice(drawn);
        if let Some(target) = &mut self.target {
            self.noise_rng.fill_normal(target.noise_mut());
            self.fraction_rng.fill_uniform(target.fractions_mut(target.max_rows()));
        }
        if let Some(selector) = &mut self.selector {
            self.noise_rng.fill_normal(selector.noise_mut());
            self.fraction_rng.fill_uniform(selector.fractions_mut(rows));
        }
    }

    /// Adds the counters of noise and fractions, where the network reads either.
    pub fn save(&self, state: &mut State<'_>) {
        if !self.reads_draws {
            return;
        }
        state.put("agent/learning_positions", [self.noise_rng.position(), self.fraction_rng.position()]);
    }

    /// Takes them back.
    pub fn restore(&mut self, state: &State<'_>) -> Result<(), StateError> {
        if !self.reads_draws {
            return Ok(());
        }
        let [noise, fractions]: [u64; 2] = state.read("agent/learning_positions")?;
        self.noise_rng.set_position(noise);
        self.fraction_rng.set_position(fractions);
        Ok(())
    }
}

fn all_rows(workspace: &mut Workspace) -> &mut [f32] {
    workspace.input_mut(workspace.max_rows())
}

fn all_bytes(workspace: &mut Workspace) -> &mut [u8] {
    workspace.input_bytes_mut(workspace.max_rows())
}

/// Where the observations of a batch lie, `len` numbers, and where the next ones: with the target network, or below the
/// observations without one.
fn places<'a, T>(len: usize, online: &'a mut [T], target: Option<&'a mut [T]>) -> (&'a mut [T], &'a mut [T]) {
    let (observations, below) = online.split_at_mut(len);
    (observations, target.map_or(below, |target| &mut target[..len]))
}

/// Shows both observations, `len` numbers each, to every network that looks at them too.
fn share<T: Copy>(len: usize, online: &mut [T], target: Option<&mut [T]>, selector: Option<&mut [T]>) {
    let (observations, below) = online.split_at_mut(len);
    let next = match target {
        None => &*below,
        Some(target) => {
            let (next, again) = target.split_at_mut(len);
            // What the online network looks ahead at, and what the target network looks back at.
            let ahead = below.len().min(next.len());
            below.copy_from_slice(&next[..ahead]);
            let back = again.len().min(observations.len());
            again.copy_from_slice(&observations[..back]);
            next
        }
    };
    if let Some(selector) = selector {
        selector.copy_from_slice(next);
    }
}
