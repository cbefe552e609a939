//! Events as clients are told them.

use super::client_thread::settings;
use super::{Malformed, client_money, nonempty, parse};
use crate::wire::client as wire;
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Usage;
use capstan_types::id::EventSeq;
use capstan_types::item::ItemId;
use capstan_types::time::UnixMillis;

impl From<Event> for wire::Event {
    fn from(event: Event) -> Self {
        Self {
            seq: event.seq.0,
            at_ms: event.at.0,
            turn_id: event.turn.map(|turn| turn.to_string()).unwrap_or_default(),
            body: Some(body_to_wire(event.body)),
        }
    }
}

fn body_to_wire(body: EventBody) -> wire::event::Body {
    use wire::event::Body;
    let delta = |item: ItemId, text| wire::Delta { item_id: item.0, text };
    match body {
        EventBody::ThreadStarted { thread, settings } => {
            Body::ThreadStarted(wire::ThreadStarted { thread_id: thread.to_string(), settings: Some((*settings).into()) })
        }
        EventBody::SettingsChanged { settings } => Body::SettingsChanged((*settings).into()),
        EventBody::TurnDemands { output_schema, budgets, refused, compact } => Body::TurnDemands(wire::TurnDemands {
            output_schema: output_schema.map(|schema| schema.to_string()).unwrap_or_default(),
            budgets: budgets.map(Into::into),
            refused: refused.unwrap_or_default(),
            compact,
        }),
        EventBody::TurnContinued { times } => Body::TurnContinued(wire::TurnContinued { times }),
        EventBody::TurnStarted => Body::TurnStarted(wire::TurnStarted {}),
        EventBody::ItemStarted { item } => Body::ItemStarted(item.into()),
        EventBody::ItemUpdated { item } => Body::ItemUpdated(item.into()),
        EventBody::ItemCompleted { item } => Body::ItemCompleted(item.into()),
        EventBody::MessageDelta { item, text } => Body::MessageDelta(delta(item, text)),
        EventBody::OutputDelta { item, text } => Body::OutputDelta(delta(item, text)),
        EventBody::Notice { message } => Body::Notice(message),
        EventBody::TurnDiff { diff } => Body::TurnDiff(diff),
        EventBody::TurnCompleted { usage } => Body::TurnCompleted(wire::TurnCompleted { usage: Some(usage.into()) }),
        EventBody::TurnFailed { message } => Body::TurnFailed(message),
        EventBody::SessionChanged { change } => Body::SessionChanged(change.into()),
        EventBody::ModelAnswered { spent } => Body::ModelAnswered(spent.into()),
        EventBody::TurnBilled { turn, thread } => {
            Body::TurnBilled(wire::TurnBilled { turn: client_money::lines(turn), thread: client_money::lines(thread) })
        }
        EventBody::CheckpointSaved { checkpoint } => Body::CheckpointSaved(checkpoint.into()),
        EventBody::TurnPaused { message } => Body::TurnPaused(message),
        EventBody::TurnInterrupted => Body::TurnInterrupted(wire::TurnInterrupted {}),
    }
}

impl TryFrom<wire::Event> for Event {
    type Error = Malformed;

    fn try_from(wire: wire::Event) -> Result<Self, Malformed> {
        Ok(Self {
            seq: EventSeq(wire.seq),
            at: UnixMillis(wire.at_ms),
            turn: nonempty(wire.turn_id).map(|turn| parse("turn_id", &turn)).transpose()?,
            body: body_from_wire(wire.body.ok_or_else(|| Malformed::missing("body"))?)?,
        })
    }
}

fn body_from_wire(body: wire::event::Body) -> Result<EventBody, Malformed> {
    use wire::event::Body;
    Ok(match body {
        Body::ThreadStarted(started) => EventBody::ThreadStarted {
            thread: parse("thread_started.thread_id", &started.thread_id)?,
            settings: Box::new(settings(started.settings)?),
        },
        Body::SettingsChanged(changed) => EventBody::SettingsChanged { settings: Box::new(changed.try_into()?) },
        Body::TurnDemands(demands) => {
            let schema = nonempty(demands.output_schema).map(|text| serde_json::from_str(&text)).transpose();
            EventBody::TurnDemands {
                output_schema: schema.map_err(|error| Malformed::new("turn_demands.output_schema", error))?,
                budgets: demands.budgets.map(Into::into),
                refused: nonempty(demands.refused),
                compact: demands.compact,
            }
        }
        Body::TurnContinued(continued) => EventBody::TurnContinued { times: continued.times },
        Body::TurnStarted(_) => EventBody::TurnStarted,
        Body::ItemStarted(item) => EventBody::ItemStarted { item: item.try_into()? },
        Body::ItemUpdated(item) => EventBody::ItemUpdated { item: item.try_into()? },
        Body::ItemCompleted(item) => EventBody::ItemCompleted { item: item.try_into()? },
        Body::MessageDelta(delta) => EventBody::MessageDelta { item: ItemId(delta.item_id), text: delta.text },
        Body::OutputDelta(delta) => EventBody::OutputDelta { item: ItemId(delta.item_id), text: delta.text },
        Body::Notice(message) => EventBody::Notice { message },
        Body::TurnDiff(diff) => EventBody::TurnDiff { diff },
        Body::TurnCompleted(completed) => EventBody::TurnCompleted { usage: completed.usage.unwrap_or_default().into() },
        Body::ModelAnswered(spent) => EventBody::ModelAnswered { spent: spent.into() },
        Body::TurnBilled(billed) => {
            EventBody::TurnBilled { turn: client_money::bill(billed.turn), thread: client_money::bill(billed.thread) }
        }
        Body::CheckpointSaved(saved) => EventBody::CheckpointSaved { checkpoint: saved.try_into()? },
        Body::TurnPaused(message) => EventBody::TurnPaused { message },
        Body::TurnFailed(message) => EventBody::TurnFailed { message },
        Body::SessionChanged(changed) => EventBody::SessionChanged { change: changed.try_into()? },
        Body::TurnInterrupted(_) => EventBody::TurnInterrupted,
    })
}

impl From<Usage> for wire::Usage {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            cached_input_tokens: usage.cached_input_tokens,
            cache_write_input_tokens: usage.cache_write_input_tokens,
            output_tokens: usage.output_tokens,
            reasoning_output_tokens: usage.reasoning_output_tokens,
        }
    }
}

impl From<wire::Usage> for Usage {
    fn from(wire: wire::Usage) -> Self {
        Self {
            input_tokens: wire.input_tokens,
            cached_input_tokens: wire.cached_input_tokens,
            cache_write_input_tokens: wire.cache_write_input_tokens,
            output_tokens: wire.output_tokens,
            reasoning_output_tokens: wire.reasoning_output_tokens,
        }
    }
}

#[cfg(test)]
mod tests;
