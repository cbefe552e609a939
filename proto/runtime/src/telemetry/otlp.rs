//! Spans on their way to a collector.
//!
//! The exporter has a small runtime of its own: the SDK's batch thread waits for it without knowing the program's runtime, which may
//! be blocked, single-threaded or gone when the last spans are sent.

use super::TelemetryError;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// The longest that the end of a run waits for a collector.
pub const FLUSH_DEADLINE: Duration = Duration::from_secs(2);

/// The longest that one export waits for a collector, retries included.
const EXPORT_DEADLINE: Duration = Duration::from_secs(5);

/// Spans that wait for export. Full: new ones are dropped, because telemetry must not hold up work.
const QUEUE: usize = 4096;

/// Where a collector listens for OTLP over gRPC, such as `http://127.0.0.1:4317`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl FromStr for OtlpEndpoint {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        let text = text.trim();
        let refused = |reason: &str| Err(TelemetryError::Endpoint { endpoint: text.to_owned(), reason: reason.to_owned() });
        match text.split_once("://") {
            Some(("http", authority)) if !authority.trim_end_matches('/').is_empty() => Ok(Self(text.to_owned())),
            Some(("https", _)) => {
                refused("spans are sent without TLS; name a collector on this host or network by http://HOST:PORT")
            }
            Some(_) | None => refused("write it as http://HOST:PORT, such as http://127.0.0.1:4317"),
        }
    }
}

impl fmt::Display for OtlpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Sends finished spans in batches until it is dropped, and then what is left.
pub(super) struct Exporter {
    provider: SdkTracerProvider,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Exporter {
    pub(super) fn start(endpoint: &OtlpEndpoint, service: &str) -> Result<Self, TelemetryError> {
        let failed = |reason: String| TelemetryError::Exporter(reason);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("telemetry")
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        // The channel spawns its connection on the runtime that it is made in.
        let entered = runtime.enter();
        let sender = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint.0.clone())
            .with_timeout(EXPORT_DEADLINE)
            .build()
            .map_err(|error| failed(error.to_string()))?;
        drop(entered);
        let batches = BatchSpanProcessor::builder(sender)
            .with_batch_config(BatchConfigBuilder::default().with_max_queue_size(QUEUE).build())
            .build();
        let resource = Resource::builder().with_service_name(service.to_owned()).build();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(batches).build();
        Ok(Self { provider, runtime: Some(runtime) })
    }

    /// The layer that records spans for the exporter.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("capstan")).with_filter(exported())
    }
}

/// Only Capstan's own spans: the exporter's transport would otherwise record its own exports, and ractor one endless span per actor.
fn exported() -> Targets {
    Targets::new().with_default(LevelFilter::OFF).with_target("capstan", Level::INFO)
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // A failure means that a collector did not take the last spans: nothing that the run depends on.
        let _ = self.provider.shutdown_with_timeout(FLUSH_DEADLINE);
        if let Some(runtime) = self.runtime.take() {
            // An ordinary drop would wait for a hanging connection, and panics inside another runtime.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}
