//! Who may call what over TLS: one row for each method, and nobody for a method without one.
//!
//! It stands beside the services as data. A test holds it against the protobuf files, so that a new method without a row fails it. Unix
//! sockets and pipes need no row: what can open them is this user's, or this process.

use capstan_types::principal::Role;

/// One method's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// `/package.Service/Method`, as a request has it.
    pub path: &'static str,
    /// Who may call it.
    pub callers: Callers,
}

/// Who may call a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callers {
    /// Whoever connects, with a certificate or without one: the method itself asks for something else.
    Anybody,
    /// Members in one of these roles.
    Members(&'static [Role]),
}

const COORDINATORS: Callers = Callers::Members(&[Role::Coordinator]);
const CLIENTS: Callers = Callers::Members(&[Role::Client]);
const ALL: Callers = Callers::Members(&Role::ALL);

/// Every method that is served.
pub const METHODS: &[Method] = &[
    row("/capstan.node.v1.Exec/Start", COORDINATORS),
    row("/capstan.node.v1.Exec/Attach", COORDINATORS),
    row("/capstan.node.v1.Exec/Write", COORDINATORS),
    row("/capstan.node.v1.Exec/Signal", COORDINATORS),
    row("/capstan.node.v1.Exec/Resize", COORDINATORS),
    row("/capstan.node.v1.Exec/Kill", COORDINATORS),
    row("/capstan.node.v1.Exec/Release", COORDINATORS),
    row("/capstan.node.v1.Exec/List", COORDINATORS),
    row("/capstan.node.v1.Operate/Look", COORDINATORS),
    row("/capstan.node.v1.Operate/Write", COORDINATORS),
    row("/capstan.node.v1.Operate/Signal", COORDINATORS),
    row("/capstan.node.v1.Operate/Resize", COORDINATORS),
    row("/capstan.node.v1.Operate/Kill", COORDINATORS),
    row("/capstan.node.v1.Operate/ListWorkspaces", COORDINATORS),
    row("/capstan.node.v1.Operate/RemoveWorkspace", COORDINATORS),
    row("/capstan.node.v1.Operate/SweepWorkspaces", COORDINATORS),
    row("/capstan.node.v1.Workspace/Open", COORDINATORS),
    row("/capstan.node.v1.Workspace/ReadFiles", COORDINATORS),
    row("/capstan.node.v1.Workspace/ApplyPatch", COORDINATORS),
    row("/capstan.node.v1.Workspace/Checkpoint", COORDINATORS),
    row("/capstan.node.v1.Workspace/Diff", COORDINATORS),
    row("/capstan.node.v1.Workspace/Patch", COORDINATORS),
    row("/capstan.node.v1.Workspace/Undo", COORDINATORS),
    row("/capstan.node.v1.Workspace/Forget", COORDINATORS),
    row("/capstan.node.v1.Workspace/Save", COORDINATORS),
    row("/capstan.node.v1.Workspace/Restore", COORDINATORS),
    row("/capstan.node.v1.Workspace/Compare", COORDINATORS),
    row("/capstan.node.v1.Workspace/LacksPacks", COORDINATORS),
    row("/capstan.node.v1.Workspace/GivePacks", COORDINATORS),
    row("/capstan.node.v1.Workspace/TakePacks", COORDINATORS),
    row("/capstan.node.v1.Workspace/Make", COORDINATORS),
    row("/capstan.node.v1.Files/Read", COORDINATORS),
    row("/capstan.node.v1.Files/List", COORDINATORS),
    row("/capstan.node.v1.Files/Search", COORDINATORS),
    row("/capstan.node.v1.Files/Write", COORDINATORS),
    row("/capstan.node.v1.Files/Watch", COORDINATORS),
    row("/capstan.node.v1.Node/Describe", COORDINATORS),
    row("/capstan.client.v1.Threads/Create", CLIENTS),
    row("/capstan.client.v1.Threads/Waiting", CLIENTS),
    row("/capstan.client.v1.Threads/ListCheckpoints", CLIENTS),
    row("/capstan.client.v1.Threads/Restore", CLIENTS),
    row("/capstan.client.v1.Threads/Compare", CLIENTS),
    row("/capstan.client.v1.Threads/List", CLIENTS),
    row("/capstan.client.v1.Threads/Get", CLIENTS),
    row("/capstan.client.v1.Threads/Resume", CLIENTS),
    row("/capstan.client.v1.Threads/Fork", CLIENTS),
    row("/capstan.client.v1.Threads/Rename", CLIENTS),
    row("/capstan.client.v1.Threads/Archive", CLIENTS),
    row("/capstan.client.v1.Threads/Delete", CLIENTS),
    row("/capstan.client.v1.Threads/Export", CLIENTS),
    row("/capstan.client.v1.Threads/Subscribe", CLIENTS),
    row("/capstan.client.v1.Threads/Diff", CLIENTS),
    row("/capstan.client.v1.Threads/Patch", CLIENTS),
    row("/capstan.client.v1.Threads/Undo", CLIENTS),
    row("/capstan.client.v1.Uploads/Lacks", CLIENTS),
    row("/capstan.client.v1.Uploads/Give", CLIENTS),
    row("/capstan.client.v1.Uploads/Finish", CLIENTS),
    row("/capstan.client.v1.Turns/Start", CLIENTS),
    row("/capstan.client.v1.Turns/Steer", CLIENTS),
    row("/capstan.client.v1.Turns/ListQueued", CLIENTS),
    row("/capstan.client.v1.Turns/Withdraw", CLIENTS),
    row("/capstan.client.v1.Turns/Interrupt", CLIENTS),
    row("/capstan.client.v1.Files/Read", CLIENTS),
    row("/capstan.client.v1.Files/List", CLIENTS),
    row("/capstan.client.v1.Files/Search", CLIENTS),
    row("/capstan.client.v1.Files/Write", CLIENTS),
    row("/capstan.client.v1.Files/Watch", CLIENTS),
    row("/capstan.client.v1.Workspaces/List", CLIENTS),
    row("/capstan.client.v1.Workspaces/Remove", CLIENTS),
    row("/capstan.client.v1.Workspaces/Sweep", CLIENTS),
    row("/capstan.client.v1.Sessions/List", CLIENTS),
    row("/capstan.client.v1.Sessions/Attach", CLIENTS),
    row("/capstan.client.v1.Sessions/Write", CLIENTS),
    row("/capstan.client.v1.Sessions/Signal", CLIENTS),
    row("/capstan.client.v1.Sessions/Resize", CLIENTS),
    row("/capstan.client.v1.Sessions/Kill", CLIENTS),
    row("/capstan.client.v1.Nodes/List", CLIENTS),
    row("/capstan.client.v1.Nodes/Order", CLIENTS),
    row("/capstan.client.v1.Nodes/Drain", CLIENTS),
    row("/capstan.client.v1.Nodes/Events", CLIENTS),
    // The join token is what is asked for.
    row("/capstan.identity.v1.Identity/Join", Callers::Anybody),
    row("/capstan.identity.v1.Identity/Renew", ALL),
    row("/capstan.identity.v1.Identity/Follow", ALL),
    row("/grpc.health.v1.Health/Check", ALL),
    row("/grpc.health.v1.Health/Watch", ALL),
];

