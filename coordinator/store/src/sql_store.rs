//! The store over a SQL database, whichever it is: writes go to the one that writes, questions beside it.

use crate::error::StoreError;
use crate::record::{PlacedEntry, Record};
use crate::rows::{NewRow, ThreadRow, now};
use crate::sql::connection::{Ask, Row, Value};
use crate::sql::fault::Fault;
use crate::sql::write::Write;
use crate::sql::{list, queue, read};
use crate::store::Store;
use crate::writer::Writer;
use async_trait::async_trait;
use capstan_types::call::{Call, CallAttempt, CallEnd};
use capstan_types::event::Event;
use capstan_types::history::Entry;
use capstan_types::id::{CallId, Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::thread::listing::{ThreadFilter, ThreadPage};
use capstan_types::thread::{ThreadRecord, TurnInput, Upto};
use std::fmt::Debug;

/// The side of a database that answers questions.
#[async_trait]
pub(crate) trait Reading: Debug + Send + Sync {
    /// Runs a statement that changes nothing.
    async fn rows(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError>;

    /// Ends every connection, those of the writer too.
    async fn close(&self);
}

/// A store in a SQL database. Dropping it without [`Store::close`] loses nothing that was acknowledged.
#[derive(Debug)]
pub struct SqlStore {
    reading: Box<dyn Reading>,
    writer: Writer,
}

struct Question<'a>(&'a dyn Reading);

impl Ask for Question<'_> {
    async fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        self.0.rows(statement, values).await.map_err(Fault::Refused)
    }
}

impl SqlStore {
    pub(crate) const fn new(reading: Box<dyn Reading>, writer: Writer) -> Self {
        Self { reading, writer }
    }

    fn ask(&self) -> Question<'_> {
        Question(&*self.reading)
    }
}

/// A question's fault is the database's no more: [`Reading`] has told it.
fn told(fault: Fault) -> StoreError {
    fault.told(|error| StoreError::Failed(error.to_string()))
}

#[async_trait]
impl Store for SqlStore {
    async fn create_thread(&self, thread: &ThreadRecord) -> Result<(), StoreError> {
        self.writer.write(Write::Create(Box::new(ThreadRow::of(thread)?))).await.map(drop)
    }

    async fn thread(&self, thread: ThreadId) -> Result<Option<ThreadRecord>, StoreError> {
        read::thread(&mut self.ask(), thread).await.map_err(told)
    }

    async fn threads(&self, filter: &ThreadFilter) -> Result<ThreadPage, StoreError> {
        list::threads(&mut self.ask(), filter).await.map_err(told)
    }

    async fn take_over(&self, thread: ThreadId, seen: Epoch, owner: &str) -> Result<Epoch, StoreError> {
        self.writer.write(Write::TakeOver { thread, seen, owner: owner.to_owned() }).await
    }

    async fn rename(&self, thread: ThreadId, fence: Epoch, name: Option<&str>) -> Result<(), StoreError> {
        self.writer.write(Write::Rename { thread, fence, name: name.map(str::to_owned) }).await.map(drop)
    }

    async fn archive(&self, thread: ThreadId, fence: Epoch, archived: bool) -> Result<(), StoreError> {
        self.writer.write(Write::Archive { thread, fence, at: archived.then(now) }).await.map(drop)
    }

    async fn delete(&self, thread: ThreadId, fence: Epoch) -> Result<(), StoreError> {
        self.writer.write(Write::Delete { thread, fence, at: now() }).await.map(drop)
    }

    async fn fork(&self, source: ThreadId, upto: Upto, thread: &ThreadRecord) -> Result<ThreadRecord, StoreError> {
        self.writer.write(Write::Fork { source, upto, row: Box::new(ThreadRow::of(thread)?) }).await?;
        self.thread(thread.id).await?.ok_or(StoreError::NoThread(thread.id))
    }

    async fn append(&self, thread: ThreadId, fence: Epoch, records: Vec<Record>) -> Result<(), StoreError> {
        // Turned into JSON here, by whoever appends, so that the one writer has less to do.
        let rows = records.into_iter().map(NewRow::of).collect::<Result<Vec<_>, _>>()?;
        self.writer.write(Write::Append { thread, fence, rows, at: now() }).await.map(drop)
    }

    async fn events(&self, thread: ThreadId, after: EventSeq, limit: u32) -> Result<Vec<Event>, StoreError> {
        read::events(&mut self.ask(), thread, after, limit).await.map_err(told)
    }

    async fn outline(&self, thread: ThreadId, after: EventSeq, limit: u32) -> Result<Vec<Event>, StoreError> {
        read::outline(&mut self.ask(), thread, after, limit).await.map_err(told)
    }

    async fn shown(&self, thread: ThreadId) -> Result<Vec<Entry>, StoreError> {
        read::shown(&mut self.ask(), thread).await.map_err(told)
    }

    async fn entries(&self, thread: ThreadId) -> Result<Vec<Entry>, StoreError> {
        read::entries(&mut self.ask(), thread).await.map_err(told)
    }

    async fn placed_entries(&self, thread: ThreadId) -> Result<Vec<PlacedEntry>, StoreError> {
        read::placed_entries(&mut self.ask(), thread).await.map_err(told)
    }

    async fn open_calls(&self, thread: ThreadId) -> Result<Vec<Call>, StoreError> {
        read::open_calls(&mut self.ask(), thread).await.map_err(told)
    }

    async fn call(&self, thread: ThreadId, call: CallId) -> Result<Option<(Call, Option<CallEnd>)>, StoreError> {
        read::call(&mut self.ask(), thread, call).await.map_err(told)
    }

    async fn calls_of(&self, thread: ThreadId, turn: TurnId) -> Result<Vec<(Call, Option<CallEnd>)>, StoreError> {
        read::calls_of(&mut self.ask(), thread, turn).await.map_err(told)
    }

    async fn unsettled(&self) -> Result<Vec<(ThreadId, String)>, StoreError> {
        read::unsettled(&mut self.ask()).await.map_err(told)
    }

    async fn queued(&self, thread: ThreadId) -> Result<Vec<(TurnId, TurnInput)>, StoreError> {
        queue::queued(&mut self.ask(), thread).await.map_err(told)
    }

    async fn attempts(&self, thread: ThreadId, call: CallId) -> Result<Vec<CallAttempt>, StoreError> {
        read::attempts(&mut self.ask(), thread, call).await.map_err(told)
    }

    async fn close(&self) {
        self.writer.drain().await;
        self.reading.close().await;
    }
}
