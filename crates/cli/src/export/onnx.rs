//! A network as an ONNX model, the messages of `onnx.proto` written by hand.
//!
//! Operator set 17, the first with layer normalisation. The model reads `observation`, a batch of any size in the layout of
//! this project (images: height, width, channels), and gives `q_values`, batch × actions. What stands about a policy beside
//! its weights is metadata under keys that begin with `requel.`.

use std::fmt;

use requel_envs::{DType, Space};
use requel_nn::{Activation, LayerSpec, Network, pytorch};
use serde_json::{Value, json};

use super::meanings;
use super::protobuf::Message;

/// What is exported.
pub struct PolicyParts<'a> {
    /// The world that it was trained in.
    pub env_id: &'a str,
    /// What the network reads, as the world shows it to the network.
    pub observations: &'a Space,
    /// What can be done.
    pub actions: &'a Space,
    /// The network.
    pub network: &'a Network,
    /// Its parameters.
    pub parameters: &'a [f32],
}

/// Why a policy has no ONNX form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnnxError {
    /// A layer is of a kind that is not expressed.
    Layer {
        /// Its index.
        layer: usize,
        /// Its kind, as a checkpoint names it.
        kind: String,
    },
    /// The network gives a distribution for each action, not a value.
    Distribution {
        /// Numbers that come out.
        outputs: usize,
        /// Number of actions.
        actions: usize,
    },
}

impl fmt::Display for OnnxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnnxError::Layer { layer, kind } => {
                write!(f, "layers.{layer} is of the kind `{kind}`, which is not exported to ONNX")
            }
            OnnxError::Distribution { outputs, actions } => {
                write!(
                    f,
                    "the network gives {outputs} numbers for {actions} actions, a distribution for each, which is not exported to ONNX"
                )
            }
        }
    }
}

impl std::error::Error for OnnxError {}

const FLOAT: i64 = 1;
/// `AttributeProto.AttributeType`.
const KIND_FLOAT: i64 = 1;
const KIND_INT: i64 = 2;
const KIND_INTS: i64 = 7;
const OPERATOR_SET: i64 = 17;
/// The version of the file format that came with operator set 17.
const FORMAT_VERSION: i64 = 8;

/// The model's bytes.
///
/// # Errors
/// [`OnnxError`] where a part of the network has no form here.
pub fn encode(policy: &PolicyParts<'_>) -> Result<Vec<u8>, OnnxError> {
    let actions = policy.actions.discrete_n().unwrap_or(policy.network.output_len());
    let outputs = policy.network.output_len();
    if outputs != actions {
        return Err(OnnxError::Distribution { outputs, actions });
    }
    let mut graph = Graph::new(policy);
    graph.build()?;
    let input_shape: Vec<i64> = policy.network.spec().input_shape.iter().map(|&n| n as i64).collect();
    let graph = Message::new()
        .messages(1, &graph.nodes)
        .text(2, "policy")
        .messages(5, &graph.initializers)
        .message(11, &value_info("observation", &input_shape))
        .message(12, &value_info("q_values", &[actions as i64]));
    let entries: Vec<Message> =
        metadata(policy, actions).iter().map(|(key, value)| Message::new().text(1, key).text(2, value)).collect();
    let model = Message::new()
        .int(1, FORMAT_VERSION)
        .text(2, "requel")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph)
        .message(8, &Message::new().text(1, "").int(2, OPERATOR_SET))
        .messages(14, &entries);
    Ok(model.into_bytes())
}

struct Graph<'a> {
    network: &'a Network,
    parameters: &'a [f32],
    nodes: Vec<Message>,
    initializers: Vec<Message>,
    /// The name of the newest value.
    last: String,
    /// Whether it is an image, and if so, whether its channels come first just now.
    image: Option<bool>,
}

impl<'a> Graph<'a> {
    fn new(policy: &PolicyParts<'a>) -> Self {
        Graph {
            network: policy.network,
            parameters: policy.parameters,
            nodes: Vec::new(),
            initializers: Vec::new(),
            last: "observation".into(),
            image: (policy.network.spec().input_shape.len() == 3).then_some(false),
        }
    }

