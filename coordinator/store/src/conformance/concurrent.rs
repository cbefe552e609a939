//! Many who write at once.

use super::fixtures::{log_of, numbered, said, thread, thread_id};
use crate::store::{Store, StoreError};
use capstan_types::id::Epoch;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

const A: Epoch = Epoch(1);

/// Runs futures of one kind together, each polled whenever any of them wakes; their results in order.
async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in running.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

pub(super) async fn one_refused_append_fails_none_that_arrives_with_it(store: &impl Store) {
    all((0..20).map(async |number| store.create_thread(&thread(number)).await.unwrap())).await;
    // Every third comes with a stale epoch, a hole, or a thread that is not there.
    let appended = all((0..20_u8).map(async |number| match number % 6 {
        1 => store.append(thread_id(number), Epoch(0), vec![numbered(1)]).await,
        3 => store.append(thread_id(number), A, vec![said("with"), numbered(2)]).await,
        5 => store.append(thread_id(number + 100), A, vec![numbered(1)]).await,
        _ => store.append(thread_id(number), A, vec![numbered(1)]).await,
    }))
    .await;
    for (number, appended) in (0..20_u8).zip(appended) {
        let good = number % 2 == 0;
        assert_eq!(appended.is_ok(), good, "{number}: {appended:?}");
        assert_eq!(log_of(store, thread_id(number)).await.len(), usize::from(good), "{number}");
        assert_eq!(store.entries(thread_id(number)).await, Ok(vec![]));
    }
}

pub(super) async fn many_threads_append_at_once_without_a_hole(store: &impl Store) {
    all((0..30).map(async |number| {
        store.create_thread(&thread(number)).await.unwrap();
        for seq in 1..=10 {
            store.append(thread_id(number), A, vec![numbered(seq)]).await.unwrap();
            assert_eq!(log_of(store, thread_id(number)).await.len() as u64, seq, "what was acknowledged is not read");
        }
    }))
    .await;
    for number in 0..30 {
        assert_eq!(log_of(store, thread_id(number)).await, Vec::from_iter(1..=10));
    }
}

pub(super) async fn more_appends_than_the_queue_holds_wait_their_turn(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let appended = all((0..1500).map(async |_| store.append(thread_id(1), A, vec![said("x")]).await)).await;
    assert_eq!(appended.iter().filter(|appended| appended.is_ok()).count(), 1500);
    assert_eq!(store.entries(thread_id(1)).await.unwrap().len(), 1500);
}

pub(super) async fn a_closed_store_finishes_what_it_accepted_and_refuses_the_rest(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let mut appending = Box::pin(store.append(thread_id(1), A, vec![numbered(1)]));
    // Accepted, and most often not answered yet.
    let begun = std::future::poll_fn(|context| Poll::Ready(appending.as_mut().poll(context))).await;
    store.close().await;
    let appended = match begun {
        Poll::Ready(appended) => appended,
        Poll::Pending => appending.await,
    };
    assert_eq!(appended, Ok(()));
    store.close().await;
    let closed = StoreError::Failed("it has been closed".to_owned());
    assert_eq!(store.append(thread_id(1), A, vec![numbered(2)]).await, Err(closed.clone()));
    assert_eq!(store.create_thread(&thread(2)).await, Err(closed.clone()));
    assert_eq!(store.thread(thread_id(1)).await, Err(closed));
}
