//! [`forward!`], for the methods of `Env` that a wrapper passes on unchanged.

/// Writes the named methods of `Env`, each calling that of `self.env`.
macro_rules! forward {
    ($($method:ident),*) => { $(crate::wrappers::forward::forward!(@ $method);)* };
    (@ spec) => {
        fn spec(&self) -> &crate::EnvSpec {
            self.env.spec()
        }
    };
    (@ observation_space) => {
        fn observation_space(&self) -> &crate::Space {
            self.env.observation_space()
        }
    };
    (@ action_space) => {
        fn action_space(&self) -> &crate::Space {
            self.env.action_space()
        }
    };
    (@ reset) => {
        fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), crate::EnvError> {
            self.env.reset(seed, observation)
        }
    };
    (@ save) => {
        fn save(&self) -> Result<Vec<u8>, crate::EnvError> {
            self.env.save()
        }
    };
    (@ restore) => {
        fn restore(&mut self, state: &[u8]) -> Result<(), crate::EnvError> {
            self.env.restore(state)
        }
    };
    (@ scene) => {
        fn scene(&self) -> Option<crate::Scene> {
            self.env.scene()
        }
    };
    (@ metrics) => {
        fn metrics(&self, numbers: &mut [f64]) {
            self.env.metrics(numbers);
        }
    };
    (@ action_mask) => {
        fn action_mask(&self) -> Option<&[bool]> {
            self.env.action_mask()
        }
    };
}

pub(crate) use forward;
