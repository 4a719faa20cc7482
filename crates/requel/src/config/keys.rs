//! Every key of a [`Config`](super::Config) with what it means.

/// A key that a config file or `--set` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Dotted path, such as `replay.capacity`.
    pub path: &'static str,
    /// What it means and in which unit, one line.
    pub meaning: &'static str,
}

const fn key(path: &'static str, meaning: &'static str) -> Key {
    Key { path, meaning }
}

/// Every key, in the order of the file. Options of worlds, `env.options.*`, are each world's own.
pub const KEYS: &[Key] = &[
    key("preset", "name of the preset that the config started from"),
    key("env.id", "id of the world, see `requel envs`"),
    key("agent.kind", "naive | dqn"),
    key("agent.gamma", "discount per env step, 0 to 1"),
    key("agent.bellman_gradient", "semi | residual: where the gradient of the Bellman error flows"),
    key("agent.double", "the online network chooses the next action, the target network values it"),
    key("network.conv", "convolutions before the hidden layers, each [channels, kernel, stride] in pixels"),
    key("network.hidden", "units of each hidden layer"),
    key("network.activation", "relu | tanh"),
    key("network.init", "pytorch-linear | orthogonal | glorot-uniform"),
    key("optimizer.kind", "adam | rmsprop"),
    key("optimizer.learning_rate", "step size"),
    key("optimizer.beta1", "adam: decay of the mean gradient, per update"),
    key("optimizer.beta2", "adam: decay of the mean squared gradient, per update"),
    key("optimizer.epsilon", "added to the denominator, outside the square root"),
    key("optimizer.alpha", "rmsprop: decay of the mean squared gradient, per update"),
    key("optimizer.momentum", "rmsprop: momentum, 0 for none"),
    key("optimizer.centered", "rmsprop: subtract the squared mean gradient"),
    key("optimizer.max_gradient_norm", "gradients are scaled down to this global norm, 0 for no clipping"),
    key("loss.kind", "mse | huber, the mean over the batch"),
    key("loss.delta", "huber: |TD error| at which the quadratic becomes linear"),
    key("replay.capacity", "transitions kept, the oldest is overwritten first"),
    key("replay.batch_size", "transitions per update"),
    key("replay.start", "learning starts when more transitions than this are stored"),
    key("replay.replacement", "whether one transition can be in a batch twice"),
    key("target.kind", "none | hard | soft"),
    key("target.every_updates", "the target follows every so many updates, 0 where env steps count"),
    key("target.every_env_steps", "the target follows every so many env steps, 0 where updates count"),
    key("target.tau", "soft: share of the online network each time, 0 to 1"),
    key("exploration.kind", "constant | linear | exponential course of epsilon"),
    key("exploration.start", "epsilon at the first env step"),
    key("exploration.end", "epsilon at the end of the course"),
    key("exploration.env_steps", "env steps of the course, or its time constant where exponential"),
    key("train.seed", "the seed that every stream of randomness derives from"),
    key("train.env_steps", "stop after this many env steps, 0 for no such limit"),
    key("train.episodes", "stop after this many finished episodes, 0 for no such limit"),
    key("train.num_envs", "worlds stepped side by side"),
    key("train.every_steps", "learn every so many env steps"),
    key("train.updates", "updates each time"),
    key("evaluation.every_steps", "score the greedy policy every so many env steps, 0 for not by steps"),
    key("evaluation.every_episodes", "score after every so many episodes, the first included, 0 for not by episodes"),
    key("evaluation.episodes", "episodes per score"),
    key("evaluation.final_episodes", "episodes of the last score, for the best and the final policy"),
    key("evaluation.max_episode_steps", "an evaluation episode is cut off after this many env steps"),
    key("evaluation.stop_after", "stop when this many scores in a row reach stop_return, 0 for never"),
    key("evaluation.stop_return", "mean return that counts as solved, by default the world's reward threshold"),
    key("checkpoint.every_steps", "save the complete state every so many env steps, 0 for only at the end"),
    key("checkpoint.keep", "checkpoints kept, at least 2"),
    key("log.every_steps", "a line of training aggregates every so many env steps"),
];
