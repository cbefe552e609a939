//! Events in the shapes that Codex's rollouts have, and in their own where Codex has none.

use super::Told;
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Usage;
use serde_json::{Value, json};

pub(super) fn of(event: &Event, told: &Told) -> Value {
    let turn = event.turn.map(|turn| turn.to_string());
    let mut payload = match &event.body {
        EventBody::TurnStarted => json!({ "type": "task_started" }),
        EventBody::ItemStarted { item } => json!({ "type": "item_started", "item": item }),
        EventBody::ItemUpdated { item } => json!({ "type": "item_updated", "item": item }),
        EventBody::ItemCompleted { item } => json!({ "type": "item_completed", "item": item }),
        EventBody::SettingsChanged { settings } => json!({ "type": "thread_settings_applied", "settings": settings }),
        EventBody::ModelAnswered { spent } => json!({
            "type": "token_count", "spent": spent,
            "info": { "last_token_usage": usage(spent.usage), "total_token_usage": usage(told.usage) },
        }),
        EventBody::TurnCompleted { usage: total } => {
            json!({ "type": "task_complete", "last_agent_message": told.message, "usage": usage(*total) })
        }
        EventBody::TurnFailed { message } => json!({ "type": "turn_aborted", "reason": "failed", "message": message }),
        EventBody::TurnInterrupted => json!({ "type": "turn_aborted", "reason": "interrupted" }),
        EventBody::TurnPaused { message } => json!({ "type": "turn_aborted", "reason": "paused", "message": message }),
        // Their own form names their type.
        other => serde_json::to_value(other).unwrap_or_default(),
    };
    if let Some(fields) = payload.as_object_mut() {
        fields.insert("seq".into(), event.seq.0.into());
        fields.extend(turn.map(|turn| ("turn_id".to_owned(), turn.into())));
    }
    payload
}

fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input_tokens, "cached_input_tokens": usage.cached_input_tokens,
        "cache_write_input_tokens": usage.cache_write_input_tokens, "output_tokens": usage.output_tokens,
        "reasoning_output_tokens": usage.reasoning_output_tokens,
        "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens),
    })
}
