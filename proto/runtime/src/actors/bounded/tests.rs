//! A mailbox that fills, empties and dies.

use super::{Admitted, BoundedRef, CastError};
use crate::actors::AskError;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const LONG: Duration = Duration::from_secs(30);

enum Work {
    Note(u32),
    Ask(RpcReplyPort<u32>),
}

/// Handles one message for each permission it is given.
struct Worker;

struct Desk {
    permissions: mpsc::Receiver<()>,
    done: mpsc::UnboundedSender<u32>,
}

impl Actor for Worker {
    type Msg = Admitted<Work>;
    type State = Desk;
    type Arguments = Desk;

    async fn pre_start(&self, _me: ActorRef<Self::Msg>, desk: Desk) -> Result<Desk, ActorProcessingErr> {
        Ok(desk)
    }

    async fn handle(&self, _me: ActorRef<Self::Msg>, work: Admitted<Work>, desk: &mut Desk) -> Result<(), ActorProcessingErr> {
        desk.permissions.recv().await;
        match work.message {
            Work::Note(number) => drop(desk.done.send(number)),
            Work::Ask(reply) => drop(reply.send(7)),
        }
        Ok(())
    }
}

struct Office {
    worker: BoundedRef<Work>,
    permissions: mpsc::Sender<()>,
    done: mpsc::UnboundedReceiver<u32>,
    ended: JoinHandle<()>,
}

async fn office(places: usize) -> Office {
    let (permissions, allowed) = mpsc::channel(1000);
    let (noted, done) = mpsc::unbounded_channel();
    let (actor, ended) = Actor::spawn(None, Worker, Desk { permissions: allowed, done: noted }).await.unwrap();
    Office { worker: BoundedRef::new(actor, NonZeroUsize::new(places).unwrap()), permissions, done, ended }
}

fn is_busy(sent: &Result<(), CastError<Work>>) -> bool {
    matches!(sent, Err(CastError::Busy(_)))
}

/// Polls once; whether there is no result yet.
async fn is_waiting(mut future: Pin<&mut impl Future>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn a_full_mailbox_refuses_at_once_and_hands_the_message_back() {
    let mut office = office(8).await;
    let sent: Vec<_> = (0..100).map(|number| office.worker.try_cast(Work::Note(number))).collect();
    assert_eq!(sent.iter().filter(|sent| sent.is_ok()).count(), 8);
    assert!(matches!(&sent[99], Err(CastError::Busy(Work::Note(99)))));
    assert_eq!(office.worker.ask(LONG, Work::Ask).await, Err(AskError::Busy));

    // The place of a message is free when it has been handled, not when it has been taken out of the mailbox.
    for number in 0..8 {
        assert!(is_busy(&office.worker.try_cast(Work::Note(0))));
        office.permissions.send(()).await.unwrap();
        assert_eq!(office.done.recv().await, Some(number));
        office.worker.cast(Work::Note(number + 100)).await.unwrap();
    }
}

#[tokio::test]
async fn whoever_waits_is_served_in_order() {
    let mut office = office(1).await;
    office.worker.cast(Work::Note(0)).await.unwrap();
    let worker = office.worker.clone();
    let mut first = Box::pin(worker.cast(Work::Note(1)));
    let mut second = Box::pin(worker.cast(Work::Note(2)));
    assert!(is_waiting(first.as_mut()).await && is_waiting(second.as_mut()).await);
    for _ in 0..3 {
        office.permissions.send(()).await.unwrap();
    }
    let (second, first) = tokio::join!(second, first);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!([office.done.recv().await, office.done.recv().await, office.done.recv().await], [Some(0), Some(1), Some(2)]);
}

#[tokio::test]
async fn a_question_takes_a_place_until_it_is_answered() {
    let office = office(1).await;
    let mut asked = Box::pin(office.worker.ask(LONG, Work::Ask));
    assert!(is_waiting(asked.as_mut()).await);
    assert!(is_busy(&office.worker.try_cast(Work::Note(0))));
    office.permissions.send(()).await.unwrap();
    assert_eq!(asked.await, Ok(7));
    office.worker.cast(Work::Note(0)).await.unwrap();
}

#[tokio::test]
async fn an_actor_that_dies_lets_go_of_everybody() {
    let office = office(2).await;
    for number in 0..2 {
        office.worker.try_cast(Work::Note(number)).unwrap();
    }
    let mut waiting = Box::pin(office.worker.cast(Work::Note(2)));
    assert!(is_waiting(waiting.as_mut()).await);
    office.worker.actor().kill();
    assert!(matches!(waiting.await, Err(CastError::Stopped)));
    office.ended.await.unwrap();
    assert!(matches!(office.worker.try_cast(Work::Note(3)), Err(CastError::Stopped)));
    assert_eq!(office.worker.ask(LONG, Work::Ask).await, Err(AskError::Stopped));
}
