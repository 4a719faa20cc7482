//! [`Fuse`], calls into code that may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use requel_envs::{Color, EnvError, Scene, Shape, View};

use super::watch::Watch;

/// Calls an environment until it panics: after that its state is unknown, and it is not called again.
pub(super) struct Fuse {
    id: String,
    /// The message of the panic.
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

    /// Like [`Fuse::call`], for a call that changes nothing: a panic in it leaves the environment unchanged.
    pub(super) fn look<T>(&self, during: &str, look: impl FnOnce() -> Result<T, EnvError>) -> Result<T, EnvError> {
        if let Some(error) = &self.blown {
            return Err(error.clone());
        }
        EnvError::catching(&self.id, during, look)
    }

    /// Reads the metrics of a step, once for all later uses; does nothing if the environment reports none.
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

    /// The environment's scene; if it cannot be drawn, a scene with the reason in words: a display must not stop training.
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
