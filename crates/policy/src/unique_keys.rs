//! JSON in which no key appears twice: of two entries of one name a reader keeps one, and which one is the reader's choice.

use std::collections::HashSet;
use std::fmt;

use serde_core::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Refuses JSON in which a key appears twice in one object, at any depth.
///
/// # Errors
/// What is wrong with it as text, or the duplicate key.
///
/// ```
/// assert!(requel_policy::check_unique_keys(br#"{"a": {"a": 1}}"#).is_ok());
/// assert!(requel_policy::check_unique_keys(br#"{"a": 1, "a": 2}"#).is_err());
/// ```
pub fn check_unique_keys(text: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<AnyUnique>(text).map(|_| ())
}

/// Any JSON, of which nothing is kept: only the uniqueness of its keys is checked.
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
                return Err(de::Error::custom(format_args!("`{key}` appears twice")));
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
            assert!(
                check_unique_keys(text.as_bytes()).unwrap_err().to_string().contains("`a` appears twice"),
                "{text}"
            );
        }
        assert!(check_unique_keys(b"{").is_err());
    }
}
