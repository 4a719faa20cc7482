//! The network's shape and initial weights.

use crate::config::declare::Condition::{Is, IsNot};
use crate::config::declare::Range::{self, ZeroOr};
use crate::config::declare::{SMALL, Tuning, choice, section};

choice! {
    /// What follows each hidden layer.
    pub enum ActivationKind {
        /// max(0, x).
        "relu" => Relu,
        /// tanh(x).
        "tanh" => Tanh,
    }
}

choice! {
    /// Which fully connected layers have noise.
    pub enum NoisyLayers {
        /// All layers, including hidden ones.
        "all" => All,
        /// The layers after the hidden ones: the last layer, and in a dueling network both streams with their hidden layer.
        "head" => Head,
    }
}

choice! {
    /// How weights are initialised.
    pub enum InitKind {
        /// Like `torch.nn.Linear`: uniform within ±1/√fan_in, biases too.
        "pytorch-linear" => PytorchLinear,
        /// Orthogonal with gain √2, biases 0 (Saxe et al. 2014).
        "orthogonal" => Orthogonal,
        /// Uniform within ±√(6/(fan_in + fan_out)), biases 0 (Glorot & Bengio 2010).
        "glorot-uniform" => GlorotUniform,
    }
}

section! {
    /// The Q-network: convolutions where the environment shows images, then fully connected layers.
    pub struct NetworkConfig = "network" {
        /// Name of a network of your own, registered by the program, in place of this section's (empty: none).
        #[serde(skip_serializing_if = "String::is_empty")]
        name: String = String::new();
        /// Convolutions before the hidden layers, each [channels, kernel, stride], without padding.
        conv: Vec<[usize; 3]> = vec![], in Range::at_least(1), unit "kernel and stride in pixels";
        /// Number of units in each hidden layer.
        hidden: Vec<usize> = vec![64, 64], in Range::at_least(1), unit "units",
            tune Tuning::one_of(&["[64, 64]", "[128, 128]", "[256, 256]"])
                .when(&[IsNot("network.hidden", "[]"), Is("network.conv", "[]")]);
        /// Activation function after each hidden layer.
        activation: ActivationKind = ActivationKind::Relu;
        /// Normalise each hidden layer before its activation.
        ///
        /// Layer normalisation (Ba et al. 2016); in an image, of each pixel over its channels.
        layer_norm: bool = false, tune Tuning::one_of(&["false", "true"]);
        /// Separate streams for the value of the state and the advantages of the actions.
        ///
        /// Wang 2016; the last hidden layer is in each stream.
        dueling: bool = false;
        /// Add noise of learned size to the weights of fully connected layers, for exploration.
        ///
        /// Noisy networks (Fortunato 2018). Epsilon is used as well unless it is 0.
        noisy: bool = false;
        /// Noisy: which fully connected layers have noise.
        ///
        /// In the paper all of them do, which behind convolutions are two.
        noisy_layers: NoisyLayers = NoisyLayers::All;
        /// Noisy: initial scale of the noise.
        noisy_sigma: f64 = 0.5, in ZeroOr(SMALL, 100.0);
        /// Weight initialisation.
        init: InitKind = InitKind::PytorchLinear;
    }
}
