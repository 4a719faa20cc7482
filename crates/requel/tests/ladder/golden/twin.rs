//! The learners in `f64`, from recorded inputs.

use requel::config::{Config, HeadKind, OptimizerKind, ReplayKind, TargetKind};
use requel_nn::NetworkSpec;
use requel_nn::reference::{self, AdamFactors, RmsPropFactors, RmsPropState};

use super::cases::{ACTIONS, Case, INPUTS, STEPS, Seen, UPDATES, experience};
use super::data::Arrays;
use super::network::TwinNetwork;
use super::rules::{Next, Outputs, TwinHead, best, loss, target};

/// What came out of a case.
pub struct TwinRun {
    pub parameters: Vec<f64>,
    /// Of each update.
    pub losses: Vec<f64>,
    /// At the end, where replay is prioritized.
    pub priorities: Vec<f64>,
}

/// A transition of up to n steps.
struct Kept {
    first: usize,
    last: usize,
    reward: f64,
    discount: f64,
}

impl Case {
    pub fn run_twin(&self, spec: &NetworkSpec, inputs: &Arrays) -> TwinRun {
        if self.is_pqn() { self.run_twin_rollouts(spec, inputs) } else { self.run_twin_replay(spec, inputs) }
    }

    fn run_twin_replay(&self, spec: &NetworkSpec, inputs: &Arrays) -> TwinRun {
        let config = &self.config;
        let (network, head) = (TwinNetwork::new(spec), head(config));
        let mut online = Optimized::new(config, inputs.all("initial"));
        let mut slow = online.parameters.clone();
        let seen = experience(9, STEPS);
        let kept = n_steps(&seen, config.agent.n_step, config.agent.gamma);
        let mut priorities = vec![1.0; if config.replay.kind == ReplayKind::Prioritized { kept.len() } else { 0 }];
        let rows = config.replay.batch_size;
        let has_target = config.target.kind != TargetKind::None;
        let munchausen = &config.munchausen;
        let constants = (munchausen.alpha, munchausen.temperature, munchausen.clip);
        let mut losses = Vec::new();

        for update in 0..UPDATES {
            let places = inputs.places("indices", update);
            let gather = |of: &dyn Fn(&Kept) -> [f32; INPUTS]| -> Vec<f64> {
                places.iter().flat_map(|place| of(&kept[*place])).map(f64::from).collect()
            };
            let now = gather(&|kept| seen[kept.first].observation);
            let next = gather(&|kept| seen[kept.last].next_observation);
            // A network at the observations of one part of its pass.
            let look = |parameters: &[f64], x: &[f64], (noise, fractions, part): (&str, &str, usize)| {
                let per_part = inputs.0.get(fractions).map_or(0, |array| rows * array.shape[2]);
                let fractions = inputs.part(fractions, update);
                let fractions = fractions.get(part * per_part..(part + 1) * per_part).unwrap_or(&[]);
                network.forward(parameters, rows, x, (&inputs.part(noise, update), fractions))
            };
            let online_at = |x: &[f64], part| look(&online.parameters, x, ("noise", "fractions", part));
            let target_at = |x: &[f64], part| look(&slow, x, ("target_noise", "target_fractions", part));
            let outputs = |values| Outputs { head: &head, actions: ACTIONS, rows, values };

            let pass = online_at(&now, 0);
            let double = has_target && config.agent.double;
            let chooser = if has_target && !double { &slow } else { &online.parameters };
            let selects_apart = config.head.kind == HeadKind::ImplicitQuantile || double && config.network.noisy;
            let apart = selects_apart.then(|| look(chooser, &next, ("selector_noise", "selector_fractions", 0)));
            let ahead = (!has_target || double && !selects_apart).then(|| online_at(&next, 1));
            let evaluator = if has_target { target_at(&next, 0) } else { online_at(&next, 1) };
            let selector = apart.as_ref().or(ahead.as_ref().filter(|_| double)).unwrap_or(&evaluator);
            let back =
                config.agent.munchausen.then(|| if has_target { target_at(&now, 1) } else { online_at(&now, 0) });
            let following = Next { evaluator: outputs(&evaluator.outputs), selector: outputs(&selector.outputs) };

            let weights = self.weights(update, &places, &priorities);
            let current = outputs(&pass.outputs);
            let fractions = inputs.part("fractions", update);
            let count = current.atoms();
            let (mut d, mut d_next) = (vec![0.0; pass.outputs.len()], vec![0.0; pass.outputs.len()]);
            let mut sum = 0.0;
            for (row, place) in places.iter().enumerate() {
                let Kept { first, reward, discount, .. } = kept[*place];
                let action = seen[first].action;
                let current_q = back.as_ref().map(|back| outputs(&back.outputs).q(row));
                let soft = current_q.as_ref().map(|q| (constants, &q[..]));
                let towards = target(&following, row, (action, reward, discount), soft);
                let at = fractions.get(row * count..(row + 1) * count).unwrap_or(&[]);
                let found = loss(&current, row, action, &towards, at);
                sum += weights[row] * found.loss;
                for (atom, slope) in found.slopes.iter().enumerate() {
                    d[current.place(row, action, atom)] = weights[row] * slope / rows as f64;
                }
                if config.agent.bellman_gradient == requel::config::BellmanGradient::Residual {
                    let choice = best(&following.selector.q(row));
                    d_next[current.place(row, choice, 0)] = -discount * d[current.place(row, action, 0)];
                }
                if !priorities.is_empty() {
                    let base = found.td_error + config.replay.priority_epsilon;
                    priorities[*place] = base.powf(config.replay.priority_exponent);
                }
            }
            losses.push(sum / rows as f64);
            let mut gradient = network.backward(&online.parameters, &pass, &d);
            if let Some(ahead) = ahead.filter(|_| !has_target) {
                let through = network.backward(&online.parameters, &ahead, &d_next);
                gradient.iter_mut().zip(through).for_each(|(g, more)| *g += more);
            }
            online.step(gradient);
            let is_due = (update as u64 + 1).is_multiple_of(config.target.every_updates.max(1));
            match config.target.kind {
                TargetKind::Hard if is_due => slow.clone_from(&online.parameters),
                TargetKind::Soft if is_due => {
                    let tau = config.target.tau;
                    slow.iter_mut().zip(&online.parameters).for_each(|(s, o)| *s = (1.0 - tau) * *s + tau * o);
                }
                _ => {}
            }
        }
        TwinRun { parameters: online.parameters, losses, priorities }
    }