    fn build(&mut self) -> Result<(), OnnxError> {
        let spec = self.network.spec();
        if spec.input_scale != 1.0 {
            self.tensor("input_scale", &[], &[spec.input_scale]);
            self.node("Mul", &["input_scale"], Vec::new());
        }
        for (layer, layer_spec) in spec.layers.iter().enumerate() {
            let name = |part: &str| format!("layers.{layer}.{part}");
            match layer_spec {
                LayerSpec::Dense { activation, .. } => {
                    self.flat();
                    self.affine(&name(""), "");
                    self.activate(*activation);
                }
                LayerSpec::NoisyDense { activation, .. } => {
                    self.flat();
                    self.affine(&name(""), "_mu");
                    self.activate(*activation);
                }
                LayerSpec::Conv2d { kernel, stride, activation, .. } => {
                    self.channels_first(true);
                    self.convolve(&name(""), (*kernel, *stride));
                    self.activate(*activation);
                }
                LayerSpec::LayerNorm { activation, epsilon } => {
                    self.channels_first(false);
                    let (weight, bias) = (self.parameter(&name("weight")), self.parameter(&name("bias")));
                    let attributes = vec![int("axis", -1), float("epsilon", *epsilon)];
                    self.node("LayerNormalization", &[&weight, &bias], attributes);
                    self.activate(*activation);
                }
                LayerSpec::Dueling { hidden, atoms: 1, activation, sigma, .. } => {
                    self.flat();
                    self.duel(
                        &name(""),
                        (*hidden > 0).then_some(*activation),
                        if sigma.is_some() { "_mu" } else { "" },
                    );
                }
                other => return Err(OnnxError::Layer { layer, kind: kind(other) }),
            }
        }
        self.flat();
        // The last value has the name that was promised.
        let last = std::mem::replace(&mut self.last, "q_values".into());
        self.nodes.push(Message::new().text(1, &last).text(2, "q_values").text(4, "Identity"));
        Ok(())
    }

    /// `x · W + b`.
    fn affine(&mut self, prefix: &str, suffix: &str) {
        let weight = self.parameter(&format!("{prefix}weight{suffix}"));
        let bias = self.parameter(&format!("{prefix}bias{suffix}"));
        self.node("Gemm", &[&weight, &bias], Vec::new());
    }

    /// V + A − mean of A over the actions.
    fn duel(&mut self, prefix: &str, hidden: Option<Activation>, suffix: &str) {
        let input = self.last.clone();
        let stream = |graph: &mut Self, name: &str| {
            graph.last.clone_from(&input);
            if let Some(activation) = hidden {
                graph.affine(&format!("{prefix}{name}.0."), suffix);
                graph.activate(activation);
            }
            let index = if hidden.is_some() { 1 } else { 0 };
            graph.affine(&format!("{prefix}{name}.{index}."), suffix);
            graph.last.clone()
        };
        let value = stream(self, "value");
        let advantage = stream(self, "advantage");
        self.node("ReduceMean", &[], vec![ints("axes", &[1]), int("keepdims", 1)]);
        let mean = self.last.clone();
        self.last = value;
        self.node("Sub", &[&mean], Vec::new());
        self.node("Add", &[&advantage], Vec::new());
    }

    fn convolve(&mut self, prefix: &str, (kernel, stride): (usize, usize)) {
        let name = format!("{prefix}weight");
        if let Some(slice) = self.network.slices().iter().find(|slice| slice.name == name) {
            let ours = &self.parameters[slice.range.clone()];
            let mut theirs = vec![0.0; ours.len()];
            pytorch::export(slice, ours, &mut theirs);
            self.tensor(&name, &pytorch::shape(slice), &theirs);
        }
        let bias = self.parameter(&format!("{prefix}bias"));
        let both = |n: usize| [n as i64, n as i64];
        self.node("Conv", &[&name, &bias], vec![ints("kernel_shape", &both(kernel)), ints("strides", &both(stride))]);
    }

    fn activate(&mut self, activation: Activation) {
        match activation {
            Activation::Identity => {}
            Activation::Relu => self.node("Relu", &[], Vec::new()),
            Activation::Tanh => self.node("Tanh", &[], Vec::new()),
        }
    }

    /// One flat vector per row, an image pixel by pixel.
    fn flat(&mut self) {
        self.channels_first(false);
        if self.image.take().is_some() {
            self.node("Flatten", &[], vec![int("axis", 1)]);
        }
    }

    fn channels_first(&mut self, wanted: bool) {
        if self.image.is_some_and(|first| first != wanted) {
            let order: &[i64] = if wanted { &[0, 3, 1, 2] } else { &[0, 2, 3, 1] };
            self.node("Transpose", &[], vec![ints("perm", order)]);
            self.image = Some(wanted);
        }
    }

    /// Adds an operation on the newest value and `more`; its result is the newest value then.
    fn node(&mut self, operator: &str, more: &[&str], attributes: Vec<Message>) {
        let output = format!("{}_{}", operator.to_lowercase(), self.nodes.len());
        let inputs = std::iter::once(self.last.as_str()).chain(more.iter().copied());
        let node = inputs.fold(Message::new(), |node, input| node.text(1, input));
        self.nodes.push(node.text(2, &output).text(3, &output).text(4, operator).messages(5, &attributes));
        self.last = output;
    }

