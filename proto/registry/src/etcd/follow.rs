//! Keeps a view in step with etcd: a list, then a watch from the revision after it, and a list again when that is not enough.
//!
//! A watch that says nothing may be over without anybody having said so; it is asked every so often whether it lives. Deletions that a
//! compaction swallowed are found by comparing lists, from time to time also when all seems well.

use super::client::{Client, TRY, silent};
use super::entry::{node_id, readable};
use super::fold::{Change, Picture, Told};
use super::known::Known;
use super::list::listed;
use super::pause::{Pause, spread};
use super::stream;
use super::wire::event::EventType;
use super::wire::{WatchRequest, WatchResponse};
use crate::brake::{Brake, Rule};
use crate::error::EtcdError;
use crate::view::NodeView;
use capstan_types::node::NodeRecord;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tonic::{Status, Streaming};

/// How often things are done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rhythm {
    /// The watch is asked whether it lives this often.
    pub(super) ask: Duration,
    /// After so long without a word it is over.
    pub(super) silent: Duration,
    /// After so long without a word the view is stale.
    pub(super) stale: Duration,
    /// The whole list is compared this often.
    pub(super) reconcile: Duration,
    /// When the brake holds.
    pub(super) brake: Rule,
}

impl Rhythm {
    /// The rhythm that goes with a lease: nothing is believed for longer than a node's word is.
    pub(super) fn of(lease_ttl: Duration) -> Self {
        Self {
            ask: lease_ttl / 5,
            silent: lease_ttl * 3 / 5,
            stale: lease_ttl,
            reconcile: Duration::from_secs(60),
            brake: Rule { percent: 50, least: 3, window: lease_ttl * 2, grace: lease_ttl * 12 },
        }
    }
}

/// A view that is kept in step. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) view: NodeView,
    pub(super) known: Arc<Known>,
    _task: JoinSet<()>,
}

impl Follower {
    /// Follows the nodes whose keys begin so.
    pub(super) fn start(client: Arc<Client>, beginning: String, rhythm: Rhythm) -> Self {
        let (view, known) = (NodeView::empty(), Arc::new(Known::nothing(rhythm.stale)));
        let following = Following {
            client,
            beginning,
            rhythm,
            picture: Picture::default(),
            brake: Brake::new(rhythm.brake),
            view: view.clone(),
            known: Arc::clone(&known),
        };
        let mut task = JoinSet::new();
        task.spawn(following.run());
        Self { view, known, _task: task }
    }
}

#[derive(Debug)]
struct Following {
    client: Arc<Client>,
    beginning: String,
    rhythm: Rhythm,
    picture: Picture,
    brake: Brake,
    view: NodeView,
    known: Arc<Known>,
}

/// Why a watch is over.
enum Over {
    /// What it was to begin with is forgotten.
    Compacted,
    /// It broke at this member.
    Broke(usize, Status),
}

impl Following {
    async fn run(mut self) {
        let mut pause = Pause::fresh();
        let mut list_first = true;
        loop {
            let began = Instant::now();
            match self.once(list_first).await {
                Ok(Over::Compacted) => list_first = true,
                Ok(Over::Broke(member, status)) => {
                    self.broke(member, &status);
                    // After a long silence it may be another history, in which the revision to go on from means nothing.
                    list_first = self.known.standing().stale.is_some();
                }
                Err(error) => {
                    tracing::debug!(%error, "etcd gave no list");
                    self.known.failed(error);
                }
            }
            // One that went on for a while was well; others ended at once, and so does the next, most likely.
            if began.elapsed() > self.rhythm.silent * 2 {
                pause.reset();
            }
            sleep(pause.next()).await;
        }
    }

    fn broke(&self, member: usize, status: &Status) {
        let error = stream::broke(&self.client, &self.beginning, member, status);
        tracing::debug!(%error, "the watch of the nodes broke");
        self.known.failed(error);
    }

    /// A list, if it is needed, and a watch until it is over.
    async fn once(&mut self, list_first: bool) -> Result<Over, EtcdError> {
        if list_first || self.picture.revision() == 0 {
            self.reconcile().await?;
        }
        let (member, channel) = self.client.member();
        let opened = timeout(TRY, stream::open(&self.client, channel, &self.beginning, self.picture.revision() + 1)).await;
        let opened = opened.unwrap_or_else(|_| Err(silent()));
        let over = match opened {
            Ok((ask, stream)) => self.follow(ask, stream).await,
            Err(status) => Err(status),
        };
        Ok(match over {
            Ok(()) => Over::Compacted,
            Err(status) => Over::Broke(member, status),
        })
    }

