//! Checkpoints that travel, on one node: taken, brought back, compared, and their packs carried away and brought.

use super::{ANSWER_DEADLINE, NodeHost};
use crate::nodes::link::NodeLink;
use bytes::Bytes;
use capstan_proto::wire::node as wire;
use capstan_types::grant::Work;
use capstan_types::id::ThreadId;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::saved::record::CheckpointRecord;
use capstan_types::saved::{
    CheckpointName, CompareWorkspaces, RestoreWorkspace, SaveWorkspace, WorkspaceRestored, WorkspaceSaved,
};
use capstan_types::tree_document::Difference;
use futures::{Stream, StreamExt};
use std::time::Duration;
use tonic::{Status, Streaming};

/// The longest that a node may take to save a workspace, to bring it back or to compare two states: its own deadline, and room.
const SAVED_DEADLINE: Duration = Duration::from_secs(660);

/// The longest that the packs of one checkpoint may take to a node.
const GIVING: Duration = Duration::from_secs(3600);

/// The longest that the next piece of a pack may take.
const PIECE: Duration = Duration::from_secs(60);

impl NodeHost {
    /// Has the workspace at `cwd` saved as a checkpoint, unless there is one of that name.
    ///
    /// # Errors
    /// There is no checkpoint; the text says why.
    pub async fn save(
        &self,
        cwd: &AbsPath,
        name: CheckpointName,
        policy: SandboxPolicy,
        ignored: bool,
    ) -> Result<WorkspaceSaved, Status> {
        let save = SaveWorkspace { authority: self.authority.clone(), cwd: cwd.clone(), name, policy, ignored };
        let (asked, request) = (self.under(Work::Save, &save.policy), wire::SaveRequest::from(&save));
        let save = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.save(request).await }
        };
        Ok(self.ask(SAVED_DEADLINE, save).await?.into())
    }

    /// Has a checkpoint, which the node knows, brought back at `cwd`.
    ///
    /// # Errors
    /// The node does not know it, or it could not be brought back; the text says which.
    pub async fn restore(
        &self,
        cwd: &AbsPath,
        (of, name): (ThreadId, CheckpointName),
        policy: SandboxPolicy,
    ) -> Result<WorkspaceRestored, Status> {
        let of = (of != self.authority.thread).then_some(of);
        let restore = RestoreWorkspace { authority: self.authority.clone(), cwd: cwd.clone(), of, name, policy };
        let (asked, request) = (self.under(Work::Restore, &restore.policy), wire::RestoreRequest::from(&restore));
        let restore = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.restore(request).await }
        };
        Ok(self.ask(SAVED_DEADLINE, restore).await?.into())
    }

    /// What differs between two checkpoints whose packs the node has or reaches, in at most `most` names.
    ///
    /// # Errors
    /// They cannot be compared; the text says why.
    pub async fn compare(
        &self,
        before: CheckpointRecord,
        after: CheckpointRecord,
        most: usize,
    ) -> Result<Vec<Difference>, Status> {
        let compare = CompareWorkspaces { authority: self.authority.clone(), before, after, most };
        let (asked, request) = (self.work(Work::Compare), wire::CompareRequest::from(&compare));
        let compare = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.compare(request).await }
        };
        Ok(self.ask(SAVED_DEADLINE, compare).await?.differences.into_iter().map(Into::into).collect())
    }

    /// Which packs of a checkpoint the node neither has nor reaches.
    ///
    /// # Errors
    /// It cannot say.
    pub async fn lacks_packs(&self, record: &CheckpointRecord) -> Result<Vec<String>, Status> {
        let request = wire::LacksPacksRequest { authority: Some((&self.authority).into()), record: record.text().into() };
        let asked = self.work(Work::LacksPacks);
        let lacks = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.lacks_packs(request).await }
        };
        Ok(self.ask(ANSWER_DEADLINE, lacks).await?.packs)
    }

    /// Brings pieces of packs to the node, and last the record that names them.
    ///
    /// # Errors
    /// The node did not take all of them. What it took whole, it keeps for a while.
    pub async fn give_packs(&self, pieces: impl Stream<Item = Piece> + Send + 'static) -> Result<(), Status> {
        let (asked, link) = (self.work(Work::GivePacks), self.link.newest());
        let mut authority = Some((&self.authority).into());
        let pieces = pieces.map(move |piece| {
            let Piece { pack, data, ends, record } = piece;
            wire::GivePacksRequest { authority: authority.take(), pack, data, ends, record }
        });
        let mut node = link.workspace_for(&asked);
        match tokio::time::timeout(GIVING, node.give_packs(pieces)).await {
            Ok(given) => given.map(drop),
            Err(_) => Err(Status::deadline_exceeded(format!("the node did not take the packs within {} s", GIVING.as_secs()))),
        }
    }

    /// Begins to take packs of a checkpoint of the thread from the node.
    ///
    /// # Errors
    /// The node does not know it, or a pack of it is gone.
    pub async fn take_packs(&self, name: &CheckpointName, packs: Vec<String>) -> Result<Taken, Status> {
        let request = wire::TakePacksRequest { authority: Some((&self.authority).into()), name: name.to_string(), packs };
        let asked = self.work(Work::TakePacks);
        let take = |link: &NodeLink| {
            let (mut node, request) = (link.workspace_for(&asked), request.clone());
            async move { node.take_packs(request).await }
        };
        Ok(Taken(self.ask(ANSWER_DEADLINE, take).await?))
    }
}

/// A piece of what is brought to a node.
#[derive(Debug, Default)]
pub struct Piece {
    /// The pack that begins with it; empty while one goes on.
    pub pack: String,
    /// The next bytes of it.
    pub data: Bytes,
    /// Whether it ends with them.
    pub ends: bool,
    /// The record, alone and last.
    pub record: Bytes,
}

/// Packs on their way from a node.
#[derive(Debug)]
pub struct Taken(Streaming<wire::TakePacksResponse>);

impl Taken {
    /// The next piece; none after the last.
    ///
    /// # Errors
    /// The node broke off, or said nothing for a minute.
    pub async fn next(&mut self) -> Result<Option<Piece>, Status> {
        let silent = |_| Status::deadline_exceeded(format!("the node gave nothing for {} s", PIECE.as_secs()));
        let piece = tokio::time::timeout(PIECE, self.0.message()).await.map_err(silent)??;
        Ok(piece.map(|wire::TakePacksResponse { pack, data, ends }| Piece { pack, data, ends, record: Bytes::new() }))
    }
}
