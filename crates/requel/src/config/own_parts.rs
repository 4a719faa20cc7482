//! Which parts of a program's own a config names.

use super::Config;

impl Config {
    /// Every key that can name a part of a program's own, with the name; it is empty if requel's own part is meant.
    pub(crate) fn part_names(&self) -> [(&'static str, &str); 7] {
        [
            ("agent.name", &self.agent.name),
            ("agent.executor", &self.agent.executor),
            ("agent.rule", &self.agent.rule),
            ("head.name", &self.head.name),
            ("network.name", &self.network.name),
            ("replay.name", &self.replay.name),
            ("exploration.name", &self.exploration.name),
        ]
    }

    /// The keys that do name one. Such a part is made from the whole config, and reads what it likes of it.
    pub(crate) fn own_parts(&self) -> impl Iterator<Item = &'static str> {
        self.part_names().into_iter().filter(|(_, name)| !name.is_empty()).map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{KEYS, Layers};

    #[test]
    fn every_key_that_names_a_part_is_in_the_list() {
        let listed = Config::default().part_names().map(|(key, _)| key);
        assert!(listed.iter().all(|key| KEYS.iter().any(|known| known.path == *key)), "{listed:?}");
        for key in KEYS.iter().filter(|key| key.path.ends_with(".name")) {
            assert!(listed.contains(&key.path), "{}", key.path);
        }
        for key in listed {
            let config = Layers::new().set(&format!("{key}=mine")).unwrap().resolve().unwrap();
            assert_eq!(config.own_parts().collect::<Vec<_>>(), [key]);
        }
        assert_eq!(Config::default().own_parts().count(), 0);
    }
}
