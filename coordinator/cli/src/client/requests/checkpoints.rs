//! Asks for a thread's checkpoints.

use super::{ASK_DEADLINE, MAKE_DEADLINE, Requests, within};
use crate::client::error::ClientError;
use capstan_proto::convert::Malformed;
use capstan_proto::wire::client as wire;
use capstan_types::checkpoint::FileNames;
use capstan_types::id::ThreadId;
use capstan_types::saved::note::ListedCheckpoint;
use capstan_types::tree_document::Difference;

/// What became of a checkpoint that was to be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// The workspace is as it was.
    Done {
        /// The name of the checkpoint.
        checkpoint: String,
        /// The name of that of the state which the workspace had until now.
        saved: String,
        /// What was changed.
        changed: FileNames,
        /// How many names could not be brought back.
        resisted: u64,
    },
    /// Nothing was done: these have changed since the last checkpoint.
    ChangedSince(FileNames),
}

impl Requests {
    pub(in crate::client) async fn checkpoints(&mut self, thread: ThreadId) -> Result<Vec<ListedCheckpoint>, ClientError> {
        let request = wire::ListCheckpointsRequest { thread_id: thread.to_string() };
        let listed = within("list the checkpoints", ASK_DEADLINE, self.threads.list_checkpoints(request)).await?;
        Ok(listed.checkpoints.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
    }

    pub(in crate::client) async fn restore(
        &mut self,
        thread: ThreadId,
        checkpoint: String,
        force: bool,
    ) -> Result<Restored, ClientError> {
        let request = wire::RestoreRequest { thread_id: thread.to_string(), checkpoint, force };
        let answer = within("bring the checkpoint back", MAKE_DEADLINE, self.threads.restore(request)).await?;
        match answer.result.ok_or_else(|| Malformed::missing("result"))? {
            wire::restore_response::Result::Restored(wire::Restored { checkpoint, saved, changed, resisted }) => {
                Ok(Restored::Done { checkpoint, saved, changed: names(changed.unwrap_or_default()), resisted })
            }
            wire::restore_response::Result::ChangedSince(since) => Ok(Restored::ChangedSince(names(since))),
        }
    }

    pub(in crate::client) async fn compare(
        &mut self,
        thread: ThreadId,
        [before, after]: [String; 2],
    ) -> Result<(Vec<Difference>, bool), ClientError> {
        let request = wire::CompareRequest { thread_id: thread.to_string(), before, after, most: 0 };
        let answer = within("compare the checkpoints", MAKE_DEADLINE, self.threads.compare(request)).await?;
        Ok((answer.differences.into_iter().map(Into::into).collect(), answer.more))
    }
}

fn names(wire: wire::FileNames) -> FileNames {
    FileNames { names: wire.names, more: wire.more }
}
