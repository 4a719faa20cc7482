//! The value function that a config describes, and what it is learned by.

use std::sync::Arc;

use requel_envs::Space;

use crate::agent::{
    Bootstrap, CategoricalSpec, ExecutorSpec, FractionCounts, HeadSpec, ImplicitQuantileSpec, LearnerSpec,
    QuantileSpec, Readout, ScalarSpec, TargetSpec, ValueSpec,
};
use crate::config::{AgentKind, BellmanGradient, Config, HeadKind, Outputs, SupportEnd, TargetConfig, TargetKind};
use crate::td::{Munchausen, QLearning, RuleSpec, Support};

impl Config {
    /// The value function for an environment with these spaces.
    pub fn value_spec(&self, observations: &Space, actions: usize) -> ValueSpec {
        self.value_spec_of(self.head().0, observations, actions)
    }

    /// The value function whose outputs mean what `head` says, by the network of the config.
    pub fn value_spec_of(&self, head: Readout, observations: &Space, actions: usize) -> ValueSpec {
        let cosines = head.reads_fractions().then_some(self.head.cosines);
        let outputs = Outputs { actions, atoms: head.atoms(), cosines };
        ValueSpec { network: self.network.spec(observations, outputs), head }
    }

    /// What the outputs of the network mean, and what they are learned by.
    pub fn head(&self) -> (Readout, Arc<dyn HeadSpec>) {
        let (head, kappa) = (&self.head, self.head.kappa as f32);
        match head.kind {
            HeadKind::Scalar => (Readout::Scalar, Arc::new(ScalarSpec { loss: self.loss.spec() })),
            HeadKind::Categorical => {
                // The trainer has put numbers in place of "auto"; without an environment nothing bounds the values.
                let end = |end: SupportEnd, unknown: f64| end.number().unwrap_or(unknown) as f32;
                let (v_min, v_max) = (end(head.v_min, f64::NEG_INFINITY), end(head.v_max, f64::INFINITY));
                let support = Support { v_min, v_max, atoms: head.atoms };
                (Readout::Categorical { atoms: head.atoms, v_min, v_max }, Arc::new(CategoricalSpec { support }))
            }
            HeadKind::Quantile => {
                let quantiles = head.quantiles;
                (Readout::Quantile { quantiles }, Arc::new(QuantileSpec { count: quantiles, kappa }))
            }
            HeadKind::ImplicitQuantile => {
                let counts = FractionCounts { current: head.fractions, next: head.target_fractions };
                let readout = Readout::ImplicitQuantile { fractions: head.acting_fractions };
                (readout, Arc::new(ImplicitQuantileSpec { counts, kappa }))
            }
        }
    }

    /// By which rule rewards and the values of the next states become targets.
    pub fn rule(&self) -> Arc<dyn RuleSpec> {
        let terms = &self.munchausen;
        if self.agent.munchausen {
            Arc::new(Munchausen { alpha: terms.alpha, tau: terms.temperature, clip: terms.clip })
        } else {
            Arc::new(QLearning)
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

    /// All of it, as an executor takes it.
    pub fn executor_spec(&self, observations: &Space, actions: usize) -> ExecutorSpec {
        self.executor_spec_of(self.value_spec(observations, actions), self.head().1, self.rule())
    }

    /// As [`Config::executor_spec`], for this value function, learned by this head and this rule.
    pub fn executor_spec_of(
        &self,
        values: ValueSpec,
        head: Arc<dyn HeadSpec>,
        rule: Arc<dyn RuleSpec>,
    ) -> ExecutorSpec {
        let bootstrap = match (self.target.kind, self.agent.double, self.agent.bellman_gradient) {
            _ if self.agent.kind == AgentKind::Pqn => Bootstrap::None,
            (TargetKind::None, _, BellmanGradient::Semi) => Bootstrap::Online,
            (TargetKind::None, _, BellmanGradient::Residual) => Bootstrap::Residual,
            (_, false, _) => Bootstrap::Target,
            (_, true, _) => Bootstrap::Double,
        };
        ExecutorSpec {
            values,
            head,
            rule,
            bootstrap,
            // Without values of what comes next there are no targets to clip: whoever gives returns clips them.
            bounds: self.agent.value_clip.bounds().filter(|_| bootstrap != Bootstrap::None),
            learner: self.learner_spec(),
            target: self.target.spec(),
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
