//! What is asked about files of workspaces.

use super::{Requests, UNDO_DEADLINE, within};
use crate::client::error::ClientError;
use bytes::Bytes;
use capstan_proto::wire::{client as wire, files};
use capstan_types::files::document::{ListQuery, ReadQuery, SearchQuery, WatchQuery, WriteQuery};
use capstan_types::files::report::{FileFacts, Written};
use capstan_types::id::ThreadId;
use capstan_types::operator::Person;
use tonic::Streaming;

impl Requests {
    pub(in crate::client) async fn read_file(
        &mut self,
        thread: ThreadId,
        query: &ReadQuery,
    ) -> Result<(FileFacts, Bytes), ClientError> {
        let request = wire::ReadFileRequest { thread_id: thread.to_string(), query: Some(query.into()) };
        let answer = within("read the file", UNDO_DEADLINE, self.files.read(request)).await?;
        Ok(answer.try_into()?)
    }

    pub(in crate::client) async fn list_files(
        &mut self,
        thread: ThreadId,
        query: &ListQuery,
    ) -> Result<Streaming<files::ListPart>, ClientError> {
        let request = wire::ListFilesRequest { thread_id: thread.to_string(), query: Some(query.into()) };
        within("list files", UNDO_DEADLINE, self.files.list(request)).await
    }

    pub(in crate::client) async fn search_files(
        &mut self,
        thread: ThreadId,
        query: &SearchQuery,
    ) -> Result<Streaming<files::SearchPart>, ClientError> {
        let request = wire::SearchFilesRequest { thread_id: thread.to_string(), query: Some(query.into()) };
        within("search files", UNDO_DEADLINE, self.files.search(request)).await
    }

    pub(in crate::client) async fn write_file(
        &mut self,
        thread: ThreadId,
        (query, data): (&WriteQuery, Bytes),
        by: &Person,
    ) -> Result<Written, ClientError> {
        let query = Some((query, data).into());
        let request = wire::WriteFileRequest { thread_id: thread.to_string(), query, by: by.to_string() };
        let answer = within("write the file", UNDO_DEADLINE, self.files.write(request)).await?;
        Ok(answer.try_into()?)
    }

    pub(in crate::client) async fn watch_files(
        &mut self,
        thread: ThreadId,
        query: &WatchQuery,
    ) -> Result<Streaming<files::WatchPart>, ClientError> {
        let request = wire::WatchFilesRequest { thread_id: thread.to_string(), query: Some(query.into()) };
        within("watch files", UNDO_DEADLINE, self.files.watch(request)).await
    }
}
