//! Events and entries: what is appended to a thread.

use super::fixtures::{call, end, entry, event, log_of, numbered, said, thread, thread_id};
use crate::store::{Record, Store, StoreError};
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{Epoch, EventSeq};

const A: Epoch = Epoch(1);

pub(super) async fn records_are_read_back_in_order(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    store.append(thread_id(1), A, vec![numbered(1), said("one"), numbered(2)]).await.unwrap();
    store.append(thread_id(1), A, vec![]).await.unwrap();
    store.append(thread_id(1), A, vec![said("two"), numbered(3), said("three")]).await.unwrap();
    let events = store.events(thread_id(1), EventSeq(0), 100).await.unwrap();
    assert_eq!(events, [event(1), event(2), event(3)]);
    assert_eq!(store.entries(thread_id(1)).await.unwrap(), [entry("one"), entry("two"), entry("three")]);
}

pub(super) async fn events_are_read_from_a_number_on(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    store.append(thread_id(1), A, (1..=5).map(numbered).collect()).await.unwrap();
    let read = async |after, limit| store.events(thread_id(1), EventSeq(after), limit).await.unwrap();
    assert_eq!(read(2, 2).await, [event(3), event(4)]);
    assert_eq!(read(4, 2).await, [event(5)]);
    assert_eq!(read(5, 2).await, []);
    assert_eq!(read(0, 0).await, []);
}

pub(super) async fn a_hole_or_a_duplicate_is_refused(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    store.append(thread_id(1), A, vec![numbered(1), numbered(2)]).await.unwrap();
    for (found, records) in [(0, vec![0]), (2, vec![2]), (4, vec![4]), (3, vec![3, 3]), (5, vec![3, 5])] {
        let refused = store.append(thread_id(1), A, records.iter().copied().map(numbered).collect()).await;
        let next = if records.len() == 2 { 4 } else { 3 };
        let (next, found) = (EventSeq(next), EventSeq(found));
        assert_eq!(refused, Err(StoreError::OutOfOrder { thread: thread_id(1), next, found }), "{records:?}");
    }
    assert_eq!(log_of(store, thread_id(1)).await, [1, 2]);
}

pub(super) async fn an_append_is_kept_whole_or_not_at_all(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let records = vec![numbered(1), said("lost"), Record::CallAsked(call(1)), Record::CallEnded(end(1, 0)), numbered(9)];
    assert!(store.append(thread_id(1), A, records).await.is_err());
    assert_eq!(log_of(store, thread_id(1)).await, [0_u64; 0]);
    assert_eq!(store.entries(thread_id(1)).await, Ok(vec![]));
    assert_eq!(store.call(thread_id(1), call(1).id).await, Ok(None));
    assert_eq!(store.thread(thread_id(1)).await, Ok(Some(thread(1))));
}

pub(super) async fn a_live_only_event_is_not_stored(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let notice = Event { body: EventBody::Notice { message: "retrying".to_owned() }, ..event(2) };
    let refused = store.append(thread_id(1), A, vec![numbered(1), Record::Event(notice)]).await;
    assert_eq!(refused, Err(StoreError::LiveOnly(EventSeq(2))));
    assert_eq!(log_of(store, thread_id(1)).await, [0_u64; 0]);
}

pub(super) async fn nothing_is_appended_to_a_thread_that_is_not_there(store: &impl Store) {
    assert_eq!(store.append(thread_id(1), A, vec![numbered(1)]).await, Err(StoreError::NoThread(thread_id(1))));
    assert_eq!(log_of(store, thread_id(1)).await, [0_u64; 0]);
    assert_eq!(store.entries(thread_id(1)).await, Ok(vec![]));
    assert_eq!(store.open_calls(thread_id(1)).await, Ok(vec![]));
}

pub(super) async fn threads_do_not_see_each_other(store: &impl Store) {
    for number in [1, 2] {
        store.create_thread(&thread(number)).await.unwrap();
    }
    store.append(thread_id(1), A, vec![numbered(1), said("mine"), Record::CallAsked(call(1))]).await.unwrap();
    store.append(thread_id(2), A, vec![numbered(1), Record::CallAsked(call(1))]).await.unwrap();
    store.append(thread_id(1), A, vec![Record::CallEnded(end(1, 3))]).await.unwrap();
    assert_eq!(store.entries(thread_id(2)).await, Ok(vec![]));
    assert_eq!(store.open_calls(thread_id(1)).await, Ok(vec![]));
    assert_eq!(store.open_calls(thread_id(2)).await, Ok(vec![call(1)]));
    assert_eq!(store.call(thread_id(1), call(1).id).await, Ok(Some((call(1), Some(end(1, 3))))));
    assert_eq!(store.call(thread_id(2), call(1).id).await, Ok(Some((call(1), None))));
}
