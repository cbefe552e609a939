//! The calls and items that a turn leaves open when it ends as it should not: because something of it could not be stored, or its task died.
//!
//! Invariant: a turn that has ended leaves no call without an output. Every provider refuses a history that has one, so that nothing could be asked in
//! the thread any more.

use super::context::TurnContext;
use super::continued::unfinished::left;
use super::items::given_up;
use super::log::Draft;
use super::recall::{Recalled, unanswered};
use super::recalling::recalled;
use crate::clock;
use capstan_store::store::StoreError;
use capstan_types::call::{Call, CallEnd, Outcome};
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::id::TurnId;
use capstan_types::item::Item;
use capstan_types::time::UnixMillis;

/// Why nothing is known of a call. For people.
const NOT_STORED: &str = "the turn failed before its end was stored; its outcome is unknown";

/// What the model is told of such a call.
const UNKNOWN: &str = "The turn failed before the end of this call was stored. Its outcome is unknown: it may have done all, part or none of its work. Look \
     before doing it again.";

/// What an item that was open when its turn's task died is completed with.
const DIED: &str = "the turn failed inside Capstan while it ran; its outcome is unknown";

/// What ends the calls of a turn that has failed.
pub async fn of_failed(context: &TurnContext, turn: TurnId) -> Vec<Draft> {
    or_none(calls_of(context, turn).await)
}

/// The same of one whose task has died: that could not complete its items either.
pub async fn of_dead(context: &TurnContext, turn: TurnId) -> Vec<Draft> {
    let mut drafts = or_none(calls_of(context, turn).await);
    let found = recalled(context.store.as_ref(), context.thread, Recalled::default()).await;
    if let Ok(mut found) = found
        && found.unfinished == Some(turn)
    {
        let items = found.cut().1.into_iter().map(|(id, body)| Item { id, body: given_up(body, DIED) });
        drafts.extend(items.map(|item| Draft::Event(Some(turn), EventBody::ItemCompleted { item })));
    }
    drafts
}

/// What ends the calls that earlier turns left in `entries`, the thread's history; `turn` is about to begin.
pub async fn of_earlier(context: &TurnContext, turn: TurnId, entries: &[Entry]) -> Vec<Draft> {
    if unanswered(entries).is_empty() {
        return Vec::new();
    }
    let open = context.store.open_calls(context.thread).await;
    or_none(open.map(|open| tied(open.into_iter().map(|call| (call, None)).collect(), entries, turn, clock::now())))
}

async fn calls_of(context: &TurnContext, turn: TurnId) -> Result<Vec<Draft>, StoreError> {
    // What was noted comes before what is recorded next. If it is not stored by then, the outputs in it are still to come.
    if context.log.record(Vec::new()).await.is_err() {
        return Ok(Vec::new());
    }
    let calls = context.store.calls_of(context.thread, turn).await?;
    Ok(tied(calls, &context.store.shown(context.thread).await?, turn, clock::now()))
}

/// A store that cannot be read now is left to the beginning of the next turn.
fn or_none(drafts: Result<Vec<Draft>, StoreError>) -> Vec<Draft> {
    drafts.inspect_err(|error| tracing::warn!(%error, "it could not be read which calls are open")).unwrap_or_default()
}

/// Ends these calls and answers those that have no output in `entries`.
fn tied(calls: Vec<(Call, Option<CallEnd>)>, entries: &[Entry], turn: TurnId, at: UnixMillis) -> Vec<Draft> {
    let names = unanswered(entries);
    let ends = calls.iter().filter(|(_, end)| end.is_none()).map(|(call, _)| {
        let outcome = Outcome::Unknown { reason: NOT_STORED.to_owned(), node: None, session: None };
        Draft::CallEnded(CallEnd { call: call.id, outcome, output: UNKNOWN.to_owned(), ended_at: at })
    });
    let mut drafts: Vec<Draft> = ends.collect();
    let mut known = left(calls, &names);
    drafts.extend(names.into_iter().map(|model_call_id| {
        let place = known.iter().position(|(call, _)| call.model_call_id == model_call_id);
        let end = place.and_then(|place| known.remove(place).1);
        let output = end.map_or_else(|| UNKNOWN.to_owned(), |end| end.output);
        Draft::Entry(turn, Entry::CallOutput { model_call_id, output })
    }));
    drafts
}

#[cfg(test)]
mod tests;
