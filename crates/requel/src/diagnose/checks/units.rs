//! Dead and dormant units.

use crate::diagnose::words::percent;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "units";
/// In small networks that learn well, up to four fifths of a layer's units are inactive on their data.
const DEAD: f64 = 0.95;
const DORMANT: f64 = 0.96;

/// A layer most of whose units output nothing on the states of the replay buffer (Sokar et al. 2023).
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let share = |part: usize, units: usize| part as f64 / units.max(1) as f64;
    let worst = evidence
        .layers
        .iter()
        .filter(|layer| layer.units >= 4 && layer.rows >= 64)
        .max_by(|a, b| share(a.dormant, a.units).total_cmp(&share(b.dormant, b.units)))?;
    let (dead, dormant) = (share(worst.dead, worst.units), share(worst.dormant, worst.units));
    if dead < DEAD && dormant < DORMANT {
        return None;
    }
    let text = format!(
        "{} of the {} units of layer {} are dead and {} dormant over {} states from the replay buffer",
        percent(dead),
        worst.units,
        worst.layer,
        percent(dormant),
        worst.rows
    );
    let advice = "lower `optimizer.learning_rate`, scale observations and rewards, or set `network.layer_norm = true`; \
                  dead units stay dead, so train from the beginning";
    let finding = if worst.dead == worst.units { Finding::fault } else { Finding::warning };
    Some(finding(NAME, text, advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{Severity, sick};

    #[test]
    fn a_layer_that_died() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        (evidence.layers[1].dead, evidence.layers[1].dormant) = (30, 62);
        assert_eq!(check(&evidence).unwrap().severity, Severity::Warning);
        (evidence.layers[1].dead, evidence.layers[1].dormant) = (64, 64);
        let finding = check(&evidence).unwrap();
        assert!(finding.severity == Severity::Fault && finding.evidence.contains("layer 1 "), "{finding:?}");
    }
}
