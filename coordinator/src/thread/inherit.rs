//! What becomes of a thread that no actor of this process runs.
//!
//! A coordinator inherits the threads of those of its line, which are dead: of a line only one lives at a time. A turn that one of them
//! did not live to end is ended here, before anybody is told of the thread, so that nobody waits for it.

use super::message::ThreadMsg;
use super::open::{CreateError, Threads};
use super::recall::Recalled;
use crate::clock;
use capstan_store::store::StoreError;
use capstan_types::id::{ThreadId, TurnId};
use capstan_types::thread::ThreadRecord;
use ractor::ActorRef;

/// Events that are read at a time.
const PAGE: u32 = 256;

/// A thread, as somebody who wants to listen finds it.
#[derive(Debug)]
pub enum Found {
    /// It runs here.
    Runs(ActorRef<ThreadMsg>),
    /// It lies in the store, and every turn in it that could be ended has an end.
    Lies,
    /// There is none.
    Nowhere,
}

/// A thread, as somebody who wants to start a turn finds it.
#[derive(Debug)]
pub enum Woken {
    /// It runs here.
    Runs(ActorRef<ThreadMsg>),
    /// The turn was started before.
    Begun,
    /// There is none, or it is another coordinator's.
    NotHere,
}

impl Threads {
    /// Finds a thread for a listener.
    ///
    /// # Errors
    /// The store does not work, or the coordinator is stopping.
    pub async fn look(&self, thread: ThreadId) -> Result<Found, CreateError> {
        if let Some(actor) = self.find(thread).await? {
            return Ok(Found::Runs(actor));
        }
        let _alone = self.beginning.enter(thread).await;
        if let Some(actor) = self.find(thread).await? {
            return Ok(Found::Runs(actor));
        }
        let Some(record) = self.store.thread(thread).await? else { return Ok(Found::Nowhere) };
        if self.inherits(&record.owner) && self.recall(thread).await?.unfinished.is_some() {
            self.inherit(record).await?;
        }
        Ok(Found::Lies)
    }

    /// Finds a thread in which `turn` is to start, and runs it if it lies in the store.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub async fn wake(&self, thread: ThreadId, turn: TurnId) -> Result<Woken, CreateError> {
        if let Some(actor) = self.find(thread).await? {
            return Ok(Woken::Runs(actor));
        }
        let _alone = self.beginning.enter(thread).await;
        if let Some(actor) = self.find(thread).await? {
            return Ok(Woken::Runs(actor));
        }
        let record = self.store.thread(thread).await?.filter(|record| self.inherits(&record.owner));
        let Some(record) = record else { return Ok(Woken::NotHere) };
        if self.recall(thread).await?.turns.contains(&turn) {
            return Ok(Woken::Begun);
        }
        self.reopen(record).await?;
        Ok(self.find(thread).await?.map_or(Woken::NotHere, Woken::Runs))
    }

    /// Whether the threads of that owner are this coordinator's, if they do not run.
    pub(super) fn inherits(&self, owner: &str) -> bool {
        owner == self.name || self.line.as_ref().is_some_and(|line| owner.starts_with(line.as_str()))
    }

    /// Makes a thread this coordinator's, and ends the turn in it that has no end.
    pub(super) async fn inherit(&self, record: ThreadRecord) -> Result<(ThreadRecord, Recalled), StoreError> {
        let thread = record.id;
        // First, so that a log of an actor that has just failed can add nothing to what is read here.
        let epoch = self.store.take_over(thread, record.epoch, &self.name).await?;
        let record = ThreadRecord { owner: self.name.clone(), epoch, ..record };
        let recalled = self.recall(thread).await?;
        if recalled.unfinished.is_none() {
            return Ok((record, recalled));
        }
        let (calls, entries) = (self.store.open_calls(thread).await?, self.store.entries(thread).await?);
        self.store.append(thread, epoch, recalled.ending(calls, &entries, clock::now())).await?;
        tracing::warn!(%thread, "a turn that its coordinator did not live to end was ended as failed");
        Ok((record, self.recall(thread).await?))
    }

    /// What the thread's stored events say of it.
    pub(super) async fn recall(&self, thread: ThreadId) -> Result<Recalled, StoreError> {
        let mut recalled = Recalled::default();
        loop {
            let page = self.store.events(thread, recalled.last, PAGE).await?;
            if page.is_empty() {
                return Ok(recalled);
            }
            page.into_iter().for_each(|event| recalled.add(event));
        }
    }
}
