//! The choice itself: values in, a name out.

use super::view::{NodeRoom, View};
use capstan_types::id::NodeId;
use capstan_types::policy::Level;

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
    /// No node that may be chosen gives a sandbox that is strong enough.
    #[error(
        "node {node} gives a sandbox of level {level}, and {demanded} is demanded{}; change the host, use another node, or demand less",
        because(.missing)
    )]
    TooWeak {
        /// The strongest of them.
        node: NodeId,
        /// What it gives.
        level: Level,
        /// What is demanded.
        demanded: Level,
        /// What it lacks, and why.
        missing: Vec<String>,
    },
}

fn because(missing: &[String]) -> String {
    if missing.is_empty() { String::new() } else { format!(" (missing there: {})", missing.join("; ")) }
}

/// Chooses the node for a workspace whose sessions demand a sandbox of the level `demanded`: the one asked for, else, of those that are
/// strong enough, the one that can run the most sessions, the first by name among equals.
///
/// # Errors
/// There is no such node.
pub fn choose(view: &View, wanted: Option<&NodeId>, demanded: Level) -> Result<NodeId, NoPlace> {
    let candidates: Vec<&NodeRoom> = view.nodes.iter().filter(|node| wanted.is_none_or(|wanted| node.id == *wanted)).collect();
    let strong = candidates.iter().filter(|node| node.level >= demanded);
    if let Some(roomiest) = strong.max_by(|a, b| a.sessions.cmp(&b.sessions).then_with(|| b.id.cmp(&a.id))) {
        return Ok(roomiest.id.clone());
    }
    let strongest = candidates.iter().max_by(|a, b| a.level.cmp(&b.level).then_with(|| b.id.cmp(&a.id)));
    match (strongest, wanted) {
        (Some(node), _) => {
            let (node, level, missing) = (node.id.clone(), node.level, node.missing.clone());
            Err(NoPlace::TooWeak { node, level, demanded, missing })
        }
        (None, Some(wanted)) => Err(NoPlace::NotRegistered { wanted: wanted.clone(), known: names(view) }),
        (None, None) => Err(NoPlace::NoNodes),
    }
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

    fn view(nodes: &[(&str, u32, Level)]) -> View {
        let room = |(id, sessions, level): &(&str, u32, Level)| NodeRoom {
            id: id.parse().unwrap(),
            sessions: *sessions,
            level: *level,
            missing: if *level < Level::Full { vec!["own user: it is not root".to_owned()] } else { Vec::new() },
        };
        View { nodes: nodes.iter().map(room).collect() }
    }

    #[test]
    fn the_node_asked_for_is_taken_or_nothing() {
        let two = view(&[("a", 9, Level::Full), ("b", 1, Level::Full)]);
        assert_eq!(choose(&two, Some(&"b".parse().unwrap()), Level::Landlock).unwrap().as_str(), "b");
        let said = choose(&two, Some(&"c".parse().unwrap()), Level::Landlock).unwrap_err().to_string();
        assert_eq!(said, "node c is not registered; the registered nodes are: a, b");
        assert_eq!(choose(&view(&[]), None, Level::Landlock), Err(NoPlace::NoNodes));
    }

    #[test]
    fn the_roomiest_node_is_chosen_and_the_choice_does_not_waver() {
        let chosen = |nodes: &[(&str, u32, Level)]| choose(&view(nodes), None, Level::Landlock).unwrap();
        assert_eq!(chosen(&[("c", 4, Level::Full), ("a", 4, Level::Landlock), ("b", 4, Level::Full)]).as_str(), "a");
        assert_eq!(chosen(&[("a", 1, Level::Full), ("b", 4, Level::Full)]).as_str(), "b");
    }

    #[test]
    fn a_node_that_is_too_weak_is_never_chosen_and_the_reason_is_told() {
        let three = view(&[("a", 9, Level::Landlock), ("b", 9, Level::Namespaces), ("c", 1, Level::Full)]);
        assert_eq!(choose(&three, None, Level::Full).unwrap().as_str(), "c");
        let said = choose(&three, Some(&"a".parse().unwrap()), Level::Namespaces).unwrap_err().to_string();
        assert_eq!(
            said,
            "node a gives a sandbox of level landlock, and namespaces is demanded (missing there: own user: it is not root); change \
             the host, use another node, or demand less"
        );
        let weak = view(&[("a", 9, Level::Landlock), ("b", 1, Level::Namespaces)]);
        let Err(NoPlace::TooWeak { node, .. }) = choose(&weak, None, Level::Full) else { panic!("one was chosen") };
        assert_eq!(node.as_str(), "b", "the strongest is named");
        assert!(
            choose(&view(&[("a", 1, Level::None)]), None, Level::None).is_ok(),
            "without a sandbox every node is strong enough"
        );
    }
}
