//! A thread's life beside its turns: named, put away, forked, deleted; what it spent; and how it is found.

use super::fixtures::{TURN, call, call_id, end, entry, event, log_of, numbered, said, thread, thread_id};
use crate::store::{Record, Store, StoreError};
use capstan_types::call::CallAttempt;
use capstan_types::event::{Event, EventBody};
use capstan_types::history::{Entry, Usage};
use capstan_types::id::{Attempt, Epoch, EventSeq, SessionId, TurnId};
use capstan_types::thread::listing::{Kept, Newest, ThreadFilter};
use capstan_types::thread::{Parent, ThreadCost, ThreadRecord, Upto};

const A: Epoch = Epoch(1);

const LATER: TurnId = TurnId::from_u128(8);

async fn found(store: &impl Store, filter: &ThreadFilter) -> Vec<u8> {
    let threads = store.threads(filter).await.unwrap().threads;
    let number = |record: &ThreadRecord| (0..50).find(|number| thread_id(*number) == record.id).unwrap();
    threads.iter().map(number).collect()
}

pub(super) async fn a_name_is_given_changed_and_taken_away(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    for name in [Some("parser \0 work"), Some("lexer work"), None] {
        store.rename(thread_id(1), A, name).await.unwrap();
        let row = store.thread(thread_id(1)).await.unwrap().unwrap();
        assert_eq!(row, ThreadRecord { name: name.map(str::to_owned), ..thread(1) });
    }
}

pub(super) async fn a_thread_is_put_away_and_taken_back(store: &impl Store) {
    for number in [1, 2] {
        store.create_thread(&thread(number)).await.unwrap();
    }
    let listed = async |kept| found(store, &ThreadFilter { kept, limit: 9, ..ThreadFilter::default() }).await;
    store.archive(thread_id(1), A, true).await.unwrap();
    let first = store.thread(thread_id(1)).await.unwrap().unwrap().archived_at;
    assert!(first.is_some());
    store.archive(thread_id(1), A, true).await.unwrap();
    assert_eq!(store.thread(thread_id(1)).await.unwrap().unwrap().archived_at, first, "the first time stays");
    assert_eq!((listed(Kept::Active).await, listed(Kept::Archived).await), (vec![2], vec![1]));
    assert_eq!(listed(Kept::All).await, [2, 1]);
    store.archive(thread_id(1), A, false).await.unwrap();
    assert_eq!(store.thread(thread_id(1)).await, Ok(Some(thread(1))));
    assert_eq!((listed(Kept::Active).await, listed(Kept::Archived).await), (vec![2, 1], vec![]));
}

pub(super) async fn every_change_asks_for_the_epoch(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    store.take_over(thread_id(1), A, "second").await.unwrap();
    let before = store.thread(thread_id(1)).await.unwrap();
    for fence in [Epoch(0), A, Epoch(3), Epoch(u64::MAX)] {
        let fenced = Err(StoreError::Fenced { thread: thread_id(1), fence, newest: Epoch(2) });
        assert_eq!(store.rename(thread_id(1), fence, Some("x")).await, fenced);
        assert_eq!(store.archive(thread_id(1), fence, true).await, fenced);
        assert_eq!(store.delete(thread_id(1), fence).await, fenced);
    }
    assert_eq!(store.thread(thread_id(1)).await, Ok(before));
    let nowhere = Err(StoreError::NoThread(thread_id(2)));
    assert_eq!(store.rename(thread_id(2), A, Some("x")).await, nowhere);
    assert_eq!(store.archive(thread_id(2), A, true).await, nowhere);
    assert_eq!(store.delete(thread_id(2), A).await, nowhere);
}

