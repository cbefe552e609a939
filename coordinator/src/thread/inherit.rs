//! What becomes of a thread that no actor of this process runs.
//!
//! A coordinator inherits the threads of those of its line, which are dead: of a line only one lives at a time. A turn that one of them
//! did not live to end goes on here, before anybody is told of the thread, so that nobody waits for it. One that cannot go on is ended as
//! failed, and so is one that has ended its coordinator too often.

use super::continued::fate::{Known, fate};
use super::continued::unfinished::{self, MOST_TIMES, Unfinished};
use super::hosts::ThreadHosts;
use super::message::ThreadMsg;
use super::open::{CreateError, Threads};
use super::recall::{Recalled, unanswered, unsaid};
use super::recalling::recalled;
use crate::clock;
use crate::nodes::host::NodeHost;
use capstan_store::store::StoreError;
use capstan_tools::host::ExecHost as _;
use capstan_tools::toolbox::Toolbox;
use capstan_types::id::{NodeId, ThreadId, TurnId};
use capstan_types::thread::ThreadRecord;
use futures::future::join_all;
use ractor::ActorRef;
use std::collections::BTreeMap;

/// What clients are told of a turn that is not gone on with again.
const TOO_OFTEN: &str = "the coordinator ended each of the 4 times that this turn ran, so it is not gone on with again: what it had done until then is stored, and the outcome of what it was doing is unknown";

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
    /// It is another coordinator's, of this name.
    Elsewhere(String),
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
        if !self.inherits(&record.owner) {
            return Ok(Found::Lies);
        }
        let recalled = self.recall(thread).await?;
        if recalled.is_to_run() {
            match Box::pin(self.reopen(record, recalled)).await {
                Ok(()) => {}
                // The turn has been ended for it, and the listener reads so.
                Err(CreateError::Workspace(_)) => return Ok(Found::Lies),
                Err(error) => return Err(error),
            }
            if let Some(actor) = self.find(thread).await? {
                return Ok(Found::Runs(actor));
            }
        }
        Ok(Found::Lies)
    }

    /// Finds a thread in which `turn` is to start, and runs it if it lies in the store.
    ///
    /// # Errors
    /// There is none, or see [`CreateError`].
    pub async fn wake(&self, thread: ThreadId, turn: TurnId) -> Result<Woken, CreateError> {
        if let Some(actor) = self.find(thread).await? {
            return Ok(Woken::Runs(actor));
        }
        let _alone = self.beginning.enter(thread).await;
        if let Some(actor) = self.find(thread).await? {
            return Ok(Woken::Runs(actor));
        }
        let record = self.stored(thread).await?;
        if !self.inherits(&record.owner) {
            return Ok(Woken::Elsewhere(record.owner));
        }
        let recalled = self.recall(thread).await?;
        if recalled.turns.contains(&turn) && !recalled.is_to_run() {
            return Ok(Woken::Begun);
        }
        Box::pin(self.reopen(record, recalled)).await?;
        let gone = || CreateError::Stopping("it has let go of the thread again".to_owned());
        self.find(thread).await?.map(Woken::Runs).ok_or_else(gone)
    }

    /// Whether the threads of that owner are this coordinator's, if they do not run.
    pub(super) fn inherits(&self, owner: &str) -> bool {
        owner == self.name || self.line.as_ref().is_some_and(|line| owner.starts_with(line.as_str()))
    }

    /// Makes a thread this coordinator's. A turn in it that has no end is to go on, or is ended if it has ended its coordinators too often.
    /// `before` is what was read of it already, if anything was.
    pub(super) async fn inherit(&self, record: ThreadRecord, before: Recalled) -> Result<(ThreadRecord, Recalled), StoreError> {
        let thread = record.id;
        // Before the last is read, so that a log of an actor that has just failed can add nothing to that.
        let epoch = self.store.take_over(thread, record.epoch, &self.name).await?;
        let record = ThreadRecord { owner: self.name.clone(), epoch, ..record };
        let mut recalled = self.recall_on(thread, before).await?;
        if recalled.unfinished.is_none() {
            return Ok((record, recalled));
        }
        if recalled.cut.times >= MOST_TIMES {
            self.give_up(&record, &recalled, TOO_OFTEN).await?;
            recalled = self.recall_on(thread, recalled).await?;
            return Ok((record, recalled));
        }
        recalled.going_on = self.store.open_calls(thread).await?.iter().map(|call| call.id).collect();
        Ok((record, recalled))
    }

    /// Ends a turn as failed that cannot go on.
    pub(super) async fn give_up(&self, record: &ThreadRecord, recalled: &Recalled, why: &str) -> Result<(), StoreError> {
        let thread = record.id;
        let (calls, entries) = (self.store.open_calls(thread).await?, self.store.shown(thread).await?);
        let records = recalled.ending(calls, &entries, self.unsaid(thread, recalled).await?, why, clock::now());
        if records.is_empty() {
            return Ok(());
        }
        self.store.append(thread, record.epoch, records).await?;
        tracing::warn!(%thread, why, "a turn that its coordinator did not live to end was ended as failed");
        Ok(())
    }

    /// The turn that is to go on in a thread that was inherited, if there is one.
    pub(super) async fn unfinished(
        &self,
        thread: ThreadId,
        hosts: &ThreadHosts,
        recalled: &mut Recalled,
    ) -> Result<Option<Box<Unfinished>>, StoreError> {
        let Some(turn) = recalled.unfinished else { return Ok(None) };
        let (calls, entries) = (self.store.calls_of(thread, turn).await?, self.store.shown(thread).await?);
        let may_have_changed = unfinished::may_have_changed(&calls);
        let tools = Toolbox::standard(true).with_pictures();
        let tools = if hosts.are_many() { tools.with_hosts() } else { tools };
        let memories = self.memories(hosts).await;
        let home = hosts.home().node();
        let mut left = Vec::new();
        for (call, end) in unfinished::left(calls, &unanswered(&entries)) {
            let tried = self.store.attempts(thread, call.id).await?;
            let of_session = |number: u32| recalled.sessions.open.get(&number).map(|session| session.node.clone());
            let named = tools.host(&call.tool, &call.arguments, of_session).filter(|node| memories.contains_key(node));
            let node = named.unwrap_or_else(|| home.clone());
            // One that was on several hosts is asked again of all of them, so all of them must know of it.
            let everywhere = tools.is_everywhere(&call.tool);
            let remembers =
                if everywhere { memories.values().all(|known| *known) } else { memories.get(&node).copied().unwrap_or(false) };
            let has_session = !everywhere && recalled.on_node.contains(&call.id);
            let known = Known { node: &node, remembers, has_session, once: tools.once(&call.tool) };
            left.push(fate(call, end, tried.last(), known));
        }
        let unsaid = self.unsaid(thread, recalled).await?;
        let (cut, open) = recalled.cut();
        Ok(Some(Box::new(Unfinished { turn, cut, open, left, unsaid, may_have_changed })))
    }

    /// What was acknowledged as said to the turn that has no end, and its model was not told.
    async fn unsaid(&self, thread: ThreadId, recalled: &Recalled) -> Result<Vec<String>, StoreError> {
        let Some(turn) = recalled.unfinished else { return Ok(Vec::new()) };
        // The prompt is stored with its entry.
        if recalled.cut.said.len() < 2 {
            return Ok(Vec::new());
        }
        let entries = self.store.placed_entries(thread).await?.into_iter().filter(|placed| placed.turn == turn);
        Ok(unsaid(&recalled.cut.said, entries.map(|placed| placed.entry)))
    }

    /// Of each host, whether it is there and knows what it was asked before this coordinator's time.
    async fn memories(&self, hosts: &ThreadHosts) -> BTreeMap<NodeId, bool> {
        let others = hosts.others().iter().map(|(node, far)| async move {
            let remembers = match far.now().await {
                Ok(host) => self.remembers(&host).await,
                Err(_) => false,
            };
            (node.clone(), remembers)
        });
        let home = (hosts.home().node(), self.remembers(hosts.home()).await);
        join_all(others).await.into_iter().chain([home]).collect()
    }

    /// Whether a node knows what it was asked before this coordinator's time. Those in the processes of commands take whatever place is free,
    /// with the memory of whoever had it last.
    async fn remembers(&self, host: &NodeHost) -> bool {
        (self.line.is_some() || !host.is_embedded()) && host.keeps_a_journal().await
    }

    /// What the thread's stored events say of it.
    pub(super) async fn recall(&self, thread: ThreadId) -> Result<Recalled, StoreError> {
        self.recall_on(thread, Recalled::default()).await
    }

    /// The same, where the first events are known.
    async fn recall_on(&self, thread: ThreadId, before: Recalled) -> Result<Recalled, StoreError> {
        recalled(self.store.as_ref(), thread, before).await
    }
}
