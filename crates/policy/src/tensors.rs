//! [`Tensors`]: the safetensors format, as far as policies use it.
//!
//! The length of the header, eight bytes, lowest first; the header, a JSON object with the type, the shape and the position of each tensor
//! by name, and strings by name under `__metadata__`; then the tensors' numbers, without gaps.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::unique_keys::check_unique_keys;

/// The maximum size of a header that is read, bytes: enough for thousands of tensors.
const MOST_HEADER: usize = 16 << 20;

/// The contents of a file.
#[derive(Debug)]
pub(crate) struct Tensors<'a> {
    by_name: BTreeMap<String, Tensor<'a>>,
    metadata: Map<String, Value>,
}

/// An array of single-precision numbers.
#[derive(Debug)]
pub(crate) struct Tensor<'a> {
    pub shape: Vec<usize>,
    data: &'a [u8],
}

impl<'a> Tensors<'a> {
    /// Reads a whole file in which every tensor has the type `F32`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(file: &'a [u8]) -> Result<Self, String> {
        let len = file.first_chunk::<8>().ok_or("it is too short to have a header")?;
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        if len > MOST_HEADER {
            return Err(format!("its header would have {len} bytes, and at most {MOST_HEADER} are allowed"));
        }
        let (header, data) = file[8..].split_at_checked(len).ok_or("it ends within its header")?;
        check_unique_keys(header).map_err(|error| format!("its header: {error}"))?;
        let header = serde_json::from_slice(header).map_err(|error| format!("its header: {error}"))?;
        let Value::Object(mut header) = header else { return Err("its header is not a JSON object".into()) };
        let metadata = match header.remove("__metadata__") {
            Some(Value::Object(metadata)) if metadata.values().all(Value::is_string) => metadata,
            Some(Value::Null) | None => Map::new(),
            Some(_) => return Err("`__metadata__` in its header does not map names to strings".into()),
        };
        let mut places = Vec::with_capacity(header.len());
        for (name, entry) in header {
            let (shape, place) = place(&entry).map_err(|reason| format!("`{name}` in its header {reason}"))?;
            places.push((place, name, shape));
        }
        places.sort();
        let (mut by_name, mut begins) = (BTreeMap::new(), 0);
        for ((start, end), name, shape) in places {
            if start != begins {
                return Err(format!("`{name}` does not begin where the tensor before it ends"));
            }
            let data = data.get(start..end).ok_or_else(|| format!("it ends within `{name}`"))?;
            let len = shape.iter().try_fold(4usize, |len, size| len.checked_mul(*size));
            if len != Some(data.len()) {
                return Err(format!("`{name}` does not contain as many numbers as its shape says"));
            }
            by_name.insert(name, Tensor { shape, data });
            begins = end;
        }
        if begins != data.len() {
            return Err("it continues after its last tensor".into());
        }
        Ok(Tensors { by_name, metadata })
    }

    /// The string with this name in the metadata.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.metadata.get(name).and_then(Value::as_str)
    }

    /// The tensor with this name.
    pub fn get(&self, name: &str) -> Option<&Tensor<'a>> {
        self.by_name.get(name)
    }

    /// Total numbers in all tensors.
    pub fn count(&self) -> usize {
        self.by_name.values().map(|tensor| tensor.data.len() / 4).sum()
    }
}

impl Tensor<'_> {
    /// Its numbers, in order.
    pub fn numbers(&self) -> impl Iterator<Item = f32> {
        self.data.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes))
    }
}