pub(super) async fn nothing_of_a_deleted_thread_is_left_but_its_id(store: &impl Store) {
    for number in [1, 2] {
        store.create_thread(&thread(number)).await.unwrap();
        let tried = Record::CallAttempted(attempt(1, None));
        let records = vec![numbered(1), said("hello"), Record::CallAsked(call(1)), tried, Record::CallEnded(end(1, 0))];
        store.append(thread_id(number), A, records).await.unwrap();
    }
    store.delete(thread_id(1), A).await.unwrap();
    assert_eq!(store.thread(thread_id(1)).await, Ok(None));
    assert_eq!(log_of(store, thread_id(1)).await, [0_u64; 0]);
    assert_eq!(store.entries(thread_id(1)).await, Ok(vec![]));
    assert_eq!(store.call(thread_id(1), call_id(1)).await, Ok(None));
    assert_eq!(store.attempts(thread_id(1), call_id(1)).await, Ok(vec![]));
    let search = ThreadFilter { search: "hello".to_owned(), ..ThreadFilter::all(9) };
    assert_eq!(found(store, &search).await, [2]);
    // Its old owner would pass for the new one's.
    assert_eq!(store.create_thread(&thread(1)).await, Err(StoreError::Deleted(thread_id(1))));
    assert_eq!(store.append(thread_id(1), A, vec![numbered(2)]).await, Err(StoreError::NoThread(thread_id(1))));
    assert_eq!(store.fork(thread_id(2), Upto::End, &thread(1)).await, Err(StoreError::Deleted(thread_id(1))));
    assert_eq!(store.call(thread_id(2), call_id(1)).await, Ok(Some((call(1), Some(end(1, 0))))));
}

pub(super) async fn what_is_spent_adds_up_and_settings_are_replaced(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let spent = ThreadCost { usage: Usage { input_tokens: 10, output_tokens: 5, ..Usage::default() }, micro_usd: 7 };
    store.append(thread_id(1), A, vec![Record::Cost(spent), Record::Cost(spent)]).await.unwrap();
    let mut settings = thread(1).settings;
    (settings.model, settings.cwd) = ("other".to_owned(), "/elsewhere".parse().unwrap());
    store.append(thread_id(1), A, vec![Record::Settings(Box::new(settings.clone()))]).await.unwrap();
    let row = store.thread(thread_id(1)).await.unwrap().unwrap();
    assert_eq!(row.spent, thread(1).spent.plus(spent).plus(spent));
    assert_eq!(row.settings, settings);
    let filter = ThreadFilter { cwd: Some(settings.cwd), ..ThreadFilter::all(9) };
    assert_eq!(found(store, &filter).await, [1]);
}

fn attempt(number: u32, session: Option<u128>) -> CallAttempt {
    let row = thread(9);
    CallAttempt {
        call: call_id(1),
        attempt: Attempt(number),
        node: row.settings.node.unwrap(),
        session: session.map(SessionId::from_u128),
        started_at: row.created_at,
    }
}

pub(super) async fn every_try_of_a_call_is_kept(store: &impl Store) {
    store.create_thread(&thread(1)).await.unwrap();
    let tried =
        async |number, session| store.append(thread_id(1), A, vec![Record::CallAttempted(attempt(number, session))]).await;
    assert_eq!(tried(1, None).await, Err(StoreError::NoCall(call_id(1))));
    store.append(thread_id(1), A, vec![Record::CallAsked(call(1)), Record::CallAttempted(attempt(1, None))]).await.unwrap();
    tried(1, Some(5)).await.unwrap();
    let gap = |next, found| Err(StoreError::AttemptOutOfOrder { call: call_id(1), next: Attempt(next), found: Attempt(found) });
    assert_eq!((tried(0, None).await, tried(3, None).await), (gap(2, 0), gap(2, 3)));
    tried(2, None).await.unwrap();
    assert_eq!(tried(1, None).await, gap(3, 1), "a try that another followed is over");
    assert_eq!(store.attempts(thread_id(1), call_id(1)).await, Ok(vec![attempt(1, Some(5)), attempt(2, None)]));
    store.append(thread_id(1), A, vec![Record::CallEnded(end(1, 0))]).await.unwrap();
    assert_eq!(tried(3, None).await, Err(StoreError::CallEnded(call_id(1))));
}

