use super::*;
use crate::models::ModelClient;
use crate::thread::actor::{ThreadActor, ThreadArguments};
use crate::thread::fixture::moody::Moody;
use crate::thread::fixture::{stored_thread, thread_in};
use crate::thread::message::ThreadMsg;
use crate::thread::queue::TurnQueue;
use crate::thread::tally::Tally;
use async_trait::async_trait;
use capstan_model::{Answer, ModelError, ModelEvent, Prompt};
use capstan_runtime::actors::ask::ask;
use capstan_store::store::{Record, Store};
use capstan_types::call::ReplayClass;
use capstan_types::history::Usage;
use capstan_types::id::{Attempt, CallId};
use capstan_types::item::{ItemBody, ItemId, ItemStatus};
use capstan_types::thread::{OnInterrupt, TurnInput};
use futures::stream::{self, BoxStream, StreamExt as _};
use ractor::Actor;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_secs(10);

/// Plans twice at once, and then is content; remembers what it was shown.
#[derive(Debug, Default)]
struct Planner(Mutex<Vec<Vec<Entry>>>);

#[async_trait]
impl ModelClient for Planner {
    async fn step(&self, prompt: Prompt) -> Result<BoxStream<'static, Result<ModelEvent, ModelError>>, ModelError> {
        let answered = !matches!(prompt.entries.last(), Some(Entry::User { .. }));
        let place = prompt.entries.len();
        self.0.lock().unwrap().push(prompt.entries);
        let plan = |name: &str| Entry::Call {
            model_call_id: format!("{name}{place}"),
            tool: "update_plan".into(),
            arguments: r#"{"plan":[{"step":"a","status":"pending"}]}"#.into(),
        };
        let entries = if answered { vec![Entry::Assistant { text: "done".into() }] } else { vec![plan("a"), plan("b")] };
        Ok(stream::iter([Ok(ModelEvent::Answered(Answer { entries, usage: Usage::default() }))]).boxed())
    }
}

async fn play(store: Arc<dyn Store>, thread: capstan_types::id::ThreadId, turns: usize) -> (Vec<EventBody>, Arc<Planner>) {
    let planner = Arc::new(Planner::default());
    let (context, log) = thread_in(thread, store, planner.clone());
    let mut context = Arc::into_inner(context).unwrap();
    context.toolbox = capstan_tools::toolbox::Toolbox::standard(true);
    let arguments = ThreadArguments {
        context: Arc::new(context),
        log,
        tally: Tally::default(),
        turns: HashSet::new(),
        at_end: OnInterrupt::KillSessions,
        unfinished: None,
        queue: TurnQueue::default(),
    };
    let (actor, _) = Actor::spawn(None, ThreadActor, arguments).await.unwrap();
    let mut live = ask(&actor, PATIENCE, ThreadMsg::Subscribe).await.unwrap().unwrap().events;
    let mut ends = Vec::new();
    for _ in 0..turns {
        let input = Box::new(TurnInput { text: "go".into(), ..TurnInput::default() });
        ask(&actor, PATIENCE, |reply| ThreadMsg::StartTurn(TurnId::generate(), input, reply)).await.unwrap().unwrap();
        loop {
            let event = tokio::time::timeout(PATIENCE, live.recv()).await.expect("the turn ends").unwrap();
            if event.body.ends_turn() {
                ends.push(event.body.clone());
                break;
            }
        }
    }
    (ends, planner)
}

