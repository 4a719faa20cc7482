//! [`Watch`]: checks while training goes on.

use super::all::{Check, of_own_parts};
use super::checks::{clipped_gradients, clipped_targets, update_ratio, value_bound, value_growth};
use super::{Counts, Evidence, Finding, Thinning};
use crate::train::{Aggregates, Observer, ObserverError, TrainEvent};

/// Checks that only need aggregates, and whose findings do not disappear again in healthy training.
const WATCHED: &[Check] =
    &[value_bound::check, value_growth::check, clipped_targets::check, clipped_gradients::check, update_ratio::check];

/// With fewer lines than this, the second half means nothing.
const LEAST_LINES: usize = 8;

/// Passes all events on, and emits [`TrainEvent::Diagnosed`] after an event that shows a problem: once per check.
///
/// ```
/// use requel::config::Layers;
/// use requel::diagnose::{Evidence, Watch};
/// use requel::{TrainEvent, Trainer};
///
/// let settings = ["train.env_steps=3000", "log.every_steps=100", "optimizer.learning_rate=0.5"];
/// let config = settings.iter().try_fold(Layers::new().preset("notebook")?, |layers, s| layers.set(s))?.resolve()?;
/// let mut trainer = Trainer::new(config)?;
/// let mut heard = Vec::new();
/// let mut listen = |event: &TrainEvent<'_>| {
///     if let TrainEvent::Diagnosed { finding, .. } = event {
///         heard.push(finding.check);
///     }
///     Ok(())
/// };
/// let evidence = Evidence::of_trainer(&trainer);
/// trainer.run(&mut Watch::new(evidence, &mut listen))?;
/// assert!(heard.contains(&"update-ratio"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Watch<'a> {
    evidence: Evidence,
    told: Vec<&'static str>,
    /// Checks of settings that your own component may not read.
    own: Vec<&'static str>,
    thinning: Thinning,
    inner: &'a mut dyn Observer,
}

impl<'a> Watch<'a> {
    /// Watches the events passed to `inner`, of training that starts or continues with this evidence.
    pub fn new(evidence: Evidence, inner: &'a mut dyn Observer) -> Self {
        let own = of_own_parts(&evidence.config);
        Watch { evidence, told: Vec::new(), own, thinning: Thinning::default(), inner }
    }

    fn keep(&mut self, aggregates: &Aggregates) {
        let Aggregates { env_steps, updates, episodes, .. } = *aggregates;
        self.evidence.counts = Counts { env_steps, updates, episodes };
        self.thinning.push(&mut self.evidence.course, *aggregates);
    }
}

impl Observer for Watch<'_> {
    fn on_event(&mut self, event: &TrainEvent<'_>) -> Result<(), ObserverError> {
        self.inner.on_event(event)?;
        let TrainEvent::Progress(aggregates) = event else { return Ok(()) };
        self.keep(aggregates);
        if self.evidence.course.len() < LEAST_LINES {
            return Ok(());
        }
        for check in WATCHED {
            let is_new = |finding: &Finding| !self.told.contains(&finding.check) && !self.own.contains(&finding.check);
            let finding = check(&self.evidence).filter(is_new);
            if let Some(finding) = finding {
                self.told.push(finding.check);
                self.inner.on_event(&TrainEvent::Diagnosed { env_steps: aggregates.env_steps, finding: &finding })?;
            }
        }
        Ok(())
    }

    fn wants_steps(&self) -> bool {
        self.inner.wants_steps()
    }

    fn asks_to_stop(&self) -> bool {
        self.inner.asks_to_stop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::sick;

    /// The checks that are told of while these values of mean Q come.
    fn told(values: impl Iterator<Item = f64>) -> (Vec<&'static str>, usize) {
        let mut evidence = sick::healthy();
        let line = evidence.course[10];
        (evidence.course, evidence.ending) = (Vec::new(), None);
        let (mut checks, mut events) = (Vec::new(), 0);
        let mut listen = |event: &TrainEvent<'_>| {
            events += 1;
            if let TrainEvent::Diagnosed { finding, .. } = event {
                checks.push(finding.check);
            }
            Ok(())
        };
        let mut watch = Watch::new(evidence, &mut listen);
        for (index, q) in values.enumerate() {
            let aggregates = Aggregates { env_steps: 1000 * index as u64, mean_q: Some(q), ..line };
            watch.on_event(&TrainEvent::Progress(aggregates)).unwrap();
        }
        assert!(watch.evidence.course.len() <= 256);
        (checks, events)
    }

    #[test]
    fn each_is_told_once() {
        assert_eq!(told((0..5000).map(|_| 90.0)), (vec![], 5000));
        let (checks, events) = told((0..2000).map(f64::from));
        assert_eq!((checks, events), (vec!["value-bound"], 2001));
    }
}
