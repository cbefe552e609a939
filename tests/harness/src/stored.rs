//! What a store holds, read as the next coordinator would read it, and whether that can be.

use crate::capstan::Home;
use capstan_store::{StoreLocation, open};
use capstan_types::call::{Call, Outcome};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Entry;
use capstan_types::id::{CallId, EventSeq};
use capstan_types::item::{Item, ItemBody, ItemId};
use capstan_types::session::known::SessionChange;
use capstan_types::thread::ThreadRecord;
use capstan_types::thread::listing::ThreadFilter;
use std::collections::BTreeMap;
use std::path::Path;

/// More than any test stores.
const MANY: u32 = 10_000;

/// One thread of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredThread {
    /// Its row.
    pub record: ThreadRecord,
    /// Its events.
    pub events: Vec<Event>,
    /// What the model is shown.
    pub entries: Vec<Entry>,
    /// The calls without an end.
    pub open_calls: Vec<Call>,
}

/// Everything in a store, the newest thread first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The threads.
    pub threads: Vec<StoredThread>,
}

impl Stored {
    /// Reads the store of a home.
    ///
    /// # Panics
    /// As [`Stored::at`].
    #[must_use]
    pub fn read(home: &Home) -> Self {
        Self::at(&home.path().join("capstan.db"))
    }

    /// Reads a store.
    ///
    /// # Panics
    /// It cannot be read, or something in it cannot be.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self::of(&StoreLocation::Sqlite(path.to_owned()))
    }

    /// Reads a store, wherever it is.
    ///
    /// # Panics
    /// It cannot be read, or something in it cannot be.
    #[must_use]
    pub fn of(location: &StoreLocation) -> Self {
        let stored = run(async {
            let store = open(location).await.expect("the store opens");
            let mut threads = Vec::new();
            for record in store.threads(&ThreadFilter::all(MANY)).await.expect("the threads can be read").threads {
                threads.push(StoredThread {
                    events: store.events(record.id, EventSeq(0), MANY).await.expect("the events can be read"),
                    entries: store.entries(record.id).await.expect("the entries can be read"),
                    open_calls: store.open_calls(record.id).await.expect("the calls can be read"),
                    record,
                });
            }
            store.close().await;
            Self { threads }
        });
        stored.threads.iter().for_each(StoredThread::assert_legal);
        stored
    }

    /// The only thread.
    ///
    /// # Panics
    /// There are others, or none.
    #[must_use]
    pub fn only(&self) -> &StoredThread {
        assert_eq!(self.threads.len(), 1, "{:#?}", self.threads);
        &self.threads[0]
    }
}

