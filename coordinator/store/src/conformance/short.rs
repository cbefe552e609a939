//! What is read of a long thread.

use super::fixtures::{event, said, thread, thread_id};
use crate::store::{Record, Store};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::{Entry, Usage};
use capstan_types::id::{Epoch, EventSeq, TurnId};
use capstan_types::item::{Item, ItemBody, ItemId};

const A: Epoch = Epoch(1);

/// The thread's first turns with an item each, one that has none, and `more`.
async fn turns(store: &impl Store, more: Vec<EventBody>) {
    store.create_thread(&thread(1)).await.unwrap();
    let item =
        |id| EventBody::ItemCompleted { item: Item { id: ItemId(id), body: ItemBody::AgentMessage { text: "m".to_owned() } } };
    let end = || EventBody::TurnCompleted { usage: Usage::default() };
    let mut bodies: Vec<(u128, EventBody)> = Vec::new();
    for turn in 1..=3 {
        bodies.extend([EventBody::TurnStarted, item(u64::from(turn == 3) + 1), end()].map(|body| (turn, body)));
    }
    bodies.extend([EventBody::TurnStarted, end()].map(|body| (4, body)));
    bodies.extend(more.into_iter().map(|body| (5, body)));
    let records = bodies.into_iter().zip(1..).map(|((turn, body), seq)| {
        let turn = Some(TurnId::from_u128(turn));
        Record::Event(Event { turn, body, ..event(seq) })
    });
    store.append(thread_id(1), A, records.collect()).await.unwrap();
}

async fn outline(store: &impl Store, after: u64, limit: u32) -> Vec<u64> {
    store.outline(thread_id(1), EventSeq(after), limit).await.unwrap().iter().map(|event| event.seq.0).collect()
}

pub(super) async fn an_outline_has_all_but_the_items_of_turns_before_the_last_that_has_any(store: &impl Store) {
    turns(store, vec![]).await;
    assert_eq!(outline(store, 0, 99).await, [1, 3, 4, 6, 7, 8, 9, 10, 11]);
    assert_eq!(outline(store, 3, 3).await, [4, 6, 7]);
    assert_eq!(outline(store, 9, 99).await, [10, 11]);
    assert_eq!(outline(store, 11, 99).await, [0_u64; 0]);
    let whole = store.events(thread_id(1), EventSeq(0), 99).await.unwrap();
    let outline = store.outline(thread_id(1), EventSeq(0), 99).await.unwrap();
    assert!(outline.iter().all(|event| whole.contains(event)), "an event is not as it was stored");
}

pub(super) async fn an_outline_has_the_items_of_a_turn_that_runs(store: &impl Store) {
    let item = |id| EventBody::ItemStarted { item: Item { id: ItemId(id), body: ItemBody::Error { message: "e".to_owned() } } };
    turns(store, vec![EventBody::TurnStarted, item(3), item(4)]).await;
    assert_eq!(outline(store, 0, 99).await, [1, 3, 4, 6, 7, 9, 10, 11, 12, 13, 14]);
}

pub(super) async fn a_model_is_shown_what_follows_the_last_shortening(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    assert_eq!(store.shown(thread_id(1)).await, Ok(vec![]));
    let user = |text: &str| Entry::User { text: text.to_owned(), images: vec![] };
    store.append(thread_id(1), A, vec![said("one"), said(r#"{"type":"compacted""#)]).await.unwrap();
    assert_eq!(store.shown(thread_id(1)).await.unwrap(), store.entries(thread_id(1)).await.unwrap());
    for text in ["a", "b"] {
        let entry = Entry::Compacted { history: vec![user(text)] };
        let turn = super::fixtures::TURN;
        store.append(thread_id(1), A, vec![Record::Entry { turn, entry }, said("two")]).await.unwrap();
    }
    let shown = vec![Entry::Compacted { history: vec![user("b")] }, user("two")];
    assert_eq!(store.shown(thread_id(1)).await, Ok(shown));
    assert_eq!(store.entries(thread_id(1)).await.unwrap().len(), 6);
}
