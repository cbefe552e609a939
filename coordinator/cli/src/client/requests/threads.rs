//! What is asked about whole threads.

use super::{ASK_DEADLINE, CREATE_DEADLINE, MAKE_DEADLINE, Requests, UNDO_DEADLINE, within};
use crate::client::error::ClientError;
use crate::client::fork_at::ForkAt;
use capstan_proto::convert::client_listing;
use capstan_proto::wire::client as wire;
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::thread::ThreadRecord;
use capstan_types::thread::listing::{ThreadFilter, ThreadPage};
use tonic::Streaming;

impl Requests {
    pub(in crate::client) async fn list(&mut self, filter: ThreadFilter) -> Result<ThreadPage, ClientError> {
        let page = within("list the threads", ASK_DEADLINE, self.threads.list(wire::ListRequest::from(filter))).await?;
        Ok(ThreadPage::try_from(page)?)
    }

    pub(in crate::client) async fn get(&mut self, thread: ThreadId) -> Result<ThreadRecord, ClientError> {
        let request = wire::GetRequest { thread_id: thread.to_string() };
        let answer = within("show the thread", ASK_DEADLINE, self.threads.get(request)).await?;
        Ok(client_listing::thread(answer.thread)?)
    }

    pub(in crate::client) async fn resume(&mut self, thread: ThreadId) -> Result<(ThreadRecord, EventSeq), ClientError> {
        let request = wire::ResumeRequest { thread_id: thread.to_string() };
        let answer = within("open the thread", CREATE_DEADLINE, self.threads.resume(request)).await?;
        Ok((client_listing::thread(answer.thread)?, EventSeq(answer.last_seq)))
    }

    pub(in crate::client) async fn fork(
        &mut self,
        source: ThreadId,
        ForkAt { turn, workspace }: ForkAt,
        new: ThreadId,
    ) -> Result<(ThreadRecord, EventSeq), ClientError> {
        let turn_id = turn.map(|turn| turn.to_string()).unwrap_or_default();
        let request = wire::ForkRequest { thread_id: source.to_string(), turn_id, new_thread_id: new.to_string(), workspace };
        let deadline = if workspace { MAKE_DEADLINE } else { CREATE_DEADLINE };
        let answer = within("fork the thread", deadline, self.threads.fork(request)).await?;
        Ok((client_listing::thread(answer.thread)?, EventSeq(answer.last_seq)))
    }

    pub(in crate::client) async fn rename(&mut self, thread: ThreadId, name: String) -> Result<(), ClientError> {
        let request = wire::RenameRequest { thread_id: thread.to_string(), name };
        within("name the thread", ASK_DEADLINE, self.threads.rename(request)).await.map(drop)
    }

    pub(in crate::client) async fn archive(&mut self, thread: ThreadId, undo: bool) -> Result<(), ClientError> {
        let request = wire::ArchiveRequest { thread_id: thread.to_string(), undo };
        within("put the thread away", ASK_DEADLINE, self.threads.archive(request)).await.map(drop)
    }

    pub(in crate::client) async fn delete(&mut self, thread: ThreadId) -> Result<(), ClientError> {
        let request = wire::DeleteRequest { thread_id: thread.to_string() };
        within("delete the thread", CREATE_DEADLINE, self.threads.delete(request)).await.map(drop)
    }

    pub(in crate::client) async fn export(&mut self, thread: ThreadId) -> Result<Streaming<wire::ExportResponse>, ClientError> {
        let request = wire::ExportRequest { thread_id: thread.to_string() };
        within("export the thread", ASK_DEADLINE, self.threads.export(request)).await
    }

    pub(in crate::client) async fn patch(
        &mut self,
        thread: ThreadId,
        turn: Option<TurnId>,
    ) -> Result<Streaming<wire::PatchResponse>, ClientError> {
        let turn_id = turn.map(|turn| turn.to_string()).unwrap_or_default();
        let request = wire::PatchRequest { thread_id: thread.to_string(), turn_id };
        within("make a patch", UNDO_DEADLINE, self.threads.patch(request)).await
    }

    pub(in crate::client) async fn steer(&mut self, thread: ThreadId, text: String) -> Result<(), ClientError> {
        let request = wire::SteerRequest { thread_id: thread.to_string(), turn_id: String::new(), text };
        within("tell the turn", ASK_DEADLINE, self.turns.steer(request)).await.map(drop)
    }
}
