//! The description of the network in a policy file, parsed without serde's derived code.
//!
//! [`NetworkSpec`] and [`Readout`](crate::Readout) are written by serde (features `serde`); the tests compare this parser with it.

use requel_nn::{Activation, LayerSpec, NetworkSpec};
use serde_json::{Map, Value};

/// The network.
///
/// # Errors
/// What is wrong, and where.
pub(crate) fn network(value: &Value) -> Result<NetworkSpec, String> {
    let mut fields = Fields::of(value, "network")?;
    let spec = NetworkSpec {
        input_shape: fields.sizes("input_shape")?,
        input_scale: fields.number_or("input_scale", 1.0)?,
        layers: fields.list("layers")?.iter().enumerate().map(layer).collect::<Result<_, _>>()?,
    };
    fields.finish()?;
    Ok(spec)
}

fn layer((index, value): (usize, &Value)) -> Result<LayerSpec, String> {
    let mut fields = Fields::of(value, &format!("network.layers.{index}"))?;
    let layer = match fields.text("kind")? {
        "dense" => LayerSpec::Dense { outputs: fields.size("outputs")?, activation: fields.activation()? },
        "conv2d" => LayerSpec::Conv2d {
            channels: fields.size("channels")?,
            kernel: fields.size("kernel")?,
            stride: fields.size("stride")?,
            activation: fields.activation()?,
        },
        "layer_norm" => LayerSpec::LayerNorm {
            activation: fields.activation()?,
            epsilon: fields.number_or("epsilon", LayerSpec::DEFAULT_EPSILON)?,
        },
        "noisy_dense" => LayerSpec::NoisyDense {
            outputs: fields.size("outputs")?,
            activation: fields.activation()?,
            sigma: fields.number_or("sigma", LayerSpec::DEFAULT_SIGMA)?,
        },
        "dueling" => LayerSpec::Dueling {
            hidden: fields.size("hidden")?,
            actions: fields.size("actions")?,
            atoms: fields.size_or("atoms", 1)?,
            activation: fields.activation()?,
            sigma: fields.number_or_null("sigma")?,
        },
        "fraction_embedding" => {
            LayerSpec::FractionEmbedding { cosines: fields.size_or("cosines", LayerSpec::DEFAULT_COSINES)? }
        }
        other => return Err(format!("{}: `{other}` is not a kind of layer that this version knows", fields.place)),
    };
    fields.finish()?;
    Ok(layer)
}

/// The fields of an object, each of which is requested by name.
pub(crate) struct Fields<'a> {
    place: String,
    object: &'a Map<String, Value>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value, place: &str) -> Result<Self, String> {
        let object = value.as_object().ok_or_else(|| format!("{place} is not a JSON object"))?;
        Ok(Fields { place: place.to_owned(), object, asked: Vec::new() })
    }

    fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.object.get(name)
    }

    /// The field as `read` parses it, which returns `None` if it is not what was `expected`.
    fn required<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
        expected: &str,
    ) -> Result<T, String> {
        let value = self.get(name).ok_or_else(|| format!("{} has no `{name}`", self.place))?;
        read(value).ok_or_else(|| format!("{}.{name} is not {expected}", self.place))
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<&'a str, String> {
        self.required(name, Value::as_str, "text")
    }

    fn list(&mut self, name: &'static str) -> Result<&'a Vec<Value>, String> {
        self.required(name, Value::as_array, "a list")
    }

    pub(crate) fn size(&mut self, name: &'static str) -> Result<usize, String> {
        self.required(name, size, "a whole number of at least 0")
    }

    fn size_or(&mut self, name: &'static str, default: usize) -> Result<usize, String> {
        if self.object.contains_key(name) { self.size(name) } else { Ok(default) }
    }

    fn sizes(&mut self, name: &'static str) -> Result<Vec<usize>, String> {
        self.required(name, |value| value.as_array()?.iter().map(size).collect(), "a list of whole numbers")
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Result<f32, String> {
        self.required(name, number, "a number")
    }

    fn number_or(&mut self, name: &'static str, default: f32) -> Result<f32, String> {
        if self.object.contains_key(name) { self.number(name) } else { Ok(default) }
    }

    fn number_or_null(&mut self, name: &'static str) -> Result<Option<f32>, String> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.number(name).map(Some),
        }
    }

    fn activation(&mut self) -> Result<Activation, String> {
        let read = |value: &Value| match value.as_str()? {
            "identity" => Some(Activation::Identity),
            "relu" => Some(Activation::Relu),
            "tanh" => Some(Activation::Tanh),
            _ => None,
        };
        self.required("activation", read, "identity, relu or tanh")
    }

    /// Refuses fields that were not requested.
    pub(crate) fn finish(self) -> Result<(), String> {
        match self.object.keys().find(|key| !self.asked.contains(&key.as_str())) {
            Some(key) => Err(format!("{} has a field `{key}` that this version does not know", self.place)),
            None => Ok(()),
        }
    }
}

