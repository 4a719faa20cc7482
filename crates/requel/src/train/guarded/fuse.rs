//! [`Fuse`], calls into code that may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use requel_envs::{Color, EnvError, Scene, Shape, View};

use super::watch::Watch;

/// Calls an environment until it panics: from then on it is in no known state, and is not touched again.
pub(super) struct Fuse {
    id: String,
    /// What it panicked with.
    blown: Option<EnvError>,
}

impl Fuse {
    /// For calls of the environment `id`.
    pub(super) fn new(id: String) -> Self {
        Fuse { id, blown: None }
    }

    /// Calls the environment, unless it panicked before.
    pub(super) fn call<T>(&mut self, during: &str, call: impl FnOnce() -> Result<T, EnvError>) -> Result<T, EnvError> {
        if let Some(error) = &self.blown {
            return Err(error.clone());
        }
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|cause| {
            let error = EnvError::panicked(&self.id, during, &*cause);
            self.blown = Some(error.clone());
            Err(error)
        })
    }

    /// As [`Fuse::call`], for a call that changes nothing: a panic in it leaves the environment as it was.
    pub(super) fn look<T>(&self, during: &str, look: impl FnOnce() -> Result<T, EnvError>) -> Result<T, EnvError> {
        if let Some(error) = &self.blown {
            return Err(error.clone());
        }
        EnvError::catching(&self.id, during, look)
    }

    /// Asks for what the environment reports of a step, once for all who will want it; not where it reports nothing.
    pub(super) fn metrics(&self, watch: &mut Watch, report: impl FnOnce(&mut [f64])) -> Result<(), EnvError> {
        let numbers = watch.metrics_to_write();
        if numbers.is_empty() {
            return Ok(());
        }
        self.look("metrics", || {
            report(numbers);
            Ok(())
        })
    }

    /// What there is to see of the environment; where it cannot be drawn, the words that say why: an onlooker cannot stop a training.
    pub(super) fn scene(&self, draw: impl FnOnce() -> Option<Scene>) -> Option<Scene> {
        self.look("scene", || Ok(draw())).unwrap_or_else(|error| {
            let (text, color) = (error.to_string(), Color(190, 50, 50));
            Some(Scene {
                view: View { left: 0.0, right: 16.0, bottom: 0.0, top: 1.0 },
                background: Color(255, 255, 255),
                shapes: vec![Shape::Text { center: (8.0, 0.5), height: 0.3, text, color }],
            })
        })
    }
}