    /// (N·P)^−β over its maximum, 1 where replay is uniform.
    fn weights(&self, update: usize, places: &[usize], priorities: &[f64]) -> Vec<f64> {
        let replay = &self.config.replay;
        if priorities.is_empty() {
            return vec![1.0; places.len()];
        }
        let steps = (update as u64 + 1) * self.config.train.every_steps;
        let share = (steps as f64 / replay.importance_env_steps as f64).min(1.0);
        let beta = replay.importance_start + (replay.importance_end - replay.importance_start) * share;
        let total: f64 = priorities.iter().sum();
        let raw: Vec<f64> =
            places.iter().map(|p| (priorities.len() as f64 * priorities[*p] / total).powf(-beta)).collect();
        let max = raw.iter().copied().fold(0.0, f64::max);
        raw.iter().map(|w| w / max).collect()
    }

    fn run_twin_rollouts(&self, spec: &NetworkSpec, inputs: &Arrays) -> TwinRun {
        let Config { pqn, agent, train, .. } = &self.config;
        let (network, head) = (TwinNetwork::new(spec), head(&self.config));
        let mut online = Optimized::new(&self.config, inputs.all("initial"));
        let (envs, len) = (train.num_envs, train.num_envs * pqn.rollout_steps);
        let (rows, mut losses) = (len / pqn.minibatches, Vec::new());
        for rollout in 0..UPDATES / (pqn.epochs * pqn.minibatches) {
            let [rewards, terminated, truncated] =
                ["rewards", "terminated", "truncated"].map(|name| inputs.part(name, rollout));
            let ahead =
                network.forward(&online.parameters, len, &inputs.part("next_observations", rollout), (&[], &[]));
            let ahead = Outputs { head: &head, actions: ACTIONS, rows: len, values: &ahead.outputs };
            let mut returns = vec![0.0; len];
            for index in (0..len).rev() {
                let value = ahead.q(index).into_iter().fold(f64::MIN, f64::max);
                let goes_on = index + envs < len && terminated[index] + truncated[index] == 0.0;
                let mixed =
                    if goes_on { pqn.lambda * returns[index + envs] + (1.0 - pqn.lambda) * value } else { value };
                returns[index] = rewards[index] + agent.gamma * (1.0 - terminated[index]) * mixed;
            }
            let (observations, actions) = (inputs.part("observations", rollout), inputs.places("actions", rollout));
            for places in inputs.places("orders", rollout).chunks_exact(rows) {
                let x: Vec<f64> = places.iter().flat_map(|p| &observations[p * INPUTS..][..INPUTS]).copied().collect();
                let pass = network.forward(&online.parameters, rows, &x, (&[], &[]));
                let current = Outputs { head: &head, actions: ACTIONS, rows, values: &pass.outputs };
                let (mut d, mut sum) = (vec![0.0; pass.outputs.len()], 0.0);
                for (row, place) in places.iter().enumerate() {
                    let found = loss(&current, row, actions[*place], &[returns[*place]], &[]);
                    sum += found.loss;
                    d[current.place(row, actions[*place], 0)] = found.slopes[0] / rows as f64;
                }
                losses.push(sum / rows as f64);
                online.step(network.backward(&online.parameters, &pass, &d));
            }
        }
        TwinRun { parameters: online.parameters, losses, priorities: vec![] }
    }
}

