//! [`Graph`], the operations of a model and their numbers.

use requel_nn::{Network, pytorch};

use crate::protobuf::Message;

/// `TensorProto.DataType`.
pub(super) const FLOAT: i64 = 1;
pub(super) const INT64: i64 = 7;
pub(super) const BOOL: i64 = 9;
/// `AttributeProto.AttributeType`.
const KIND_FLOAT: i64 = 1;
const KIND_INT: i64 = 2;
const KIND_INTS: i64 = 7;

/// A graph under construction.
pub(super) struct Graph<'a> {
    network: &'a Network,
    parameters: &'a [f32],
    nodes: Vec<Node>,
    initializers: Vec<Message>,
    /// The name of the newest value.
    pub(super) last: String,
}

/// One operation.
struct Node {
    operator: &'static str,
    inputs: Vec<String>,
    output: String,
    attributes: Vec<Message>,
}

impl<'a> Graph<'a> {
    /// Only an input, `input`.
    pub(super) fn new(network: &'a Network, parameters: &'a [f32], input: &str) -> Self {
        Graph { network, parameters, nodes: Vec::new(), initializers: Vec::new(), last: input.into() }
    }

    /// The network it represents.
    pub(super) fn network(&self) -> &'a Network {
        self.network
    }

    /// Adds an operation on the newest value and `more`; its result becomes the newest value.
    pub(super) fn node(&mut self, operator: &'static str, more: &[&str], attributes: Vec<Message>) {
        let last = self.last.clone();
        let inputs = [&[last.as_str()], more].concat();
        self.node_of(operator, &inputs, attributes);
    }

    /// Adds an operation on `inputs`; its result becomes the newest value.
    pub(super) fn node_of(&mut self, operator: &'static str, inputs: &[&str], attributes: Vec<Message>) {
        let output = format!("{}_{}", operator.to_lowercase(), self.nodes.len());
        self.last.clone_from(&output);
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        self.nodes.push(Node { operator, inputs, output, attributes });
    }

    /// Renames the newest value to the name of a model output.
    pub(super) fn name_last(&mut self, name: &str) {
        if let Some(node) = self.nodes.last_mut() {
            name.clone_into(&mut node.output);
            name.clone_into(&mut self.last);
        }
    }

    /// Reshapes the axes after the batch axis of the newest value, for a batch of any size.
    pub(super) fn reshape(&mut self, axes: &[usize]) {
        // 0 keeps the existing axis.
        let shape: Vec<i64> = std::iter::once(0).chain(axes.iter().map(|&n| n as i64)).collect();
        self.reshape_to(&shape);
    }

    /// Reshapes the newest value; −1 stands for the rest.
    pub(super) fn reshape_to(&mut self, shape: &[i64]) {
        let name = format!("shape_{}", self.nodes.len());
        let raw: Vec<u8> = shape.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.initializer(&name, (INT64, &[shape.len()]), &raw);
        self.node("Reshape", &[&name], Vec::new());
    }

    /// The mean of the newest value over an axis.
    pub(super) fn mean(&mut self, axis: i64, keeps_axis: bool) {
        self.node("ReduceMean", &[], vec![ints("axes", &[axis]), int("keepdims", i64::from(keeps_axis))]);
    }

    /// `x · W + b`.
    pub(super) fn affine(&mut self, prefix: &str, suffix: &str) {
        let weight = self.parameter(&format!("{prefix}weight{suffix}"));
        let bias = self.parameter(&format!("{prefix}bias{suffix}"));
        self.node("Gemm", &[&weight, &bias], Vec::new());
    }

    /// Adds a parameter in our own layout; returns its name.
    pub(super) fn parameter(&mut self, name: &str) -> String {
        if let Some(slice) = self.network.slices().iter().find(|slice| slice.name == name) {
            let values = &self.parameters[slice.range.clone()];
            self.tensor(name, &slice.shape, values);
        }
        name.to_owned()
    }

    /// Adds a parameter in PyTorch's layout; returns its name.
    pub(super) fn pytorch_parameter(&mut self, name: &str) -> String {
        if let Some(slice) = self.network.slices().iter().find(|slice| slice.name == name) {
            let ours = &self.parameters[slice.range.clone()];
            let mut theirs = vec![0.0; ours.len()];
            pytorch::export(slice, ours, &mut theirs);
            self.tensor(name, &pytorch::shape(slice), &theirs);
        }
        name.to_owned()
    }

    /// Adds numbers under a name.
    pub(super) fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.initializer(name, (FLOAT, shape), &raw);
    }

    fn initializer(&mut self, name: &str, (kind, shape): (i64, &[usize]), raw: &[u8]) {
        let dims = shape.iter().fold(Message::new(), |tensor, &n| tensor.int(1, n as i64));
        self.initializers.push(dims.int(2, kind).text(8, name).data(9, raw));
    }

    /// The `GraphProto`, with its inputs and outputs.
    pub(super) fn into_message(self, inputs: &[Message], outputs: &[Message]) -> Message {
        let nodes: Vec<Message> = self.nodes.iter().map(Node::message).collect();
        Message::new()
            .messages(1, &nodes)
            .text(2, "policy")
            .messages(5, &self.initializers)
            .messages(11, inputs)
            .messages(12, outputs)
    }
}

impl Node {
    fn message(&self) -> Message {
        let node = self.inputs.iter().fold(Message::new(), |node, input| node.text(1, input));
        node.text(2, &self.output).text(3, &self.output).text(4, self.operator).messages(5, &self.attributes)
    }
}

pub(super) fn int(name: &str, value: i64) -> Message {
    Message::new().text(1, name).int(3, value).int(20, KIND_INT)
}

pub(super) fn float(name: &str, value: f32) -> Message {
    Message::new().text(1, name).float(2, value).int(20, KIND_FLOAT)
}

pub(super) fn ints(name: &str, values: &[i64]) -> Message {
    values.iter().fold(Message::new().text(1, name), |message, &value| message.int(8, value)).int(20, KIND_INTS)
}

/// A batch of arrays with this type and shape.
pub(super) fn value_info(name: &str, kind: i64, shape: &[i64]) -> Message {
    let batch = Message::new().text(2, "batch");
    let dims =
        shape.iter().fold(Message::new().message(1, &batch), |dims, &n| dims.message(1, &Message::new().int(1, n)));
    let tensor = Message::new().int(1, kind).message(2, &dims);
    Message::new().text(1, name).message(2, &Message::new().message(1, &tensor))
}
