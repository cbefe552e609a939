//! Workspaces that nodes have made, as a coordinator tells them.

use super::Client;
use super::error::ClientError;
use capstan_proto::convert::Malformed;
use capstan_types::id::ThreadId;
use capstan_types::kept::{Gone, KeptWorkspace, SweepQuery, Swept};
use capstan_types::operator::Person;

/// What each node answered, or why it did not.
pub type OfNodes<T> = Vec<(String, Result<T, String>)>;

impl Client {
    /// The workspaces of a node, or of all.
    ///
    /// # Errors
    /// There is no such node, or the coordinator does not tell. It is asked once, like below.
    pub async fn workspaces(&mut self, node: Option<&str>) -> Result<OfNodes<Vec<KeptWorkspace>>, ClientError> {
        let answer = self.requests.list_workspaces(node.unwrap_or_default()).await?;
        let mut told = Vec::new();
        for node in answer.nodes {
            let kept = node.workspaces.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, Malformed>>()?;
            told.push((node.node_id, if node.silent.is_empty() { Ok(kept) } else { Err(node.silent) }));
        }
        Ok(told)
    }

    /// Removes the workspace of a thread on a node.
    ///
    /// # Errors
    /// There is none, or it is in use and `force` is not said.
    pub async fn remove_workspace(
        &mut self,
        (node, thread): (&str, ThreadId),
        force: bool,
        by: &Person,
    ) -> Result<Gone, ClientError> {
        let answer = self.requests.remove_workspace((node, thread), force, by).await?;
        Ok(answer.gone.ok_or_else(|| Malformed::missing("gone"))?.into())
    }

    /// Removes what nobody needs, on a node, or on all.
    ///
    /// # Errors
    /// As [`Client::workspaces`].
    pub async fn sweep_workspaces(
        &mut self,
        node: Option<&str>,
        query: SweepQuery,
        by: &Person,
    ) -> Result<OfNodes<Swept>, ClientError> {
        let answer = self.requests.sweep_workspaces(node.unwrap_or_default(), query, by).await?;
        let told = answer.nodes.into_iter().map(|node| {
            let swept = Swept::from(node.swept.unwrap_or_default());
            (node.node_id, if node.silent.is_empty() { Ok(swept) } else { Err(node.silent) })
        });
        Ok(told.collect())
    }
}
