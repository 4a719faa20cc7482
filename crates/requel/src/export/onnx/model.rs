//! The model around the graph: its inputs, its outputs, and the metadata of the policy.
//!
//! The model reads `observation`, a batch of any size in the layout of this project (images: height, width, channels), and for an
//! environment with masks `action_mask`, one boolean per action. It outputs `q_values`, batch × actions, the expected return of each action
//! for every kind of head, and `action`, the greedy one. Keys of its metadata start with `requel.`.
//!
//! It uses operator set 13, which runtimes since 2020 support, or 17 if the network has layer normalisation.

use std::fmt;

use crate::agent::Readout;
use requel_envs::Space;
use requel_nn::{LayerSpec, Network};
use serde_json::json;

use super::graph::{BOOL, FLOAT, Graph, INT64, value_info};
use super::layers::Layers;
use super::values::{MASK, add_action, add_values};
use crate::protobuf::Message;
use crate::train::SpaceIdentity;

/// What is exported.
pub struct PolicyParts<'a> {
    /// The environment that it was trained in.
    pub env_id: &'a str,
    /// The network's input: observations as the environment presents them to the network.
    pub observations: &'a Space,
    /// The action space.
    pub actions: &'a Space,
    /// What each action does; may be empty.
    pub action_names: &'a [String],
    /// What each number of an observation is; may be empty.
    pub observation_names: &'a [String],
    /// The network.
    pub network: &'a Network,
    /// Its parameters.
    pub parameters: &'a [f32],
    /// What the network's outputs mean.
    pub head: &'a Readout,
    /// Whether the environment has action masks.
    pub is_masked: bool,
}

/// Why a policy cannot be exported to ONNX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnnxError {
    /// A kind of layer that cannot be expressed.
    Layer {
        /// Its index.
        layer: usize,
        /// Its kind, as a checkpoint names it.
        kind: String,
    },
}

impl fmt::Display for OnnxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OnnxError::Layer { layer, kind } => {
                write!(f, "layers.{layer} is of the kind `{kind}`, which cannot be exported to ONNX")
            }
        }
    }
}

impl std::error::Error for OnnxError {}

/// The model's bytes.
///
/// # Errors
/// [`OnnxError`] if a part of the network cannot be expressed.
pub fn encode(policy: &PolicyParts<'_>) -> Result<Vec<u8>, OnnxError> {
    let spec = policy.network.spec();
    let actions = policy.actions.discrete_n().unwrap_or(policy.network.output_len() / policy.head.atoms().max(1));
    let mut graph = Graph::new(policy.network, policy.parameters, "observation");
    Layers::new(&mut graph, policy.head.acting_fractions()).build()?;
    add_values(&mut graph, policy.head, actions);
    add_action(&mut graph, policy.is_masked);

    let input_shape: Vec<i64> = spec.input_shape.iter().map(|&n| n as i64).collect();
    let mut inputs = vec![value_info("observation", FLOAT, &input_shape)];
    if policy.is_masked {
        inputs.push(value_info(MASK, BOOL, &[actions as i64]));
    }
    let outputs = [value_info("q_values", FLOAT, &[actions as i64]), value_info("action", INT64, &[])];
    let entries: Vec<Message> =
        metadata(policy).iter().map(|(key, value)| Message::new().text(1, key).text(2, value)).collect();
    let (operator_set, format_version) = versions(&spec.layers);
    let model = Message::new()
        .int(1, format_version)
        .text(2, "requel")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph.into_message(&inputs, &outputs))
        .message(8, &Message::new().text(1, "").int(2, operator_set))
        .messages(14, &entries);
    Ok(model.into_bytes())
}

/// The lowest operator set that has all operators, and the version of the file format that came with it.
fn versions(layers: &[LayerSpec]) -> (i64, i64) {
    let has_norm = layers.iter().any(|layer| matches!(layer, LayerSpec::LayerNorm { .. }));
    if has_norm { (17, 8) } else { (13, 7) }
}

