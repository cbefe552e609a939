//! Takes in the nodes that call, tells the pool of them, and keeps their records in the registry.
//!
//! A node calls every coordinator that it was told of. Each asks it over its own connection. Its record in the registry is kept by one of
//! them, with that one's lease: the registry takes a life of a node from one process only, so that the others are refused as long as it
//! lives, and one of them takes over when the record is gone.
//!
//! Invariant: the pool knows a node that calls by its connection here and by nothing else. A lease that ends elsewhere touches nothing that
//! runs over it.

mod greet;
mod known;

use super::pool::PoolMsg;
use capstan_identity::membership::Membership;
use capstan_proto::token::Token;
use capstan_proto::transport::tls::DialedIn;
use capstan_registry::Registry;
use greet::greet;
use known::{Kept, Known};
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Connections of nodes that wait to be taken in. Full: the next one is closed, and the node calls again.
pub(crate) const WAITING: usize = 256;

/// Nodes that say who they are at once. The others wait.
const GREETING: usize = 64;

/// Registrations that are under way at once.
const REGISTERING: usize = 16;

/// How often it is looked at who has no record.
const LOOK: Duration = Duration::from_secs(1);

/// What takes them in.
#[derive(Debug)]
pub(crate) struct DialIn {
    /// What this coordinator is called.
    pub(crate) name: Arc<str>,
    /// What nodes on loopback must know.
    pub(crate) token: Option<Token>,
    /// Where refusals are written down.
    pub(crate) membership: Option<Membership>,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) pool: ActorRef<PoolMsg>,
}

impl DialIn {
    /// Takes in whoever comes, until nobody can come any more or the future is dropped.
    pub(crate) async fn run(self, mut incoming: mpsc::Receiver<DialedIn>) {
        let this = Arc::new(self);
        let mut known = Known::default();
        let (mut greeting, mut open, mut registering) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                come = incoming.recv(), if greeting.len() < GREETING => match come {
                    Some(dialed) => drop(greeting.spawn(greet(Arc::clone(&this), dialed))),
                    None => return,
                },
                Some(Ok(Some(arrived))) = greeting.join_next() => {
                    let (id, generation) = (arrived.record.id.clone(), arrived.record.generation);
                    let ends = Arc::clone(&arrived.open);
                    if let Some(told) = known.arrived(arrived) {
                        told.into_iter().for_each(|message| drop(this.pool.cast(message)));
                        open.spawn(async move {
                            let _ = ends.acquire().await;
                            (id, generation)
                        });
                    }
                },
                Some(Ok((id, generation))) = open.join_next() => known.closed(&id, generation, Instant::now()),
                Some(Ok((id, generation, kept))) = registering.join_next() => known.kept(&id, generation, kept, Instant::now()),
                _ = look.tick() => known.gone(Instant::now()).into_iter().for_each(|message| drop(this.pool.cast(message))),
            }
            for record in known.unkept(REGISTERING.saturating_sub(registering.len()), Instant::now()) {
                let registry = Arc::clone(&this.registry);
                registering.spawn(async move {
                    let (id, generation) = (record.id.clone(), record.generation);
                    (id, generation, Kept::of(registry.register(record).await))
                });
            }
        }
    }
}
