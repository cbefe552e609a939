use super::*;
use crate::thread::fixture::stored_thread;
use crate::thread::log::open_log;
use capstan_store::store::Store;
use capstan_types::id::{Epoch, EventSeq, ThreadId};
use tokio::task::JoinSet;

struct Fixture {
    thread: ThreadId,
    store: Arc<dyn Store>,
    log: ThreadLog,
    items: TurnItems,
    _task: JoinSet<()>,
}

async fn fixture() -> Fixture {
    let (thread, store) = stored_thread().await;
    let (log, task) = open_log(thread, Epoch(1), EventSeq(0), Arc::clone(&store));
    let mut tasks = JoinSet::new();
    tasks.spawn(task.run());
    let items = TurnItems::new(TurnId::from_u128(1), log.clone(), Arc::default());
    Fixture { thread, store, log, items, _task: tasks }
}

fn call(output: &str, status: ItemStatus) -> ItemBody {
    let call = CallId::from_u128(1);
    ItemBody::ToolCall { call, tool: "t".into(), arguments: "{}".into(), output: output.into(), status }
}

/// How often each item was completed, and with what, once all is stored.
async fn completions(f: &Fixture) -> Vec<(u64, ItemBody)> {
    f.log.record(Vec::new()).await.unwrap();
    let events = f.store.events(f.thread, EventSeq(0), 100).await.unwrap();
    let completed = |event: capstan_types::event::Event| match event.body {
        EventBody::ItemCompleted { item } => Some((item.id.0, item.body)),
        _ => None,
    };
    events.into_iter().filter_map(completed).collect()
}

#[tokio::test]
async fn an_item_whose_turn_ended_is_not_completed_a_second_time() {
    let f = fixture().await;
    let id = f.items.started(call("", ItemStatus::InProgress)).await.unwrap();
    f.items.close_open("the turn ended").await.unwrap();
    f.items.updated(id, call("late", ItemStatus::InProgress)).await.unwrap();
    f.items.completed(id, call("late", ItemStatus::Completed)).await.unwrap();
    let next_turn = TurnItems::new(TurnId::from_u128(2), f.log.clone(), Arc::clone(&f.items.numbers));
    next_turn.completed(id, call("later", ItemStatus::Completed)).await.unwrap();
    assert_eq!(completions(&f).await, [(0, call("", ItemStatus::Failed))]);
}

#[tokio::test]
async fn an_item_that_was_completed_is_not_closed_again() {
    let f = fixture().await;
    let id = f.items.started(call("", ItemStatus::InProgress)).await.unwrap();
    f.items.completed(id, call("done", ItemStatus::Completed)).await.unwrap();
    f.items.close_open("the turn ended").await.unwrap();
    assert_eq!(completions(&f).await, [(0, call("done", ItemStatus::Completed))]);
}

#[tokio::test]
async fn a_completion_that_was_dropped_on_its_way_leaves_the_item_for_the_turns_end() {
    let f = fixture().await;
    let id = f.items.started(call("", ItemStatus::InProgress)).await.unwrap();
    drop(Ending::begin(&f.items, id).unwrap());
    f.items.close_open("the turn ended").await.unwrap();
    assert_eq!(completions(&f).await, [(0, call("", ItemStatus::Failed))]);
}
