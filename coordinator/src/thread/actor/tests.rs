use super::*;
use crate::thread::errand::Errand;
use crate::thread::fixture::thread_of;
use async_trait::async_trait;
use capstan_model::{Answer, ModelClient, ModelError, ModelEvent, Prompt};
use capstan_runtime::actors::ask::ask;
use capstan_types::history::{Entry, Usage};
use futures::stream::{self, BoxStream, StreamExt as _};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

/// Says something, uses one token, and dies when the prompt asks it to.
#[derive(Debug)]
struct Frail;

#[async_trait]
impl ModelClient for Frail {
    async fn step(&self, prompt: Prompt) -> Result<BoxStream<'static, Result<ModelEvent, ModelError>>, ModelError> {
        let Some(Entry::User { text, .. }) = prompt.entries.last() else { panic!("the prompt ends with {:?}", prompt.entries) };
        assert_ne!(text, "die", "as asked for");
        let usage = Usage { output_tokens: 1, ..Usage::default() };
        let answer = Answer { entries: vec![Entry::Assistant { text: "well".into() }], usage };
        Ok(stream::iter([Ok(ModelEvent::Answered(answer))]).boxed())
    }
}

struct Thread {
    actor: ActorRef<ThreadMsg>,
    events: tokio::sync::broadcast::Receiver<Arc<capstan_types::event::Event>>,
}

impl Thread {
    async fn begin() -> Self {
        let (context, log) = thread_of(Arc::new(Frail)).await;
        let arguments = ThreadArguments {
            context,
            log,
            tally: Tally::default(),
            turns: HashSet::new(),
            at_end: OnInterrupt::KillSessions,
            unfinished: None,
            queue: TurnQueue::default(),
        };
        let (actor, _) = Actor::spawn(None, ThreadActor, arguments).await.unwrap();
        let live = ask(&actor, PATIENCE, ThreadMsg::Subscribe).await.unwrap().unwrap();
        Self { actor, events: live.events }
    }

    async fn start(&self, text: &str) -> Result<TurnId, TurnRefused> {
        let turn = TurnId::generate();
        self.start_as(turn, text).await.map(|()| turn)
    }

    async fn start_as(&self, turn: TurnId, text: &str) -> Result<(), TurnRefused> {
        let input = Box::new(TurnInput { text: text.to_owned(), ..TurnInput::default() });
        ask(&self.actor, PATIENCE, |reply| ThreadMsg::StartTurn(turn, input, reply)).await.unwrap()
    }

    async fn end_of(&mut self, turn: TurnId) -> EventBody {
        loop {
            let event = tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("the turn ends").unwrap();
            if event.turn == Some(turn) && event.body.ends_turn() {
                return event.body.clone();
            }
        }
    }
}

#[tokio::test]
async fn whoever_hears_of_a_turns_end_can_start_the_next_at_once_and_usage_adds_up() {
    let mut thread = Thread::begin().await;
    for output_tokens in 1..=30 {
        let turn = thread.start("hello").await.unwrap();
        let usage = Usage { output_tokens, ..Usage::default() };
        assert_eq!(thread.end_of(turn).await, EventBody::TurnCompleted { usage });
    }
}

#[tokio::test]
async fn a_turn_whose_task_dies_ends_as_failed_and_the_thread_goes_on() {
    let mut thread = Thread::begin().await;
    let turn = thread.start("die").await.unwrap();
    assert!(matches!(thread.end_of(turn).await, EventBody::TurnFailed { message } if message.contains("inside Capstan")));
    let turn = thread.start("hello").await.unwrap();
    assert!(matches!(thread.end_of(turn).await, EventBody::TurnCompleted { .. }));
}

#[tokio::test]
async fn an_empty_prompt_starts_nothing() {
    let thread = Thread::begin().await;
    assert_eq!(thread.start(" \n").await, Err(TurnRefused::Empty));
}

