//! The smallest values that a store can be given.

use capstan_store::{Record, Store};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Entry;
use capstan_types::id::{Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::policy::{ApprovalPolicy, SandboxMode};
use capstan_types::thread::{ThreadRecord, ThreadSettings};
use capstan_types::time::UnixMillis;
use std::collections::BTreeMap;

pub(crate) const A: Epoch = Epoch(1);

pub(crate) fn thread(number: u8) -> ThreadRecord {
    let settings = ThreadSettings {
        model: "model".to_owned(),
        provider: "scripted".to_owned(),
        effort: None,
        cwd: "/srv".parse().unwrap(),
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
        window: capstan_types::window::WindowSettings::default(),
        fallbacks: Vec::new(),
        docs: capstan_types::docs::ProjectDocs::default(),
        budgets: capstan_types::budget::Budgets::default(),
        placement: Box::default(),
        placed: None,
        hosts: Vec::new(),
        source: None,
    };
    ThreadRecord::begun(ThreadId::from_u128(number.into()), "owner".to_owned(), settings, UnixMillis(1))
}

/// An event and an entry that belong together: both are stored, or neither.
pub(crate) fn step(seq: u64, text: &str) -> Vec<Record> {
    let event = Event { seq: EventSeq(seq), at: UnixMillis(seq), turn: None, body: EventBody::TurnStarted };
    let entry = Entry::User { text: format!("{seq} {text}"), images: vec![] };
    vec![Record::Event(event), Record::Entry { turn: TurnId::from_u128(1), entry }]
}

/// How many steps a thread holds; fails on a hole, a wrong order, or half a step.
pub(crate) async fn steps_of(store: &dyn Store, thread: ThreadId) -> u64 {
    let events = store.events(thread, EventSeq(0), u32::MAX).await.unwrap();
    let entries = store.entries(thread).await.unwrap();
    assert_eq!(events.len(), entries.len(), "half a step was stored");
    for ((seq, event), entry) in (1..).zip(&events).zip(&entries) {
        assert_eq!(event.seq, EventSeq(seq));
        assert!(matches!(entry, Entry::User { text, .. } if text.starts_with(&format!("{seq} "))), "{entry:?}");
    }
    events.len() as u64
}
