//! The way to one node: its record and the clients of its services.

use capstan_proto::token::Token;
use capstan_proto::transport::{ConnectError, PipeConnector, channel};
use capstan_proto::wire::node::exec_client::ExecClient;
use capstan_proto::wire::node::node_client::NodeClient;
use capstan_proto::wire::node::operate_client::OperateClient;
use capstan_proto::wire::node::workspace_client::WorkspaceClient;
use capstan_runtime::trace_context::{TRACEPARENT, current_traceparent};
use capstan_types::node::{NodeAddress, NodeRecord};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A channel that carries the node's token and the caller's trace.
pub type NodeChannel = InterceptedService<Channel, Introduce>;

/// The largest message that is taken from a node: a diff, or a frame of output.
const LARGEST_ANSWER: usize = 16 << 20;

/// What every request to a node carries.
#[derive(Debug, Clone)]
pub struct Introduce {
    token: Option<Token>,
}

impl Interceptor for Introduce {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(traceparent) = current_traceparent().and_then(|text| text.parse().ok()) {
            request.metadata_mut().insert(TRACEPARENT, traceparent);
        }
        match &self.token {
            Some(token) => token.attach(request),
            None => Ok(request),
        }
    }
}

/// The way to one life of one node. Clones share the connection.
#[derive(Debug, Clone)]
pub struct NodeLink {
    record: NodeRecord,
    channel: NodeChannel,
}

impl NodeLink {
    /// A link to a node in this process.
    #[must_use]
    pub fn by_pipe(record: NodeRecord, pipe: &PipeConnector) -> Self {
        Self { record, channel: InterceptedService::new(pipe.channel(), Introduce { token: None }) }
    }

    /// A link to the node at its record's address.
    ///
    /// # Errors
    /// An address that is not one.
    pub fn by_address(record: NodeRecord, token: Option<Token>) -> Result<Self, ConnectError> {
        let channel = introduced(&record.address, token)?;
        Ok(Self { record, channel })
    }

    /// The node.
    #[must_use]
    pub const fn record(&self) -> &NodeRecord {
        &self.record
    }

    /// The service that runs sessions.
    #[must_use]
    pub fn exec(&self) -> ExecClient<NodeChannel> {
        ExecClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// The service by which people act on sessions.
    #[must_use]
    pub fn operate(&self) -> OperateClient<NodeChannel> {
        OperateClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// The service that keeps workspaces.
    #[must_use]
    pub fn workspace(&self) -> WorkspaceClient<NodeChannel> {
        WorkspaceClient::new(self.channel.clone())
            .max_decoding_message_size(LARGEST_ANSWER)
            .max_encoding_message_size(LARGEST_ANSWER)
    }
}

/// The service by which a node at `address` describes itself.
///
/// # Errors
/// An address that is not one.
pub fn describer(address: &NodeAddress, token: Option<Token>) -> Result<NodeClient<NodeChannel>, ConnectError> {
    introduced(address, token).map(NodeClient::new)
}

fn introduced(address: &NodeAddress, token: Option<Token>) -> Result<NodeChannel, ConnectError> {
    Ok(InterceptedService::new(channel(address)?, Introduce { token }))
}
