//! Keeps this process's one lease, and under it what the process wants to have in etcd.
//!
//! Invariant: a lease is lost when etcd says so, and never because etcd says nothing: whoever cannot reach etcd cannot be seen there
//! either, and goes on with what it does.

use super::beats::{Beats, seconds};
use super::claim::{Claimed, claim, give_back};
use super::client::Client;
use super::pause::{Pause, spread};
use super::value::Value;
use super::wants::{Said, Wanted, Wants, Work};
use super::wire::lease_client::LeaseClient;
use super::wire::{LeaseGrantRequest, LeaseRevokeRequest};
use crate::error::EtcdError;
use capstan_types::id::Generation;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long a first registration may take.
const REGISTER: Duration = Duration::from_secs(10);

/// How long a goodbye may take; afterwards the lease ends by itself.
const RELEASE: Duration = Duration::from_secs(3);

/// The longest wait before a process whose lease was lost comes back, so that those who lost theirs together do not come together.
const COME_BACK: Duration = Duration::from_secs(1);

/// A process's hold on what it has in etcd. Dropped with its last registration and its registry.
#[derive(Debug)]
pub(super) struct Keeper {
    wants: Arc<Wants>,
    /// The newest revision that this process wrote.
    written: watch::Sender<i64>,
    _task: JoinSet<()>,
}

/// Why a claim was not held.
#[derive(Debug)]
pub(super) enum NotHeld {
    /// A life of this generation has the key.
    Taken(Generation),
    /// etcd did not do it.
    Etcd(EtcdError),
}

impl Keeper {
    /// Starts the task that does the work; it asks etcd for nothing until something is wanted.
    pub(super) fn start(client: Arc<Client>, lease_ttl: Duration) -> Self {
        let (wants, written) = (Arc::new(Wants::default()), watch::Sender::new(0));
        let work = Keeping {
            client,
            wants: Arc::clone(&wants),
            written: written.clone(),
            lease_ttl,
            lease: None,
            beats: Beats::default(),
            pause: Pause::up_to(lease_ttl / 3),
            hindered: false,
        };
        let mut task = JoinSet::new();
        task.spawn(work.run());
        Self { wants, written, _task: task }
    }

    /// The newest revision that this process wrote, for readers who must see it.
    pub(super) fn written(&self) -> i64 {
        *self.written.borrow()
    }

    /// Has it put, and returns when it is there.
    pub(super) async fn hold(self: &Arc<Self>, key: String, generation: Generation, value: Value) -> Result<EtcdHold, NotHeld> {
        let (number, hears) = self.wants.add(key, generation, value).map_err(NotHeld::Taken)?;
        // Given up again when the caller loses patience.
        let mut hold = EtcdHold { keeper: Arc::clone(self), number, hears };
        let waited =
            timeout(REGISTER, hold.hears.wait_for(|said| !matches!(said, Said::Waiting(None | Some(EtcdError::Away { .. })))));
        let said = waited.await.map(|heard| heard.map(|said| said.clone()));
        match said.unwrap_or_else(|_| Ok(hold.hears.borrow().clone())) {
            Ok(Said::Held) => Ok(hold),
            Ok(Said::Refused(generation)) => Err(NotHeld::Taken(generation)),
            Ok(Said::Failed(error) | Said::Waiting(Some(error))) => Err(NotHeld::Etcd(error)),
            Ok(Said::Waiting(None) | Said::Gone) | Err(_) => {
                Err(NotHeld::Etcd(EtcdError::Refused(format!("nothing was registered within {} s", REGISTER.as_secs()))))
            }
        }
    }
}

/// One thing that is held. Dropping it gives it up.
#[derive(Debug)]
pub(super) struct EtcdHold {
    keeper: Arc<Keeper>,
    number: u64,
    hears: watch::Receiver<Said>,
}

impl EtcdHold {
    /// Gives it up, and returns when it is gone, or when etcd does not answer: then it goes with the lease.
    pub(super) async fn release(mut self) {
        self.keeper.wants.give_up(self.number);
        let gone = self.hears.wait_for(|said| matches!(said, Said::Gone | Said::Refused(_) | Said::Failed(_)));
        if timeout(RELEASE, gone).await.is_err() {
            tracing::warn!("etcd was not told of the end of a registration; it ends with its lease");
        }
    }
}

impl Drop for EtcdHold {
    fn drop(&mut self) {
        self.keeper.wants.give_up(self.number);
    }
}

#[derive(Debug)]
struct Keeping {
    client: Arc<Client>,
    wants: Arc<Wants>,
    written: watch::Sender<i64>,
    lease_ttl: Duration,
    lease: Option<Lease>,
    beats: Beats,
    pause: Pause,
    hindered: bool,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    id: i64,
    /// As granted, which may be more than was asked for.
    ttl: Duration,
    next_beat: Instant,
}

/// When to look again.
enum Next {
    Now,
    At(Instant),
    WhenAsked,
}