fn head(config: &Config) -> TwinHead {
    let head = &config.head;
    match head.kind {
        HeadKind::Scalar => TwinHead::Scalar(config.loss.spec()),
        HeadKind::Categorical => {
            let (v_min, v_max) = (head.v_min.number().unwrap(), head.v_max.number().unwrap());
            let step = (v_max - v_min) / (head.atoms - 1) as f64;
            TwinHead::Categorical((0..head.atoms).map(|i| v_min + i as f64 * step).collect())
        }
        HeadKind::Quantile => TwinHead::Quantile(head.kappa),
        HeadKind::ImplicitQuantile => TwinHead::ImplicitQuantile(head.kappa),
    }
}

/// One transition from each step.
fn n_steps(seen: &[Seen], n: usize, gamma: f64) -> Vec<Kept> {
    (0..seen.len())
        .map(|first| {
            let ends = |step: &usize| seen[*step].terminated || seen[*step].truncated;
            let last = (first..first + n).find(ends).unwrap_or(first + n - 1);
            let reward = (first..=last).rev().fold(0.0, |sum, step| f64::from(seen[step].reward) + gamma * sum);
            let discount = if seen[last].terminated { 0.0 } else { gamma.powi((last - first + 1) as i32) };
            Kept { first, last, reward, discount }
        })
        .collect()
}

/// Parameters with their optimiser's averages.
struct Optimized<'a> {
    config: &'a requel::config::OptimizerConfig,
    parameters: Vec<f64>,
    mean: Vec<f64>,
    square: Vec<f64>,
    velocity: Vec<f64>,
    steps: i32,
}

impl<'a> Optimized<'a> {
    fn new(config: &'a Config, parameters: Vec<f64>) -> Self {
        let zeros = vec![0.0; parameters.len()];
        let (mean, square, velocity) = (zeros.clone(), zeros.clone(), zeros);
        Optimized { config: &config.optimizer, parameters, mean, square, velocity, steps: 0 }
    }

    fn step(&mut self, mut gradient: Vec<f64>) {
        let config = self.config;
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        if config.max_gradient_norm > 0.0 && norm > config.max_gradient_norm {
            gradient.iter_mut().for_each(|g| *g *= config.max_gradient_norm / norm);
        }
        self.steps += 1;
        let (beta1, beta2) = (config.beta1, config.beta2);
        let (correction1, correction2) = (1.0 - beta1.powi(self.steps), 1.0 - beta2.powi(self.steps));
        let mut factors = AdamFactors {
            one_minus_beta1: 1.0 - beta1,
            beta2,
            one_minus_beta2: 1.0 - beta2,
            inverse_root_correction: 1.0 / correction2.sqrt(),
            epsilon: config.epsilon,
            negative_step: -config.learning_rate / correction1,
        };
        let adam = |factors: &AdamFactors<f64>, own: &mut Self| {
            reference::adam(factors, &mut own.parameters, &gradient, &mut own.mean, &mut own.square);
        };
        match config.kind {
            OptimizerKind::Adam => adam(&factors, self),
            OptimizerKind::Radam => {
                // Liu et al. 2020, algorithm 2, with the ε of PyTorch.
                let longest = 2.0 / (1.0 - beta2) - 1.0;
                let length = longest - 2.0 * f64::from(self.steps) * beta2.powi(self.steps) / correction2;
                if length > 5.0 {
                    let above = (length - 4.0) * (length - 2.0) * longest;
                    let below = (longest - 4.0) * (longest - 2.0) * length;
                    factors.negative_step *= (above / below).sqrt() * correction2.sqrt();
                    factors.inverse_root_correction = 1.0;
                } else {
                    // m/1: √v·0 + 1.
                    (factors.inverse_root_correction, factors.epsilon) = (0.0, 1.0);
                }
                adam(&factors, self);
            }
            OptimizerKind::Rmsprop => {
                let factors = RmsPropFactors {
                    alpha: config.alpha,
                    one_minus_alpha: 1.0 - config.alpha,
                    epsilon: config.epsilon,
                    momentum: config.momentum,
                    negative_learning_rate: -config.learning_rate,
                };
                let mean: &mut [f64] = if config.centered { &mut self.mean } else { &mut [] };
                let state = RmsPropState { square: &mut self.square, mean, velocity: &mut self.velocity };
                reference::rms_prop(&factors, &mut self.parameters, &gradient, state);
            }
        }
    }
}