fn metadata(policy: &PolicyParts<'_>) -> Vec<(&'static str, String)> {
    let acts_by = if policy.is_masked {
        "index of the largest of the q_values that action_mask allows; the lowest index among equals"
    } else {
        "index of the largest of the q_values; the lowest index among equals"
    };
    let mut entries = vec![
        ("requel.environment", policy.env_id.to_owned()),
        ("requel.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("requel.observation_space", space(policy.observations)),
        ("requel.action_space", space(policy.actions)),
        ("requel.acts_by", acts_by.to_owned()),
    ];
    for (key, names) in [("requel.actions", policy.action_names), ("requel.observations", policy.observation_names)] {
        if !names.is_empty() {
            entries.push((key, json!(names).to_string()));
        }
    }
    entries
}

/// A space as JSON; infinite bounds are `null`.
fn space(space: &Space) -> String {
    serde_json::to_value(SpaceIdentity::of(space)).expect("a space is plain data").to_string()
}

#[cfg(test)]
mod tests {
    use requel_envs::DType;
    use requel_nn::{Activation, NetworkSpec};

    use super::*;

    fn encoded(layers: &[LayerSpec], head: &Readout, is_masked: bool) -> Result<Vec<u8>, OnnxError> {
        let spec = NetworkSpec { input_shape: vec![4], input_scale: 1.0, layers: layers.to_vec() };
        let network = Network::new(&spec).unwrap();
        let observations =
            Space::Box { low: vec![f32::NEG_INFINITY; 4], high: vec![1.0; 4], shape: vec![4], dtype: DType::F32 };
        encode(&PolicyParts {
            env_id: "CartPole-v1",
            observations: &observations,
            actions: &Space::Discrete { n: 2 },
            action_names: &["push left".into(), "push right".into()],
            observation_names: &["cart position".into(), "cart velocity".into(), "pole angle".into(), "tip".into()],
            network: &network,
            parameters: &vec![0.5; network.parameter_count()],
            head,
            is_masked,
        })
    }

    fn dense(outputs: usize) -> LayerSpec {
        LayerSpec::Dense { outputs, activation: Activation::Relu }
    }

    #[test]
    fn names_and_metadata_are_in_the_file() {
        let bytes = encoded(&[dense(8), dense(2)], &Readout::Scalar, false).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for part in [
            "observation",
            "q_values",
            "action",
            "batch",
            "Gemm",
            "Relu",
            "ArgMax",
            "CartPole-v1",
            "push left",
            "pole angle",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.contains("\"low\":null"), "an infinite bound is null");
        assert!(!text.contains("action_mask"));
        let masked = encoded(&[dense(8), dense(2)], &Readout::Scalar, true).unwrap();
        assert!(String::from_utf8_lossy(&masked).contains("action_mask"));
    }

    /// What runtimes give for these is compared in `cargo xtask ui`.
    #[test]
    fn every_head_has_a_form() {
        let embedding = LayerSpec::FractionEmbedding { cosines: 4 };
        let dueling =
            LayerSpec::Dueling { hidden: 4, actions: 2, atoms: 51, activation: Activation::Relu, sigma: Some(0.5) };
        let categorical = Readout::Categorical { atoms: 51, v_min: 0.0, v_max: 200.0 };
        for (layers, head, operators) in [
            (vec![dense(8), dense(102)], &categorical, &["Softmax", "MatMul", "returns"][..]),
            (vec![dense(8), dueling], &categorical, &["ReduceMean", "Softmax"]),
            (vec![dense(8), dense(20)], &Readout::Quantile { quantiles: 10 }, &["Reshape", "ReduceMean"]),
            (
                vec![dense(8), embedding, dense(2)],
                &Readout::ImplicitQuantile { fractions: 8 },
                &["layers.1.cosines", "Mul"],
            ),
        ] {
            let bytes = encoded(&layers, head, false).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(operators.iter().all(|operator| text.contains(operator)), "{head:?}");
        }
    }

    #[test]
    fn the_operator_set_is_the_lowest_that_holds() {
        let norm = LayerSpec::LayerNorm { activation: Activation::Relu, epsilon: 1e-5 };
        assert_eq!(versions(&[dense(8), dense(2)]), (13, 7));
        assert_eq!(versions(&[dense(8), norm, dense(2)]), (17, 8));
        // The version of the format comes first.
        assert!(encoded(&[dense(2)], &Readout::Scalar, false).unwrap().starts_with(b"\x08\x07"));
    }
}
