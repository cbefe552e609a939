//! The smallest values that a store can be given.

use crate::store::{Record, Store};
use capstan_types::call::{Call, CallEnd, Outcome, ReplayClass};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::{Entry, Usage};
use capstan_types::id::{Attempt, CallId, Epoch, EventSeq, ThreadId, TurnId};
use capstan_types::item::{Item, ItemBody, ItemId};
use capstan_types::launch::SessionEnd;
use capstan_types::policy::{ApprovalPolicy, SandboxMode};
use capstan_types::thread::{Parent, ThreadCost, ThreadRecord, ThreadSettings};
use capstan_types::time::UnixMillis;
use std::collections::BTreeMap;

pub(crate) const TURN: TurnId = TurnId::from_u128(7);

pub(crate) const fn thread_id(number: u8) -> ThreadId {
    ThreadId::from_u128(0x1000 + number as u128)
}

pub(crate) const fn call_id(number: u8) -> CallId {
    CallId::from_u128(0x2000 + number as u128)
}

/// A thread whose every field differs from its default.
pub(crate) fn thread(number: u8) -> ThreadRecord {
    ThreadRecord {
        id: thread_id(number),
        owner: format!("coordinator-{number}"),
        epoch: Epoch(1),
        settings: ThreadSettings {
            model: "m \"quoted\" \u{1f6a2}".to_owned(),
            provider: "scripted".to_owned(),
            effort: Some("high".to_owned()),
            cwd: "/srv/a b".parse().unwrap(),
            node: Some("n1".parse().unwrap()),
            sandbox: SandboxMode::WorkspaceWrite,
            profile: None,
            writable_roots: vec!["/var/tmp".parse().unwrap()],
            network_access: true,
            exclude_slash_tmp: true,
            approval: ApprovalPolicy::Never,
            environment: BTreeMap::from([("A".to_owned(), "'; DROP TABLE threads; --".to_owned())]),
            instructions: Some("line\nline".to_owned()),
            plan_tool: true,
            cleaning: capstan_types::output::clean::Cleaning::Clean,
            window: capstan_types::window::WindowSettings::default(),
            fallbacks: Vec::new(),
            budgets: capstan_types::budget::Budgets::default(),
            docs: capstan_types::docs::ProjectDocs::default(),
            placement: Box::default(),
            placed: None,
            hosts: Vec::new(),
            source: None,
        },
        created_at: UnixMillis(1_000 + u64::from(number)),
        updated_at: UnixMillis(1_000 + u64::from(number)),
        preview: "fix\0the\u{7}test".to_owned(),
        name: Some("na\0me".to_owned()),
        archived_at: None,
        parent: Some(Parent { thread: thread_id(99), seq: EventSeq(3), turn: None }),
        spent: ThreadCost {
            usage: Usage {
                input_tokens: 1,
                cached_input_tokens: 2,
                cache_write_input_tokens: 3,
                output_tokens: 4,
                reasoning_output_tokens: 5,
            },
            micro_usd: 6,
        },
    }
}

pub(crate) fn event(seq: u64) -> Event {
    let body = match seq % 3 {
        0 => EventBody::TurnStarted,
        1 => EventBody::ItemCompleted {
            item: Item { id: ItemId(seq), body: ItemBody::AgentMessage { text: format!("text {seq} \u{fffd}\0") } },
        },
        _ => EventBody::TurnCompleted { usage: Usage { input_tokens: seq, ..Usage::default() } },
    };
    Event { seq: EventSeq(seq), at: UnixMillis(2_000 + seq), turn: (!seq.is_multiple_of(2)).then_some(TURN), body }
}

pub(crate) fn entry(text: &str) -> Entry {
    Entry::User { text: text.to_owned(), images: vec![] }
}

pub(crate) fn call(number: u8) -> Call {
    Call {
        id: call_id(number),
        turn: TURN,
        model_call_id: format!("call_{number}"),
        tool: "exec_command".to_owned(),
        arguments: "{\"cmd\": \"tru".to_owned(),
        attempt: Attempt(1),
        asked_at: UnixMillis(3_000),
        replay: ReplayClass::Workspace,
    }
}

pub(crate) fn end(number: u8, code: i32) -> CallEnd {
    CallEnd {
        call: call_id(number),
        outcome: Outcome::Finished { end: Some(SessionEnd::Exited { code }) },
        output: "out\u{1b}[0m".to_owned(),
        ended_at: UnixMillis(4_000),
    }
}

/// A record of an event, by its number.
pub(crate) fn numbered(seq: u64) -> Record {
    Record::Event(event(seq))
}

/// A record of an entry.
pub(crate) fn said(text: &str) -> Record {
    Record::Entry { turn: TURN, entry: entry(text) }
}

/// The numbers of a thread's events.
pub(crate) async fn log_of(store: &impl Store, thread: ThreadId) -> Vec<u64> {
    store.events(thread, EventSeq(0), u32::MAX).await.unwrap().iter().map(|event| event.seq.0).collect()
}
