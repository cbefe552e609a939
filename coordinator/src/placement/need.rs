//! What a workspace needs of the node that is to hold it.

use capstan_types::id::NodeId;
use capstan_types::placement::{Packing, PlacementSettings, Priority};
use capstan_types::policy::Level;
use capstan_types::resources::Resources;
use capstan_types::selector::Selector;
use capstan_types::taint::{Taint, Toleration};

/// What a workspace needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// Which node is meant.
    pub wanted: Wanted,
    /// Which labels it must have.
    pub selector: Selector,
    /// Which taints are put up with.
    pub tolerations: Vec<Toleration>,
    /// What is reserved.
    pub resources: Resources,
    /// The least that its sandbox must hold.
    pub level: Level,
    /// Where among the nodes that would do.
    pub packing: Packing,
    /// The repository whose mirror or warm cache makes a node the better choice.
    pub repository: Option<String>,
    /// The batch whose workspaces had better not share a node.
    pub batch: Option<String>,
    /// How far before others it stands when it has to wait.
    pub priority: Priority,
    /// What decides between equals: the same need, seed and view give the same node, and other seeds spread over the equals.
    pub seed: u64,
}

/// Which node is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Any that will do.
    #[default]
    Any,
    /// This one, if it takes anything new.
    Named(NodeId),
    /// This one, since the workspace is there already: what it holds has been let in before, and is not held up by a cordon, a taint or want
    /// of room.
    Held(NodeId),
}

impl Need {
    /// What a thread asks of a node.
    #[must_use]
    pub fn of(asked: &PlacementSettings, wanted: Wanted, level: Level, seed: u64) -> Self {
        let PlacementSettings { selector, tolerations, resources, packing, batch, priority, near, hosts: _ } = asked.clone();
        Self { wanted, selector, tolerations, resources, level, packing, repository: near, batch, priority, seed }
    }

    /// Whether a taint is put up with.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations.iter().any(|toleration| toleration.tolerates(taint))
    }
}
