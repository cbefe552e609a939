//! A call has one outcome.

use super::fixtures::{call, call_id, end, event, numbered, thread, thread_id};
use crate::store::{Record, Store, StoreError};
use capstan_types::call::Call;
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{Epoch, TurnId};

const A: Epoch = Epoch(1);

pub(super) async fn a_call_ends_once(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    store.append(thread_id(1), A, vec![Record::CallAsked(call(1))]).await.unwrap();
    store.append(thread_id(1), A, vec![Record::CallEnded(end(1, 0))]).await.unwrap();
    let again = store.append(thread_id(1), A, vec![numbered(1), Record::CallEnded(end(1, 9))]).await;
    assert_eq!(again, Err(StoreError::CallEnded(call_id(1))));
    assert_eq!(store.call(thread_id(1), call_id(1)).await, Ok(Some((call(1), Some(end(1, 0))))));
    let twice_at_once = vec![Record::CallAsked(call(2)), Record::CallEnded(end(2, 0)), Record::CallEnded(end(2, 1))];
    assert_eq!(store.append(thread_id(1), A, twice_at_once).await, Err(StoreError::CallEnded(call_id(2))));
    assert_eq!(store.call(thread_id(1), call_id(2)).await, Ok(None));
}

pub(super) async fn a_call_is_stored_once_and_before_its_end(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let unknown = store.append(thread_id(1), A, vec![Record::CallEnded(end(1, 0))]).await;
    assert_eq!(unknown, Err(StoreError::NoCall(call_id(1))));
    store.append(thread_id(1), A, vec![Record::CallAsked(call(1))]).await.unwrap();
    let other = Call { arguments: "other".to_owned(), ..call(1) };
    let again = store.append(thread_id(1), A, vec![Record::CallAsked(other)]).await;
    assert_eq!(again, Err(StoreError::CallExists(call_id(1))));
    assert_eq!(store.call(thread_id(1), call_id(1)).await, Ok(Some((call(1), None))));
}

pub(super) async fn open_calls_come_in_the_order_they_were_asked_for(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let asked = [9, 3, 5, 1].map(|number| Record::CallAsked(call(number)));
    store.append(thread_id(1), A, asked.to_vec()).await.unwrap();
    store.append(thread_id(1), A, vec![Record::CallEnded(end(3, 0)), Record::CallAsked(call(2))]).await.unwrap();
    assert_eq!(store.open_calls(thread_id(1)).await, Ok(vec![call(9), call(5), call(1), call(2)]));
}

pub(super) async fn the_calls_of_a_turn_come_with_their_ends(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let elsewhere = Call { turn: TurnId::from_u128(99), ..call(4) };
    let asked = vec![Record::CallAsked(call(9)), Record::CallAsked(elsewhere), Record::CallAsked(call(3))];
    store.append(thread_id(1), A, asked).await.unwrap();
    store.append(thread_id(1), A, vec![Record::CallEnded(end(3, 0))]).await.unwrap();
    let of_turn = store.calls_of(thread_id(1), call(1).turn).await;
    assert_eq!(of_turn, Ok(vec![(call(9), None), (call(3), Some(end(3, 0)))]));
}

pub(super) async fn threads_whose_last_event_ends_no_turn_are_unsettled(store: &impl Store) {
    let body = |number: u8| match number {
        1 => EventBody::TurnStarted,
        2 => EventBody::TurnInterrupted,
        3 => EventBody::TurnFailed { message: "turn_started".to_owned() },
        4 => EventBody::ThreadStarted { thread: thread_id(4), settings: Box::new(thread(4).settings) },
        5 => EventBody::TurnContinued { times: 1 },
        6 => EventBody::TurnPaused { message: String::new() },
        _ => EventBody::TurnCompleted { usage: thread(1).spent.usage },
    };
    for number in 1..=8 {
        store.create_thread(&thread(number)).await.unwrap();
        if number < 8 {
            let last = Event { body: body(number), ..event(1) };
            store.append(thread_id(number), A, vec![Record::Event(last)]).await.unwrap();
        }
    }
    let mut unsettled = store.unsettled().await.unwrap();
    unsettled.sort();
    assert_eq!(unsettled, [1, 5].map(|number| (thread_id(number), thread(number).owner)));
}
