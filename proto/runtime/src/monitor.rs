//! What a daemon tells whoever watches it, over plain HTTP: `/livez`, `/readyz` and `/metrics`.
//!
//! `/livez` answers as long as the process does; nothing remote changes it, so that a watcher that restarts what is not alive never restarts a
//! healthy process for the fault of another. `/readyz` answers 200 when every check holds and 503 otherwise; `?verbose` lists the checks as
//! Kubernetes' components do. `/metrics` is the OpenMetrics text that Prometheus reads. Nothing here is secret, and nothing can be changed by it.

mod answer;
mod server;

pub use answer::Check;
pub use server::{Monitor, MonitorError};

use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;

/// What a monitor shows.
#[derive(Clone)]
pub struct Shown {
    registry: Arc<Registry>,
    checks: Arc<dyn Fn() -> Vec<Check> + Send + Sync>,
}

impl Shown {
    /// The metrics of `registry`, and what `checks` finds whenever it is asked. It must not block.
    #[must_use]
    pub fn new(registry: Registry, checks: impl Fn() -> Vec<Check> + Send + Sync + 'static) -> Self {
        Self { registry: Arc::new(registry), checks: Arc::new(checks) }
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
