//! The committed numbers: what went into each case, and what NumPy made of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

/// Arrays by name, `CASE/ARRAY`. Whole numbers are kept exactly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrays(pub BTreeMap<String, Array>);

/// Numbers with their shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub numbers: Numbers,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
    U32(Vec<u32>),
}

/// Where the data is committed.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/updates")
}

impl Arrays {
    pub fn read(name: &str) -> Arrays {
        let path = folder().join(name);
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let read = |view: TensorView<'_>| {
            let words = view.data().chunks_exact(4).map(|b| <[u8; 4]>::try_from(b).unwrap());
            let numbers = match view.dtype() {
                Dtype::F32 => Numbers::F32(words.map(f32::from_le_bytes).collect()),
                Dtype::U32 => Numbers::U32(words.map(u32::from_le_bytes).collect()),
                Dtype::F64 => {
                    let long = view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap()));
                    Numbers::F64(long.collect())
                }
                other => panic!("{other:?}"),
            };
            Array { shape: view.shape().to_vec(), numbers }
        };
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        Arrays(tensors.tensors().into_iter().map(|(name, view)| (name, read(view))).collect())
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let parts: Vec<(&String, Dtype, &[usize], Vec<u8>)> = self
            .0
            .iter()
            .map(|(name, array)| {
                let (dtype, bytes) = match &array.numbers {
                    Numbers::F32(x) => (Dtype::F32, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
                    Numbers::F64(x) => (Dtype::F64, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
                    Numbers::U32(x) => (Dtype::U32, x.iter().flat_map(|x| x.to_le_bytes()).collect()),
                };
                (name, dtype, &array.shape[..], bytes)
            })
            .collect();
        let views = parts.iter().map(|(name, dtype, shape, bytes)| {
            (name.as_str(), TensorView::new(*dtype, shape.to_vec(), bytes).unwrap())
        });
        serialize(views, None).unwrap()
    }

    /// The arrays of one case, without its name.
    pub fn of(&self, case: &str) -> Arrays {
        let prefix = format!("{case}/");
        let own = self.0.iter().filter_map(|(name, array)| Some((name.strip_prefix(&prefix)?.into(), array.clone())));
        Arrays(own.collect())
    }

    /// Adds the arrays of one case under its name.
    pub fn add(&mut self, case: &str, arrays: Arrays) {
        self.0.extend(arrays.0.into_iter().map(|(name, array)| (format!("{case}/{name}"), array)));
    }

    pub fn put(&mut self, name: &str, shape: &[usize], numbers: Numbers) {
        self.0.insert(name.into(), Array { shape: shape.to_vec(), numbers });
    }

    fn get(&self, name: &str) -> &Array {
        self.0.get(name).unwrap_or_else(|| panic!("there is no array `{name}`"))
    }

    /// The `index`-th part of an array along its first axis, as `f64`; nothing where there is no such array.
    pub fn part(&self, name: &str, index: usize) -> Vec<f64> {
        let Some(array) = self.0.get(name) else { return vec![] };
        let len = array.shape[1..].iter().product::<usize>();
        let range = index * len..(index + 1) * len;
        match &array.numbers {
            Numbers::F32(x) => x[range].iter().map(|x| f64::from(*x)).collect(),
            Numbers::F64(x) => x[range].to_vec(),
            Numbers::U32(x) => x[range].iter().map(|x| f64::from(*x)).collect(),
        }
    }

    /// All of an array as `f64`.
    pub fn all(&self, name: &str) -> Vec<f64> {
        let array = self.get(name);
        let whole = Array { shape: [&[1], &array.shape[..]].concat(), numbers: array.numbers.clone() };
        Arrays(BTreeMap::from([(name.to_owned(), whole)])).part(name, 0)
    }

    /// The `index`-th part of an array of whole numbers.
    pub fn places(&self, name: &str, index: usize) -> Vec<usize> {
        self.part(name, index).into_iter().map(|x| x as usize).collect()
    }
}
