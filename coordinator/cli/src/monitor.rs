//! `--monitor`: what a daemon tells whoever watches it.

use crate::failure::Failure;
use capstan_runtime::monitor::{Check, Monitor, Shown};
use prometheus_client::registry::Registry;
use std::net::SocketAddr;

/// Serves `/livez`, `/readyz` and `/metrics` at an address, if one was named: what `register` puts in, and what `checks` finds.
///
/// # Errors
/// It cannot be listened at.
pub async fn start(
    address: Option<SocketAddr>,
    register: impl FnOnce(&mut Registry),
    checks: impl Fn() -> Vec<Check> + Send + Sync + 'static,
) -> Result<Option<Monitor>, Failure> {
    let Some(address) = address else { return Ok(None) };
    let mut metrics = Registry::with_prefix("capstan");
    let build = [("version", env!("CARGO_PKG_VERSION"))];
    metrics.register("build", "Which build this is", prometheus_client::metrics::info::Info::new(build));
    register(&mut metrics);
    Monitor::start(address, Shown::new(metrics, checks)).await.map(Some).map_err(Failure::bad_input)
}

/// What the line that announces a daemon says of its monitor.
#[must_use]
pub fn announced(monitor: Option<&Monitor>) -> String {
    monitor.map(|monitor| format!("; monitor at http://{}", monitor.address())).unwrap_or_default()
}