/// A thread of two turns: two events in the first, two in the second; one call ended in the first, one ended and one open in the second.
async fn two_turns(store: &impl Store) {
    let at = |seq, turn| Record::Event(Event { turn: Some(turn), ..event(seq) });
    let said_in = |turn, text| Record::Entry { turn, entry: entry(text) };
    store.create_thread(&ThreadRecord { preview: String::new(), parent: None, ..thread(1) }).await.unwrap();
    let body = EventBody::ThreadStarted { thread: thread_id(1), settings: Box::new(thread(1).settings) };
    let started = Record::Event(Event { turn: None, body, ..event(1) });
    store.append(thread_id(1), A, vec![started, Record::Preview("look".to_owned())]).await.unwrap();
    let (asked, tried) = (Record::CallAsked(call(1)), Record::CallAttempted(attempt(1, Some(1))));
    let first = vec![at(2, TURN), said_in(TURN, "one"), asked, tried, Record::CallEnded(end(1, 0)), at(3, TURN)];
    store.append(thread_id(1), A, first).await.unwrap();
    let (asked, ended) = (Record::CallAsked(call(2)), Record::CallEnded(end(2, 0)));
    let second = vec![said_in(LATER, "two"), at(4, LATER), asked, Record::CallAsked(call(3)), at(5, LATER), ended];
    store.append(thread_id(1), A, second).await.unwrap();
}

async fn calls_of(store: &impl Store, number: u8) -> Vec<u8> {
    let mut kept = Vec::new();
    for call in 1..=3 {
        if store.call(thread_id(number), call_id(call)).await.unwrap().is_some() {
            kept.push(call);
        }
    }
    kept
}

pub(super) async fn a_fork_begins_with_what_was_there(store: &impl Store) {
    two_turns(store).await;
    let wanted = |number| ThreadRecord { preview: String::new(), ..thread(number) };
    let forks = [
        (2, Upto::End, 5, Some(LATER), vec!["one", "two"], vec![1, 2]),
        (3, Upto::Turn(TURN), 3, Some(TURN), vec!["one"], vec![1]),
        (4, Upto::Turn(LATER), 5, Some(LATER), vec!["one", "two"], vec![1, 2]),
        (5, Upto::Event(EventSeq(3)), 3, Some(TURN), vec!["one"], vec![1]),
        (6, Upto::Event(EventSeq(1)), 1, None, vec![], vec![]),
        (7, Upto::Event(EventSeq(0)), 0, None, vec![], vec![]),
    ];
    for (number, upto, last, turn, texts, calls) in forks {
        let row = store.fork(thread_id(1), upto, &wanted(number)).await.unwrap();
        let parent = Some(Parent { thread: thread_id(1), seq: EventSeq(last), turn });
        assert_eq!(row, ThreadRecord { preview: "look".to_owned(), parent, ..thread(number) }, "{upto:?}");
        assert_eq!(store.thread(thread_id(number)).await, Ok(Some(row)));
        assert_eq!(log_of(store, thread_id(number)).await, Vec::from_iter(1..=last), "{upto:?}");
        let texts: Vec<Entry> = texts.into_iter().map(entry).collect();
        assert_eq!(store.entries(thread_id(number)).await, Ok(texts), "{upto:?}");
        assert_eq!(calls_of(store, number).await, calls, "{upto:?}");
        assert_eq!(store.open_calls(thread_id(number)).await, Ok(vec![]), "an open call was copied");
    }
    assert_eq!(store.attempts(thread_id(3), call_id(1)).await, Ok(vec![attempt(1, Some(1))]));
    assert_eq!(store.attempts(thread_id(6), call_id(1)).await, Ok(vec![]));
    let begun = store.events(thread_id(3), EventSeq(0), 1).await.unwrap();
    let own = EventBody::ThreadStarted { thread: thread_id(3), settings: Box::new(thread(3).settings) };
    assert_eq!(begun[0].body, own, "the fork begins as its source");

    // Both go on by themselves.
    store.append(thread_id(3), A, vec![numbered(4), said("three")]).await.unwrap();
    store.append(thread_id(1), A, vec![numbered(6)]).await.unwrap();
    assert_eq!((log_of(store, thread_id(3)).await.len(), log_of(store, thread_id(1)).await.len()), (4, 6));
    assert_eq!(store.open_calls(thread_id(1)).await, Ok(vec![call(3)]));
    store.delete(thread_id(1), A).await.unwrap();
    assert_eq!(log_of(store, thread_id(3)).await.len(), 4, "a fork went with its source");
}