#[tokio::test]
async fn a_turn_that_fails_for_the_end_of_a_call_leaves_a_thread_that_goes_on() {
    for turns in [1, 2] {
        let (thread, store) = stored_thread().await;
        let moody = Moody::new(store);
        moody.refuse_once(|records| records.iter().any(|record| matches!(record, Record::CallEnded(_))));
        let (ends, planner) = play(moody.clone(), thread, turns).await;
        assert!(matches!(&ends[0], EventBody::TurnFailed { .. }), "{ends:?}");
        assert!(ends[1..].iter().all(|end| matches!(end, EventBody::TurnCompleted { .. })), "{ends:?}");
        for shown in planner.0.lock().unwrap().iter() {
            assert_eq!(unanswered(shown), [""; 0], "a provider refuses this");
        }
        let entries = moody.entries(thread).await.unwrap();
        let outputs = entries.iter().filter(|entry| matches!(entry, Entry::CallOutput { .. })).count();
        assert_eq!((unanswered(&entries), outputs), (vec![], 2 * turns));
        assert_eq!(moody.open_calls(thread).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_turn_answers_the_calls_that_an_earlier_one_left() {
    let (thread, store) = stored_thread().await;
    let left = Entry::Call { model_call_id: "left".into(), tool: "t".into(), arguments: String::new() };
    let turn = TurnId::generate();
    let asked = call(turn, "left");
    let records = vec![Record::CallAsked(asked), Record::Entry { turn, entry: left }];
    store.append(thread, capstan_types::id::Epoch(1), records).await.unwrap();
    let (ends, planner) = play(Arc::clone(&store), thread, 1).await;
    assert!(matches!(&ends[..], [EventBody::TurnCompleted { .. }]), "{ends:?}");
    assert_eq!(unanswered(&planner.0.lock().unwrap()[0]), [""; 0]);
    assert_eq!((unanswered(&store.entries(thread).await.unwrap()), store.open_calls(thread).await.unwrap()), (vec![], vec![]));
}

fn call(turn: TurnId, model_call_id: &str) -> Call {
    Call {
        id: CallId::generate(),
        turn,
        model_call_id: model_call_id.into(),
        tool: "t".into(),
        arguments: String::new(),
        attempt: Attempt(1),
        asked_at: UnixMillis(1),
        replay: ReplayClass::External,
    }
}

#[tokio::test]
async fn a_turn_whose_task_died_ends_with_its_calls_and_its_items() {
    let (thread, store) = stored_thread().await;
    let (context, log) = thread_in(thread, Arc::clone(&store), Arc::new(Planner::default()));
    let mut tasks = JoinSet::new();
    tasks.spawn(log.run());
    let turn = TurnId::generate();
    let (ended, open) = (call(turn, "ended"), call(turn, "open"));
    let end = CallEnd {
        call: ended.id,
        outcome: Outcome::Finished { end: None },
        output: "what came of it".into(),
        ended_at: UnixMillis(2),
    };
    let body = ItemBody::ToolCall {
        call: open.id,
        tool: "t".into(),
        arguments: String::new(),
        output: String::new(),
        status: ItemStatus::InProgress,
    };
    let entry =
        |name: &str| Draft::Entry(turn, Entry::Call { model_call_id: name.into(), tool: "t".into(), arguments: String::new() });
    let drafts = vec![
        Draft::Event(Some(turn), EventBody::TurnStarted),
        Draft::CallAsked(ended.clone()),
        Draft::CallAsked(open.clone()),
        entry("ended"),
        entry("open"),
        Draft::CallEnded(end),
        Draft::Event(Some(turn), EventBody::ItemStarted { item: Item { id: ItemId(0), body } }),
    ];
    context.log.record(drafts).await.unwrap();
    let drafts = of_dead(&context, turn).await;
    let closed = drafts.iter().any(
        |draft| matches!(draft, Draft::Event(_, EventBody::ItemCompleted { item }) if matches!(item.body, ItemBody::ToolCall { status: ItemStatus::Failed, .. })),
    );
    assert!(closed, "{drafts:?}");
    context.log.record(drafts).await.unwrap();
    let outputs: Vec<_> = store.entries(thread).await.unwrap().into_iter().skip(2).collect();
    let output = |name: &str, output: &str| Entry::CallOutput { model_call_id: name.into(), output: output.into() };
    assert_eq!(outputs, [output("ended", "what came of it"), output("open", UNKNOWN)]);
    assert_eq!(store.open_calls(thread).await.unwrap(), []);
}
