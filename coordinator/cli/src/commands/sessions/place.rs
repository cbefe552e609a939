//! Where the sessions are: a coordinator, or one node. For a node a coordinator without threads is set up in this process, so that
//! everything else is the same.

use crate::args::WhereArgs;
use crate::client::{self, Client, ClientError, Reach};
use crate::embedded::{Door, Hands, Stack, named_node};
use crate::failure::Failure;
use crate::home::Home;
use crate::surroundings::Surroundings;
use crate::token_file;
use capstan_coordinator::models::Providers;
use capstan_coordinator::{StaticNode, StoreLocation};
use capstan_proto::transport::Listen;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

/// The way to the sessions.
#[derive(Debug)]
pub(super) enum Place {
    Coordinator(Reach),
    Node(StaticNode),
}

impl Place {
    /// Reads where to look.
    pub(super) fn of(args: &WhereArgs, surroundings: &Surroundings) -> Result<Self, Failure> {
        if let Some(address) = &args.node {
            let token = args.node_token_file.as_deref().map(token_file::read).transpose()?;
            return Ok(Self::Node(named_node(address, token)?));
        }
        if let Some(reach) = client::reach(&args.daemon, surroundings)? {
            return Ok(Self::Coordinator(reach));
        }
        // Not opened: nothing is to be made by looking.
        let socket = Home::locate(surroundings)?.as_path().join("coordinator.sock");
        if !socket.exists() {
            return Err(Failure::bad_input(format!("no coordinator serves at unix://{}", socket.display())).hint(START));
        }
        client::to(Listen::Unix(socket), &args.daemon, surroundings).map(Self::Coordinator)
    }

    /// Does it with a client of what is there.
    pub(super) async fn with<T, F>(self, act: impl FnOnce(Client) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        match self {
            Self::Coordinator(reach) => {
                let client = Client::connect(reach).await.map_err(|failure| match failure.sentence.starts_with(ABSENT) {
                    true => failure.hint(START),
                    false => failure,
                })?;
                act(client).await
            }
            Self::Node(node) => {
                let models = Arc::new(Providers::new(BTreeMap::new(), Box::new(|_: &str| None)));
                let stack = Stack::start(StoreLocation::Ephemeral, models, Hands::Remote(vec![node]), Door::default()).await?;
                let done = act(stack.client()).await;
                stack.leave().await;
                done
            }
        }
    }
}

/// How a failure begins that says that nobody serves.
const ABSENT: &str = "no coordinator serves";

/// What to do then.
const START: &str = "start one with `capstan coordinator`, name another with --coordinator, or ask a node itself with --node";

/// A coordinator's no, as the user is told it.
pub(super) fn refused(error: &ClientError) -> Failure {
    let failure = Failure::failed(error);
    match error {
        ClientError::Refused(status) if status.code() == tonic::Code::NotFound => failure.hint(FORGOTTEN),
        ClientError::Refused(status) if status.code() == tonic::Code::Unimplemented => {
            Failure::failed("the coordinator is of an older release, which shows no sessions").hint("update it")
        }
        _ => failure,
    }
}

/// Why a session may be gone.
pub(super) const FORGOTTEN: &str =
    "a session is forgotten once its end is stored; `capstan threads follow` tells what its thread keeps of it";
