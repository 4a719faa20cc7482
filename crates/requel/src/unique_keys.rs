//! JSON in which no key stands twice: of two entries of one name a reader keeps one, and which one is the reader's choice.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// Refuses JSON in which a key stands twice in one object, at any depth.
pub(crate) fn check_unique_keys(text: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<AnyUnique>(text).map(|_| ())
}

/// Refuses a safetensors file in whose header a name stands twice. What is no such file is the reader's to refuse.
pub(crate) fn check_unique_tensors(file: &[u8]) -> Result<(), serde_json::Error> {
    let len = file.first_chunk::<8>().map_or(0, |len| u64::from_le_bytes(*len));
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    file.get(8..).and_then(|rest| rest.get(..len)).map_or(Ok(()), check_unique_keys)
}

/// A map in which no key stands twice, for `deserialize_with`.
pub(crate) fn unique<'de, D, V>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
where
    D: Deserializer<'de>,
    V: DeserializeOwned,
{
    struct Unique<V>(PhantomData<V>);

    impl<'de, V: DeserializeOwned> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = access.next_entry::<String, V>()? {
                if map.contains_key(&key) {
                    return Err(twice(&key));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Unique(PhantomData))
}

fn twice<E: de::Error>(key: &str) -> E {
    E::custom(format_args!("`{key}` stands twice"))
}

/// Any JSON, of which nothing is kept but that its keys are unique.
struct AnyUnique;

impl<'de> Deserialize<'de> for AnyUnique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyUnique)
    }
}

impl<'de> Visitor<'de> for AnyUnique {
    type Value = AnyUnique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<AnyUnique, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = access.next_key::<String>()? {
            access.next_value::<AnyUnique>()?;
            if keys.contains(&key) {
                return Err(twice(&key));
            }
            keys.insert(key);
        }
        Ok(AnyUnique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<AnyUnique, A::Error> {
        while access.next_element::<AnyUnique>()?.is_some() {}
        Ok(AnyUnique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<AnyUnique, E> {
        Ok(AnyUnique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<AnyUnique, E> {
        Ok(AnyUnique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<AnyUnique, E> {
        Ok(AnyUnique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<AnyUnique, E> {
        Ok(AnyUnique)
    }

    fn visit_str<E>(self, _: &str) -> Result<AnyUnique, E> {
        Ok(AnyUnique)
    }

    fn visit_unit<E>(self) -> Result<AnyUnique, E> {
        Ok(AnyUnique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_found_at_any_depth() {
        for text in ["{}", "[1, -1, 0.5, null, true, \"a\"]", r#"{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}"#] {
            check_unique_keys(text.as_bytes()).unwrap();
        }
        for text in [r#"{"a": 1, "a": 1}"#, r#"[{"x": {"a": [], "b": 2, "a": 3}}]"#, r#"{"a": 1, "\u0061": 2}"#] {
            assert!(check_unique_keys(text.as_bytes()).unwrap_err().to_string().contains("`a` stands twice"), "{text}");
        }
        assert!(check_unique_keys(b"{").is_err());
    }
}
