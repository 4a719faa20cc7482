//! [`Named`]: what makes parts of one kind, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::agent::AgentError;
use crate::config::Config;
use crate::suggest::nearest;
use crate::train::AgentEnv;

/// Makes a part from a config, for an environment.
pub(super) type Maker<T> = Arc<dyn Fn(&Config, &AgentEnv<'_>) -> Result<T, AgentError> + Send + Sync>;

/// The makers that are registered under one key of the config.
pub(super) struct Named<T> {
    key: &'static str,
    makers: BTreeMap<String, Maker<T>>,
}

impl<T> Named<T> {
    /// None yet.
    pub fn new(key: &'static str) -> Self {
        Named { key, makers: BTreeMap::new() }
    }

    /// Adds one. A name that is taken or empty is refused.
    pub fn register(
        &mut self,
        name: &str,
        make: impl Fn(&Config, &AgentEnv<'_>) -> Result<T, AgentError> + Send + Sync + 'static,
    ) -> Result<(), AgentError> {
        if name.is_empty() || self.makers.contains_key(name) {
            return Err(AgentError::NameTaken { key: self.key, name: name.to_owned() });
        }
        self.makers.insert(name.to_owned(), Arc::new(make));
        Ok(())
    }

    /// The one of this name; `None` for the empty name, by which a config asks for none.
    pub fn get(&self, name: &str) -> Result<Option<&Maker<T>>, AgentError> {
        match self.makers.get(name) {
            None if name.is_empty() => Ok(None),
            None => {
                let suggestion = nearest(name, self.makers.keys().map(String::as_str));
                Err(AgentError::UnknownPart { key: self.key, name: name.to_owned(), suggestion })
            }
            found => Ok(found),
        }
    }
}

impl<T> Clone for Named<T> {
    fn clone(&self) -> Self {
        Named { key: self.key, makers: self.makers.clone() }
    }
}

impl<T> fmt::Debug for Named<T> {
    /// Their names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.makers.keys()).finish()
    }
}
