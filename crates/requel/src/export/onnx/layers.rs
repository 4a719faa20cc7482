//! The layers of a network as operations.

use requel_nn::reference::fraction_cosines;
use requel_nn::{Activation, LayerSpec};

use super::graph::{Graph, float, int, ints};
use super::model::OnnxError;

/// Layers under construction, with what is known about the newest value.
pub(super) struct Layers<'g, 'a> {
    graph: &'g mut Graph<'a>,
    /// Whether it is an image, and if so, whether its channels currently come first.
    image: Option<bool>,
    /// Fractions at which the network is evaluated, if it reads fractions.
    fractions: usize,
}

impl<'g, 'a> Layers<'g, 'a> {
    /// Before the first layer.
    pub(super) fn new(graph: &'g mut Graph<'a>, fractions: usize) -> Self {
        let image = (graph.network().spec().input_shape.len() == 3).then_some(false);
        Layers { graph, image, fractions }
    }

    /// All layers: the newest value is then rows × outputs, or (rows × fractions) × outputs if the network reads fractions.
    pub(super) fn build(&mut self) -> Result<(), OnnxError> {
        let spec = self.graph.network().spec();
        if spec.input_scale != 1.0 {
            self.graph.tensor("input_scale", &[], &[spec.input_scale]);
            self.graph.node("Mul", &["input_scale"], Vec::new());
        }
        for (layer, layer_spec) in spec.layers.iter().enumerate() {
            self.layer(layer, layer_spec)?;
        }
        self.flat();
        Ok(())
    }

    fn layer(&mut self, layer: usize, spec: &LayerSpec) -> Result<(), OnnxError> {
        let name = |part: &str| format!("layers.{layer}.{part}");
        match spec {
            LayerSpec::Dense { activation, .. } => {
                self.flat();
                self.graph.affine(&name(""), "");
                self.activate(*activation);
            }
            LayerSpec::NoisyDense { activation, .. } => {
                self.flat();
                self.graph.affine(&name(""), "_mu");
                self.activate(*activation);
            }
            LayerSpec::Conv2d { kernel, stride, activation, .. } => {
                self.channels_first(true);
                self.convolve(&name(""), (*kernel, *stride));
                self.activate(*activation);
            }
            LayerSpec::LayerNorm { activation, epsilon } => {
                self.channels_first(false);
                let (weight, bias) = (self.graph.parameter(&name("weight")), self.graph.parameter(&name("bias")));
                let attributes = vec![int("axis", -1), float("epsilon", *epsilon)];
                self.graph.node("LayerNormalization", &[&weight, &bias], attributes);
                self.activate(*activation);
            }
            LayerSpec::Dueling { hidden, actions, atoms, activation, sigma } => {
                self.flat();
                let hidden = (*hidden > 0).then_some(*activation);
                self.duel(&name(""), hidden, (*actions, *atoms), if sigma.is_some() { "_mu" } else { "" });
            }
            LayerSpec::FractionEmbedding { cosines } => {
                self.flat();
                self.embed_fractions(&name(""), *cosines);
            }
            other => return Err(OnnxError::Layer { layer, kind: kind(other) }),
        }
        Ok(())
    }

    /// V + A − mean of A over the actions, for each atom.
    fn duel(&mut self, prefix: &str, hidden: Option<Activation>, (actions, atoms): (usize, usize), suffix: &str) {
        let input = self.graph.last.clone();
        let value = self.stream(&input, &format!("{prefix}value."), hidden, suffix);
        if atoms > 1 {
            self.graph.reshape(&[1, atoms]);
        }
        let value = if atoms > 1 { self.graph.last.clone() } else { value };
        self.stream(&input, &format!("{prefix}advantage."), hidden, suffix);
        if atoms > 1 {
            self.graph.reshape(&[actions, atoms]);
        }
        let advantage = self.graph.last.clone();
        self.graph.mean(1, true);
        let mean = self.graph.last.clone();
        self.graph.node_of("Sub", &[&value, &mean], Vec::new());
        self.graph.node("Add", &[&advantage], Vec::new());
        if atoms > 1 {
            self.graph.reshape(&[actions * atoms]);
        }
    }

    /// One stream of a dueling network; returns the name of its result.
    fn stream(&mut self, input: &str, prefix: &str, hidden: Option<Activation>, suffix: &str) -> String {
        input.clone_into(&mut self.graph.last);
        if let Some(activation) = hidden {
            self.graph.affine(&format!("{prefix}0."), suffix);
            self.activate(activation);
        }
        self.graph.affine(&format!("{prefix}{}.", usize::from(hidden.is_some())), suffix);
        self.graph.last.clone()
    }

    /// Each row repeated for each fraction, multiplied by the fractions' embeddings.
    fn embed_fractions(&mut self, prefix: &str, cosines: usize) {
        let features = self.graph.last.clone();
        let fractions: Vec<f32> = (0..self.fractions).map(|at| (at as f32 + 0.5) / self.fractions as f32).collect();
        let mut numbers = vec![0.0; fractions.len() * cosines];
        fraction_cosines(&fractions, cosines, &mut numbers);
        let name = format!("{prefix}cosines");
        self.graph.tensor(&name, &[fractions.len(), cosines], &numbers);
        self.graph.last = name;
        self.graph.affine(prefix, "");
        self.graph.node("Relu", &[], Vec::new());
        let embeddings = self.graph.last.clone();
        // Rows × 1 × features times fractions × features.
        let weight = format!("{prefix}weight");
        let slices = self.graph.network().slices().iter();
        let width = slices.filter(|slice| slice.name == weight).map(|slice| slice.shape[1]).sum();
        self.graph.last = features;
        self.graph.reshape(&[1, width]);
        self.graph.node("Mul", &[&embeddings], Vec::new());
        self.graph.reshape_to(&[-1, width as i64]);
    }

    fn convolve(&mut self, prefix: &str, (kernel, stride): (usize, usize)) {
        let weight = self.graph.pytorch_parameter(&format!("{prefix}weight"));
        let bias = self.graph.parameter(&format!("{prefix}bias"));
        let both = |n: usize| [n as i64, n as i64];
        let attributes = vec![ints("kernel_shape", &both(kernel)), ints("strides", &both(stride))];
        self.graph.node("Conv", &[&weight, &bias], attributes);
    }

    fn activate(&mut self, activation: Activation) {
        match activation {
            Activation::Identity => {}
            Activation::Relu => self.graph.node("Relu", &[], Vec::new()),
            Activation::Tanh => self.graph.node("Tanh", &[], Vec::new()),
        }
    }

    /// One flat vector per row; images pixel by pixel.
    fn flat(&mut self) {
        self.channels_first(false);
        if self.image.take().is_some() {
            self.graph.node("Flatten", &[], vec![int("axis", 1)]);
        }
    }

    fn channels_first(&mut self, wanted: bool) {
        if self.image.is_some_and(|first| first != wanted) {
            let order: &[i64] = if wanted { &[0, 3, 1, 2] } else { &[0, 2, 3, 1] };
            self.graph.node("Transpose", &[], vec![ints("perm", order)]);
            self.image = Some(wanted);
        }
    }
}

/// A layer's kind, as a checkpoint names it.
fn kind(layer: &LayerSpec) -> String {
    let value = serde_json::to_value(layer).unwrap_or_default();
    value["kind"].as_str().unwrap_or("unknown").to_owned()
}
