//! Files of threads' workspaces, as a coordinator gives them.

use super::Client;
use super::error::ClientError;
use bytes::Bytes;
use capstan_proto::convert::Malformed;
use capstan_proto::wire::files as wire;
use capstan_types::files::document::{ListQuery, ReadQuery, SearchQuery, WatchQuery, WriteQuery};
use capstan_types::files::report::{FileFacts, FilesReport, Written};
use capstan_types::id::ThreadId;
use capstan_types::operator::Person;
use tonic::Streaming;

/// An answer that comes in parts.
#[derive(Debug)]
pub struct FileParts<W>(Streaming<W>);

impl<W> FileParts<W>
where
    FilesReport: TryFrom<W, Error = Malformed>,
{
    /// The next part; nothing behind the last.
    ///
    /// # Errors
    /// It was not done to its end.
    pub async fn next(&mut self) -> Result<Option<FilesReport>, ClientError> {
        Ok(self.0.message().await?.map(TryInto::try_into).transpose()?)
    }
}

impl Client {
    /// A part of a file. It is asked for once, like all below.
    ///
    /// # Errors
    /// It is not to be had; the sentence says why.
    pub async fn read_file(&mut self, thread: ThreadId, query: &ReadQuery) -> Result<(FileFacts, Bytes), ClientError> {
        self.requests.read_file(thread, query).await
    }

    /// The names below a directory.
    ///
    /// # Errors
    /// As [`Client::read_file`].
    pub async fn list_files(&mut self, thread: ThreadId, query: &ListQuery) -> Result<FileParts<wire::ListPart>, ClientError> {
        self.requests.list_files(thread, query).await.map(FileParts)
    }

    /// Lines that match a pattern.
    ///
    /// # Errors
    /// As [`Client::read_file`].
    pub async fn search_files(
        &mut self,
        thread: ThreadId,
        query: &SearchQuery,
    ) -> Result<FileParts<wire::SearchPart>, ClientError> {
        self.requests.search_files(thread, query).await.map(FileParts)
    }

    /// Writes a file.
    ///
    /// # Errors
    /// As [`Client::read_file`].
    pub async fn write_file(
        &mut self,
        thread: ThreadId,
        written: (&WriteQuery, Bytes),
        by: &Person,
    ) -> Result<Written, ClientError> {
        self.requests.write_file(thread, written, by).await
    }

    /// What changes from now on.
    ///
    /// # Errors
    /// As [`Client::read_file`].
    pub async fn watch_files(&mut self, thread: ThreadId, query: &WatchQuery) -> Result<FileParts<wire::WatchPart>, ClientError> {
        self.requests.watch_files(thread, query).await.map(FileParts)
    }
}
