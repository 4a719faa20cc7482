//! Steps that are too large or too small compared to the weights.

use crate::agent::Statistic;
use crate::diagnose::words::tidy;
use crate::diagnose::{Evidence, Finding};

/// The name.
const NAME: &str = "update-ratio";
/// By a common rule of thumb, an update of about a thousandth of the weights' size trains well; healthy runs lie between 1e-5 and 0.01.
const LARGE: f64 = 0.03;
const SMALL: f64 = 1e-6;

/// ‖step‖ / ‖weights‖ out of range, over the whole of training.
pub fn check(evidence: &Evidence) -> Option<Finding> {
    let known = || evidence.course.iter().filter_map(|line| line.statistics.get(Statistic::UpdateToWeight));
    if known().count() < 3 {
        return None;
    }
    let mean = known().sum::<f64>() / known().count() as f64;
    if mean > LARGE {
        let evidence =
            format!("an update changes the weights by {} of their size on average: they jump around", tidy(mean));
        return Some(Finding::fault(NAME, evidence, "lower `optimizer.learning_rate`; about 0.001 is right"));
    }
    let annealed = evidence.config.optimizer.anneal != crate::config::AnnealKind::None;
    let least = if annealed { SMALL / 10.0 } else { SMALL };
    (mean < least).then(|| {
        let evidence = format!("an update changes the weights by {} of their size on average: they hardly move", tidy(mean));
        let advice = "raise `optimizer.learning_rate`, and check `optimizer.epsilon` and the size of rewards; about 0.001 is right";
        Finding::fault(NAME, evidence, advice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    #[test]
    fn out_of_range() {
        for (ratio, found) in [(2e-3, false), (1e-5, false), (0.2, true), (1e-8, true)] {
            let mut evidence = sick::healthy();
            sick::set(&mut evidence, Statistic::UpdateToWeight, ratio);
            assert_eq!(check(&evidence).is_some(), found, "{ratio}");
        }
    }
}
