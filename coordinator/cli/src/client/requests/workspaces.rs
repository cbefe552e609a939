//! What is asked about workspaces that nodes have made.

use super::{Requests, within};
use crate::client::error::ClientError;
use capstan_proto::wire::client as wire;
use capstan_types::id::ThreadId;
use capstan_types::kept::SweepQuery;
use capstan_types::operator::Person;
use std::time::Duration;

/// The longest that nodes may take to measure, and to remove, what lies on their disks.
const DEADLINE: Duration = Duration::from_secs(320);

impl Requests {
    pub(in crate::client) async fn list_workspaces(&mut self, node: &str) -> Result<wire::ListWorkspacesResponse, ClientError> {
        let request = wire::ListWorkspacesRequest { node_id: node.to_owned() };
        within("list the workspaces", DEADLINE, self.workspaces.list(request)).await
    }

    pub(in crate::client) async fn remove_workspace(
        &mut self,
        (node, thread): (&str, ThreadId),
        force: bool,
        by: &Person,
    ) -> Result<wire::RemoveWorkspaceResponse, ClientError> {
        let (node_id, thread_id, by) = (node.to_owned(), thread.to_string(), by.to_string());
        let request = wire::RemoveWorkspaceRequest { node_id, thread_id, force, by };
        within("remove the workspace", DEADLINE, self.workspaces.remove(request)).await
    }

    pub(in crate::client) async fn sweep_workspaces(
        &mut self,
        node: &str,
        query: SweepQuery,
        by: &Person,
    ) -> Result<wire::SweepWorkspacesResponse, ClientError> {
        let request = wire::SweepWorkspacesRequest { node_id: node.to_owned(), query: Some(query.into()), by: by.to_string() };
        within("sweep the workspaces", DEADLINE, self.workspaces.sweep(request)).await
    }
}