pub(super) async fn a_fork_that_cannot_be_leaves_nothing(store: &impl Store) {
    two_turns(store).await;
    let nowhere = Err(StoreError::NoPoint(thread_id(1)));
    for upto in [Upto::Event(EventSeq(6)), Upto::Turn(TurnId::from_u128(99))] {
        assert_eq!(store.fork(thread_id(1), upto, &thread(2)).await, nowhere);
    }
    assert_eq!(store.fork(thread_id(8), Upto::End, &thread(2)).await, Err(StoreError::NoThread(thread_id(8))));
    assert_eq!(store.thread(thread_id(2)).await, Ok(None));
    assert_eq!(store.fork(thread_id(1), Upto::End, &thread(1)).await, Err(StoreError::ThreadExists(thread_id(1))));
    assert_eq!(log_of(store, thread_id(1)).await.len(), 5);
}

pub(super) async fn threads_are_found_by_what_people_said(store: &impl Store) {
    let texts = [("", "Die GRÖSSE der Datei", None), ("fix 100%_x", "y", None), ("fix 100 x", "größe", Some("Na~me"))];
    for (number, (preview, text, name)) in (1..).zip(texts) {
        let row = ThreadRecord { preview: preview.to_owned(), name: name.map(str::to_owned), ..thread(number) };
        store.create_thread(&row).await.unwrap();
        let other = Entry::Assistant { text: "zeppelin".to_owned() };
        store.append(thread_id(number), A, vec![said(text), Record::Entry { turn: TURN, entry: other }]).await.unwrap();
    }
    let cases: [(&str, &[u8]); 12] = [
        ("", &[3, 2, 1]),
        (" \0\t ", &[3, 2, 1]),
        ("größe", &[3]),
        ("GRÖSSE", &[1]),
        ("datei grösse", &[1]),
        ("datei größe", &[]),
        ("fix", &[3, 2]),
        ("%_", &[2]),
        ("100%", &[2]),
        ("a~m", &[3]),
        ("zeppelin", &[]),
        ("'; DROP TABLE said; --", &[]),
    ];
    for (search, expected) in cases {
        assert_eq!(found(store, &ThreadFilter { search: search.to_owned(), ..ThreadFilter::all(9) }).await, expected, "{search}");
    }
    store.rename(thread_id(3), A, Some("another")).await.unwrap();
    assert_eq!(found(store, &ThreadFilter { search: "a~m".to_owned(), ..ThreadFilter::all(9) }).await, [0_u8; 0]);
    assert_eq!(found(store, &ThreadFilter { search: "Another".to_owned(), ..ThreadFilter::all(9) }).await, [3]);
}

pub(super) async fn a_list_is_read_page_by_page(store: &impl Store) {
    // Two of each moment, so that the id decides.
    for number in 0..11 {
        let created_at = thread(number / 2).created_at;
        store.create_thread(&ThreadRecord { created_at, updated_at: created_at, ..thread(number) }).await.unwrap();
    }
    for newest in [Newest::Created, Newest::Updated] {
        for limit in [1, 2, 3, 11, 12] {
            let mut filter = ThreadFilter { newest, ..ThreadFilter::all(limit) };
            let mut seen = Vec::new();
            loop {
                let page = store.threads(&filter).await.unwrap();
                assert!(page.threads.len() <= limit as usize);
                seen.extend(page.threads.iter().map(|record| record.id));
                filter.after = page.next;
                if filter.after.is_none() {
                    break;
                }
            }
            assert_eq!(seen, Vec::from_iter((0..11).rev().map(thread_id)), "{limit}");
        }
    }
    store.append(thread_id(0), A, vec![said("again")]).await.unwrap();
    let touched = ThreadFilter { newest: Newest::Updated, ..ThreadFilter::all(2) };
    assert_eq!(found(store, &touched).await, [0, 10]);
}
