//! The way to one node: its record and the clients of its services.

pub(super) mod lives;
mod member;

use super::dialed::{DialedWay, ShownAs};
use super::doorway::Doorway;
use capstan_identity::membership::Membership;
use capstan_proto::grant_header::GRANT;
use capstan_proto::token::Token;
use capstan_proto::transport::{ConnectError, PipeConnector, channel};
use capstan_proto::wire::node::exec_client::ExecClient;
use capstan_proto::wire::node::files_client::FilesClient;
use capstan_proto::wire::node::node_client::NodeClient;
use capstan_proto::wire::node::operate_client::OperateClient;
use capstan_proto::wire::node::workspace_client::WorkspaceClient;
use capstan_runtime::trace_context::{TRACEPARENT, current_traceparent};
use capstan_types::grant::Asked;
use capstan_types::id::NodeId;
use capstan_types::node::{NodeAddress, NodeRecord};
use member::MemberWay;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tonic::metadata::{Binary, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// A channel that carries the node's token, the grant of one request, and the caller's trace.
pub type NodeChannel = InterceptedService<Channel, Introduce>;

/// The largest message that is taken from a node: a diff, or a frame of output.
const LARGEST_ANSWER: usize = 16 << 20;

/// What every request to a node carries.
#[derive(Debug, Clone, Default)]
pub struct Introduce {
    token: Option<Token>,
    grant: Option<MetadataValue<Binary>>,
}

impl Interceptor for Introduce {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(traceparent) = current_traceparent().and_then(|text| text.parse().ok()) {
            request.metadata_mut().insert(TRACEPARENT, traceparent);
        }
        if let Some(grant) = &self.grant {
            request.metadata_mut().insert_bin(GRANT, grant.clone());
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
    life: Arc<Life>,
    /// Where the node's newest life is said, if anybody says it.
    newest: Option<watch::Receiver<Arc<Life>>>,
    doorway: Doorway,
}

/// One life of a node, and how it is reached.
#[derive(Debug)]
struct Life {
    record: NodeRecord,
    way: Way,
}

/// How a node is reached.
#[derive(Debug)]
enum Way {
    /// By a pipe, by a Unix socket, or on loopback with its token.
    Plain(Channel, Option<Token>),
    /// As a member of its cluster.
    Member(Arc<MemberWay>),
    /// Over the connection that the node has made.
    Dialed(DialedWay),
}

impl NodeLink {
    /// A link to a node in this process.
    #[must_use]
    pub fn by_pipe(record: NodeRecord, pipe: &PipeConnector) -> Self {
        Self::of(Life { record, way: Way::Plain(pipe.channel(), None) })
    }

    /// A link to the node at its record's address. One that is a member of a cluster must prove to be the one in the record.
    ///
    /// # Errors
    /// An address that is not one, or one of a member's where this process is none.
    pub fn by_address(record: NodeRecord, token: Option<Token>, membership: Option<&Membership>) -> Result<Self, ConnectError> {
        let way = match (&record.address, membership) {
            (NodeAddress::Tls(host), Some(membership)) => {
                Way::Member(Arc::new(MemberWay::new(host, Some(&record.id), membership)))
            }
            (address, _) => Way::Plain(channel(address)?, token),
        };
        Ok(Self::of(Life { record, way }))
    }

    /// A link to a node that has called.
    #[must_use]
    pub fn dialed(record: NodeRecord, way: DialedWay) -> Self {
        Self::of(Life { record, way: Way::Dialed(way) })
    }

    /// The same by the door that all lives of the node share.
    #[must_use]
    pub(super) fn through(self, doorway: Doorway) -> Self {
        Self { doorway, ..self }
    }

    /// Whether turns may begin there, and how many run.
    #[must_use]
    pub const fn doorway(&self) -> &Doorway {
        &self.doorway
    }

    fn of(life: Life) -> Self {
        Self { life: Arc::new(life), newest: None, doorway: Doorway::default() }
    }

    /// The link to the node's newest life, as far as it is known. Whoever keeps a link for longer than one request asks for this one.
    #[must_use]
    pub fn newest(&self) -> Self {
        let life = self.newest.as_ref().map_or_else(|| Arc::clone(&self.life), |newest| Arc::clone(&newest.borrow()));
        Self { life, ..self.clone() }
    }

    /// The link to a life of the node other than this one, once one is known; `None` when none is for so long.
    pub async fn another(&self, within: Duration) -> Option<Self> {
        let mut newest = self.newest.clone()?;
        let other = newest.wait_for(|life| !Arc::ptr_eq(life, &self.life));
        let life = tokio::time::timeout(within, other).await.ok()?.ok().map(|life| Arc::clone(&life))?;
        Some(Self { life, ..self.clone() })
    }

    /// The node, in this life.
    #[must_use]
    pub fn record(&self) -> &NodeRecord {
        &self.life.record
    }

    /// The service by which the node describes itself.
    #[must_use]
    pub fn describer(&self) -> NodeClient<NodeChannel> {
        NodeClient::new(self.channel(None))
    }

    /// The service that runs sessions, for what needs no grant.
    #[must_use]
    pub fn exec(&self) -> ExecClient<NodeChannel> {
        ExecClient::new(self.channel(None)).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// The service that runs sessions, for one request: this one.
    #[must_use]
    pub fn exec_for(&self, asked: &Asked<'_>) -> ExecClient<NodeChannel> {
        ExecClient::new(self.channel(Some(asked))).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// The service by which people act on sessions.
    #[must_use]
    pub fn operate(&self) -> OperateClient<NodeChannel> {
        OperateClient::new(self.channel(None)).max_decoding_message_size(LARGEST_ANSWER)
    }

    /// The service that keeps workspaces, for one request: this one.
    #[must_use]
    pub fn workspace_for(&self, asked: &Asked<'_>) -> WorkspaceClient<NodeChannel> {
        WorkspaceClient::new(self.channel(Some(asked)))
            .max_decoding_message_size(LARGEST_ANSWER)
            .max_encoding_message_size(LARGEST_ANSWER)
    }

    /// The service that serves the files of workspaces, for one request: this one.
    #[must_use]
    pub fn files_for(&self, asked: &Asked<'_>) -> FilesClient<NodeChannel> {
        FilesClient::new(self.channel(Some(asked)))
            .max_decoding_message_size(LARGEST_ANSWER)
            .max_encoding_message_size(LARGEST_ANSWER)
    }

    fn channel(&self, asked: Option<&Asked<'_>>) -> NodeChannel {
        match &self.life.way {
            Way::Plain(channel, token) => {
                InterceptedService::new(channel.clone(), Introduce { token: token.clone(), grant: None })
            }
            Way::Member(way) => {
                let (channel, credentials) = way.newest();
                let grant = member::grant_for(asked, &self.life.record, &credentials);
                InterceptedService::new(channel, Introduce { token: None, grant })
            }
            Way::Dialed(way) => {
                let (channel, shown) = way.newest();
                let introduce = match shown {
                    ShownAs::Member(credentials) => {
                        Introduce { token: None, grant: member::grant_for(asked, &self.life.record, &credentials) }
                    }
                    ShownAs::Token(token) => Introduce { token: Some(token), grant: None },
                };
                InterceptedService::new(channel, introduce)
            }
        }
    }
}

/// The service by which a node at `address` describes itself; of members of a cluster, only the one called `id` if that is said.
///
/// # Errors
/// An address that is not one, or one of a member's where this process is none.
pub fn describer(
    address: &NodeAddress,
    token: Option<Token>,
    membership: Option<&Membership>,
    id: Option<&NodeId>,
) -> Result<NodeClient<NodeChannel>, ConnectError> {
    let (channel, token) = match (address, membership) {
        (NodeAddress::Tls(host), Some(membership)) => (MemberWay::new(host, id, membership).newest().0, None),
        (address, _) => (channel(address)?, token),
    };
    Ok(NodeClient::new(InterceptedService::new(channel, Introduce { token, grant: None })))
}
