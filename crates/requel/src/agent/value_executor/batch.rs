//! [`LearningBatch`]: the transitions of an update, with the noise and fractions drawn for it.

use requel_nn::Network;

use super::networks::{Inputs, Look, LookRooms, LookSize, Networks};
use super::{Bootstrap, ExecutorSpec};
use crate::agent::FractionCounts;
use crate::rng::{Stream, StreamRng};
use crate::state::{State, StateError};
use crate::transition::{Batch, BatchMut};

/// The sizes of an update.
pub(super) struct BatchShape {
    /// Of the online network: the observations, and below them the next ones if it looks ahead.
    pub online: LookSize,
    /// Number of its rows that gradients flow back through.
    pub rows_back: usize,
    /// Of the target network: the next observations, and below them the present ones if the rule reads their values; 0 rows without a
    /// target network.
    pub target: LookSize,
    /// Of the network that chooses the next action, if it does so with noise or fractions of its own; otherwise 0 rows.
    pub selector: LookSize,
}

impl BatchShape {
    pub fn new(spec: &ExecutorSpec, network: &Network, rows: usize) -> Self {
        let bootstrap = spec.bootstrap;
        let FractionCounts { current: fractions, next: target_fractions } = spec.head.fractions();
        let implicit = spec.values.head.reads_fractions();
        let is_noisy = network.noise_len() > 0;
        // The next action is chosen with separate fractions (Dabney et al. 2018: K, in addition to the loss's N and N'), and if the online
        // network chooses for the target network, with separate noise too (Fortunato et al. 2018: ε'', in addition to ε and ε').
        let selects_apart = implicit || bootstrap == Bootstrap::Double && is_noisy;
        let looks_ahead = bootstrap.looks_ahead() && !(selects_apart && bootstrap == Bootstrap::Double);
        let looks_back = spec.rule.reads_current_values();
        let target_rows = if bootstrap.has_target() { rows * (1 + usize::from(looks_back)) } else { 0 };
        let look = |rows, fractions| LookSize { rows, fractions };
        BatchShape {
            online: look(if looks_ahead { 2 * rows } else { rows }, fractions),
            rows_back: if bootstrap == Bootstrap::Residual { 2 * rows } else { rows },
            target: look(target_rows, target_fractions),
            selector: look(if selects_apart { rows } else { 0 }, spec.values.head.acting_fractions()),
        }
    }
}

/// The transitions of an update, except for their observations, which are stored where the networks read them, and the streams that
/// draw noise and fractions.
pub(super) struct LearningBatch {
    pub columns: Batch,
    /// The fractions of the observations, rows × fractions; empty except for the implicit quantile head.
    pub fractions: Vec<f32>,
    observation_len: usize,
    /// Whether the network reads noise or fractions.
    reads_draws: bool,
    noise_rng: StreamRng,
    fraction_rng: StreamRng,
}

impl LearningBatch {
    /// Buffers for an update of `rows` transitions with `fractions` fractions each, and with masks of `masked` actions if the
    /// environment has masks.
    pub fn new(network: &Network, (rows, fractions): (usize, usize), masked: Option<usize>, seed: u64) -> Self {
        let columns = Batch::new(rows);
        LearningBatch {
            columns: if let Some(actions) = masked { columns.with_masks(actions) } else { columns },
            fractions: vec![0.0; if network.reads_fractions() { rows * fractions } else { 0 }],
            observation_len: network.input_len(),
            reads_draws: network.noise_len() > 0 || network.reads_fractions(),
            noise_rng: StreamRng::new(seed, Stream::LearningNoise),
            fraction_rng: StreamRng::new(seed, Stream::Fractions),
        }
    }

    /// Where to write the transitions: their observations go to where the networks read them.
    pub fn transitions_mut<'a>(&'a mut self, networks: &'a mut impl Networks) -> BatchMut<'a> {
        let len = self.columns.actions.len() * self.observation_len;
        match networks.inputs_mut() {
            Inputs::F32(rooms) => {
                let (observations, next) = places(len, rooms);
                self.columns.with_observations(observations, next)
            }
            Inputs::U8(rooms) => {
                let (observations, next) = places(len, rooms);
                self.columns.with_observation_bytes(observations, next)
            }
        }
    }

    /// Copies the observations to every other network that reads them, and draws noise and fractions for networks that need them.
    pub fn prepare(&mut self, networks: &mut impl Networks) {
        let len = self.columns.actions.len() * self.observation_len;
        match networks.inputs_mut() {
            Inputs::F32(rooms) => share(len, rooms),
            Inputs::U8(rooms) => share(len, rooms),
        }
        if !self.reads_draws {
            return;
        }
        for look in [Look::Online, Look::Target, Look::Selector] {
            self.noise_rng.fill_normal(networks.noise_mut(look));
            let fractions = networks.fractions_mut(look);
            self.fraction_rng.fill_uniform(fractions);
            if look == Look::Online {
                let of_rows = self.fractions.len();
                self.fractions.copy_from_slice(&fractions[..of_rows]);
            }
        }
    }

    /// Saves the positions of the noise and fraction streams, if the network reads either.
    pub fn save(&self, state: &mut State<'_>) {
        if !self.reads_draws {
            return;
        }
        state.put("agent/learning_positions", [self.noise_rng.position(), self.fraction_rng.position()]);
    }

    /// Restores them.
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

/// Where the observations of a batch are stored, `len` numbers, and where the next ones are: with the target network, or below the
/// observations if there is none.
fn places<T>(len: usize, rooms: LookRooms<'_, T>) -> (&mut [T], &mut [T]) {
    let (observations, below) = rooms.online.split_at_mut(len);
    (observations, rooms.target.map_or(below, |target| &mut target[..len]))
}

/// Copies both observations, `len` numbers each, to every other network that reads them.
fn share<T: Copy>(len: usize, rooms: LookRooms<'_, T>) {
    let (observations, below) = rooms.online.split_at_mut(len);
    let next = match rooms.target {
        None => &*below,
        Some(target) => {
            let (next, again) = target.split_at_mut(len);
            // The next observations for the online network, and the present ones for the target network.
            let ahead = below.len().min(next.len());
            below.copy_from_slice(&next[..ahead]);
            let back = again.len().min(observations.len());
            again.copy_from_slice(&observations[..back]);
            next
        }
    };
    if let Some(selector) = rooms.selector {
        selector.copy_from_slice(next);
    }
}
