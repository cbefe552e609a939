use super::*;
use crate::models::{ModelClient, Models, NoModel};
use crate::nodes::events::Events;
use crate::nodes::pool::{NodePool, PoolArguments};
use crate::thread::fixture::moody::Moody;
use crate::thread::fixture::{settings, stored_thread};
use crate::thread::making::Making;
use crate::thread::one_at_a_time::OneAtATime;
use crate::thread::supervisor::ThreadSupervisor;
use capstan_registry::embedded::EmbeddedRegistry;
use capstan_store::store::{Record, Store};
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{Epoch, EventSeq, TurnId};
use capstan_types::thread::{OnInterrupt, ThreadRecord};
use capstan_types::time::UnixMillis;
use ractor::Actor;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// No model at all.
#[derive(Debug)]
struct Nobody;

impl Models for Nobody {
    fn client(&self, _: &str) -> Result<Arc<dyn ModelClient>, NoModel> {
        Err(NoModel("there is none".into()))
    }
}

async fn threads(store: Arc<dyn Store>) -> Threads {
    let pool = PoolArguments {
        registry: Arc::new(EmbeddedRegistry::empty()),
        pipes: Vec::new(),
        nodes: Vec::new(),
        membership: None,
        token: None,
        orders: Arc::default(),
        events: Events::default(),
    };
    Threads {
        shelf: None,
        making: Making::default(),
        name: "c1".into(),
        line: None,
        at_end: OnInterrupt::KillSessions,
        beginning: OneAtATime::default(),
        store,
        models: Arc::new(Nobody),
        pool: Actor::spawn(None, NodePool, pool).await.unwrap().0,
        supervisor: Actor::spawn(None, ThreadSupervisor, ()).await.unwrap().0,
        closing: CancellationToken::new(),
    }
}

async fn with_a_turn(store: &dyn Store, thread: ThreadId) {
    let started = Event { seq: EventSeq(1), at: UnixMillis(1), turn: Some(TurnId::generate()), body: EventBody::TurnStarted };
    store.append(thread, Epoch(1), vec![Record::Event(started)]).await.unwrap();
}

#[tokio::test]
async fn a_thread_that_cannot_be_read_keeps_no_other_from_going_on() {
    let (first, store) = stored_thread().await;
    let second = ThreadId::generate();
    store.create_thread(&ThreadRecord::begun(second, "c1".into(), settings(), UnixMillis(2))).await.unwrap();
    for thread in [first, second] {
        with_a_turn(store.as_ref(), thread).await;
    }
    for lost in [first, second] {
        let moody = Moody::new(Arc::clone(&store));
        moody.lose(lost);
        assert_eq!(threads(moody).await.unfinished_threads().await, Some([first, second].into()));
    }
}
