//! [`Bootstrap`]: whose values the next state has.

use crate::config::{BellmanGradient, Config};

/// Who values the next state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bootstrap {
    /// The online network; with the gradient flowing there too, or not.
    Online(BellmanGradient),
    /// The target network.
    Target,
    /// The target network values the online network's choice.
    Double,
}

impl Bootstrap {
    pub fn new(config: &Config, has_target: bool) -> Self {
        match (has_target, config.agent.double) {
            (false, _) => Bootstrap::Online(config.agent.bellman_gradient),
            (true, false) => Bootstrap::Target,
            (true, true) => Bootstrap::Double,
        }
    }

    /// Whether the online network looks at the next states too.
    pub fn looks_ahead(self) -> bool {
        self != Bootstrap::Target
    }

    /// Whether the online network's values of every action at the observations themselves are asked for: by the residual
    /// gradient, whose rows lie with theirs, and by Munchausen's rule where no target network gives its policy.
    pub fn reads_all_values(self, munchausen: bool) -> bool {
        self.is_residual() || munchausen && matches!(self, Bootstrap::Online(_))
    }

    /// Whether the gradient flows through the target.
    pub fn is_residual(self) -> bool {
        self == Bootstrap::Online(BellmanGradient::Residual)
    }
}
