//! A thread as lines of JSON, as Codex keeps its threads. Pure: the same thread gives the same lines.
//!
//! Nothing is left out: every stored event is an `event_msg`, every entry of the model's history a `response_item`, in the order in which
//! they were stored. What Codex does not know bears the name that it has in Capstan's own events.

mod event_msg;
mod response_item;

use capstan_store::record::PlacedEntry;
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Usage;
use capstan_types::id::TurnId;
use capstan_types::item::ItemBody;
use capstan_types::thread::{ThreadRecord, ThreadSettings};
use capstan_types::time::UnixMillis;
use serde_json::{Value, json};
use std::collections::VecDeque;
use time::OffsetDateTime;

/// Writes one thread.
#[derive(Debug)]
pub struct Rollout {
    ordinal: u64,
    at: UnixMillis,
    entries: VecDeque<PlacedEntry>,
    settings: Option<Box<ThreadSettings>>,
    told: Told,
}

/// What later lines repeat of earlier events.
#[derive(Debug, Default)]
struct Told {
    usage: Usage,
    message: Option<String>,
}

impl Rollout {
    /// The beginning, and the first line. The thread's events are to be added in order.
    #[must_use]
    pub fn begin(thread: &ThreadRecord, instructions: &str, entries: Vec<PlacedEntry>) -> (Self, String) {
        let at = thread.created_at;
        let mut rollout = Self { ordinal: 0, at, entries: entries.into(), settings: None, told: Told::default() };
        let parent = thread.parent.map(|parent| {
            json!({ "thread_id": parent.thread.to_string(), "seq": parent.seq.0, "turn_id": parent.turn.map(|turn| turn.to_string()) })
        });
        let payload = json!({
            "id": thread.id.to_string(), "timestamp": timestamp(at), "cwd": thread.settings.cwd.as_str(), "originator": "capstan",
            "cli_version": env!("CARGO_PKG_VERSION"), "source": "exec", "model_provider": thread.settings.provider,
            "base_instructions": { "text": instructions }, "history_mode": "whole",
            "capstan": {
                "name": thread.name, "preview": thread.preview, "owner": thread.owner, "epoch": thread.epoch.0,
                "updated_at_ms": thread.updated_at.0, "archived_at_ms": thread.archived_at.map(|at| at.0), "forked_from": parent,
                "spent": thread.spent,
            },
        });
        let first = rollout.line("session_meta", &payload);
        (rollout, first)
    }

    /// The lines of the next event, and of the entries before it.
    pub fn add(&mut self, event: Event) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(next) = self.entries.pop_front_if(|next| next.after < event.seq) {
            lines.push(self.entry(&next));
        }
        self.at = event.at;
        self.note(&event.body);
        lines.push(self.line("event_msg", &event_msg::of(&event, &self.told)));
        if matches!(event.body, EventBody::TurnStarted | EventBody::SettingsChanged { .. }) {
            lines.extend(self.context(event.turn));
        }
        lines
    }

    /// The lines after the last event.
    pub fn end(mut self) -> Vec<String> {
        let rest = std::mem::take(&mut self.entries);
        rest.iter().map(|entry| self.entry(entry)).collect()
    }

    fn note(&mut self, body: &EventBody) {
        match body {
            EventBody::ThreadStarted { settings, .. } | EventBody::SettingsChanged { settings } => {
                self.settings = Some(settings.clone());
            }
            EventBody::ModelAnswered { spent } => self.told.usage = self.told.usage.plus(spent.usage),
            EventBody::TurnCompleted { usage } => self.told.usage = *usage,
            EventBody::TurnStarted => self.told.message = None,
            EventBody::ItemCompleted { item } => {
                if let ItemBody::AgentMessage { text } = &item.body {
                    self.told.message = Some(text.clone());
                }
            }
            _ => {}
        }
    }

    fn context(&mut self, turn: Option<TurnId>) -> Option<String> {
        let settings = self.settings.take()?;
        let payload = json!({
            "turn_id": turn.map(|turn| turn.to_string()), "cwd": settings.cwd.as_str(), "model": settings.model,
            "model_provider": settings.provider, "effort": settings.effort, "approval_policy": settings.approval,
            "sandbox_policy": { "mode": settings.sandbox, "writable_roots": settings.writable_roots, "network_access": settings.network_access },
            "permission_profile": settings.profile, "user_instructions": settings.instructions,
        });
        self.settings = Some(settings);
        Some(self.line("turn_context", &payload))
    }

    fn entry(&mut self, placed: &PlacedEntry) -> String {
        let mut item = response_item::of(&placed.entry);
        if let Some(fields) = item.as_object_mut() {
            fields.insert("metadata".into(), json!({ "turn_id": placed.turn.to_string(), "after_seq": placed.after.0 }));
        }
        self.line("response_item", &item)
    }

    fn line(&mut self, kind: &str, payload: &Value) -> String {
        let ordinal = self.ordinal;
        self.ordinal += 1;
        json!({ "timestamp": timestamp(self.at), "ordinal": ordinal, "type": kind, "payload": payload }).to_string()
    }
}

/// As 2026-11-22T20:14:08.123Z.
fn timestamp(at: UnixMillis) -> String {
    let nanos = i128::from(at.0) * 1_000_000;
    let Ok(moment) = OffsetDateTime::from_unix_timestamp_nanos(nanos) else { return String::new() };
    let (date, time) = (moment.date(), moment.time());
    format!("{date}T{:02}:{:02}:{:02}.{:03}Z", time.hour(), time.minute(), time.second(), time.millisecond())
}

#[cfg(test)]
mod tests;
