//! Fifty updates of the agent against an independent twin in `f64`: plain loops, textbook formulas, the same batches.

use requel::agent::DqnAgent;
use requel::config::{ActivationKind, BellmanGradient, Config, LossKind, TargetKind};
use requel::replay::{RecordLayout, ReplayBuffer, Sampling, UniformReplay};
use requel::{Agent, Batch, Experience, Transition};
use requel_envs::{DType, Space, Step};

use crate::support::{Draws, preset};

const INPUTS: usize = 4;
const ACTIONS: usize = 3;
const ROWS: usize = 16;
const TRANSITIONS: usize = 200;
const UPDATES: u64 = 50;

/// f32 rounds each operation by at most 2⁻²⁴ ≈ 6e-8, and the roundings of fifty small steps add up like a random walk
/// on top of that of the parameters themselves: a few 1e-7 is to be expected, and 1.4e-7 to 1.9e-7 is what all
/// combinations show. A wrong term, factor or target shows above 1e-3.
const BOUND: f64 = 1e-6;

/// A multilayer perceptron in `f64`. Weights are inputs × outputs, layer after layer, each followed by its biases.
#[derive(Clone)]
struct Twin {
    sizes: Vec<usize>,
    parameters: Vec<f64>,
    relu: bool,
}

impl Twin {
    fn starts(&self) -> Vec<usize> {
        let layers = self.sizes.windows(2).map(|w| w[0] * w[1] + w[1]);
        layers.scan(0, |start, len| Some(std::mem::replace(start, *start + len))).collect()
    }

    /// The values of every layer, the input first.
    fn values(&self, input: &[f64]) -> Vec<Vec<f64>> {
        let mut values = vec![input.to_vec()];
        for (layer, start) in self.starts().into_iter().enumerate() {
            let (inputs, outputs) = (self.sizes[layer], self.sizes[layer + 1]);
            let mut next = Vec::new();
            for o in 0..outputs {
                let mut sum = self.parameters[start + inputs * outputs + o];
                for (i, x) in values[layer].iter().enumerate() {
                    sum += x * self.parameters[start + i * outputs + o];
                }
                let is_last = layer + 2 == self.sizes.len();
                next.push(match (is_last, self.relu) {
                    (true, _) => sum,
                    (false, true) => sum.max(0.0),
                    (false, false) => sum.tanh(),
                });
            }
            values.push(next);
        }
        values
    }

    fn outputs(&self, input: &[f64]) -> Vec<f64> {
        self.values(input).pop().unwrap()
    }

    /// Adds the gradient of `d_outputs · outputs(input)`.
    fn add_gradient(&self, input: &[f64], d_outputs: &[f64], gradient: &mut [f64]) {
        let values = self.values(input);
        let mut d = d_outputs.to_vec();
        for (layer, start) in self.starts().into_iter().enumerate().rev() {
            let (inputs, outputs) = (self.sizes[layer], self.sizes[layer + 1]);
            if layer + 2 < self.sizes.len() {
                for (d, y) in d.iter_mut().zip(&values[layer + 1]) {
                    *d *= if !self.relu {
                        1.0 - y * y
                    } else if *y > 0.0 {
                        1.0
                    } else {
                        0.0
                    };
                }
            }
            let mut below = vec![0.0; inputs];
            for o in 0..outputs {
                gradient[start + inputs * outputs + o] += d[o];
                for i in 0..inputs {
                    gradient[start + i * outputs + o] += values[layer][i] * d[o];
                    below[i] += self.parameters[start + i * outputs + o] * d[o];
                }
            }
            d = below;
        }
    }
}