/// The shape of a tensor, and where it starts and ends.
fn place(entry: &Value) -> Result<(Vec<usize>, (usize, usize)), String> {
    let sizes = |field: &str| -> Option<Vec<usize>> {
        let sizes = entry.get(field)?.as_array()?;
        sizes.iter().map(|size| usize::try_from(size.as_u64()?).ok()).collect()
    };
    match entry.get("dtype").and_then(Value::as_str) {
        Some("F32") => {}
        Some(other) => return Err(format!("has the type {other}: a policy's weights have the type F32")),
        None => return Err("has no `dtype`".into()),
    }
    let shape = sizes("shape").ok_or("has no `shape` of whole numbers")?;
    match sizes("data_offsets").as_deref() {
        Some(&[start, end]) if start <= end => Ok((shape, (start, end))),
        _ => Err("has no `data_offsets` with two positions".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use safetensors::SafeTensors;
    use safetensors::tensor::{Dtype, TensorView};

    use super::*;

    fn sample() -> Vec<u8> {
        let view = |shape: &[usize], data: &'static [u8]| TensorView::new(Dtype::F32, shape.to_vec(), data).unwrap();
        let tensors = [("a", view(&[2], &[1; 8])), ("b.c", view(&[1, 3], &[2; 12])), ("empty", view(&[0], &[]))];
        let metadata = HashMap::from([("requel".to_owned(), "{\"x\":\"ü\"}".to_owned())]);
        safetensors::serialize(tensors, Some(metadata)).unwrap()
    }

    fn same(tensors: &Tensors<'_>, theirs: &SafeTensors<'_>) -> bool {
        let is_same = |(name, view): (String, TensorView<'_>)| {
            tensors.get(&name).is_some_and(|tensor| tensor.shape == view.shape() && tensor.data == view.data())
        };
        tensors.by_name.len() == theirs.len() && theirs.tensors().into_iter().all(is_same)
    }

    /// Whatever is changed in a file: what is read is read as the format's own reader does, and what that refuses is refused.
    #[test]
    fn holds_against_the_reader_of_the_format() {
        let file = sample();
        assert_eq!(Tensors::read(&file).unwrap().metadata("requel"), Some("{\"x\":\"ü\"}"));
        assert_eq!(Tensors::read(&file).unwrap().count(), 5);
        let (mut read, mut refused, mut refused_alone) = (0, 0, 0);
        let mut check = |file: &[u8]| match (Tensors::read(file), SafeTensors::deserialize(file)) {
            (Ok(tensors), Ok(theirs)) => {
                assert!(same(&tensors, &theirs), "{:?}", String::from_utf8_lossy(file));
                read += 1;
            }
            (Ok(_), Err(error)) => panic!("{error}: {:?}", String::from_utf8_lossy(file)),
            (Err(_), Err(_)) => refused += 1,
            (Err(_), Ok(_)) => refused_alone += 1,
        };
        for at in 0..file.len() {
            check(&file[..at]);
            check(&[&file[..at], &file[at + 1..]].concat());
            for byte in (0..=255u8).filter(|byte| *byte != file[at]) {
                let mut changed = file.clone();
                changed[at] = byte;
                check(&changed);
            }
        }
        check(&[&file[..], &[0]].concat());
        assert!(read > 0 && refused > 0);
        // Other types of numbers, which are no policy's, and names that stand twice.
        assert!(refused_alone < read, "{refused_alone} of {read} are refused by this reader alone");
    }

    #[test]
    fn a_header_of_any_length_is_an_answer() {
        for len in [0, 1, MOST_HEADER as u64, MOST_HEADER as u64 + 1, u64::MAX] {
            assert!(Tensors::read(&[&len.to_le_bytes()[..], b"{}"].concat()).is_err(), "{len}");
        }
        let tensors = |header: &str| {
            let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
            Tensors::read(&file).map(|tensors| tensors.count())
        };
        assert_eq!(tensors("{}"), Ok(0));
        for header in [
            "[]",
            r#"{"a":{}}"#,
            r#"{"a":{"dtype":"F32","shape":[18446744073709551615,18446744073709551615],"data_offsets":[0,0]}}"#,
            r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}"#,
            r#"{"a":{"dtype":"F32","shape":[],"data_offsets":[4,0]}}"#,
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            r#"{"a":{"dtype":"F16","shape":[0],"data_offsets":[0,0]}}"#,
            r#"{"__metadata__":{"requel":1}}"#,
        ] {
            assert!(tensors(header).is_err(), "{header}");
        }
    }
}
