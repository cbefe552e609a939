//! The checkpoints of a thread, as its events tell of them.

use super::open::{CreateError, Threads};
use capstan_types::event::{Event, EventBody};
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::saved::note::{CheckpointNote, ListedCheckpoint};
use std::collections::BTreeMap;

/// Events that are read at a time.
const PAGE: u32 = 256;

/// What was saved in a thread, in order, and when its turns ended. Pure.
#[derive(Debug, Default)]
pub struct Checkpoints {
    taken: Vec<(EventSeq, ListedCheckpoint)>,
    ends: BTreeMap<TurnId, EventSeq>,
}

impl Checkpoints {
    fn look_at(&mut self, event: Event) {
        let Event { seq, at, turn, body } = event;
        match body {
            EventBody::CheckpointSaved { checkpoint } => {
                self.taken.push((seq, ListedCheckpoint { note: checkpoint, turn, at, kept: false }));
            }
            body if body.ends_turn() => self.ends.extend(turn.map(|turn| (turn, seq))),
            _ => {}
        }
    }

    /// The one of that name; or the state at the end of that turn, which an earlier turn may have left.
    #[must_use]
    pub fn named(&self, text: &str) -> Option<&CheckpointNote> {
        let by_name = self.taken.iter().rev().find(|(_, listed)| listed.note.name.as_str() == text);
        let by_turn = || self.at_end_of(text.parse().ok()?);
        by_name.map(|(_, listed)| &listed.note).or_else(by_turn)
    }

    /// The state at the end of a turn.
    #[must_use]
    pub fn at_end_of(&self, turn: TurnId) -> Option<&CheckpointNote> {
        let end = self.ends.get(&turn)?;
        self.taken.iter().rev().find(|(seq, _)| seq <= end).map(|(_, listed)| &listed.note)
    }

    /// The newest one.
    #[must_use]
    pub fn last(&self) -> Option<&CheckpointNote> {
        self.taken.last().map(|(_, listed)| &listed.note)
    }
}

impl Threads {
    /// What was saved in a thread.
    ///
    /// # Errors
    /// There is no such thread, or the store fails.
    pub async fn checkpoints(&self, thread: ThreadId) -> Result<Checkpoints, CreateError> {
        self.stored(thread).await?;
        let (mut found, mut after) = (Checkpoints::default(), EventSeq(0));
        loop {
            let page = self.store.events(thread, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = last.seq;
            page.into_iter().for_each(|event| found.look_at(event));
        }
    }

    /// The same as people are told, with what is still kept.
    ///
    /// # Errors
    /// As [`Threads::checkpoints`]; or the store for blobs fails.
    pub async fn list_checkpoints(&self, thread: ThreadId) -> Result<Vec<ListedCheckpoint>, CreateError> {
        let mut listed: Vec<_> = self.checkpoints(thread).await?.taken.into_iter().map(|(_, listed)| listed).collect();
        let Some(shelf) = &self.shelf else { return Ok(listed) };
        let mut kept = BTreeMap::new();
        for owner in listed.iter().map(|listed| listed.note.thread).collect::<std::collections::BTreeSet<_>>() {
            let names = shelf.names(owner).await.map_err(|error| CreateError::Away(error.to_string()))?;
            kept.insert(owner, names);
        }
        for ListedCheckpoint { note, kept: is_kept, .. } in &mut listed {
            *is_kept = kept.get(&note.thread).is_some_and(|names| names.contains(note.name.as_str()));
        }
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::history::Usage;
    use capstan_types::saved::note::CheckpointReason;
    use capstan_types::time::UnixMillis;

    fn history(bodies: Vec<(u128, EventBody)>) -> Checkpoints {
        let mut found = Checkpoints::default();
        for (number, (turn, body)) in bodies.into_iter().enumerate() {
            let seq = EventSeq(number as u64 + 1);
            found.look_at(Event { seq, at: UnixMillis(0), turn: Some(TurnId::from_u128(turn)), body });
        }
        found
    }

    fn saved(name: &str) -> EventBody {
        let (thread, reason) = (ThreadId::from_u128(9), CheckpointReason::Turn);
        let name = name.parse().unwrap();
        EventBody::CheckpointSaved {
            checkpoint: CheckpointNote { thread, name, reason, files: 0, bytes: 0, new_bytes: 0, skipped: 0 },
        }
    }

    #[test]
    fn a_turn_that_changed_nothing_ended_in_the_state_of_the_one_before() {
        let ended = || EventBody::TurnCompleted { usage: Usage::default() };
        let found = history(vec![
            (1, EventBody::TurnStarted),
            (1, ended()),
            (2, saved("two")),
            (2, ended()),
            (3, ended()),
            (4, saved("risk")),
            (4, saved("four")),
            (4, ended()),
            (5, EventBody::TurnStarted),
        ]);
        let named = |text: &str| found.named(text).map(|note| note.name.as_str());
        let turn = |number: u128| TurnId::from_u128(number).to_string();
        assert_eq!(named(&turn(1)), None, "nothing was saved before");
        assert_eq!((named(&turn(2)), named(&turn(3))), (Some("two"), Some("two")));
        assert_eq!((named(&turn(4)), named("risk")), (Some("four"), Some("risk")));
        assert_eq!((named(&turn(5)), named("none")), (None, None));
        assert_eq!(found.last().unwrap().name.as_str(), "four");
    }
}
