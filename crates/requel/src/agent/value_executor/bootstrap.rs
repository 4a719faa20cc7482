//! [`Bootstrap`]: whose values the next state has.

/// Who values the next state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrap {
    /// The online network; the target counts as a constant (Sutton & Barto 2018, on semi-gradient methods).
    Online,
    /// The online network, through which the gradient flows there too: residual-gradient Q-learning (Baird 1995).
    Residual,
    /// The target network (Mnih et al. 2015).
    Target,
    /// The target network values the online network's choice: double Q-learning (van Hasselt et al. 2016).
    Double,
    /// Nobody: rewards are whole returns, discounts are 0, and the next observations of a batch have no room.
    None,
}

impl Bootstrap {
    /// Whether there is a target network.
    pub fn has_target(self) -> bool {
        matches!(self, Bootstrap::Target | Bootstrap::Double)
    }

    /// Whether the online network looks at the next states too.
    pub(super) fn looks_ahead(self) -> bool {
        !matches!(self, Bootstrap::Target | Bootstrap::None)
    }

    /// Whether the online network's values of every action at the observations themselves are needed: by the residual gradient, whose
    /// rows lie with theirs, and by a rule that looks back at them when there is no target network.
    pub(super) fn reads_all_values(self, looks_back: bool) -> bool {
        self == Bootstrap::Residual || looks_back && !self.has_target()
    }
}
