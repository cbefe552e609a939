//! Threads' rows.

use super::fixtures::{said, thread, thread_id};
use crate::store::{Record, Store, StoreError};
use capstan_types::id::Epoch;
use capstan_types::thread::ThreadRecord;
use capstan_types::thread::listing::{ThreadFilter, ThreadPage};
use capstan_types::time::UnixMillis;

pub(super) async fn a_thread_is_read_back_whole(store: &impl Store) {
    assert_eq!(store.thread(thread_id(1)).await, Ok(None));
    store.create_thread(&thread(1)).await.unwrap();
    assert_eq!(store.thread(thread_id(1)).await, Ok(Some(thread(1))));
}

pub(super) async fn an_id_is_taken_once(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let other = ThreadRecord { preview: "another".to_owned(), ..thread(1) };
    assert_eq!(store.create_thread(&other).await, Err(StoreError::ThreadExists(thread_id(1))));
    assert_eq!(store.thread(thread_id(1)).await, Ok(Some(thread(1))));
}

pub(super) async fn the_newest_threads_come_first_and_are_bounded(store: &impl Store) {
    assert_eq!(store.threads(&ThreadFilter::all(10)).await, Ok(ThreadPage::default()));
    for number in [2, 4, 1, 3] {
        store.create_thread(&thread(number)).await.unwrap();
    }
    assert_eq!(store.threads(&ThreadFilter::all(3)).await.unwrap().threads, [thread(4), thread(3), thread(2)]);
    assert_eq!(store.threads(&ThreadFilter::all(0)).await, Ok(ThreadPage::default()));
    assert_eq!(store.threads(&ThreadFilter::all(u32::MAX)).await.unwrap().threads.len(), 4);
}

pub(super) async fn the_first_preview_stays(store: &impl Store) {
    store.create_thread(&ThreadRecord { preview: String::new(), ..thread(1) }).await.unwrap();
    for words in ["mend the parser", "and the lexer"] {
        store.append(thread_id(1), Epoch(1), vec![Record::Preview(words.to_owned())]).await.unwrap();
    }
    assert_eq!(store.thread(thread_id(1)).await.unwrap().unwrap().preview, "mend the parser");
}

pub(super) async fn a_thread_is_as_new_as_its_last_record(store: &impl Store) {
    let ahead = ThreadRecord { updated_at: UnixMillis(u64::MAX >> 1), ..thread(2) };
    store.create_thread(&thread(1)).await.unwrap();
    store.create_thread(&ahead).await.unwrap();
    for number in [1, 2] {
        store.append(thread_id(number), Epoch(1), vec![said("hello")]).await.unwrap();
    }
    let updated = store.thread(thread_id(1)).await.unwrap().unwrap().updated_at;
    assert!(updated > UnixMillis(1_700_000_000_000), "{updated:?} is not now");
    assert_eq!(store.thread(thread_id(2)).await, Ok(Some(ahead)), "a clock behind made the thread look older");
}

pub(super) async fn a_number_too_large_is_refused_before_anything_is_written(store: &impl Store) {
    let refused = store.create_thread(&ThreadRecord { epoch: Epoch(u64::MAX), ..thread(1) }).await.unwrap_err();
    assert!(refused.to_string().contains("the epoch is 18446744073709551615"), "{refused}");
    assert_eq!(store.thread(thread_id(1)).await, Ok(None));
    let last = Epoch(i64::MAX.unsigned_abs());
    store.create_thread(&ThreadRecord { epoch: last, ..thread(1) }).await.unwrap();
    assert!(store.take_over(thread_id(1), last, "next").await.is_err());
    assert_eq!(store.thread(thread_id(1)).await.unwrap().unwrap().epoch, last);
}