    /// Adds a parameter in our own layout; gives its name back.
    fn parameter(&mut self, name: &str) -> String {
        if let Some(slice) = self.network.slices().iter().find(|slice| slice.name == name) {
            let values = &self.parameters[slice.range.clone()];
            self.tensor(name, &slice.shape, values);
        }
        name.to_owned()
    }

    fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let dims = shape.iter().fold(Message::new(), |tensor, &n| tensor.int(1, n as i64));
        self.initializers.push(dims.int(2, FLOAT).text(8, name).data(9, &raw));
    }
}

fn kind(layer: &LayerSpec) -> String {
    let value = serde_json::to_value(layer).unwrap_or_default();
    value["kind"].as_str().unwrap_or("unknown").to_owned()
}

fn int(name: &str, value: i64) -> Message {
    Message::new().text(1, name).int(3, value).int(20, KIND_INT)
}

fn float(name: &str, value: f32) -> Message {
    Message::new().text(1, name).float(2, value).int(20, KIND_FLOAT)
}

fn ints(name: &str, values: &[i64]) -> Message {
    values.iter().fold(Message::new().text(1, name), |message, &value| message.int(8, value)).int(20, KIND_INTS)
}

/// A batch of arrays of this shape.
fn value_info(name: &str, shape: &[i64]) -> Message {
    let batch = Message::new().text(2, "batch");
    let dims =
        shape.iter().fold(Message::new().message(1, &batch), |dims, &n| dims.message(1, &Message::new().int(1, n)));
    let tensor = Message::new().int(1, FLOAT).message(2, &dims);
    Message::new().text(1, name).message(2, &Message::new().message(1, &tensor))
}

fn metadata(policy: &PolicyParts<'_>, actions: usize) -> Vec<(&'static str, String)> {
    let mut entries = vec![
        ("requel.world", policy.env_id.to_owned()),
        ("requel.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("requel.observation_space", space(policy.observations).to_string()),
        ("requel.action_space", space(policy.actions).to_string()),
        ("requel.acts_by", "the greatest of q_values; of equals the one with the lowest index".to_owned()),
    ];
    if let Some(meanings) = meanings::of(policy.env_id, actions) {
        entries.push(("requel.actions", json!(meanings).to_string()));
    }
    entries
}

/// A space as JSON; infinite bounds are `null`.
fn space(space: &Space) -> Value {
    match space {
        Space::Discrete { n } => json!({ "kind": "discrete", "n": n }),
        Space::MultiDiscrete { n } => json!({ "kind": "multi_discrete", "n": n }),
        Space::Box { low, high, shape, dtype } => {
            let dtype = match dtype {
                DType::F32 => "float32",
                DType::U8 => "uint8",
                DType::Bool => "bool",
            };
            // Bounds that are the same for all elements are said once.
            let bound = |values: &[f32]| match values {
                [first, rest @ ..] if rest.iter().all(|v| v == first) => json!(first),
                _ => json!(values),
            };
            json!({ "kind": "box", "shape": shape, "dtype": dtype, "low": bound(low), "high": bound(high) })
        }
    }
}

#[cfg(test)]
mod tests {
    use requel_nn::NetworkSpec;

    use super::*;

    fn encoded(layers: &[LayerSpec], actions: usize) -> Result<Vec<u8>, OnnxError> {
        let spec = NetworkSpec { input_shape: vec![4], input_scale: 1.0, layers: layers.to_vec() };
        let network = Network::new(&spec).unwrap();
        let observations =
            Space::Box { low: vec![f32::NEG_INFINITY; 4], high: vec![1.0; 4], shape: vec![4], dtype: DType::F32 };
        encode(&PolicyParts {
            env_id: "CartPole-v1",
            observations: &observations,
            actions: &Space::Discrete { n: actions },
            network: &network,
            parameters: &vec![0.5; network.parameter_count()],
        })
    }

    fn dense(outputs: usize) -> LayerSpec {
        LayerSpec::Dense { outputs, activation: Activation::Relu }
    }

    #[test]
    fn names_and_metadata_are_in_the_file() {
        let bytes = encoded(&[dense(8), dense(2)], 2).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for part in ["observation", "q_values", "batch", "Gemm", "Relu", "requel.world", "CartPole-v1", "push left"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.contains("\"low\":null"), "an infinite bound is null");
    }

    #[test]
    fn what_cannot_be_expressed_is_refused_by_name() {
        let distribution = encoded(&[dense(102)], 2).unwrap_err();
        assert_eq!(distribution, OnnxError::Distribution { outputs: 102, actions: 2 });
        let embedding = encoded(&[dense(8), LayerSpec::FractionEmbedding { cosines: 4 }, dense(2)], 2).unwrap_err();
        assert_eq!(embedding, OnnxError::Layer { layer: 1, kind: "fraction_embedding".into() });
    }
}
