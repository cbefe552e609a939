//! `capstan nodes`: operators look at nodes, and order things for them.

mod change;
mod describe;
mod drain;
mod list;
mod object;
mod progress;
mod table;
mod top;
mod which;

use crate::args::{DaemonArgs, NodesArgs, NodesCommand};
use crate::client::{self, ClientError, NodeFilter, Reach};
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::surroundings::Surroundings;
use capstan_proto::transport::Listen;
use tonic::Code;

/// Runs the command.
///
/// # Errors
/// What was given cannot be used (exit code 2); it was not done, or the coordinator does not answer (1).
pub fn run(args: &NodesArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    match &args.command {
        NodesCommand::List(args) => list::run(args, surroundings),
        NodesCommand::Describe(args) => describe::run(args, surroundings),
        NodesCommand::Top(args) => top::run(args, surroundings),
        NodesCommand::Label(args) => change::label(args, surroundings),
        NodesCommand::Taint(args) => change::taint(args, surroundings),
        NodesCommand::Cordon(args) => change::cordon(args, surroundings),
        NodesCommand::Uncordon(args) => change::uncordon(args, surroundings),
        NodesCommand::Drain(args) => drain::run(args, surroundings),
    }
}

/// The way to the coordinator that is named, or to the one of this home.
///
/// # Errors
/// There is none.
pub fn reach(daemon: &DaemonArgs, surroundings: &Surroundings) -> Result<Reach, Failure> {
    if let Some(reach) = client::reach(daemon, surroundings)? {
        return Ok(reach);
    }
    // Not opened: nothing is to be made by looking.
    let socket = Home::locate(surroundings)?.as_path().join("coordinator.sock");
    if !socket.exists() {
        return Err(Failure::bad_input(format!("no coordinator serves at unix://{}", socket.display()))
            .hint("start one with `capstan coordinator`, or name another with --coordinator"));
    }
    client::to(Listen::Unix(socket), daemon, surroundings)
}

/// A coordinator's no, as the operator is told it.
#[must_use]
pub fn refused(error: &ClientError) -> Failure {
    match error {
        ClientError::Refused(status) if matches!(status.code(), Code::NotFound | Code::InvalidArgument) => {
            Failure::bad_input(error)
        }
        ClientError::Refused(status) if status.code() == Code::Unimplemented => {
            Failure::failed("the coordinator is of an older release, which shows no nodes").hint("update it")
        }
        _ => Failure::failed(error),
    }
}

/// What these arguments ask for.
///
/// # Errors
/// A name that none can have.
pub fn filter(which: &crate::args::WhichNodesArgs) -> Result<NodeFilter, Failure> {
    which::checked(&which.nodes)?;
    Ok(NodeFilter { names: which.nodes.clone(), selector: which.selector.as_ref().map(ToString::to_string).unwrap_or_default() })
}