fn best(values: &[f64]) -> usize {
    (0..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

/// Kingma & Ba 2015, algorithm 1.
struct Adam {
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: i32,
}

impl Adam {
    fn step(&mut self, parameters: &mut [f64], gradient: &[f64], learning_rate: f64) {
        self.steps += 1;
        for i in 0..parameters.len() {
            self.mean[i] = 0.9 * self.mean[i] + 0.1 * gradient[i];
            self.square[i] = 0.999 * self.square[i] + 0.001 * gradient[i] * gradient[i];
            let mean = self.mean[i] / (1.0 - 0.9f64.powi(self.steps));
            let square = self.square[i] / (1.0 - 0.999f64.powi(self.steps));
            parameters[i] -= learning_rate * mean / (square.sqrt() + 1e-8);
        }
    }
}

/// What the agent learns from, some of it the end of an episode.
fn fill(draws: &mut Draws, mut push: impl FnMut(&Transition<'_>)) {
    for _ in 0..TRANSITIONS {
        let observation: [f32; INPUTS] = std::array::from_fn(|_| draws.unit());
        let next_observation: [f32; INPUTS] = std::array::from_fn(|_| draws.unit());
        push(&Transition {
            observation: &observation,
            action: draws.below(ACTIONS) as u32,
            reward: 2.0 * draws.unit(),
            discount: if draws.below(5) == 0 { 0.0 } else { 0.875 },
            next_observation: &next_observation,
            next_mask: None,
        });
    }
}

/// The step of a world that such a transition comes from.
fn experience<'a>(transition: &Transition<'a>) -> Experience<'a> {
    Experience {
        slot: 0,
        observation: transition.observation,
        action: transition.action as usize,
        step: Step { reward: f64::from(transition.reward), terminated: transition.discount == 0.0, truncated: false },
        next_observation: transition.next_observation,
        next_mask: transition.next_mask,
    }
}

fn config(rule: &str, loss: LossKind) -> Config {
    let mut config =
        preset("notebook", &["network.hidden=[24, 16]", "replay.batch_size=16", "train.seed=5", "agent.gamma=0.875"]);
    config.loss.kind = loss;
    // Within the errors that occur, so that both pieces are used.
    config.loss.delta = 0.5;
    config.target.tau = 0.05;
    (config.target.every_updates, config.target.every_env_steps) = (7, 0);
    match rule {
        "semi" => config.target.kind = TargetKind::None,
        "residual" => {
            config.target.kind = TargetKind::None;
            config.agent.bellman_gradient = BellmanGradient::Residual;
        }
        "hard" => config.target.kind = TargetKind::Hard,
        "soft" => (config.target.kind, config.target.every_updates) = (TargetKind::Soft, 1),
        "double" => (config.target.kind, config.agent.double) = (TargetKind::Hard, true),
        _ => unreachable!(),
    }
    config
}

/// The relative distance of the agent from its twin after the updates.
fn distance(config: &Config) -> f64 {
    let space = Space::Box { low: vec![-1.0; INPUTS], high: vec![1.0; INPUTS], shape: vec![INPUTS], dtype: DType::F32 };
    let seed = config.train.seed;
    let mut agent = DqnAgent::new(config, &space, ACTIONS).unwrap();
    fill(&mut Draws(9), |t| agent.observe(&experience(t)));
    // The same keyed stream on the same contents draws the same batches.
    let mut replay =
        UniformReplay::new(config.replay.capacity, RecordLayout::f32(INPUTS), Sampling::WithoutReplacement, seed)
            .unwrap();
    fill(&mut Draws(9), |t| replay.push(t));
    // The buffer must hold more than `start` before anything is learned.
    let last = Transition {
        observation: &[0.0; 4],
        action: 0,
        reward: 0.0,
        discount: 0.0,
        next_observation: &[0.0; 4],
        next_mask: None,
    };
    agent.observe(&experience(&last));
    replay.push(&last);

    let mut sizes = vec![INPUTS];
    sizes.extend(&config.network.hidden);
    sizes.push(ACTIONS);
    let parameters: Vec<f64> = agent.parameters().iter().map(|p| f64::from(*p)).collect();
    let relu = config.network.activation == ActivationKind::Relu;
    let mut online = Twin { sizes, parameters, relu };
    let mut target = online.clone();
    let count = online.parameters.len();
    let mut adam = Adam { mean: vec![0.0; count], square: vec![0.0; count], steps: 0 };
    let start = online.parameters.clone();

    for update in 1..=UPDATES {
        let every = config.train.every_steps;
        assert_eq!(agent.learn((update - 1) * every, update * every).updates, 1);

        let (mut batch, mut seen, mut next) = (Batch::new(ROWS), vec![0.0; ROWS * INPUTS], vec![0.0; ROWS * INPUTS]);
        replay.sample(&mut batch.with_observations(&mut seen, &mut next));
        let mut gradient = vec![0.0; count];
        for row in 0..ROWS {
            let input =
                |flat: &[f32]| flat[row * INPUTS..][..INPUTS].iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
            let (s, s2, action) = (input(&seen), input(&next), batch.actions[row] as usize);
            let (reward, discount) = (f64::from(batch.rewards[row]), f64::from(batch.discounts[row]));
            let choice = if config.agent.double { best(&online.outputs(&s2)) } else { 0 };
            let bootstrap = match (config.target.kind, config.agent.double) {
                (TargetKind::None, _) => online.outputs(&s2).into_iter().fold(f64::MIN, f64::max),
                (_, false) => target.outputs(&s2).into_iter().fold(f64::MIN, f64::max),
                (_, true) => target.outputs(&s2)[choice],
            };
            let error = online.outputs(&s)[action] - (reward + discount * bootstrap);
            let slope = match config.loss.kind {
                LossKind::Mse => 2.0 * error,
                LossKind::Huber => error.clamp(-config.loss.delta, config.loss.delta),
            } / ROWS as f64;
            let mut d = [0.0; ACTIONS];
            d[action] = slope;
            online.add_gradient(&s, &d, &mut gradient);
            if config.agent.bellman_gradient == BellmanGradient::Residual {
                let mut d = [0.0; ACTIONS];
                d[best(&online.outputs(&s2))] = -discount * slope;
                online.add_gradient(&s2, &d, &mut gradient);
            }
        }
        adam.step(&mut online.parameters, &gradient, config.optimizer.learning_rate);
        match config.target.kind {
            TargetKind::Hard if update % 7 == 0 => target.parameters.clone_from(&online.parameters),
            TargetKind::Soft => {
                let tau = config.target.tau;
                target.parameters.iter_mut().zip(&online.parameters).for_each(|(t, o)| *t = (1.0 - tau) * *t + tau * o);
            }
            _ => {}
        }
    }
    let norm = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    let minus = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
    let moved = norm(&minus(&online.parameters, &start)) / norm(&start);
    assert!(moved > 0.02, "the updates moved the parameters by {moved}");
    let ours: Vec<f64> = agent.parameters().iter().map(|p| f64::from(*p)).collect();
    norm(&minus(&ours, &online.parameters)) / norm(&online.parameters)
}

#[test]
fn fifty_updates_equal_those_of_the_twin() {
    for activation in [ActivationKind::Relu, ActivationKind::Tanh] {
        for loss in [LossKind::Mse, LossKind::Huber] {
            for rule in ["semi", "residual", "hard", "soft", "double"] {
                let config = Config {
                    network: requel::config::NetworkConfig { activation, ..config(rule, loss).network },
                    ..config(rule, loss)
                };
                let distance = distance(&config);
                assert!(distance < BOUND, "{rule}, {loss:?}, {activation:?}: relative L2 {distance:e}");
            }
        }
    }
}
