//! `requel import`.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

/// `requel import`
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requel import net.safetensors CartPole-v1   Linear and ReLU by turns
  requel import sb3.safetensors CartPole-v1 --prefix q_net.
  requel import net.safetensors Acrobot-v1 --activation tanh --output acrobot.st

In Python: `safetensors.torch.save_file(net.state_dict(), \"net.safetensors\")`.
Layers are called NAME.weight (outputs x inputs) and NAME.bias, float32, in the
order of their names; the last one gives the value of each action. Discrete
observations are read one-hot.")]
pub struct ImportArgs {
    /// The weights of a PyTorch MLP
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Environment the network was trained in, see `requel envs`
    #[arg(value_name = "ENV")]
    pub env: String,
    /// Environment setting, such as `env.frame_stack=4`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    pub set: Vec<String>,
    /// Prefix of the tensor names, if the file holds other tensors too
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub prefix: String,
    /// Activation between two layers
    #[arg(long, value_enum, value_name = "NAME", default_value_t = ImportActivation::Relu)]
    pub activation: ImportActivation,
    /// File to write the policy to, `-` for stdout
    #[arg(long, value_name = "FILE", default_value = "policy.safetensors")]
    pub output: PathBuf,
}

/// What stands between two layers of an imported network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportActivation {
    /// max(x, 0)
    Relu,
    /// The hyperbolic tangent
    Tanh,
    /// Nothing
    Identity,
}