#[tokio::test]
async fn a_request_that_is_repeated_starts_nothing_while_its_turn_runs_and_after_its_end() {
    let mut thread = Thread::begin().await;
    let turn = TurnId::generate();
    for _ in 0..3 {
        assert_eq!(thread.start_as(turn, "hello").await, Ok(()));
    }
    let usage = |output_tokens| EventBody::TurnCompleted { usage: Usage { output_tokens, ..Usage::default() } };
    assert_eq!(thread.end_of(turn).await, usage(1));
    assert_eq!(thread.start_as(turn, "hello").await, Ok(()));
    let next = thread.start("hello").await.unwrap();
    assert_eq!(thread.end_of(next).await, usage(2), "the first turn has run once");
}

#[tokio::test]
async fn an_actor_whose_thread_is_taken_over_stores_nothing_more_and_stops() {
    let (context, log) = thread_of(Arc::new(Frail)).await;
    let (store, thread) = (Arc::clone(&context.store), context.thread);
    let arguments = ThreadArguments {
        context,
        unfinished: None,
        queue: TurnQueue::default(),
        log,
        tally: Tally::default(),
        turns: HashSet::new(),
        at_end: OnInterrupt::KillSessions,
    };
    let (actor, stopped) = Actor::spawn(None, ThreadActor, arguments).await.unwrap();
    let mut live = ask(&actor, PATIENCE, ThreadMsg::Subscribe).await.unwrap().unwrap();
    store.take_over(thread, capstan_types::id::Epoch(1), "another").await.unwrap();
    let input = Box::new(TurnInput { text: "go".to_owned(), ..TurnInput::default() });
    ask(&actor, PATIENCE, |reply| ThreadMsg::StartTurn(TurnId::generate(), input, reply)).await.unwrap().unwrap();
    tokio::time::timeout(PATIENCE, stopped).await.expect("it stops").unwrap();
    let told = live.events.recv().await;
    assert_eq!(told, Err(tokio::sync::broadcast::error::RecvError::Closed), "listeners hear of no turn's end");
    assert!(matches!(live.ownership.why(), Some(capstan_store::store::StoreError::Fenced { .. })));
    assert_eq!(store.events(thread, capstan_types::id::EventSeq(0), 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_queued_turn_begins_when_the_one_before_it_has_died() {
    let mut thread = Thread::begin().await;
    let dying = thread.start("die").await.unwrap();
    let next = TurnId::generate();
    let input = Box::new(TurnInput { text: "go".to_owned(), ..TurnInput::default() });
    ask(&thread.actor, PATIENCE, |reply| ThreadMsg::QueueTurn(next, input, reply)).await.unwrap().unwrap();
    assert!(matches!(thread.end_of(dying).await, EventBody::TurnFailed { .. }));
    assert!(matches!(thread.end_of(next).await, EventBody::TurnCompleted { .. }));
}

#[tokio::test]
async fn an_errand_comes_to_its_end_though_nobody_waits_and_no_turn_begins_before_that() {
    let mut thread = Thread::begin().await;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let (tell, told) = tokio::sync::oneshot::channel();
    let errand = || Errand::new(|_| async {});
    let long = Errand::new(move |_| async move {
        let _ = tell.send(ended.await.is_ok());
    });
    let lent = ask(&thread.actor, PATIENCE, |reply| ThreadMsg::Lend(long, reply)).await.unwrap();
    assert_eq!(lent, Ok(()));
    // Whoever asked has gone.
    assert_eq!(thread.start("hello").await, Err(TurnRefused::Undoing));
    let another = ask(&thread.actor, PATIENCE, |reply| ThreadMsg::Lend(errand(), reply)).await.unwrap();
    assert_eq!(another, Err(TurnRefused::Undoing));
    let undone = ask(&thread.actor, PATIENCE, |reply| ThreadMsg::Undo(String::new(), false, reply)).await.unwrap();
    assert!(undone.is_err_and(|status| status.message().contains("being undone")));
    assert!(!ask(&thread.actor, PATIENCE, ThreadMsg::IsBusy).await.unwrap());
    end.send(()).expect("it waits");
    assert_eq!(told.await, Ok(true));
    let begun = loop {
        match thread.start("hello").await {
            Err(TurnRefused::Undoing) => tokio::task::yield_now().await,
            begun => break begun.expect("nothing is at the workspace"),
        }
    };
    assert!(matches!(thread.end_of(begun).await, EventBody::TurnCompleted { .. }));
}
