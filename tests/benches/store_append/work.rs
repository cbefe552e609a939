//! What a thread appends for its calls.

use capstan_store::{Record, Store};
use capstan_types::call::{Call, CallAttempt, CallEnd, Outcome, ReplayClass};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Entry;
use capstan_types::id::{Attempt, CallId, Epoch, EventSeq, SessionId, ThreadId, TurnId};
use capstan_types::item::{Item, ItemBody, ItemId};
use capstan_types::policy::{ApprovalPolicy, SandboxMode};
use capstan_types::thread::{ThreadRecord, ThreadSettings};
use capstan_types::time::UnixMillis;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How long `threads` new threads need for `calls` calls each.
pub(crate) async fn together(store: &Arc<dyn Store>, threads: u32, calls: u32) -> Duration {
    let mut ids = Vec::new();
    for _ in 0..threads {
        let id = ThreadId::generate();
        store.create_thread(&ThreadRecord::begun(id, "bench".to_owned(), settings(), UnixMillis(1))).await.expect("it is made");
        ids.push(id);
    }
    let (mut running, began) = (JoinSet::new(), Instant::now());
    for id in ids {
        let store = Arc::clone(store);
        running.spawn(async move {
            for number in 0..calls {
                one_call(&*store, id, number).await;
            }
        });
    }
    running.join_all().await;
    began.elapsed()
}

async fn one_call(store: &dyn Store, thread: ThreadId, number: u32) {
    let (call, turn, at) = (CallId::generate(), TurnId::from_u128(1), UnixMillis(1));
    let model_call_id = format!("call_{number}");
    let asked = Call {
        id: call,
        turn,
        model_call_id: model_call_id.clone(),
        tool: "exec_command".to_owned(),
        arguments: "{\"cmd\": \"cargo test\"}".to_owned(),
        attempt: Attempt(1),
        asked_at: at,
        replay: ReplayClass::External,
    };
    let entry =
        Entry::Call { model_call_id: model_call_id.clone(), tool: asked.tool.clone(), arguments: asked.arguments.clone() };
    let node = "node".parse().expect("a name");
    let session = Some(SessionId::from_u128(1));
    let attempt = CallAttempt { call, attempt: Attempt(1), node, session, started_at: at };
    let intent = vec![Record::CallAsked(asked), Record::Entry { turn, entry }, Record::CallAttempted(attempt)];
    store.append(thread, Epoch(1), intent).await.expect("the intent is stored");

    let output = "line of output\n".repeat(40);
    let end = CallEnd { call, outcome: Outcome::Finished { end: None }, output: output.clone(), ended_at: at };
    let item = Item { id: ItemId(u64::from(number)), body: ItemBody::AgentMessage { text: output.clone() } };
    let body = EventBody::ItemCompleted { item };
    let event = Event { seq: EventSeq(u64::from(number) + 1), at, turn: Some(turn), body };
    let entry = Entry::CallOutput { model_call_id, output };
    let result = vec![Record::Event(event), Record::CallEnded(end), Record::Entry { turn, entry }];
    store.append(thread, Epoch(1), result).await.expect("the end is stored");
}

fn settings() -> ThreadSettings {
    ThreadSettings {
        model: "model".to_owned(),
        provider: "scripted".to_owned(),
        effort: None,
        cwd: "/srv".parse().expect("a path"),
        node: None,
        sandbox: SandboxMode::ReadOnly,
        profile: None,
        writable_roots: vec![],
        network_access: false,
        exclude_slash_tmp: false,
        approval: ApprovalPolicy::Never,
        environment: BTreeMap::new(),
        instructions: None,
        plan_tool: false,
        cleaning: capstan_types::output::clean::Cleaning::Clean,
        docs: capstan_types::docs::ProjectDocs::default(),
        window: capstan_types::window::WindowSettings::default(),
        fallbacks: Vec::new(),
        budgets: capstan_types::budget::Budgets::default(),
        placement: Box::default(),
        placed: None,
        hosts: Vec::new(),
        source: None,
    }
}
