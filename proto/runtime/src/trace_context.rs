//! How a span is continued in another process: as a W3C `traceparent`, in gRPC metadata or in a launch document.
//!
//! Without an exporter nothing is recorded and there is nothing to pass on; whoever receives no or a malformed `traceparent` starts a
//! trace of its own. Losing a trace never fails a call.

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::collections::HashMap;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of the value in headers, metadata and environments.
pub const TRACEPARENT: &str = "traceparent";

/// The current span as a `traceparent`, or `None` when spans are not exported.
#[must_use]
pub fn current_traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

/// `span` as a `traceparent`, or `None` when it is not exported. The span's own parent is settled by this: [`adopt`] comes before.
#[must_use]
pub fn traceparent_of(span: &Span) -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes `span` a child of the span that another process named. Without effect when the text is not a `traceparent`, when spans are
/// not exported, or when the span has been entered before: call it right after the span is made.
pub fn adopt(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&carrier);
    if context.span().span_context().is_valid() {
        // It fails without an exporter, or for a span that is filtered out: there is no trace to join then.
        let _ = span.set_parent(context);
    }
}

#[cfg(test)]
mod tests;
