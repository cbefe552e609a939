//! The beginning of a turn: with what a person says, or where another coordinator stopped.

use super::Turn;
use crate::crash_point;
use crate::thread::calls::Calls;
use crate::thread::context::news::{self, News};
use crate::thread::continued::{Stage, Unfinished};
use crate::thread::log::{Draft, LogError};
use crate::thread::loose_ends;
use crate::thread::step::TurnStop;
use crate::thread::workspace::Before;
use capstan_types::event::EventBody;
use capstan_types::history::Entry;
use capstan_types::item::{Item, ItemBody};
use capstan_types::thread::TurnInput;
use std::sync::Arc;

/// How much of a thread's first prompt stands for it in lists, in characters.
const PREVIEW_CHARS: usize = 120;

impl Turn<'_> {
    /// Goes on where another coordinator stopped: gives the history with the outputs of the calls that were left, and whether the last answer
    /// asks for nothing more.
    pub(super) async fn go_on(
        &mut self,
        unfinished: Unfinished,
        calls: &Calls,
        before: &mut Before,
    ) -> Result<(Vec<Entry>, bool), TurnStop> {
        let context = self.context;
        self.is_begun = true;
        let mut entries = Entry::shown(context.store.shown(context.thread).await.map_err(LogError::from)?);
        let times = unfinished.cut.times.saturating_add(1);
        let stage = unfinished.stage(&entries);
        tracing::info!(turn = %self.id, times, ?stage, "a turn that its coordinator did not live to end goes on");
        // Before anything is done for it, or a turn that ends its coordinator every time would never be counted.
        context.log.record(vec![Draft::Event(Some(self.id), EventBody::TurnContinued { times })]).await?;
        crash_point::reached("turn.continued");
        self.handle.steering.again(unfinished.unsaid.clone());
        self.handle.steering.open();
        if unfinished.may_have_changed {
            before.note(&self.handle.interrupt).await;
        }
        match stage {
            Stage::Answered => return Ok((entries, true)),
            Stage::Ask => {
                let notice = EventBody::Notice { message: "The model is asked again...".to_owned() };
                context.log.tell_surely(Some(self.id), notice).await;
            }
            Stage::Calls => {
                entries.extend(calls.go_on(&unfinished.left, &self.items, &mut self.releases).await?);
                crash_point::reached("turn.caught_up");
            }
        }
        if self.handle.interrupt.is_cancelled() {
            return Err(TurnStop::Interrupted);
        }
        Ok((entries, false))
    }

    /// Records the user's input, and gives the whole history with it.
    pub(super) async fn begin(&mut self, input: TurnInput) -> Result<Vec<Entry>, TurnStop> {
        let context = self.context;
        let stored = context.store.shown(context.thread).await.map_err(LogError::from)?;
        let mut entries = Entry::shown(stored);
        let loose = loose_ends::of_earlier(context, self.id, &entries).await;
        entries.extend(loose.iter().filter_map(|draft| match draft {
            Draft::Entry(_, entry) => Some(entry.clone()),
            _ => None,
        }));
        if input.compact {
            let demands = EventBody::TurnDemands { output_schema: None, budgets: input.budgets, refused: None, compact: true };
            let begun = [EventBody::TurnStarted, demands].map(|body| Draft::Event(Some(self.id), body));
            context.log.record(loose.into_iter().chain(begun).chain([Draft::Unqueued(self.id)]).collect()).await?;
            self.is_begun = true;
            return Ok(entries);
        }
        let News { entries: mut added, warnings } = news::gather(context, &entries, &self.handle.interrupt).await;
        let said = context.sessions.announce();
        added.extend(said.text.map(|text| Entry::Developer { text }));
        let images = u32::try_from(input.images.len()).unwrap_or(u32::MAX);
        let preview = input.text.trim().chars().take(PREVIEW_CHARS).collect();
        let body = ItemBody::UserMessage { text: input.text.clone(), images };
        let item = Item { id: self.items.number(), body };
        added.push(Entry::User { text: input.text, images: input.images });
        // Together: a turn waits or has begun, and never both or neither.
        let started = Draft::Event(Some(self.id), EventBody::TurnStarted);
        let mut drafts = vec![Draft::Preview(preview), Draft::Unqueued(self.id), started];
        let (output_schema, budgets, refused) = (input.output_schema, input.budgets, self.refused.clone());
        if output_schema.is_some() || budgets.is_some() || refused.is_some() {
            drafts.push(Draft::Event(Some(self.id), EventBody::TurnDemands { output_schema, budgets, refused, compact: false }));
        }
        if self.is_changed {
            let settings = Box::new(context.settings.clone());
            drafts.push(Draft::Settings(settings.clone()));
            drafts.push(Draft::Event(Some(self.id), EventBody::SettingsChanged { settings }));
        }
        drafts.push(Draft::Event(Some(self.id), EventBody::ItemCompleted { item }));
        drafts.extend(warnings.into_iter().map(|message| self.warning(message)));
        drafts.extend(said.changes.into_iter().map(|change| self.changed(change)));
        drafts.extend(loose);
        drafts.extend(added.iter().cloned().map(|entry| Draft::Entry(self.id, entry)));
        crash_point::reached("turn.beginning");
        context.log.record(drafts).await?;
        self.is_begun = true;
        self.handle.steering.open();
        crash_point::reached("turn.begun");
        if self.is_changed {
            let _ = self.handle.changed.set(Arc::clone(context));
        }
        said.releases.into_iter().for_each(|release| self.releases.release(context, release));
        entries.append(&mut added);
        Ok(entries)
    }
}
