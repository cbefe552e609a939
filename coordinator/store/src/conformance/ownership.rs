//! A thread has one owner at a time.

use super::fixtures::{log_of, numbered, thread, thread_id};
use crate::store::{Store, StoreError};
use capstan_types::id::Epoch;

pub(super) async fn an_owner_that_was_overtaken_is_fenced(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    store.append(thread_id(1), Epoch(1), vec![numbered(1)]).await.unwrap();
    assert_eq!(store.take_over(thread_id(1), Epoch(1), "second").await, Ok(Epoch(2)));
    let row = store.thread(thread_id(1)).await.unwrap().unwrap();
    assert_eq!((row.owner.as_str(), row.epoch), ("second", Epoch(2)));

    let fenced = |fence| Err(StoreError::Fenced { thread: thread_id(1), fence, newest: Epoch(2) });
    assert_eq!(store.append(thread_id(1), Epoch(1), vec![numbered(2)]).await, fenced(Epoch(1)));
    assert_eq!(store.append(thread_id(1), Epoch(1), vec![]).await, fenced(Epoch(1)));
    assert_eq!(store.append(thread_id(1), Epoch(3), vec![numbered(2)]).await, fenced(Epoch(3)), "an epoch nobody was given");
    assert_eq!(store.take_over(thread_id(1), Epoch(1), "late").await.map(drop), fenced(Epoch(1)));
    assert_eq!(log_of(store, thread_id(1)).await, [1]);

    store.append(thread_id(1), Epoch(2), vec![numbered(2)]).await.unwrap();
    assert_eq!(log_of(store, thread_id(1)).await, [1, 2]);
}

pub(super) async fn one_of_many_takes_a_thread_over(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let owners = ["a", "b", "c", "d", "e"];
    let (a, b, c, d, e) = tokio::join!(
        store.take_over(thread_id(1), Epoch(1), owners[0]),
        store.take_over(thread_id(1), Epoch(1), owners[1]),
        store.take_over(thread_id(1), Epoch(1), owners[2]),
        store.take_over(thread_id(1), Epoch(1), owners[3]),
        store.take_over(thread_id(1), Epoch(1), owners[4]),
    );
    let winners: Vec<&str> =
        owners.into_iter().zip([a, b, c, d, e]).filter_map(|(owner, taken)| taken.ok().map(|_| owner)).collect();
    let row = store.thread(thread_id(1)).await.unwrap().unwrap();
    assert_eq!(winners, [row.owner.as_str()]);
    assert_eq!(row.epoch, Epoch(2));
}

pub(super) async fn a_thread_that_is_not_there_is_not_taken_over(store: &impl Store) {
    assert_eq!(store.take_over(thread_id(1), Epoch(0), "a").await, Err(StoreError::NoThread(thread_id(1))));
    assert_eq!(store.thread(thread_id(1)).await, Ok(None));
}
