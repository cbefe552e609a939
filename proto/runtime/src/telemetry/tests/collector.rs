//! An OTLP receiver that keeps what it is sent.

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A span as it arrived, with its ids in hexadecimal.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) name: String,
    pub(super) service: String,
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
}

pub(super) struct Collector {
    pub(super) endpoint: String,
    seen: mpsc::UnboundedReceiver<Seen>,
    _server: JoinSet<()>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (keep, seen) = mpsc::unbounded_channel();
        let service = tonic::transport::Server::builder().add_service(TraceServiceServer::new(Keeper { keep }));
        let mut server = JoinSet::new();
        server.spawn(async move { service.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap() });
        Self { endpoint, seen, _server: server }
    }

    /// Everything that has arrived. It is called after the exporter has been flushed, which waits for our answers.
    pub(super) async fn spans(&mut self) -> Vec<Seen> {
        let mut spans = Vec::new();
        while let Ok(span) = self.seen.try_recv() {
            spans.push(span);
        }
        spans
    }
}

struct Keeper {
    keep: mpsc::UnboundedSender<Seen>,
}

#[tonic::async_trait]
impl TraceService for Keeper {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        request.into_inner().resource_spans.into_iter().flat_map(seen_in).for_each(|seen| self.keep.send(seen).unwrap());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn seen_in(spans: ResourceSpans) -> Vec<Seen> {
    let named = spans.resource.iter().flat_map(|resource| &resource.attributes).find(|attribute| attribute.key == "service.name");
    let service = match named.and_then(|attribute| attribute.value.clone()).and_then(|value| value.value) {
        Some(Value::StringValue(name)) => name,
        other => panic!("service.name is {other:?}"),
    };
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let all = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
    all.map(|span| Seen {
        name: span.name,
        service: service.clone(),
        trace: hex(span.trace_id),
        id: hex(span.span_id),
        parent: hex(span.parent_span_id),
    })
    .collect()
}
