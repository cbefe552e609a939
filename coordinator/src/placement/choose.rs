//! The choice itself: values in, a name out.

use super::view::View;
use capstan_types::id::NodeId;

/// Why no node was chosen. For the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// No node is known.
    #[error("no node is registered; start one with `capstan node`, or leave out --node to use this host")]
    NoNodes,
    /// The node that was asked for is not there.
    #[error("node {wanted} is not registered; the registered nodes are: {known}")]
    NotRegistered {
        /// The node asked for.
        wanted: NodeId,
        /// The nodes that are there.
        known: String,
    },
}

/// Chooses the node for a workspace: the one asked for, else the one that can run the most sessions, the first by name among equals.
///
/// # Errors
/// There is no such node.
pub fn choose(view: &View, wanted: Option<&NodeId>) -> Result<NodeId, NoPlace> {
    if let Some(wanted) = wanted {
        return match view.nodes.iter().any(|node| node.id == *wanted) {
            true => Ok(wanted.clone()),
            false => Err(NoPlace::NotRegistered { wanted: wanted.clone(), known: names(view) }),
        };
    }
    let roomiest = view.nodes.iter().max_by(|a, b| a.sessions.cmp(&b.sessions).then_with(|| b.id.cmp(&a.id)));
    roomiest.map(|node| node.id.clone()).ok_or(NoPlace::NoNodes)
}

fn names(view: &View) -> String {
    match view.nodes.is_empty() {
        true => "none".to_owned(),
        false => view.nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::view::NodeRoom;

    fn view(nodes: &[(&str, u32)]) -> View {
        View { nodes: nodes.iter().map(|(id, sessions)| NodeRoom { id: id.parse().unwrap(), sessions: *sessions }).collect() }
    }

    #[test]
    fn the_node_asked_for_is_taken_or_nothing() {
        let two = view(&[("a", 9), ("b", 1)]);
        assert_eq!(choose(&two, Some(&"b".parse().unwrap())).unwrap().as_str(), "b");
        let said = choose(&two, Some(&"c".parse().unwrap())).unwrap_err().to_string();
        assert_eq!(said, "node c is not registered; the registered nodes are: a, b");
        assert_eq!(choose(&view(&[]), None), Err(NoPlace::NoNodes));
    }

    #[test]
    fn the_roomiest_node_is_chosen_and_the_choice_does_not_waver() {
        assert_eq!(choose(&view(&[("c", 4), ("a", 4), ("b", 4)]), None).unwrap().as_str(), "a");
        assert_eq!(choose(&view(&[("a", 1), ("b", 4)]), None).unwrap().as_str(), "b");
    }
}
