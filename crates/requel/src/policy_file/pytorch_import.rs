//! [`PolicyFile::from_pytorch`]: the weights of a PyTorch MLP as a policy.

use requel_nn::{Activation, Network, NetworkSpec, pytorch};
use safetensors::{Dtype, SafeTensors};
use thiserror::Error;

use super::PolicyFile;
use crate::agent::Readout;
use crate::config::EnvConfig;
use crate::identity::EnvOrigin;

/// What the file of a PyTorch network does not contain.
#[derive(Clone, Debug, PartialEq)]
pub struct PytorchMlp<'a> {
    /// The environment that the network was trained in.
    pub env_id: &'a str,
    /// Numbers of an observation as the network reads it: discrete observations are one-hot.
    pub inputs: usize,
    /// Actions of the environment.
    pub actions: usize,
    /// The activation between two layers.
    pub activation: Activation,
    /// The prefix of the network's tensor names, such as `q_net.`; empty if the file contains nothing else.
    pub prefix: &'a str,
}

/// Why a file does not contain such a network.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PytorchError {
    /// It is not a safetensors file.
    #[error("not a safetensors file: {0}")]
    Format(String),
    /// No tensor is a weight.
    #[error("it has no tensor `{prefix}….weight`; it contains {}", listed(found))]
    NoLayers {
        /// The required prefix of the names.
        prefix: String,
        /// The names in the file.
        found: Vec<String>,
    },
    /// A tensor is not part of an MLP, or has a type that cannot be read.
    #[error("tensor `{name}` {reason}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The layers do not connect the observation to the actions.
    #[error("{reason}; the layers are {layers}")]
    Chain {
        /// Where they do not fit.
        reason: String,
        /// All layers in order.
        layers: String,
    },
}

/// A layer as stored in the file.
struct Layer<'a> {
    name: &'a str,
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl PolicyFile {
    /// The policy of an MLP trained with PyTorch: a chain of `torch.nn.Linear` with one activation between them, saved by
    /// `safetensors.torch.save_file(net.state_dict(), …)`. The last layer outputs the value of each action.
    ///
    /// Tensors are called `NAME.weight` (outputs × inputs) and `NAME.bias`, with any `NAME` after the prefix; layers are in the order of
    /// their names, with numbers in them compared by value: `0`, `2`, `10`, or `fc1`, `fc2`.
    ///
    /// # Errors
    /// [`PytorchError`] for anything else: other tensors with the prefix, numbers that are not `float32` or not finite, layers that do not
    /// fit each other, the observation or the actions.
    pub fn from_pytorch(bytes: &[u8], mlp: &PytorchMlp<'_>) -> Result<Self, PytorchError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| PytorchError::Format(error.to_string()))?;
        let layers = layers(&tensors, mlp.prefix)?;
        check_chain(&layers, mlp)?;
        let hidden: Vec<usize> = layers[..layers.len() - 1].iter().map(|layer| layer.outputs).collect();
        let network = NetworkSpec::mlp(mlp.inputs, &hidden, mlp.actions, mlp.activation);
        let made = Network::new(&network).map_err(|error| chain(error.to_string(), &layers))?;
        let mut parameters = vec![0.0; made.parameter_count()];
        let theirs = layers.iter().flat_map(|layer| [&layer.weight, &layer.bias]);
        for (slice, theirs) in made.slices().iter().zip(theirs) {
            pytorch::import(slice, theirs, &mut parameters[slice.range.clone()]);
        }
        Ok(PolicyFile {
            env_id: mlp.env_id.to_owned(),
            origin: EnvOrigin::BuiltIn,
            identity: None,
            env: EnvConfig { id: mlp.env_id.to_owned(), ..EnvConfig::default() },
            network,
            head: Readout::Scalar,
            parameters,
        })
    }
}

/// The layers of the tensors whose names start with `prefix`, in order.
fn layers<'a>(tensors: &'a SafeTensors<'_>, prefix: &str) -> Result<Vec<Layer<'a>>, PytorchError> {
    let mut names: Vec<&str> = tensors.names().into_iter().filter(|name| name.starts_with(prefix)).collect();
    names.sort_by_key(|name| by_numbers(name));
    let mut layers = Vec::new();
    for name in &names {
        let wrong = |reason: &str| PytorchError::Tensor { name: (*name).to_owned(), reason: reason.into() };
        if let Some(layer) = name.strip_suffix(".weight") {
            let shape = tensors.tensor(name).map_err(|e| wrong(&e.to_string()))?.shape().to_vec();
            let [outputs, inputs] = shape[..] else {
                return Err(wrong(&format!(
                    "has the shape {shape:?}: only dense layers, outputs × inputs, can be imported"
                )));
            };
            let bias = format!("{layer}.bias");
            if !names.contains(&bias.as_str()) {
                return Err(wrong(&format!("has no matching `{bias}`")));
            }
            let weight = numbers(tensors, name, &shape)?;
            layers.push(Layer { name: layer, inputs, outputs, weight, bias: numbers(tensors, &bias, &[outputs])? });
        } else if name.strip_suffix(".bias").is_none_or(|layer| !names.contains(&format!("{layer}.weight").as_str())) {
            return Err(wrong("is neither the weight nor the bias of a dense layer"));
        }
    }
    if layers.is_empty() {
        let found = tensors.names().into_iter().map(str::to_owned).collect();
        return Err(PytorchError::NoLayers { prefix: prefix.into(), found });
    }
    Ok(layers)
}