    /// Compares the view with the whole list. Returns whether the list is of the history that is watched.
    async fn reconcile(&mut self) -> Result<bool, EtcdError> {
        let (revision, nodes) = listed(&self.client, &self.beginning).await?;
        let same = revision >= self.picture.revision();
        if !same {
            tracing::warn!("etcd was restored or begun anew; the nodes are taken as it has them");
        }
        self.heard();
        let told = self.picture.relist(revision, nodes);
        self.tell(told);
        Ok(same)
    }

    fn heard(&mut self) {
        if self.known.standing().stale.is_some() {
            // Nobody could come back meanwhile.
            self.brake.begin_again(std::time::Instant::now());
        }
        self.known.heard();
    }

    /// Follows a watch until it breaks; `Ok` when its beginning is forgotten.
    async fn follow(&mut self, ask: mpsc::Sender<WatchRequest>, mut stream: Streaming<WatchResponse>) -> Result<(), Status> {
        let mut tick = interval(self.rhythm.ask);
        let (mut last, mut reconciled) = (Instant::now(), Instant::now());
        let reconcile_after = spread(self.rhythm.reconcile / 2, self.rhythm.reconcile);
        loop {
            tokio::select! {
                message = stream.message() => {
                    let message = message?.ok_or_else(|| Status::unavailable("the watch is over"))?;
                    last = Instant::now();
                    if message.compact_revision != 0 {
                        return Ok(());
                    }
                    if message.canceled {
                        return Err(stream::cancelled(&message.cancel_reason));
                    }
                    self.heard();
                    self.take(message);
                }
                _ = tick.tick() => {
                    if last.elapsed() > self.rhythm.silent {
                        return Err(Status::deadline_exceeded(format!("the watch was silent for {} ms", last.elapsed().as_millis())));
                    }
                    stream::ask_whether_it_lives(&ask);
                    self.lapse();
                    if reconciled.elapsed() > reconcile_after {
                        reconciled = Instant::now();
                        match self.reconcile().await {
                            Ok(true) => {}
                            Ok(false) => return Ok(()),
                            Err(error) => tracing::debug!(%error, "etcd gave no list to compare"),
                        }
                    }
                }
            }
        }
    }

    fn take(&mut self, message: WatchResponse) {
        let changes = message.events.into_iter().filter_map(|event| {
            let gone = event.r#type() == EventType::Delete;
            let kv = event.kv?;
            let id = node_id(&self.beginning, &kv.key)?;
            let found = if gone { None } else { readable(&id, &kv.value) };
            Some(Change { id, revision: kv.mod_revision, found })
        });
        let changes: Vec<Change> = changes.collect();
        if !changes.is_empty() {
            let told = self.picture.apply(changes);
            self.tell(told);
        }
    }

    fn tell(&mut self, told: Vec<Told>) {
        let mut vanished: Vec<NodeRecord> = Vec::new();
        for told in told {
            match told {
                Told::Here(record) => {
                    self.brake.appeared(&record.id);
                    // It vanished and came back in one breath.
                    vanished.retain(|gone| gone.id != record.id);
                    self.view.put(record);
                }
                Told::Left(record) => self.view.leave(&record.id, record.generation),
                Told::Vanished(record) => vanished.push(record),
            }
        }
        if !vanished.is_empty() {
            let ruling = self.brake.vanished(vanished, self.picture.len(), std::time::Instant::now());
            if !ruling.suspect.is_empty() {
                tracing::warn!(
                    nodes = ruling.suspect.len(),
                    "many nodes vanished from etcd at once; they stay known as suspect for a while"
                );
            }
            ruling.left.iter().for_each(|node| self.view.leave(&node.id, node.generation));
            ruling.suspect.into_iter().for_each(|node| self.view.put(node));
        }
        self.known.applied(self.picture.revision(), self.brake.suspects().cloned().collect());
    }

    fn lapse(&mut self) {
        let left = self.brake.lapsed(std::time::Instant::now());
        if !left.is_empty() {
            left.iter().for_each(|node| self.view.leave(&node.id, node.generation));
            self.known.applied(self.picture.revision(), self.brake.suspects().cloned().collect());
        }
    }
}
