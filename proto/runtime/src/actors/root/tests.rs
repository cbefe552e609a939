//! A tree that ends in order, by wish or by failure.

use super::Root;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use std::time::Duration;
use tokio::sync::mpsc;

const GRACE: Duration = Duration::from_secs(20);

/// Says goodbye when it is stopped, and not when it is killed.
struct Child;

#[derive(Clone, Copy)]
enum Order {
    Fail,
    Finish,
    Hang,
}

impl Actor for Child {
    type Msg = Order;
    type State = mpsc::UnboundedSender<&'static str>;
    type Arguments = mpsc::UnboundedSender<&'static str>;

    async fn pre_start(&self, _me: ActorRef<Order>, goodbyes: Self::Arguments) -> Result<Self::State, ActorProcessingErr> {
        Ok(goodbyes)
    }

    async fn handle(&self, me: ActorRef<Order>, order: Order, goodbyes: &mut Self::State) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Fail => return Err("broken".into()),
            Order::Finish => me.stop(None),
            Order::Hang => {
                let _ = goodbyes.send("hanging");
                std::future::pending::<()>().await;
            }
        }
        Ok(())
    }

    async fn post_stop(&self, _me: ActorRef<Order>, goodbyes: &mut Self::State) -> Result<(), ActorProcessingErr> {
        let _ = goodbyes.send("goodbye");
        Ok(())
    }
}

async fn all_said(mut goodbyes: mpsc::UnboundedReceiver<&'static str>) -> Vec<&'static str> {
    let mut said = vec![];
    // It ends when every child, which holds a sender, is gone.
    while let Some(word) = goodbyes.recv().await {
        said.push(word);
    }
    said
}

#[tokio::test]
async fn stopping_the_root_lets_its_children_say_goodbye() {
    let root = Root::start(GRACE).await.unwrap();
    let (say, goodbyes) = mpsc::unbounded_channel();
    for _ in 0..3 {
        Actor::spawn_linked(None, Child, say.clone(), root.cell()).await.unwrap();
    }
    drop(say);
    root.stop("enough").await;
    assert_eq!(all_said(goodbyes).await, ["goodbye"; 3]);
}

#[tokio::test]
async fn a_child_that_fails_ends_the_tree_in_order() {
    let mut root = Root::start(GRACE).await.unwrap();
    let (say, goodbyes) = mpsc::unbounded_channel();
    let (failing, _) = Actor::spawn_linked(None, Child, say.clone(), root.cell()).await.unwrap();
    Actor::spawn_linked(None, Child, say, root.cell()).await.unwrap();
    failing.cast(Order::Fail).unwrap();
    tokio::time::timeout(GRACE, root.ended()).await.expect("the root outlived what it cannot replace");
    assert_eq!(all_said(goodbyes).await, ["goodbye"], "the child that did not fail was killed");
    root.ended().await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_finishes_ends_nothing_else() {
    let mut root = Root::start(GRACE).await.unwrap();
    let (say, goodbyes) = mpsc::unbounded_channel();
    let (finishing, finished) = Actor::spawn_linked(None, Child, say.clone(), root.cell()).await.unwrap();
    Actor::spawn_linked(None, Child, say, root.cell()).await.unwrap();
    finishing.cast(Order::Finish).unwrap();
    finished.await.unwrap();
    // Paused time moves on only when nobody has anything left to do.
    assert!(tokio::time::timeout(GRACE, root.ended()).await.is_err(), "the root ended with a child that had finished");
    root.stop("enough").await;
    assert_eq!(all_said(goodbyes).await, ["goodbye"; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_hangs_is_killed_after_the_grace() {
    let root = Root::start(GRACE).await.unwrap();
    let (say, mut goodbyes) = mpsc::unbounded_channel();
    let (hanging, _) = Actor::spawn_linked(None, Child, say, root.cell()).await.unwrap();
    hanging.cast(Order::Hang).unwrap();
    assert_eq!(goodbyes.recv().await, Some("hanging"));
    let asked = tokio::time::Instant::now();
    root.stop("enough").await;
    assert!(asked.elapsed() >= GRACE && asked.elapsed() < GRACE * 2);
    assert_eq!(all_said(goodbyes).await, [""; 0]);
}
