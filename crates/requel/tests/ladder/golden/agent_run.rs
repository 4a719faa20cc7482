//! What the agents themselves do in a case, with everything that they draw written down.

use requel::config::{HeadKind, ReplayKind, TargetKind};
use requel::replay::{PrioritizedReplay, PrioritySpec, RecordLayout, ReplayBuffer, Sampling, UniformReplay};
use requel::state::State;
use requel::{Agent, Batch, DqnAgent, Machine, Stream, StreamRng};
use requel_nn::Workspace;
use serde_json::Value;

use super::cases::{ACTIONS, Case, INPUTS, STEPS, Seen, UPDATES, experience, space};
use super::data::{Arrays, Numbers};

/// A case as an agent went through it.
pub struct AgentRun {
    pub description: Value,
    /// What it started from and drew.
    pub inputs: Arrays,
    pub parameters: Vec<f32>,
    /// Of each update.
    pub losses: Vec<f64>,
    /// At the end, where replay is prioritized.
    pub priorities: Vec<f64>,
}

impl Case {
    pub fn run_agent(&self) -> AgentRun {
        if self.is_pqn() { self.run_pqn() } else { self.run_replay() }
    }

    fn run_replay(&self) -> AgentRun {
        let mut agent = self.replay_agent();
        let description = self.describe(agent.value_network().unwrap().network);
        let mut inputs = Arrays::default();
        put_initial(&mut inputs, agent.value_network().unwrap().parameters);
        let mut draws = Draws::new(self, &agent);
        let mut replay = self.replay();
        let every = self.config.train.every_steps;
        let mut losses = Vec::new();
        for update in 0..UPDATES as u64 {
            // The next batch of the agent's replay, drawn by another one in the same state.
            let mut state = State::default();
            agent.save(&mut state);
            replay.restore(&state).unwrap();
            draws.add_update(&mut *replay);
            let learned = agent.learn(update * every, (update + 1) * every).unwrap();
            assert_eq!(learned.updates, 1);
            losses.push(learned.loss_sum);
        }
        draws.put(&mut inputs);
        let mut state = State::default();
        agent.save(&mut state);
        let priorities = match self.config.replay.kind {
            ReplayKind::Uniform => vec![],
            ReplayKind::Prioritized => {
                let bytes = state.read_bytes("replay/priorities").unwrap();
                bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
            }
        };
        AgentRun {
            description,
            inputs,
            parameters: agent.value_network().unwrap().parameters.to_vec(),
            losses,
            priorities,
        }
    }

    fn replay(&self) -> Box<dyn ReplayBuffer> {
        let (replay, seed, layout) = (&self.config.replay, self.config.train.seed, RecordLayout::f32(INPUTS));
        match replay.kind {
            ReplayKind::Uniform => {
                let sampling = Sampling::WithoutReplacement;
                Box::new(UniformReplay::new(replay.capacity, layout, sampling, seed).unwrap())
            }
            ReplayKind::Prioritized => {
                let spec =
                    PrioritySpec { alpha: replay.priority_exponent, epsilon: replay.priority_epsilon, cap: 1000.0 };
                Box::new(PrioritizedReplay::new(replay.capacity, layout, spec, seed).unwrap())
            }
        }
    }

    fn run_pqn(&self) -> AgentRun {
        let mut agent = self.config.pqn_agent(&space(), ACTIONS, &Machine::default()).unwrap();
        let description = self.describe(agent.value_network().unwrap().network);
        let mut inputs = Arrays::default();
        put_initial(&mut inputs, agent.value_network().unwrap().parameters);
        let (steps, envs) = (self.config.pqn.rollout_steps, self.config.train.num_envs);
        let (epochs, minibatches) = (self.config.pqn.epochs, self.config.pqn.minibatches);
        let rollouts = UPDATES / (epochs * minibatches);
        let mut shuffles = StreamRng::new(self.config.train.seed, Stream::Minibatches);
        let (mut orders, mut losses) = (Vec::new(), Vec::new());
        // The environments go on from one rollout to the next.
        let streams: Vec<Vec<Seen>> = (0..envs as u64).map(|env| experience(20 + env, rollouts * steps)).collect();
        let seen: Vec<&Seen> =
            (0..rollouts * steps).flat_map(|step| streams.iter().map(move |stream| &stream[step])).collect();
        for rollout in seen.chunks_exact(steps * envs) {
            for (index, seen) in rollout.iter().enumerate() {
                seen.show(index % envs, &mut agent);
            }
            for _ in 0..epochs {
                let mut order: Vec<u32> = (0..rollout.len() as u32).collect();
                for last in (1..order.len()).rev() {
                    order.swap(last, shuffles.below(last as u32 + 1) as usize);
                }
                orders.extend(order);
            }
            let learned = agent.learn(0, 0).unwrap();
            assert_eq!(learned.updates as usize, epochs * minibatches);
            losses.push(learned.loss_sum);
        }
        put_experience(&mut inputs, &seen, &[rollouts, steps, envs]);
        inputs.put("orders", &[rollouts, epochs, steps * envs], Numbers::U32(orders));
        AgentRun {
            description,
            inputs,
            parameters: agent.value_network().unwrap().parameters.to_vec(),
            losses,
            priorities: vec![],
        }
    }
}

