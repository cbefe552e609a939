//! The orders for nodes in etcd: read whole whenever one of them has changed, and changed one at a time over exactly what was read.
//!
//! They are few and change by a person's hand, so that a list is cheaper than keeping step with each change. A user of etcd that may not read
//! them, as with roles of an older release, sees none.

use super::claim::{RACES, compare, put, read, write};
use super::client::{Client, TRY, silent};
use super::entry::node_id;
use super::follow::Rhythm;
use super::known::Known;
use super::list::entries;
use super::pause::{Pause, spread};
use super::stream;
use super::value;
use super::wire::compare::{CompareTarget, TargetUnion};
use super::wire::{KeyValue, WatchResponse};
use crate::error::{EtcdError, RegistryError};
use crate::orders::{AllOrders, OrdersWatch};
use capstan_types::orders::{Change, Given, NodeOrders};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tonic::Status;

/// Follows the orders. Dropping it ends the task.
#[derive(Debug)]
pub(super) struct OrdersFollower {
    pub(super) known: Arc<Known>,
    orders: OrdersWatch,
    _task: JoinSet<()>,
}

impl OrdersFollower {
    /// Follows the orders whose keys begin so.
    pub(super) fn start(client: Arc<Client>, beginning: String, rhythm: Rhythm) -> Self {
        let (told, orders) = watch::channel(Arc::default());
        let known = Arc::new(Known::nothing(rhythm.stale));
        let following = Following { client, beginning, rhythm, told, known: Arc::clone(&known), is_denied: false };
        let mut task = JoinSet::new();
        task.spawn(following.run());
        Self { known, orders, _task: task }
    }

    /// The orders, as they change.
    pub(super) fn watch(&self) -> OrdersWatch {
        self.orders.clone()
    }
}

struct Following {
    client: Arc<Client>,
    beginning: String,
    rhythm: Rhythm,
    told: watch::Sender<Arc<AllOrders>>,
    known: Arc<Known>,
    is_denied: bool,
}

impl Following {
    async fn run(mut self) {
        let mut pause = Pause::fresh();
        loop {
            let began = Instant::now();
            match self.once().await {
                Ok(()) => pause.reset(),
                Err(error @ EtcdError::Denied(_)) => self.denied(&error),
                Err(error) => {
                    tracing::debug!(%error, "etcd did not tell what operators have ordered");
                    self.known.failed(error);
                }
            }
            if began.elapsed() > self.rhythm.silent * 2 {
                pause.reset();
            }
            sleep(if self.is_denied { self.rhythm.stale / 2 } else { pause.next() }).await;
        }
    }

    /// Nothing can be ordered then either, and work must not stop for it.
    fn denied(&mut self, error: &EtcdError) {
        if !std::mem::replace(&mut self.is_denied, true) {
            tracing::warn!(%error, "operators' orders for nodes are not seen; let the coordinators' role read and write below orders/");
        }
        self.known.heard();
        self.known.applied(i64::MAX, BTreeSet::new());
    }

    async fn list(&mut self) -> Result<i64, EtcdError> {
        let (revision, all) = entries(&self.client, &self.beginning).await?;
        let orders: AllOrders = all.iter().filter_map(|entry| self.read(entry)).collect();
        self.told.send_if_modified(|told| {
            let changed = **told != orders;
            *told = Arc::new(orders);
            changed
        });
        self.is_denied = false;
        self.known.heard();
        self.known.applied(revision, BTreeSet::new());
        Ok(revision)
    }

    fn read(&self, entry: &KeyValue) -> Option<(capstan_types::id::NodeId, NodeOrders)> {
        let id = node_id(&self.beginning, &entry.key)?;
        let orders = value::orders(&entry.value);
        // What cannot be read may have closed the node.
        let orders = orders.inspect_err(|reason| tracing::warn!(node = %id, reason, "a node's orders in etcd cannot be read"));
        Some((id, orders.ok()?))
    }

    /// A list, and a watch until something has changed, until it breaks, or until it is time for another list.
    async fn once(&mut self) -> Result<(), EtcdError> {
        let revision = self.list().await?;
        let (member, channel) = self.client.member();
        let opened = timeout(TRY, stream::open(&self.client, channel, &self.beginning, revision + 1)).await;
        let (ask, mut events) = match opened.unwrap_or_else(|_| Err(silent())) {
            Ok(opened) => opened,
            Err(status) => return Err(stream::broke(&self.client, &self.beginning, member, &status)),
        };
        let (mut tick, mut last, began) = (interval(self.rhythm.ask), Instant::now(), Instant::now());
        let most = spread(self.rhythm.reconcile / 2, self.rhythm.reconcile);
        loop {
            let over = tokio::select! {
                message = events.message() => match heard(message) {
                    Ok(false) => {
                        last = Instant::now();
                        self.known.heard();
                        None
                    }
                    Ok(true) => {
                        self.known.heard();
                        self.list().await?;
                        last = Instant::now();
                        None
                    }
                    Err(status) => Some(status),
                },
                _ = tick.tick() => {
                    stream::ask_whether_it_lives(&ask);
                    (last.elapsed() > self.rhythm.silent).then(|| Status::deadline_exceeded("the watch was silent"))
                }
            };
            if let Some(status) = over {
                return Err(stream::broke(&self.client, &self.beginning, member, &status));
            }
            if began.elapsed() > most {
                return Ok(());
            }
        }
    }
}

/// Whether something has changed.
fn heard(message: Result<Option<WatchResponse>, Status>) -> Result<bool, Status> {
    let message = message?.ok_or_else(|| Status::unavailable("the watch is over"))?;
    if message.canceled && message.compact_revision == 0 {
        return Err(stream::cancelled(&message.cancel_reason));
    }
    if message.compact_revision != 0 {
        return Err(Status::unavailable("what the watch was to begin with is forgotten"));
    }
    Ok(!message.events.is_empty())
}

/// Changes the orders at a key, and gives them with the revision of the change.
pub(super) async fn change(
    client: &Client,
    key: &str,
    change: &Change,
    given: &Given,
) -> Result<(NodeOrders, i64), RegistryError> {
    for _ in 0..RACES {
        let found = read(client, key).await?;
        let foreign = |reason| EtcdError::Foreign { key: key.to_owned(), reason };
        let present = found.as_ref().map(|found| value::orders(&found.value)).transpose().map_err(foreign)?;
        let orders = present.unwrap_or_default().obey(change, given)?;
        let still = match &found {
            None => compare(key, CompareTarget::Create, TargetUnion::CreateRevision(0)),
            Some(found) => compare(key, CompareTarget::Mod, TargetUnion::ModRevision(found.mod_revision)),
        };
        let bytes = value::of_orders(&orders).map_err(RegistryError::Record)?;
        // Without a lease: they stay until they are changed.
        if let Some(revision) = write(client, key, still, put(key, &bytes, 0)).await? {
            return Ok((orders, revision));
        }
    }
    Err(EtcdError::Refused(format!("{key} is written to by others all the time")).into())
}
