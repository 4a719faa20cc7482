//! The value function that a config describes, and what it is learned by.

use requel_envs::Space;

use crate::agent::{Bootstrap, CpuSpec, FractionCounts, HeadSpec, LearnerSpec, Readout, Rule, TargetSpec, ValueSpec};
use crate::config::{
    AgentKind, BellmanGradient, Config, HeadConfig, HeadKind, Outputs, SupportEnd, TargetConfig, TargetKind,
};
use crate::td::{Munchausen, Support};

impl Config {
    /// The value function for an environment with these spaces.
    pub fn value_spec(&self, observations: &Space, actions: usize) -> ValueSpec {
        let head = self.head.readout();
        let cosines = matches!(head, Readout::ImplicitQuantile { .. }).then_some(self.head.cosines);
        let outputs = Outputs { actions, atoms: head.atoms(), cosines };
        ValueSpec { network: self.network.spec(observations, outputs), head }
    }

    /// What the outputs of the network are learned by.
    pub fn head_spec(&self) -> HeadSpec {
        let kappa = self.head.kappa as f32;
        match self.head.readout() {
            Readout::Scalar => HeadSpec::Scalar { loss: self.loss.spec() },
            Readout::Categorical { atoms, v_min, v_max } => {
                HeadSpec::Categorical { support: Support { v_min, v_max, atoms } }
            }
            Readout::Quantile { quantiles } => HeadSpec::Quantile { count: quantiles, kappa },
            Readout::ImplicitQuantile { .. } => {
                let counts = FractionCounts { current: self.head.fractions, next: self.head.target_fractions };
                HeadSpec::ImplicitQuantile { counts, kappa }
            }
        }
    }

    /// What changes the parameters.
    pub fn learner_spec(&self) -> LearnerSpec {
        LearnerSpec {
            seed: self.train.seed,
            init: self.network.init_spec(),
            optimizer: self.optimizer.spec(),
            learning_rate: self.learning_rate(),
            max_gradient_norm: self.optimizer.max_gradient_norm as f32,
        }
    }

    /// All of it, as an executor on the CPU takes it.
    pub fn cpu_spec(&self, observations: &Space, actions: usize) -> CpuSpec {
        let bootstrap = match (self.target.kind, self.agent.double, self.agent.bellman_gradient) {
            _ if self.agent.kind == AgentKind::Pqn => Bootstrap::None,
            (TargetKind::None, _, BellmanGradient::Semi) => Bootstrap::Online,
            (TargetKind::None, _, BellmanGradient::Residual) => Bootstrap::Residual,
            (_, false, _) => Bootstrap::Target,
            (_, true, _) => Bootstrap::Double,
        };
        let rule = if self.agent.munchausen {
            let (alpha, tau, clip) = (self.munchausen.alpha, self.munchausen.temperature, self.munchausen.clip);
            Rule::Munchausen(Munchausen { alpha: alpha as f32, tau: tau as f32, clip: clip as f32 })
        } else {
            Rule::QLearning
        };
        CpuSpec {
            values: self.value_spec(observations, actions),
            head: self.head_spec(),
            rule,
            bootstrap,
            // Without values of what comes next there are no targets to clip: whoever gives returns clips them.
            bounds: self.agent.value_clip.bounds().filter(|_| bootstrap != Bootstrap::None),
            learner: self.learner_spec(),
            target: self.target.spec(),
        }
    }
}

impl HeadConfig {
    /// What the outputs of the network mean.
    pub fn readout(&self) -> Readout {
        match self.kind {
            HeadKind::Scalar => Readout::Scalar,
            HeadKind::Categorical => {
                // The trainer has put numbers in place of "auto"; without an environment nothing bounds the values.
                let end = |end: SupportEnd, unknown: f64| end.number().unwrap_or(unknown) as f32;
                let (v_min, v_max) = (end(self.v_min, f64::NEG_INFINITY), end(self.v_max, f64::INFINITY));
                Readout::Categorical { atoms: self.atoms, v_min, v_max }
            }
            HeadKind::Quantile => Readout::Quantile { quantiles: self.quantiles },
            HeadKind::ImplicitQuantile => Readout::ImplicitQuantile { fractions: self.acting_fractions },
        }
    }
}

impl TargetConfig {
    /// How a target network follows, where there is one.
    pub fn spec(&self) -> TargetSpec {
        let tau = (self.kind == TargetKind::Soft).then_some(self.tau as f32);
        TargetSpec { tau, every_updates: self.every_updates, every_env_steps: self.every_env_steps }
    }
}
