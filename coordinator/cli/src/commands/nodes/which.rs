//! Which nodes a command is about.

use super::refused;
use crate::args::WhichNodesArgs;
use crate::client::{Client, NodeFilter};
use crate::failure::Failure;
use capstan_types::id::NodeId;
use capstan_types::node_status::NodeStatus;

/// Looks at the names, before anybody is asked.
pub(super) fn checked(names: &[String]) -> Result<(), Failure> {
    names.iter().try_for_each(|name| match name.parse::<NodeId>() {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::bad_input(error)),
    })
}

/// The nodes that are named, and those that the selector means; at least one.
pub(super) async fn meant(client: &mut Client, which: &WhichNodesArgs) -> Result<Vec<NodeStatus>, Failure> {
    checked(&which.nodes)?;
    let Some(selector) = &which.selector else {
        if which.nodes.is_empty() {
            return Err(Failure::bad_input("no node is named")
                .hint("name one or several, or say which with -l SELECTOR; `capstan nodes list` shows them"));
        }
        let filter = NodeFilter { names: which.nodes.clone(), selector: String::new() };
        return Ok(client.nodes(filter).await.map_err(|error| refused(&error))?.nodes);
    };
    if !which.nodes.is_empty() {
        return Err(Failure::bad_input("nodes are named and selected").hint("do either"));
    }
    let filter = NodeFilter { names: Vec::new(), selector: selector.to_string() };
    let nodes = client.nodes(filter).await.map_err(|error| refused(&error))?.nodes;
    if nodes.is_empty() {
        return Err(
            Failure::bad_input(format!("no node matches `{selector}`")).hint("`capstan nodes list -o wide` shows the labels")
        );
    }
    Ok(nodes)
}
