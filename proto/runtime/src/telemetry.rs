//! Logs for the person at the terminal, spans for whoever runs the fleet.
//!
//! Logs go to standard error, because standard output belongs to results. Spans go to an OTLP collector when one is configured.
//! Invariants: a collector that is slow, full or dead never fails a run and never delays its end by more than [`FLUSH_DEADLINE`]; an
//! actor's own life-long span is never exported, since it would gather events until the process ends.

mod logs;
mod otlp;

pub use logs::LogFilter;
pub use otlp::{FLUSH_DEADLINE, OtlpEndpoint};

use opentelemetry::global;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use otlp::Exporter;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

/// What to tell, and whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryConfig {
    /// The program's name: `service.name` of its spans.
    pub service: String,
    /// Which log lines are written.
    pub logs: LogFilter,
    /// Whether log lines are coloured.
    pub colour: Colour,
    /// Where spans are sent; `None` records none.
    pub otlp: Option<OtlpEndpoint>,
}

/// Whether terminal colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Plain,
    /// ANSI colours.
    Ansi,
}

/// Why telemetry cannot be set up. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is not valid.
    #[error("the log filter `{filter}` is not valid: {reason}; write it like `warn` or `info,capstan_coordinator=debug`")]
    Filter {
        /// The filter, as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The collector's address is not valid.
    #[error("the OTLP endpoint `{endpoint}` is not valid: {reason}")]
    Endpoint {
        /// The address, as given.
        endpoint: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The exporter cannot be started.
    #[error("spans cannot be exported: {0}; unset the OTLP endpoint to go without")]
    Exporter(String),
    /// Telemetry has been set up before in this process.
    #[error("telemetry has been set up before in this process")]
    Twice,
}

/// Keeps telemetry going. Dropping it sends what is left, and blocks its thread for that, at most for [`FLUSH_DEADLINE`].
#[derive(Debug)]
#[must_use = "dropping the guard ends the export of spans"]
pub struct TelemetryGuard {
    _exporter: Option<Exporter>,
}

/// Sets up logs and spans for the whole process.
///
/// # Errors
/// One of [`TelemetryError`]; nothing is set up then. A collector that does not answer is no error.
pub fn init(config: &TelemetryConfig) -> Result<TelemetryGuard, TelemetryError> {
    let (subscriber, guard) = subscriber(config)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Twice)?;
    // For libraries that carry a context themselves; our own code uses `trace_context`.
    global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(guard)
}

fn subscriber(config: &TelemetryConfig) -> Result<(impl Subscriber + Send + Sync + use<>, TelemetryGuard), TelemetryError> {
    let exporter = config.otlp.as_ref().map(|endpoint| Exporter::start(endpoint, &config.service)).transpose()?;
    let spans = exporter.as_ref().map(Exporter::layer);
    let subscriber = Registry::default().with(spans).with(logs::layer(&config.logs, config.colour));
    Ok((subscriber, TelemetryGuard { _exporter: exporter }))
}

#[cfg(test)]
mod tests;
