//! A thread with a long past, as the store holds it.

use crate::stage::{LINE, TURN, settings};
use capstan_store::{Record, Store};
use capstan_types::event::{Event, EventBody};
use capstan_types::history::{Entry, Usage};
use capstan_types::id::{EventSeq, ThreadId};
use capstan_types::item::{Item, ItemBody, ItemId};
use capstan_types::thread::ThreadRecord;
use capstan_types::time::UnixMillis;
use std::path::Path;

/// Items of each turn.
const EACH: usize = 10;

/// Stores a thread with so many items, each with an entry of the model's history.
pub(crate) async fn store(store: &dyn Store, workspace: &Path, items: usize) -> ThreadId {
    let (id, at) = (ThreadId::generate(), UnixMillis(1));
    let record = ThreadRecord::begun(id, format!("{LINE}before"), settings(workspace), at);
    store.create_thread(&record).await.expect("it is made");
    let mut seq = EventSeq(0);
    let mut event = |turn, body| {
        seq = seq.next();
        Record::Event(Event { seq, at, turn, body })
    };
    let mut records = vec![event(None, EventBody::ThreadStarted { thread: id, settings: Box::new(settings(workspace)) })];
    for number in 0..items {
        if number % EACH == 0 {
            records.push(event(Some(TURN), EventBody::TurnStarted));
        }
        let text = "a line of what was said\n".repeat(20);
        let item = |text: &str| Item { id: ItemId(number as u64), body: ItemBody::AgentMessage { text: text.to_owned() } };
        records.push(event(Some(TURN), EventBody::ItemStarted { item: item("") }));
        records.push(event(Some(TURN), EventBody::ItemCompleted { item: item(&text) }));
        // A script counts the answers that it gave.
        records.push(Record::Entry { turn: TURN, entry: Entry::User { text, images: Vec::new() } });
        if number % EACH == EACH - 1 {
            records.push(event(Some(TURN), EventBody::TurnCompleted { usage: Usage::default() }));
        }
    }
    let epoch = record.epoch;
    for piece in records.chunks(500) {
        store.append(id, epoch, piece.to_vec()).await.expect("it is stored");
    }
    id
}