const fn row(path: &'static str, callers: Callers) -> Method {
    Method { path, callers }
}

/// A method's row; none for a method that nobody may call.
#[must_use]
pub fn find(path: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.path == path)
}

impl Callers {
    /// Whether a member in this role is one of them.
    #[must_use]
    pub fn include(self, role: Role) -> bool {
        match self {
            Self::Anybody => true,
            Self::Members(roles) => roles.contains(&role),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The methods in the protobuf files, one in a line.
    const DESCRIBED: &str = include_str!(concat!(env!("OUT_DIR"), "/methods.txt"));

    #[test]
    fn every_method_has_one_row_and_every_row_is_a_methods() {
        let described: BTreeSet<&str> = DESCRIBED.lines().collect();
        let rows: Vec<&str> = METHODS.iter().map(|method| method.path).filter(|path| !path.starts_with("/grpc.")).collect();
        let distinct: BTreeSet<&str> = rows.iter().copied().collect();
        assert_eq!(rows.len(), distinct.len(), "a method has two rows");
        let without: Vec<_> = described.difference(&distinct).collect();
        assert!(without.is_empty(), "say in proto/src/methods.rs who may call these: {without:?}");
        let unknown: Vec<_> = distinct.difference(&described).collect();
        assert!(unknown.is_empty(), "no protobuf file has these: {unknown:?}");
    }

    #[test]
    fn nobody_without_a_certificate_may_do_more_than_join_and_nobody_may_call_what_is_not_there() {
        let open: Vec<_> = METHODS.iter().filter(|method| method.callers == Callers::Anybody).map(|method| method.path).collect();
        assert_eq!(open, ["/capstan.identity.v1.Identity/Join"]);
        assert_eq!(find("/capstan.node.v1.Exec/Begin"), None);
    }

    #[test]
    fn a_node_is_obeyed_by_nobody_and_obeys_coordinators_alone() {
        for method in METHODS.iter().filter(|method| method.path.starts_with("/capstan.node.")) {
            assert_eq!(method.callers, COORDINATORS, "{}", method.path);
        }
        for method in METHODS.iter().filter(|method| method.path.starts_with("/capstan.client.")) {
            assert!(!method.callers.include(Role::Node), "{}", method.path);
        }
    }
}
