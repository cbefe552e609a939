//! An OTLP receiver that keeps the spans it is sent.

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use std::sync::{Arc, Mutex};
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// The running receiver.
pub(super) struct Collector {
    pub(super) endpoint: String,
    spans: Arc<Mutex<Vec<Span>>>,
    _server: JoinSet<()>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("this machine has a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let service = TraceServiceServer::new(Keeper(Arc::clone(&spans)));
        let mut server = JoinSet::new();
        server.spawn(async move {
            let serving = tonic::transport::Server::builder().add_service(service);
            serving
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await
                .expect("the receiver goes on until it is dropped");
        });
        Self { endpoint, spans, _server: server }
    }

    /// Everything that has arrived. A run has flushed its spans when it has ended.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.spans.lock().expect("no thread panics with the list").clone()
    }
}

struct Keeper(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Keeper {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().expect("no thread panics with the list").extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
