//! JSON in which no key occurs twice: of two entries with the same name a reader keeps one, and which one depends on the reader.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use requel_policy::check_unique_keys;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, Visitor};

/// Refuses a safetensors file with a duplicate name in its header. Files of other types are refused by the reader.
pub(crate) fn check_unique_tensors(file: &[u8]) -> Result<(), serde_json::Error> {
    let len = file.first_chunk::<8>().map_or(0, |len| u64::from_le_bytes(*len));
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    file.get(8..).and_then(|rest| rest.get(..len)).map_or(Ok(()), check_unique_keys)
}

/// A map without duplicate keys, for `deserialize_with`.
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
    E::custom(format_args!("`{key}` appears twice"))
}
