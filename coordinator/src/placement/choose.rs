//! The choice itself: values in, a name out.

use super::view::{NodeRoom, View};
use capstan_registry::Stale;
use capstan_types::id::NodeId;
use capstan_types::policy::Level;

/// Why no node was chosen. For the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// No node is known.
    #[error("no node is registered; start one with `capstan node`, or leave out --node to use this host")]
    NoNodes,
    /// What is known of the nodes is old.
    #[error("nothing new is placed now: {0}; what runs goes on, and placing goes on by itself when the registry answers again")]
    Stale(Stale),
    /// The nodes that could be chosen vanished together with many others, or do not answer.
    #[error(
        "nothing new is placed on {nodes} now: they vanished from the registry together with many others, which may be the registry's \
         fault, or they do not answer; try again in a minute, or look at etcd and at the nodes"
    )]
    Suspect {
        /// They.
        nodes: String,
    },
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
/// There is no such node, or nobody knows what is there.
pub fn choose(view: &View, wanted: Option<&NodeId>, demanded: Level) -> Result<NodeId, NoPlace> {
    // A guess that is wrong costs more than a moment's wait.
    if let Some(stale) = &view.stale {
        return Err(NoPlace::Stale(stale.clone()));
    }
    let possible = view.nodes.iter().filter(|node| wanted.is_none_or(|wanted| node.id == *wanted));
    let (suspect, candidates): (Vec<&NodeRoom>, Vec<&NodeRoom>) = possible.partition(|node| node.suspect);
    if candidates.is_empty() && !suspect.is_empty() {
        return Err(NoPlace::Suspect { nodes: names(suspect) });
    }
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
        (None, Some(wanted)) => Err(NoPlace::NotRegistered { wanted: wanted.clone(), known: names(&view.nodes) }),
        (None, None) => Err(NoPlace::NoNodes),
    }
}

fn names<'a>(nodes: impl IntoIterator<Item = &'a NodeRoom>) -> String {
    let names: Vec<&str> = nodes.into_iter().map(|node| node.id.as_str()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
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
            suspect: false,
        };
        View { nodes: nodes.iter().map(room).collect(), stale: None }
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
    fn nothing_is_placed_on_guesses() {
        let mut two = view(&[("a", 9, Level::Full), ("b", 1, Level::Full)]);
        two.nodes[0].suspect = true;
        assert_eq!(choose(&two, None, Level::Full).unwrap().as_str(), "b", "a suspect is passed over");
        let said = choose(&two, Some(&"a".parse().unwrap()), Level::Full).unwrap_err().to_string();
        assert!(said.starts_with("nothing new is placed on a now: they vanished"), "{said}");
        two.stale = Some(Stale { silent: Some(std::time::Duration::from_secs(7)), why: "it is gone".to_owned() });
        let said = choose(&two, None, Level::Full).unwrap_err().to_string();
        assert_eq!(
            said,
            "nothing new is placed now: the registry has said nothing for 7 s (it is gone); what runs goes on, and placing goes on by \
             itself when the registry answers again"
        );
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
