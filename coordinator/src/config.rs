//! What a coordinator is given to begin with.

use crate::checkpoints::rules::CheckpointRules;
use crate::git_credentials::GitCredentials;
use crate::models::Models;
use crate::nodes::remote::StaticNode;
use capstan_blobs::Blobs;
use capstan_identity::issuer::Issuer;
use capstan_identity::membership::Membership;
use capstan_proto::token::Token;
use capstan_proto::transport::{Listen, PipeConnector};
use capstan_registry::Registry;
use capstan_store::open::StoreLocation;
use capstan_types::id::NodeId;
use capstan_types::thread::OnInterrupt;
use std::sync::Arc;
use std::time::Duration;

/// What a coordinator is given to begin with.
#[derive(Debug)]
pub struct CoordinatorConfig {
    /// Its name, which must be unlike that of any other coordinator on the same store.
    pub name: String,
    /// Its line: the beginning of its own name and of the names of those whose threads it inherits, such as `home/`. Of a line only one
    /// coordinator may live at a time on one store. `None` inherits nothing.
    pub line: Option<String>,
    /// What becomes of the sessions of the turns that run when it stops. Those of earlier turns are left to their nodes in any case.
    pub at_end: OnInterrupt,
    /// How long its turns may take to end when it stops, where another one inherits them. What runs then is left to that.
    pub grace: Duration,
    /// Where clients reach it, besides the pipe in memory that is always there.
    pub listen: Vec<Listen>,
    /// What clients over TCP must know. Required to listen on TCP.
    pub token: Option<Token>,
    /// What makes it a member of a cluster. Required to listen for members, and for nodes that are members.
    pub membership: Option<Membership>,
    /// The cluster's authority, if this coordinator holds it: it lets newcomers in then.
    pub issuer: Option<Arc<Issuer>>,
    /// Where threads are kept.
    pub store: StoreLocation,
    /// Where checkpoints of workspaces are kept, if anywhere.
    pub blobs: Option<Blobs>,
    /// Which checkpoints are taken, and how long they are kept.
    pub checkpoints: CheckpointRules,
    /// With what nodes may ask for repositories.
    pub git: GitCredentials,
    /// Who knows the nodes.
    pub registry: Arc<dyn Registry>,
    /// Who answers.
    pub models: Arc<dyn Models>,
    /// Nodes in this process.
    pub pipes: Vec<(NodeId, PipeConnector)>,
    /// Nodes named by address. Each is asked who it is and registered.
    pub nodes: Vec<StaticNode>,
    /// What lets one into the nodes that the registry knows otherwise.
    pub node_token: Option<Token>,
}