/// The experience that all cases with a replay buffer share.
pub fn shared_experience() -> Arrays {
    let mut arrays = Arrays::default();
    put_experience(&mut arrays, &experience(9, STEPS).iter().collect::<Vec<_>>(), &[STEPS]);
    arrays
}

fn put_initial(inputs: &mut Arrays, parameters: &[f32]) {
    let parameters = parameters.to_vec();
    inputs.put("initial", &[parameters.len()], Numbers::F32(parameters));
}

fn put_experience(arrays: &mut Arrays, seen: &[&Seen], shape: &[usize]) {
    let wide = [shape, &[INPUTS]].concat();
    let observations = seen.iter().flat_map(|seen| seen.observation).collect();
    arrays.put("observations", &wide, Numbers::F32(observations));
    arrays.put("next_observations", &wide, Numbers::F32(seen.iter().flat_map(|seen| seen.next_observation).collect()));
    arrays.put("actions", shape, Numbers::U32(seen.iter().map(|seen| seen.action as u32).collect()));
    arrays.put("rewards", shape, Numbers::F32(seen.iter().map(|seen| seen.reward).collect()));
    arrays.put("terminated", shape, Numbers::U32(seen.iter().map(|seen| u32::from(seen.terminated)).collect()));
    arrays.put("truncated", shape, Numbers::U32(seen.iter().map(|seen| u32::from(seen.truncated)).collect()));
}

/// What is drawn for the updates: batches from the replay, noise and fractions from their own streams, for the online network
/// first, then for the target network and then for whoever chooses the next action.
struct Draws {
    batch: Batch,
    indices: Vec<u32>,
    noise: (StreamRng, [usize; 3], [Vec<f32>; 3]),
    fractions: (StreamRng, [(usize, usize); 3], [Vec<f32>; 3]),
}

impl Draws {
    fn new(case: &Case, agent: &DqnAgent) -> Self {
        let config = &case.config;
        let (rows, seed) = (config.replay.batch_size, config.train.seed);
        let has_target = config.target.kind != TargetKind::None;
        let implicit = config.head.kind == HeadKind::ImplicitQuantile;
        let double = has_target && config.agent.double;
        let selects_apart = implicit || double && config.network.noisy;
        let online_rows = if !has_target || double && !selects_apart { 2 * rows } else { rows };
        let target_rows = match (has_target, config.agent.munchausen) {
            (false, _) => 0,
            (true, false) => rows,
            (true, true) => 2 * rows,
        };
        let of = |rows, count| if implicit { (rows, count) } else { (0, 0) };
        let noise = Workspace::new(agent.value_network().unwrap().network, 1).noise_mut().len();
        Draws {
            batch: Batch::new(rows),
            indices: vec![],
            noise: (
                StreamRng::new(seed, Stream::LearningNoise),
                [noise, noise, if double { noise } else { 0 }],
                Default::default(),
            ),
            fractions: (
                StreamRng::new(seed, Stream::Fractions),
                [
                    of(online_rows, config.head.fractions),
                    of(target_rows, config.head.target_fractions),
                    of(rows, config.head.acting_fractions),
                ],
                Default::default(),
            ),
        }
    }

    fn add_update(&mut self, replay: &mut dyn ReplayBuffer) {
        let len = self.batch.actions.len() * INPUTS;
        let (mut observations, mut next) = (vec![0.0; len], vec![0.0; len]);
        replay.sample(&mut self.batch.with_observations(&mut observations, &mut next));
        self.indices.extend(&self.batch.indices);
        let (rng, lens, noise) = &mut self.noise;
        for (len, to) in lens.iter().zip(noise) {
            let mut drawn = vec![0.0; *len];
            rng.fill_normal(&mut drawn);
            to.extend(drawn);
        }
        let (rng, shapes, fractions) = &mut self.fractions;
        for ((rows, count), to) in shapes.iter().zip(fractions) {
            let mut drawn = vec![0.0; rows * count];
            rng.fill_uniform(&mut drawn);
            to.extend(drawn);
        }
    }

    fn put(self, inputs: &mut Arrays) {
        inputs.put("indices", &[UPDATES, self.batch.actions.len()], Numbers::U32(self.indices));
        let (_, lens, noise) = self.noise;
        for ((name, len), noise) in ["noise", "target_noise", "selector_noise"].into_iter().zip(lens).zip(noise) {
            // Most cases have nobody who chooses by noise of its own.
            if name != "selector_noise" || len > 0 {
                inputs.put(name, &[UPDATES, len], Numbers::F32(noise));
            }
        }
        let (_, shapes, fractions) = self.fractions;
        for ((name, fractions), (rows, count)) in
            ["fractions", "target_fractions", "selector_fractions"].into_iter().zip(fractions).zip(shapes)
        {
            if rows > 0 {
                inputs.put(name, &[UPDATES, rows, count], Numbers::F32(fractions));
            }
        }
    }
}
