//! What all parts stand on.

use crate::node::Node;
use capstan_types::id::TurnId;
use capstan_types::policy::{ApprovalPolicy, SandboxMode};
use capstan_types::thread::ThreadSettings;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Whose threads a coordinator goes on with.
pub(crate) const LINE: &str = "bench-";

/// The turn of all that is stored before a coordinator starts.
pub(crate) const TURN: TurnId = TurnId::from_u128(1);

/// A node, and where things lie.
pub(crate) struct Bench {
    pub(crate) node: Node,
    pub(crate) state: PathBuf,
    pub(crate) workspace: PathBuf,
}

pub(crate) fn settings(workspace: &Path) -> ThreadSettings {
    ThreadSettings {
        model: "model".to_owned(),
        provider: "scripted".to_owned(),
        effort: None,
        cwd: workspace.display().to_string().parse().expect("a path"),
        node: None,
        sandbox: SandboxMode::WorkspaceWrite,
        profile: None,
        writable_roots: vec![],
        network_access: false,
        exclude_slash_tmp: false,
        approval: ApprovalPolicy::Never,
        environment: BTreeMap::new(),
        instructions: None,
        plan_tool: false,
        cleaning: capstan_types::output::clean::Cleaning::Clean,
        docs: capstan_types::docs::ProjectDocs::default(),
        window: capstan_types::window::WindowSettings::default(),
        fallbacks: Vec::new(),
        budgets: capstan_types::budget::Budgets::default(),
        placement: Box::default(),
        placed: None,
        hosts: Vec::new(),
        source: None,
    }
}
