//! The span of one request, which continues the caller's trace. It ends with the answer: none is as long as a stream.

use capstan_runtime::trace_context::{TRACEPARENT, adopt};
use tonic::metadata::MetadataMap;
use tracing::Span;

/// The span of a request to `service`/`method`, below the one that its metadata name.
pub(crate) fn server_span(service: &'static str, method: &'static str, metadata: &MetadataMap) -> Span {
    let span = tracing::info_span!(
        "rpc",
        otel.name = format!("{service}/{method}"),
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.service = service,
        rpc.method = method,
    );
    if let Some(traceparent) = metadata.get(TRACEPARENT).and_then(|value| value.to_str().ok()) {
        adopt(&span, traceparent);
    }
    span
}