impl Keeping {
    async fn run(mut self) {
        let wants = Arc::clone(&self.wants);
        loop {
            let next = self.step().await;
            self.tell(next.as_ref().err());
            match next {
                Ok(Next::Now) => {}
                Ok(Next::WhenAsked) => wants.changed.notified().await,
                Ok(Next::At(time)) => tokio::select! {
                    () = wants.changed.notified() => {}
                    () = sleep_until(time) => {}
                },
                Err(_) => sleep(self.pause.next()).await,
            }
        }
    }

    fn tell(&mut self, error: Option<&EtcdError>) {
        match error {
            None => {
                self.pause.reset();
                if std::mem::take(&mut self.hindered) {
                    tracing::info!("etcd is back");
                }
            }
            Some(error) => {
                self.wants.hindered(error);
                if !std::mem::replace(&mut self.hindered, true) {
                    tracing::warn!(%error, "this process's registration is not kept now; it is tried again");
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Next, EtcdError> {
        if self.wants.is_empty() {
            return self.let_go().await.map(|()| Next::WhenAsked);
        }
        let Some(lease) = self.lease else {
            self.lease = Some(self.granted().await?);
            return Ok(Next::Now);
        };
        if Instant::now() >= lease.next_beat {
            return self.beat(lease).await.map(|()| Next::Now);
        }
        match self.wants.next(lease.id) {
            Some(Work::Put(wanted)) => self.put(lease, wanted).await.map(|()| Next::Now),
            Some(Work::Remove(wanted)) => self.remove(lease, wanted).await.map(|()| Next::Now),
            None => Ok(Next::At(lease.next_beat)),
        }
    }

    async fn granted(&self) -> Result<Lease, EtcdError> {
        let asked = Instant::now();
        let ttl = i64::try_from(self.lease_ttl.as_secs().max(1)).unwrap_or(i64::MAX);
        let request = LeaseGrantRequest { ttl, id: 0 };
        let grant = async |channel, request| LeaseClient::new(channel).lease_grant(request).await;
        let granted = self.client.ask("be given a lease", request, grant).await?;
        let ttl = seconds(granted.ttl).ok_or_else(|| EtcdError::Refused(format!("no lease was granted: {}", granted.error)))?;
        Ok(Lease { id: granted.id, ttl, next_beat: asked + ttl / 3 })
    }

    async fn beat(&mut self, lease: Lease) -> Result<(), EtcdError> {
        let sent = Instant::now();
        match self.beats.beat(&self.client, lease.id, lease.ttl / 2).await? {
            Some(ttl) => self.lease = Some(Lease { ttl, next_beat: sent + ttl / 3, ..lease }),
            None => {
                tracing::warn!("etcd has ended this process's lease; the process registers again");
                self.lease = None;
                self.wants.lost();
                // It may be another history, in which revisions begin anew.
                self.written.send_replace(0);
                sleep(spread(Duration::ZERO, COME_BACK)).await;
            }
        }
        Ok(())
    }

    async fn put(&self, lease: Lease, wanted: Wanted) -> Result<(), EtcdError> {
        match claim(&self.client, (&wanted.key, lease.id), wanted.generation, &wanted.value).await {
            Ok(Claimed::Held(revision)) => {
                self.wrote(revision);
                self.wants.held(wanted.number, lease.id);
            }
            Ok(Claimed::Refused(generation)) => {
                if wanted.again {
                    // Who registers for the first time is told; now nobody waits for an answer.
                    tracing::warn!(key = wanted.key, %generation, "a newer life has taken this registration's place");
                }
                self.wants.over(wanted.number, Said::Refused(generation));
            }
            // The lease ended since its last beat, and the next one says so.
            Err(EtcdError::Refused(reason)) if reason.contains("lease not found") => {
                self.wants.lost();
                return Err(EtcdError::Refused(reason));
            }
            Err(error) if wanted.again || matches!(error, EtcdError::Away { .. }) => return Err(error),
            Err(error) => self.wants.over(wanted.number, Said::Failed(error)),
        }
        Ok(())
    }

    async fn remove(&self, lease: Lease, wanted: Wanted) -> Result<(), EtcdError> {
        if let Some(revision) = give_back(&self.client, &wanted.key, lease.id, &wanted.value).await? {
            self.wrote(revision);
        }
        self.wants.over(wanted.number, Said::Gone);
        Ok(())
    }

    /// A lease that holds nothing is not kept.
    async fn let_go(&mut self) -> Result<(), EtcdError> {
        let Some(lease) = self.lease.take() else { return Ok(()) };
        self.beats = Beats::default();
        let revoke = async |channel, request| LeaseClient::new(channel).lease_revoke(request).await;
        let revoked = self.client.ask("end its lease", LeaseRevokeRequest { id: lease.id }, revoke).await;
        if let Err(error) = revoked {
            tracing::debug!(%error, "a lease was not ended; it ends by itself");
        }
        Ok(())
    }

    fn wrote(&self, revision: i64) {
        self.written.send_if_modified(|newest| {
            let newer = revision > *newest;
            *newest = revision.max(*newest);
            newer
        });
    }
}