impl StoredThread {
    /// The kinds of its events and items, in order; without what only tells of sessions and of what was used.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let counts = |body: &EventBody| {
            let is_told = !matches!(
                body,
                EventBody::ModelAnswered { .. } | EventBody::TurnBilled { .. } | EventBody::CheckpointSaved { .. }
            );
            !is_told || matches!(body, EventBody::TurnDemands { .. } | EventBody::TurnContinued { .. })
        };
        let passed = |body: &EventBody| matches!(body, EventBody::SessionChanged { .. }) || counts(body);
        let told = self.events.iter().filter(|event| !passed(&event.body));
        told.map(|event| kind(&event.body)).collect()
    }

    /// Numbers without holes, a beginning, items that begin before they change and end once, and nothing after a turn's end but the
    /// beginning of another.
    fn assert_legal(&self) {
        let numbers: Vec<u64> = self.events.iter().map(|event| event.seq.0).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "holes: {:#?}", self.events);
        if let Some(first) = self.events.first() {
            assert!(matches!(first.body, EventBody::ThreadStarted { .. }), "{first:?}");
        }
        let mut open: BTreeMap<ItemId, bool> = BTreeMap::new();
        let mut in_turn = false;
        for event in &self.events {
            assert!(!event.body.is_live_only(), "stored: {event:?}");
            match &event.body {
                EventBody::ThreadStarted { .. } => assert_eq!(event.seq.0, 1),
                EventBody::TurnStarted => assert!(!std::mem::replace(&mut in_turn, true), "two turns at once: {event:?}"),
                EventBody::ItemStarted { item } => assert_eq!(open.insert(item.id, true), None, "{event:?}"),
                EventBody::ItemUpdated { item } => assert_eq!(open.get(&item.id), Some(&true), "{event:?}"),
                // One that a cut-off turn left behind is taken in when the thread is opened again.
                EventBody::SessionChanged { change: SessionChange::Opened(_) } => {}
                // A fork leaves the sessions of the other thread behind.
                EventBody::SessionChanged { change: SessionChange::Closed { .. } } if self.record.parent.is_some() => {}
                EventBody::SessionChanged { .. }
                | EventBody::SettingsChanged { .. }
                | EventBody::TurnDemands { .. }
                | EventBody::TurnContinued { .. }
                | EventBody::ModelAnswered { .. }
                | EventBody::CheckpointSaved { .. }
                | EventBody::TurnBilled { .. } => {
                    assert!(in_turn, "between turns: {event:?}");
                }
                EventBody::ItemCompleted { item } => assert_ne!(open.insert(item.id, false), Some(false), "{event:?}"),
                _ => {
                    assert!(std::mem::replace(&mut in_turn, false), "no turn to end: {event:?}");
                    assert!(open.values().all(|open| !open), "a turn ended with an open item: {event:?}");
                }
            }
        }
    }
}

fn kind(body: &EventBody) -> String {
    let of = |word: &str, item: &Item| format!("{word} {}", item_kind(&item.body));
    match body {
        EventBody::ThreadStarted { .. } => "thread started".to_owned(),
        EventBody::TurnStarted => "turn started".to_owned(),
        EventBody::ItemStarted { item } => of("started", item),
        EventBody::ItemUpdated { item } => of("updated", item),
        EventBody::ItemCompleted { item } => of("completed", item),
        EventBody::TurnCompleted { .. } => "turn completed".to_owned(),
        EventBody::TurnFailed { .. } => "turn failed".to_owned(),
        EventBody::TurnPaused { .. } => "turn paused".to_owned(),
        EventBody::TurnInterrupted => "turn interrupted".to_owned(),
        other => format!("{other:?}"),
    }
}

const fn item_kind(body: &ItemBody) -> &'static str {
    match body {
        ItemBody::UserMessage { .. } => "user message",
        ItemBody::AgentMessage { .. } => "agent message",
        ItemBody::Reasoning { .. } => "reasoning",
        ItemBody::CommandExecution(_) => "command",
        ItemBody::FileChange { .. } => "file change",
        ItemBody::ToolCall { .. } => "tool call",
        ItemBody::TodoList { .. } => "plan",
        ItemBody::Compaction(_) => "compaction",
        ItemBody::Error { .. } => "error",
    }
}

fn run<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("threads can be started").block_on(what)
}

/// Every call that the model made in the only thread of this home, by the model's name for it, with its end.
///
/// # Panics
/// As [`Stored::read`].
#[must_use]
pub fn outcomes(home: &Home) -> Vec<(String, Option<Outcome>)> {
    let stored = Stored::read(home);
    let thread = stored.only();
    let location = StoreLocation::Sqlite(home.path().join("capstan.db"));
    run(async {
        let store = open(&location).await.expect("the store opens");
        let mut outcomes = Vec::new();
        for item in thread.events.iter().filter_map(|event| command_of(&event.body)) {
            let (call, end) =
                store.call(thread.record.id, item).await.expect("the call can be read").expect("the call is stored");
            outcomes.push((call.model_call_id, end.map(|end| end.outcome)));
        }
        store.close().await;
        outcomes
    })
}

/// The call of a command that begins here.
fn command_of(body: &EventBody) -> Option<CallId> {
    match body {
        EventBody::ItemStarted { item: Item { body: ItemBody::CommandExecution(command), .. } } => Some(command.call),
        _ => None,
    }
}
