//! Stores that earlier releases wrote.

use crate::conformance::fixtures::{TURN, call, call_id, end, entry, event, thread, thread_id};
use crate::sqlite;
use crate::store::{Record, Store};
use capstan_types::call::{Call, ReplayClass};
use capstan_types::history::{Entry, Usage};
use capstan_types::id::{Epoch, EventSeq, TurnId};
use capstan_types::thread::listing::ThreadFilter;
use capstan_types::thread::{ThreadCost, ThreadRecord, TurnInput, Upto};

const FORMAT_1: &[u8] = include_bytes!("../../../tests/golden/format-1.db");
const FORMAT_2: &[u8] = include_bytes!("../../../tests/golden/format-2.db");

#[tokio::test]
async fn a_store_of_format_1_is_upgraded_with_nothing_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    std::fs::write(&path, FORMAT_1).unwrap();
    let store = sqlite::open(&path).await.unwrap();

    // What the format did not know has its least value; what can be read from the rest is.
    let row = store.thread(thread_id(1)).await.unwrap().unwrap();
    let updated_at = row.updated_at;
    assert!(updated_at > thread(1).updated_at);
    let usage = Usage { input_tokens: 5, ..Usage::default() };
    let expected = ThreadRecord {
        owner: "second owner".to_owned(),
        epoch: Epoch(2),
        updated_at,
        name: None,
        parent: None,
        spent: ThreadCost { usage, micro_usd: 0 },
        ..thread(1)
    };
    assert_eq!(row, expected);
    let events = store.events(thread_id(1), EventSeq(0), 10).await;
    assert_eq!(events, Ok((1..=5).map(event).collect()));
    let said = Entry::Assistant { text: "I say zeppelin".to_owned() };
    let entries = vec![entry("Mend the Größe of the parser"), said, entry("second turn")];
    assert_eq!(store.entries(thread_id(1)).await, Ok(entries.clone()));
    let old = |number| Call { replay: ReplayClass::External, ..call(number) };
    assert_eq!(store.call(thread_id(1), call_id(1)).await, Ok(Some((old(1), Some(end(1, 3))))));
    assert_eq!(store.open_calls(thread_id(1)).await, Ok(vec![old(2)]));

    for (search, expected) in
        [("GRÖSSE", vec![]), ("GRÖßE", vec![thread_id(1)]), ("zeppelin", vec![]), ("turn", vec![thread_id(1)])]
    {
        let filter = ThreadFilter { search: search.to_owned(), ..ThreadFilter::all(10) };
        let found: Vec<_> = store.threads(&filter).await.unwrap().threads.iter().map(|row| row.id).collect();
        assert_eq!(found, expected, "{search}");
    }
    let in_cwd = ThreadFilter { cwd: Some(thread(1).settings.cwd), ..ThreadFilter::all(10) };
    assert_eq!(store.threads(&in_cwd).await.unwrap().threads.len(), 2);

    // It goes on, and can be forked where it was before.
    store.append(thread_id(1), Epoch(2), vec![Record::Event(event(6))]).await.unwrap();
    let fork = store.fork(thread_id(1), Upto::End, &thread(3)).await.unwrap();
    assert_eq!(store.entries(fork.id).await, Ok(entries));
    assert_eq!(store.call(fork.id, call_id(1)).await, Ok(Some((old(1), Some(end(1, 3))))));
    assert_eq!(store.fork(thread_id(1), Upto::Turn(TURN), &thread(4)).await.unwrap().parent.unwrap().seq, EventSeq(5));
    assert!(store.fork(thread_id(1), Upto::Turn(TurnId::from_u128(8)), &thread(5)).await.is_err(), "that turn told nothing");

    store.close().await;
    assert_eq!(sqlite::open(&path).await.unwrap().threads(&in_cwd).await.unwrap().threads.len(), 4);
}

#[tokio::test]
async fn a_store_of_format_2_is_upgraded_with_nothing_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("capstan.db");
    std::fs::write(&path, FORMAT_2).unwrap();
    let store = sqlite::open(&path).await.unwrap();
    let row = store.thread(thread_id(1)).await.unwrap().unwrap();
    let (owner, name) = ("second owner".to_owned(), Some("kept".to_owned()));
    assert_eq!(row, ThreadRecord { owner, name, epoch: Epoch(2), updated_at: row.updated_at, ..thread(1) });
    assert_eq!(store.events(thread_id(1), EventSeq(0), 10).await, Ok((1..=4).map(event).collect()));
    let shortened = Entry::Compacted { history: vec![entry("what was said")] };
    let history = vec![entry("Mend the parser"), shortened, entry("and go on")];
    assert_eq!(store.entries(thread_id(1)).await, Ok(history.clone()));
    assert_eq!(store.shown(thread_id(1)).await, Ok(history[1..].to_vec()), "where it was shortened is found");
    assert_eq!(store.open_calls(thread_id(1)).await, Ok(vec![call(2)]));
    assert_eq!(store.attempts(thread_id(1), call_id(1)).await.unwrap().len(), 1);
    assert_eq!(store.thread(thread_id(2)).await.unwrap().unwrap().parent.unwrap().seq, EventSeq(2));
    assert!(store.create_thread(&thread(3)).await.is_err(), "the id of a deleted thread is given again");

    let waits = Record::Queued { turn: TURN, input: Box::new(TurnInput::default()) };
    store.append(thread_id(1), Epoch(2), vec![Record::Event(event(5)), waits]).await.unwrap();
    store.close().await;
    assert_eq!(sqlite::open(&path).await.unwrap().queued(thread_id(1)).await, Ok(vec![(TURN, TurnInput::default())]));
}