fn size(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

/// Rounded once, whatever form the number has.
fn number(value: &Value) -> Option<f32> {
    let whole = value.as_u64().map(|n| n as f32).or_else(|| value.as_i64().map(|n| n as f32));
    whole.or_else(|| value.as_f64().map(|n| n as f32))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::Readout;

    /// What else a value may be.
    fn others() -> Vec<Value> {
        vec![
            Value::Null,
            json!(true),
            json!(0),
            json!(3),
            json!(-7),
            json!(0.1),
            json!(16_777_217),
            json!(9_007_199_791_611_905_u64),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!("relu"),
            json!("dense"),
            json!("Relu"),
            json!(""),
            json!([]),
            json!([4]),
            json!([4, 0.5]),
            json!({}),
        ]
    }

    /// `value`, with each of its fields left out, each in turn everything else, and one more.
    fn changed(value: &Value) -> Vec<Value> {
        let Value::Object(object) = value else { unreachable!("an object") };
        let mut all = vec![value.clone()];
        for key in object.keys() {
            let mut without = object.clone();
            without.remove(key);
            all.push(Value::Object(without));
            for other in others() {
                let mut with = object.clone();
                with.insert(key.clone(), other);
                all.push(Value::Object(with));
            }
        }
        let mut more = object.clone();
        more.insert("more".into(), json!(1));
        all.push(Value::Object(more));
        all
    }

    fn layers() -> Vec<LayerSpec> {
        let activation = Activation::Relu;
        vec![
            LayerSpec::Dense { outputs: 3, activation: Activation::Tanh },
            LayerSpec::Conv2d { channels: 2, kernel: 3, stride: 1, activation: Activation::Identity },
            LayerSpec::LayerNorm { activation, epsilon: 1e-3 },
            LayerSpec::NoisyDense { outputs: 8, activation, sigma: 0.1 },
            LayerSpec::Dueling { hidden: 8, actions: 2, atoms: 51, activation, sigma: None },
            LayerSpec::Dueling { hidden: 0, actions: 2, atoms: 1, activation, sigma: Some(0.3) },
            LayerSpec::FractionEmbedding { cosines: 7 },
        ]
    }

    fn spec(layers: Vec<LayerSpec>) -> NetworkSpec {
        NetworkSpec { input_shape: vec![8, 8, 2], input_scale: 1.0 / 255.0, layers }
    }

    /// serde names all kinds when it refuses another.
    #[test]
    fn the_list_has_every_kind_of_layer() {
        let refusal = serde_json::from_value::<LayerSpec>(json!({"kind": "attention"})).unwrap_err().to_string();
        let known: BTreeSet<&str> = refusal.split('`').skip(1).step_by(2).filter(|kind| *kind != "attention").collect();
        let written: Vec<Value> = layers().iter().map(|layer| serde_json::to_value(layer).unwrap()).collect();
        let tried: BTreeSet<&str> = written.iter().filter_map(|layer| layer["kind"].as_str()).collect();
        assert_eq!(tried, known);
    }

    #[test]
    fn layers_are_read_as_serde_reads_them() {
        for spec_of_one in layers() {
            let written = serde_json::to_value(&spec_of_one).unwrap();
            assert_eq!(layer((0, &written)), Ok(spec_of_one));
            for value in changed(&written) {
                assert_eq!(layer((0, &value)).ok(), serde_json::from_value(value.clone()).ok(), "{value}");
            }
        }
    }

    #[test]
    fn networks_are_read_as_serde_reads_them() {
        let written = serde_json::to_value(spec(layers())).unwrap();
        assert_eq!(network(&written), Ok(spec(layers())));
        for value in changed(&written) {
            assert_eq!(network(&value).ok(), serde_json::from_value(value.clone()).ok(), "{value}");
        }
    }

    #[test]
    fn heads_are_read_as_serde_reads_them() {
        for spec in [
            Readout::Scalar,
            Readout::Categorical { atoms: 51, v_min: -10.0, v_max: 0.1 },
            Readout::Quantile { quantiles: 200 },
            Readout::ImplicitQuantile { fractions: 32 },
        ] {
            let written = serde_json::to_value(&spec).unwrap();
            assert_eq!(Readout::of_description(&written), Ok(spec.clone()));
            for value in changed(&written) {
                // Of a variant without fields serde passes over what is unknown; this reader does of none.
                if spec == Readout::Scalar && value.get("more").is_some() {
                    assert!(Readout::of_description(&value).is_err());
                    continue;
                }
                assert_eq!(Readout::of_description(&value).ok(), serde_json::from_value(value.clone()).ok(), "{value}");
            }
        }
    }

    #[test]
    fn a_refusal_says_where() {
        let mut written = serde_json::to_value(spec(layers())).unwrap();
        written["layers"][2]["epsilon"] = json!("small");
        assert_eq!(network(&written), Err("network.layers.2.epsilon is not a number".into()));
        written["layers"][2] = json!({"kind": "attention"});
        let expected = "network.layers.2: `attention` is not a kind of layer that this version knows";
        assert_eq!(network(&written), Err(expected.into()));
    }
}
