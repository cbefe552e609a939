//! Turns that wait.

use super::fixtures::{numbered, thread, thread_id};
use crate::store::{Record, Store, StoreError};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::{Image, Usage};
use capstan_types::id::{Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::thread::{ThreadRecord, TurnInput, Upto};

const A: Epoch = Epoch(1);

fn input(number: u128) -> TurnInput {
    let images = vec![Image { media_type: "image/png".to_owned(), base64: "AA==".to_owned() }];
    let output_schema = Some(serde_json::json!({ "type": "object" }));
    TurnInput { text: format!("turn {number} \0'"), images, output_schema, ..TurnInput::default() }
}

fn put(number: u128) -> Record {
    Record::Queued { turn: TurnId::from_u128(number), input: Box::new(input(number)) }
}

fn took(number: u128) -> Record {
    Record::Unqueued(TurnId::from_u128(number))
}

async fn waiting(store: &impl Store, thread: ThreadId) -> Vec<u128> {
    let queued = store.queued(thread).await.unwrap();
    let number = |(turn, read): (TurnId, TurnInput)| {
        let number = (1..20).find(|number| TurnId::from_u128(*number) == turn).unwrap();
        assert_eq!(read, input(number), "what it begins with");
        number
    };
    queued.into_iter().map(number).collect()
}

pub(super) async fn turns_wait_in_the_order_in_which_they_were_put(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    store.create_thread(&thread(2)).await.unwrap();
    for number in [5, 3, 9] {
        store.append(thread_id(1), A, vec![put(number)]).await.unwrap();
    }
    store.append(thread_id(2), A, vec![put(3), put(4)]).await.unwrap();
    assert_eq!(waiting(store, thread_id(1)).await, [5, 3, 9]);
    // One that is put again keeps its place; one that is taken and put again has lost it; one that does not wait is not missed.
    store.append(thread_id(1), A, vec![put(5), took(3), put(3), took(7)]).await.unwrap();
    assert_eq!(waiting(store, thread_id(1)).await, [5, 9, 3]);
    assert_eq!(waiting(store, thread_id(2)).await, [3, 4]);
}

pub(super) async fn a_turn_waits_or_has_begun_and_never_both(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    store.append(thread_id(1), A, vec![numbered(1), put(1), put(2)]).await.unwrap();
    let failed = store.append(thread_id(1), A, vec![took(1), numbered(9)]).await;
    assert!(matches!(failed, Err(StoreError::OutOfOrder { .. })), "{failed:?}");
    assert_eq!(waiting(store, thread_id(1)).await, [1, 2], "what was not stored was done");
    store.append(thread_id(1), A, vec![took(1), numbered(2)]).await.unwrap();
    assert_eq!(waiting(store, thread_id(1)).await, [2]);
    store.take_over(thread_id(1), A, "another").await.unwrap();
    for record in [put(3), took(2)] {
        assert!(matches!(store.append(thread_id(1), A, vec![record]).await, Err(StoreError::Fenced { .. })));
    }
    assert_eq!(waiting(store, thread_id(1)).await, [2]);
}

pub(super) async fn a_thread_with_a_turn_that_waits_is_unsettled(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let end = EventBody::TurnCompleted { usage: Usage::default() };
    let end = Event { body: end, ..super::fixtures::event(1) };
    store.append(thread_id(1), A, vec![Record::Event(end)]).await.unwrap();
    assert_eq!(store.unsettled().await, Ok(vec![]));
    store.append(thread_id(1), A, vec![put(1)]).await.unwrap();
    assert_eq!(store.unsettled().await, Ok(vec![(thread_id(1), thread(1).owner)]));
    store.append(thread_id(1), A, vec![took(1)]).await.unwrap();
    assert_eq!(store.unsettled().await, Ok(vec![]));
}

pub(super) async fn turns_that_wait_go_with_their_thread_and_not_into_its_forks(store: &impl Store) {
    store.create_thread(&ThreadRecord { parent: None, ..thread(1) }).await.unwrap();
    store.append(thread_id(1), A, vec![numbered(1), put(1)]).await.unwrap();
    store.fork(thread_id(1), Upto::Event(EventSeq(1)), &thread(2)).await.unwrap();
    assert_eq!(waiting(store, thread_id(2)).await, [0_u128; 0]);
    store.delete(thread_id(1), A).await.unwrap();
    assert_eq!(waiting(store, thread_id(1)).await, [0_u128; 0]);
}
