//! Noise that has vanished or grown too large.

use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "noise";
/// σ relative to μ: healthy runs end between 0.05 and 2.
const DIED: f64 = 0.005;
const GREW: f64 = 10.0;
/// σ₀ is 0.5 in the paper; learning makes noise larger only in steps of the learning rate.
const SMALL_START: f64 = 0.02;

/// Noisy layers that no longer explore, or that drown out everything else (Fortunato et al. 2018).
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let explores = evidence.epsilon(evidence.budget()) > 0.0;
    let network = &evidence.config.network;
    if network.noisy && network.noisy_sigma < SMALL_START && !explores {
        let evidence = format!(
            "`network.noisy_sigma` = {} and epsilon is 0: the agent hardly explores",
            tidy(network.noisy_sigma)
        );
        return Some(Finding::fault(
            NAME,
            evidence,
            "raise `network.noisy_sigma` (0.5 in the paper), or explore with epsilon too",
        ));
    }
    let (loudest, most) = evidence.noise.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    if *most < DIED && !explores {
        let evidence = format!(
            "the noise of every layer is at most {} of its weights, and epsilon is 0: the agent has stopped exploring",
            tidy(*most)
        );
        return Some(Finding::fault(
            NAME,
            evidence,
            "raise `network.noisy_sigma` (0.5 in the paper), or explore with epsilon too",
        ));
    }
    (*most > GREW).then(|| {
        let evidence =
            format!("the noise of {loudest} is {} times its weights: its outputs are mostly noise", tidy(*most));
        Finding::warning(NAME, evidence, "lower `network.noisy_sigma` or `optimizer.learning_rate`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn too_quiet_and_too_loud() {
        let mut evidence = sick::healthy();
        evidence.config.exploration.end = 0.0;
        for (ratio, found) in [(1e-4, true), (0.3, false), (50.0, true)] {
            evidence.noise = vec![("layers.0".into(), ratio), ("layers.1".into(), ratio / 2.0)];
            assert_eq!(check(&evidence).is_some(), found, "{ratio}");
        }
        evidence.noise.clear();
        assert_eq!(check(&evidence), None);
        (evidence.config.network.noisy, evidence.config.network.noisy_sigma) = (true, 1e-6);
        assert!(check(&evidence).unwrap().evidence.contains("noisy_sigma"));
    }
}
