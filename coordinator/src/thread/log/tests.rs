use super::*;
use crate::thread::fixture::moody::Moody;
use crate::thread::fixture::stored_thread;
use tokio::task::JoinSet;

struct Fixture {
    thread: ThreadId,
    store: Arc<dyn Store>,
    log: ThreadLog,
    _task: JoinSet<()>,
}

async fn fixture() -> Fixture {
    let (thread, store) = stored_thread().await;
    fixture_in(thread, store)
}

fn fixture_in(thread: ThreadId, store: Arc<dyn Store>) -> Fixture {
    let (log, task) = open_log(thread, Epoch(1), EventSeq(0), Arc::clone(&store));
    let mut tasks = JoinSet::new();
    tasks.spawn(task.run());
    Fixture { thread, store, log, _task: tasks }
}

fn event() -> Draft {
    Draft::Event(None, EventBody::TurnStarted)
}

#[tokio::test]
async fn events_are_numbered_without_holes_and_told_after_they_are_stored() {
    let f = fixture().await;
    let mut live = f.log.subscribe().await.unwrap();
    assert_eq!(live.after, EventSeq(0));
    f.log.note(vec![event(), event()]).await.unwrap();
    f.log.tell(None, EventBody::Notice { message: "between".into() });
    f.log.record(vec![event()]).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..4 {
        let event = live.events.recv().await.unwrap();
        if !event.body.is_live_only() {
            let stored = f.store.events(f.thread, EventSeq(event.seq.0 - 1), 1).await.unwrap();
            assert_eq!(stored, [Event::clone(&event)], "told before it was stored");
        }
        told.push((event.seq.0, event.body.is_live_only()));
    }
    assert_eq!(told, [(1, false), (2, false), (2, true), (3, false)]);
    assert_eq!(f.log.subscribe().await.unwrap().after, EventSeq(3));
}

#[tokio::test]
async fn notes_are_stored_and_told_though_nothing_follows_and_at_the_latest_when_the_log_ends() {
    let mut f = fixture().await;
    let mut live = f.log.subscribe().await.unwrap();
    f.log.note(vec![event()]).await.unwrap();
    assert_eq!(live.events.recv().await.unwrap().seq, EventSeq(1));
    f.log.note(vec![event()]).await.unwrap();
    drop(f.log);
    f._task.join_next().await.unwrap().unwrap();
    assert_eq!(f.store.events(f.thread, EventSeq(0), 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_note_goes_to_the_disk_with_the_record_after_it() {
    let f = fixture().await;
    let mut live = f.log.subscribe().await.unwrap();
    f.log.note(vec![event()]).await.unwrap();
    tokio::task::yield_now().await;
    assert!(live.events.try_recv().is_err(), "it was told before it could be stored with what follows");
    f.log.record(vec![event()]).await.unwrap();
    assert_eq!(live.events.try_recv().unwrap().seq, EventSeq(1));
}

#[tokio::test]
async fn a_note_that_was_not_stored_is_told_to_the_next_record_and_leaves_no_hole() {
    let f = fixture().await;
    f.log.record(vec![event()]).await.unwrap();
    let newest = f.store.take_over(f.thread, Epoch(1), "c2").await.unwrap();
    f.log.note(vec![event()]).await.unwrap();
    // The subscription is answered after the note has been tried.
    let live = f.log.subscribe().await.unwrap();
    let refused = f.log.record(Vec::new()).await.unwrap_err();
    assert_eq!(refused, LogError::Store(StoreError::Fenced { thread: f.thread, fence: Epoch(1), newest }));
    assert_eq!(live.after, EventSeq(1));
    assert_eq!(f.store.events(f.thread, EventSeq(0), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_note_that_was_not_stored_is_not_lost_because_somebody_else_was_told() {
    let (thread, store) = stored_thread().await;
    let moody = Moody::new(store);
    let f = fixture_in(thread, moody.clone());
    let continued = |times| EventBody::TurnContinued { times };
    let note = |times| Draft::Event(None, continued(times));
    moody.refuse_once(|_| true);
    // In one batch with what somebody records, who is told.
    let noted = f.log.note(vec![note(1)]);
    let (noted, steered) = tokio::join!(noted, f.log.record(vec![event()]));
    assert_eq!((noted, steered), (Ok(()), Err(LogError::Store(StoreError::Full))));
    moody.refuse_once(|_| true);
    // And alone, before somebody else records.
    f.log.note(vec![note(2)]).await.unwrap();
    let _ = f.log.subscribe().await.unwrap();
    f.log.record(vec![event()]).await.unwrap();
    let events = f.store.events(thread, EventSeq(0), 10).await.unwrap();
    let kinds: Vec<_> = events.into_iter().map(|event| event.body).collect();
    assert_eq!(kinds, [continued(1), continued(2), EventBody::TurnStarted]);
}

#[tokio::test]
async fn what_could_not_be_stored_when_the_log_ends_is_tried_once_more() {
    let (thread, store) = stored_thread().await;
    let moody = Moody::new(store);
    let mut f = fixture_in(thread, moody.clone());
    moody.refuse_once(|_| true);
    f.log.note(vec![event()]).await.unwrap();
    let _ = f.log.subscribe().await.unwrap();
    drop(f.log);
    f._task.join_next().await.unwrap().unwrap();
    assert_eq!(f.store.events(f.thread, EventSeq(0), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_that_takes_nothing_gathers_no_notes_without_end() {
    let (thread, store) = stored_thread().await;
    let moody = Moody::new(store);
    let f = fixture_in(thread, moody.clone());
    moody.refuse(|_| true);
    for _ in 0..=MOST_UNSTORED {
        f.log.note(vec![event()]).await.unwrap();
    }
    tokio::time::timeout(Duration::from_secs(10), f.log.ownership().lost()).await.expect("the thread is let go");
}

#[tokio::test]
async fn recording_into_a_log_whose_task_is_gone_says_so() {
    let mut f = fixture().await;
    f._task.shutdown().await;
    assert_eq!(f.log.record(vec![event()]).await, Err(LogError::Stopped));
    assert_eq!(f.log.note(vec![event()]).await, Err(LogError::Stopped));
}

#[tokio::test]
async fn after_the_end_of_a_turn_that_could_not_be_stored_nothing_more_is() {
    let f = fixture().await;
    // The store takes no such event.
    let refused = || Draft::Event(None, EventBody::Notice { message: "live".into() });
    f.log.record(vec![refused()]).await.unwrap_err();
    f.log.record(vec![event()]).await.unwrap();
    let error = f.log.record(vec![refused(), Draft::Event(None, EventBody::TurnInterrupted)]).await.unwrap_err();
    assert_eq!(f.log.record(vec![event()]).await, Err(error.clone()), "another turn began after one without an end");
    assert!(f.log.ownership().why().is_some_and(|why| LogError::Store(why.clone()) == error));
    assert!(!f.log.ownership().is_elsewhere());
    assert_eq!(f.store.events(f.thread, EventSeq(0), 10).await.unwrap().len(), 1);
}