/// The numbers of a tensor of this shape.
fn numbers(tensors: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>, PytorchError> {
    let wrong = |reason: String| PytorchError::Tensor { name: name.to_owned(), reason };
    let view = tensors.tensor(name).map_err(|error| wrong(error.to_string()))?;
    if view.dtype() != Dtype::F32 {
        return Err(wrong(format!("has the type {:?}: save `tensor.float()`, 32 bits each", view.dtype())));
    }
    if view.shape() != shape {
        return Err(wrong(format!("has the shape {:?}, not {shape:?}", view.shape())));
    }
    let numbers: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    match numbers.iter().find(|number| !number.is_finite()) {
        Some(number) => Err(wrong(format!("contains {number}"))),
        None => Ok(numbers),
    }
}

fn check_chain(layers: &[Layer<'_>], mlp: &PytorchMlp<'_>) -> Result<(), PytorchError> {
    let (first, last) = (&layers[0], &layers[layers.len() - 1]);
    for pair in layers.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        if before.outputs != after.inputs {
            let (name, reads, gives) = (after.name, after.inputs, before.outputs);
            return Err(chain(
                format!(
                    "`{name}` reads {reads} numbers, but the layer before it outputs \
                                      {gives}"
                ),
                layers,
            ));
        }
    }
    if first.inputs != mlp.inputs {
        let (name, reads, shown) = (first.name, first.inputs, mlp.inputs);
        return Err(chain(
            format!(
                "`{name}` reads {reads} numbers, but an observation of {} has \
                                  {shown}",
                mlp.env_id
            ),
            layers,
        ));
    }
    if last.outputs != mlp.actions {
        let (name, gives, actions) = (last.name, last.outputs, mlp.actions);
        return Err(chain(
            format!("`{name}` outputs {gives} values, but {} has {actions} actions", mlp.env_id),
            layers,
        ));
    }
    Ok(())
}

fn chain(reason: String, layers: &[Layer<'_>]) -> PytorchError {
    let names: Vec<String> =
        layers.iter().map(|layer| format!("`{}` ({} to {})", layer.name, layer.inputs, layer.outputs)).collect();
    PytorchError::Chain { reason, layers: names.join(", ") }
}

/// The parts of a name, with numbers as numbers, so that `net.10` comes after `net.2`.
fn by_numbers(name: &str) -> Vec<(u64, String)> {
    let mut parts: Vec<(u64, String)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let text = rest[digits..].bytes().take_while(|byte| !byte.is_ascii_digit()).count();
        let number = rest[..digits].parse().unwrap_or(if digits > 0 { u64::MAX } else { 0 });
        parts.push((number, rest[digits..digits + text].to_owned()));
        rest = &rest[digits + text..];
    }
    parts
}

fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    let mut shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    if names.len() > MOST {
        shown.push(format!("{} more", names.len() - MOST));
    }
    if shown.is_empty() { "no tensor at all".into() } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    type Tensor = (&'static str, Vec<usize>, Vec<f32>);

    fn file(tensors: &[Tensor]) -> Vec<u8> {
        let views = tensors.iter().map(|(name, shape, values)| {
            (*name, TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values)).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }

    fn tensor(name: &'static str, shape: &[usize]) -> Tensor {
        let len = shape.iter().product::<usize>();
        (name, shape.to_vec(), (0..len).map(|i| ((i * 37 + name.len()) % 19) as f32 * 0.1 - 0.9).collect())
    }

    const MLP: PytorchMlp<'static> =
        PytorchMlp { env_id: "CartPole-v1", inputs: 4, actions: 2, activation: Activation::Relu, prefix: "" };

    fn sound() -> Vec<Tensor> {
        vec![
            tensor("net.10.bias", &[2]),
            tensor("net.10.weight", &[2, 3]),
            tensor("net.0.weight", &[5, 4]),
            tensor("net.0.bias", &[5]),
            tensor("net.2.bias", &[3]),
            tensor("net.2.weight", &[3, 5]),
        ]
    }

    /// What PyTorch would compute, row by column.
    fn by_hand(tensors: &[Tensor], observation: &[f32]) -> Vec<f32> {
        let find = |name: &str| &tensors.iter().find(|tensor| tensor.0 == name).unwrap().2;
        let mut x = observation.to_vec();
        for layer in ["net.0", "net.2", "net.10"] {
            let (weight, bias) = (find(&format!("{layer}.weight")), find(&format!("{layer}.bias")));
            let rows = weight.chunks_exact(x.len()).zip(bias);
            let y = rows.map(|(row, bias)| bias + row.iter().zip(&x).map(|(w, x)| w * x).sum::<f32>());
            x = if layer == "net.10" { y.collect() } else { y.map(|y| y.max(0.0)).collect() };
        }
        x
    }

    #[test]
    fn values_are_those_of_pytorch() {
        let tensors = sound();
        let policy = PolicyFile::from_pytorch(&file(&tensors), &MLP).unwrap();
        assert_eq!(PolicyFile::from_bytes(&policy.to_bytes().unwrap()).unwrap(), policy);
        let mut policy = policy.into_policy(1).unwrap();
        for seed in 0..20u8 {
            let observation: [f32; 4] = std::array::from_fn(|i| (f32::from(seed) + 1.7 * i as f32).sin());
            let found = policy.q_values(&observation).unwrap().to_vec();
            for (found, expected) in found.iter().zip(by_hand(&tensors, &observation)) {
                assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
            }
        }
    }

    #[test]
    fn one_of_several_networks_is_named_by_its_prefix() {
        let two = [
            tensor("q_net.0.weight", &[2, 4]),
            tensor("q_net.0.bias", &[2]),
            tensor("q_net_target.0.weight", &[2, 4]),
            tensor("q_net_target.0.bias", &[2]),
        ];
        let refused = PolicyFile::from_pytorch(&file(&two), &MLP).unwrap_err().to_string();
        assert!(refused.contains("`q_net_target.0` reads 4 numbers, but the layer before it outputs 2"), "{refused}");
        let mlp = PytorchMlp { prefix: "q_net.", ..MLP };
        let policy = PolicyFile::from_pytorch(&file(&two), &mlp).unwrap();
        assert_eq!(policy.network, NetworkSpec::mlp(4, &[], 2, Activation::Relu));
    }

    #[test]
    fn files_that_hold_no_such_network_are_refused_by_what_is_wrong() {
        let with = |change: fn(&mut Vec<Tensor>)| {
            let mut tensors = sound();
            change(&mut tensors);
            PolicyFile::from_pytorch(&file(&tensors), &MLP).unwrap_err().to_string()
        };
        type Change = fn(&mut Vec<Tensor>);
        let cases: [(Change, &str); 9] = [
            (Vec::clear, "it has no tensor `….weight`; it contains no tensor at all"),
            (|t| t.retain(|t| t.0 != "net.2.bias"), "`net.2.weight` has no matching `net.2.bias`"),
            (|t| t.retain(|t| t.0 != "net.2.weight"), "`net.2.bias` is neither"),
            (
                |t| t[1] = tensor("net.10.weight", &[2, 4]),
                "`net.10` reads 4 numbers, but the layer before it outputs 3",
            ),
            (|t| t[3] = tensor("net.0.bias", &[4]), "`net.0.bias` has the shape [4], not [5]"),
            (|t| t[2] = tensor("net.0.weight", &[5, 4, 3, 3]), "only dense layers"),
            (|t| t.push(tensor("log_std", &[2])), "`log_std` is neither"),
            (|t| t[0].2[1] = f32::NAN, "`net.10.bias` contains NaN"),
            (
                |t| t[2] = tensor("net.0.weight", &[5, 3]),
                "`net.0` reads 3 numbers, but an observation of CartPole-v1 has 4",
            ),
        ];
        for (change, expected) in cases {
            let refused = with(change);
            assert!(refused.contains(expected), "{refused}");
        }
        let three = PytorchMlp { actions: 3, ..MLP };
        let refused = PolicyFile::from_pytorch(&file(&sound()), &three).unwrap_err().to_string();
        assert!(refused.contains("`net.10` outputs 2 values, but CartPole-v1 has 3 actions"), "{refused}");
        let halves = TensorView::new(Dtype::F16, vec![2, 4], &[0; 16]).unwrap();
        let bias = TensorView::new(Dtype::F32, vec![2], &[0; 8]).unwrap();
        let bytes = safetensors::serialize([("0.weight", halves), ("0.bias", bias)], None).unwrap();
        let refused = PolicyFile::from_pytorch(&bytes, &MLP).unwrap_err().to_string();
        assert!(refused.contains("`0.weight` has the type F16: save `tensor.float()`"), "{refused}");
        let whole = file(&sound());
        for len in (0..whole.len()).step_by(7) {
            assert!(PolicyFile::from_pytorch(&whole[..len], &MLP).is_err(), "{len} bytes");
        }
    }
}
