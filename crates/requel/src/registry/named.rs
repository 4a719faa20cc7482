//! [`Named`]: what makes parts of one kind, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Registry;
use crate::agent::AgentError;
use crate::config::Config;
use crate::suggest::nearest;
use crate::train::{AgentEnv, TrainError};

/// Makes a part from a config, for an environment, with what else the config names of a registry.
type Maker<T> = Arc<dyn Fn(&Registry, &Config, &AgentEnv<'_>) -> Result<T, TrainError> + Send + Sync>;

/// The makers of parts of one kind: those of this crate and one's own.
pub(super) struct Named<T> {
    /// The key of the config that names one's own.
    key: &'static str,
    makers: BTreeMap<String, Registered<T>>,
}

struct Registered<T> {
    make: Maker<T>,
    is_built_in: bool,
}

impl<T> Named<T> {
    /// None yet.
    pub fn new(key: &'static str) -> Self {
        Named { key, makers: BTreeMap::new() }
    }

    /// The same with one of this crate, under the word that configs have for it.
    pub fn with(
        mut self,
        word: &str,
        make: impl Fn(&Registry, &Config, &AgentEnv<'_>) -> Result<T, TrainError> + Send + Sync + 'static,
    ) -> Self {
        self.makers.insert(word.to_owned(), Registered { make: Arc::new(make), is_built_in: true });
        self
    }

    /// The same with all kinds of this crate that a config tells apart by its sections, under their words.
    pub fn with_all(
        self,
        words: &[&str],
        make: impl Fn(&Registry, &Config, &AgentEnv<'_>) -> Result<T, TrainError> + Clone + Send + Sync + 'static,
    ) -> Self {
        words.iter().fold(self, |parts, word| parts.with(word, make.clone()))
    }

    /// Adds one of one's own. A name that is taken or empty is refused.
    pub fn register(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<T, TrainError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        if name.is_empty() || self.makers.contains_key(name) {
            return Err(AgentError::NameTaken { key: self.key, name: name.to_owned() });
        }
        let (key, part) = (self.key, name.to_owned());
        let make: Maker<T> =
            Arc::new(move |_, config, env| make(config, env).map_err(|error| error.of_part(key, &part)));
        self.makers.insert(name.to_owned(), Registered { make, is_built_in: false });
        Ok(())
    }

    /// The maker of one's own called `name`, or, where a config leaves the name empty, the one of this crate for `word`.
    pub fn get(&self, word: &str, name: &str) -> Result<&Maker<T>, AgentError> {
        let (wanted, is_built_in) = if name.is_empty() { (word, true) } else { (name, false) };
        match self.makers.get(wanted) {
            Some(found) if found.is_built_in == is_built_in => Ok(&found.make),
            _ => {
                let own = self.makers.iter().filter(|(_, part)| !part.is_built_in);
                let registered: Vec<String> = own.map(|(name, _)| name.clone()).collect();
                let suggestion = nearest(wanted, registered.iter().map(String::as_str));
                Err(AgentError::UnknownPart { key: self.key, name: wanted.to_owned(), suggestion, registered })
            }
        }
    }
}

impl<T> Clone for Named<T> {
    fn clone(&self) -> Self {
        Named { key: self.key, makers: self.makers.clone() }
    }
}

impl<T> Clone for Registered<T> {
    fn clone(&self) -> Self {
        Registered { make: Arc::clone(&self.make), is_built_in: self.is_built_in }
    }
}

impl<T> fmt::Debug for Named<T> {
    /// Their names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.makers.keys()).finish()
    }
}
