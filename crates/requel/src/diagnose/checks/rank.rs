//! Features that all carry the same information.

use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "rank";
/// A layer whose outputs lie on a line tells states apart by one number only.
const LOW: usize = 1;

/// A hidden layer of effective rank 1 or 0 on the states of the replay buffer (Kumar et al. 2021).
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let layers = evidence.layers.iter().filter(|layer| layer.units >= 8 && layer.rows >= 64);
    let (layer, rank) = layers.filter_map(|layer| Some((layer, layer.rank?))).min_by_key(|(_, rank)| *rank)?;
    (rank <= LOW).then(|| {
        let evidence = format!(
            "the {} units of layer {} have an effective rank of {rank} over {} states from the replay buffer: later \
             layers cannot tell states apart",
            layer.units, layer.layer, layer.rows
        );
        let advice = "lower `optimizer.learning_rate`, scale observations (`feature-scale`) and rewards, slow the target network, or set \
                      `network.layer_norm = true`";
        Finding::warning(NAME, evidence, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn features_that_collapsed() {
        let mut evidence = sick::healthy();
        assert_eq!(check(&evidence), None);
        evidence.layers[0].rank = None;
        assert_eq!(check(&evidence), None);
        evidence.layers[1].rank = Some(1);
        assert!(check(&evidence).unwrap().evidence.contains("effective rank of 1"));
    }
}
