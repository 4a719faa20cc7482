//! [`Bootstrap`]: which network values the next state.

/// Which network values the next state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// The online network; the target counts as a constant (Sutton & Barto 2018, on semi-gradient methods).
    Online,
    /// The online network, through which the gradient flows there too: residual-gradient Q-learning (Baird 1995).
    Residual,
    /// The target network (Mnih et al. 2015).
    Target,
    /// The online network chooses the next action, the target network values it: double Q-learning (van Hasselt et al. 2016).
    Double,
    /// None: rewards are complete returns, discounts are 0, and a batch stores no next observations.
    None,
}

impl Bootstrap {
    /// Whether there is a target network.
    pub fn has_target(self) -> bool {
        matches!(self, Bootstrap::Target | Bootstrap::Double)
    }

    /// Whether the online network also reads the next states.
    pub(super) fn looks_ahead(self) -> bool {
        !matches!(self, Bootstrap::Target | Bootstrap::None)
    }

    /// Whether the online network's values of every action at the observations themselves are needed: by the residual gradient, whose
    /// rows lie with theirs, and by a rule that looks back at them when there is no target network.
    pub(super) fn reads_all_values(self, looks_back: bool) -> bool {
        self == Bootstrap::Residual || looks_back && !self.has_target()
    }
}
