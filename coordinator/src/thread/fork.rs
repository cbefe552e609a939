//! A thread that goes on from a turn of another.
//!
//! History, settings and costs are those of that turn. The workspace is the same directory as it is now, or one of its own that is made of that turn's
//! checkpoint, and the sessions stay the other
//! thread's: the fork's model is told so, once, in an entry that stands at the end of what was copied.

use super::open::{CreateError, Threads};
use super::recall::Recalled;
use crate::clock;
use capstan_store::store::Record;
use capstan_types::event::{Event, EventBody};
use capstan_types::history::Entry;
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::path::AbsPath;
use capstan_types::session::known::SessionChange;
use capstan_types::source::{SavedSource, WorkspaceSource};
use capstan_types::thread::{ThreadRecord, ThreadSettings, Upto};
use std::time::Duration;

/// Events that are read at a time.
const PAGE: u32 = 256;

/// How long checkpoints that are just being carried are waited for.
const CARRYING: Duration = Duration::from_secs(20);

/// How a session's end is told that the fork does not have.
const LEFT_BEHIND: &str = "it stays with the thread that this one was forked from";

/// Which files a fork works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// Those of the other thread, in the same directory.
    Shared,
    /// Its own, as they were at the end of the turn.
    Own,
}

/// Where a thread is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut {
    seq: EventSeq,
    turn: TurnId,
    settings: Box<ThreadSettings>,
}

/// Finds the end of a turn among a thread's events. Pure.
#[derive(Debug, Default)]
struct Search {
    wanted: Option<TurnId>,
    settings: Option<Box<ThreadSettings>>,
    found: Option<Cut>,
}

impl Search {
    fn look_at(&mut self, event: Event) {
        match event.body {
            EventBody::ThreadStarted { settings, .. } | EventBody::SettingsChanged { settings } => self.settings = Some(settings),
            body if body.ends_turn() => {
                if let (Some(turn), Some(settings)) = (event.turn, &self.settings)
                    && self.wanted.is_none_or(|wanted| wanted == turn)
                {
                    self.found = Some(Cut { seq: event.seq, turn, settings: settings.clone() });
                }
            }
            _ => {}
        }
    }
}

impl Threads {
    /// Makes `new` a fork of `source` at the end of a turn, or of the last one that has ended; gives its row and the number of its last
    /// event. One that was made before is given again.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub async fn fork(
        &self,
        source: ThreadId,
        at: Option<TurnId>,
        new: ThreadId,
        files: Files,
    ) -> Result<(ThreadRecord, EventSeq), CreateError> {
        let _alone = self.beginning.enter(new).await;
        if let Some(made) = self.store.thread(new).await? {
            return Box::pin(self.made_before(made, source, at)).await;
        }
        let origin = self.stored(source).await?;
        let cut = self.cut(source, at).await?.ok_or(match at {
            Some(turn) => CreateError::NoEnd(source, turn),
            None => CreateError::NoTurn(source),
        })?;
        let settings = match files {
            Files::Shared => ThreadSettings { node: origin.settings.node, ..*cut.settings },
            Files::Own => self.with_own_files(source, &cut).await?,
        };
        let record = ThreadRecord::begun(new, self.name.clone(), settings, clock::now());
        let (located, facts) = match files {
            Files::Shared => Box::pin(self.workspace(&record)).await?,
            Files::Own => Box::pin(self.settle(&record)).await?,
        };
        let settings = ThreadSettings { cwd: facts.root.clone(), node: Some(facts.node.clone()), ..record.settings };
        let record = self.store.fork(source, Upto::Event(cut.seq), &ThreadRecord { settings, ..record }).await?;
        let mut recalled = self.recall(new).await?;
        let parting = parting(&mut recalled, source, cut.turn, (&record.settings, files));
        self.store.append(new, record.epoch, parting).await?;
        Box::pin(self.run(record, located, facts, recalled, &[])).await?;
        self.standing(new).await
    }

    /// The settings of a fork whose workspace is the other thread's as it was at the end of that turn.
    async fn with_own_files(&self, source: ThreadId, cut: &Cut) -> Result<ThreadSettings, CreateError> {
        let saved = self.checkpoints(source).await?.at_end_of(cut.turn).cloned();
        let saved = saved.ok_or(CreateError::NotSaved(source, cut.turn))?;
        if let Some(shelf) = &self.shelf {
            shelf.settled(CARRYING).await;
        }
        let made_of = WorkspaceSource::Saved(SavedSource { thread: saved.thread, name: saved.name });
        let settings = (*cut.settings).clone();
        Ok(ThreadSettings {
            cwd: AbsPath::root(),
            node: None,
            placed: None,
            hosts: Vec::new(),
            source: Some(Box::new(made_of)),
            ..settings
        })
    }

    async fn made_before(
        &self,
        made: ThreadRecord,
        source: ThreadId,
        at: Option<TurnId>,
    ) -> Result<(ThreadRecord, EventSeq), CreateError> {
        let new = made.id;
        let parent = made.parent.filter(|parent| parent.thread == source).ok_or(CreateError::Taken(new))?;
        let same = match at {
            None => true,
            Some(_) => self.cut(source, at).await?.is_some_and(|cut| cut.seq == parent.seq),
        };
        if !same || !self.inherits(&made.owner) {
            return Err(CreateError::Taken(new));
        }
        if self.find(new).await?.is_none() {
            Box::pin(self.reopen(made, Recalled::default())).await?;
        }
        self.standing(new).await
    }

    async fn cut(&self, source: ThreadId, wanted: Option<TurnId>) -> Result<Option<Cut>, CreateError> {
        let (mut search, mut after) = (Search { wanted, ..Search::default() }, EventSeq(0));
        loop {
            let page = self.store.events(source, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(search.found) };
            after = last.seq;
            page.into_iter().for_each(|event| search.look_at(event));
        }
    }
}

/// The records with which a fork leaves the sessions of the other thread behind.
fn parting(recalled: &mut Recalled, source: ThreadId, turn: TurnId, now: (&ThreadSettings, Files)) -> Vec<Record> {
    let at = clock::now();
    let sessions: Vec<(u32, String)> =
        recalled.sessions.open.values().map(|session| (session.number, session.command.clone())).collect();
    let text = told(source, &sessions, now);
    let mut records = vec![Record::Entry { turn, entry: Entry::Developer { text } }];
    for (number, _) in sessions {
        let change = SessionChange::Closed { number, how: LEFT_BEHIND.to_owned() };
        let event = Event { seq: recalled.last.next(), at, turn: Some(turn), body: EventBody::SessionChanged { change } };
        recalled.add(event.clone());
        records.push(Record::Event(event));
    }
    records
}

fn told(source: ThreadId, sessions: &[(u32, String)], (settings, files): (&ThreadSettings, Files)) -> String {
    let cwd = &settings.cwd;
    let workspace = match files {
        Files::Shared => format!(
            "The workspace {cwd} is the same directory; it was not taken back to what it was at that turn, and may have been changed since. Look \
             before you rely on it."
        ),
        Files::Own => format!(
            "The workspace {cwd} is another directory, with the files as they were at the end of that turn; what git ignores may be missing. Paths \
             of the old directory lead nowhere, or to somebody else's files."
        ),
    };
    let mut text = format!("<fork>\nThis conversation goes on from a turn of thread {source}. {workspace}\n");
    if !sessions.is_empty() {
        text.push_str("These sessions stay with that thread. They may run on, and you cannot read or write them:\n");
        sessions.iter().for_each(|(number, command)| text.push_str(&format!("- {number}: `{command}`\n")));
    }
    text.push_str("</fork>");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::fixture::{path, settings};
    use capstan_types::history::Usage;
    use capstan_types::time::UnixMillis;

    fn events(bodies: Vec<(u128, EventBody)>) -> Vec<Event> {
        let event = |(number, (turn, body)): (usize, (u128, EventBody))| Event {
            seq: EventSeq(number as u64 + 1),
            at: UnixMillis(0),
            turn: (turn > 0).then(|| TurnId::from_u128(turn)),
            body,
        };
        bodies.into_iter().enumerate().map(event).collect()
    }

    fn found(wanted: Option<u128>) -> Option<(u64, String)> {
        let with = |model: &str| Box::new(ThreadSettings { model: model.into(), ..settings() });
        let all = events(vec![
            (0, EventBody::ThreadStarted { thread: ThreadId::from_u128(9), settings: with("a") }),
            (1, EventBody::TurnStarted),
            (1, EventBody::TurnCompleted { usage: Usage::default() }),
            (2, EventBody::TurnStarted),
            (2, EventBody::SettingsChanged { settings: with("b") }),
            (2, EventBody::TurnInterrupted),
            (3, EventBody::TurnStarted),
        ]);
        let mut search = Search { wanted: wanted.map(TurnId::from_u128), ..Search::default() };
        all.into_iter().for_each(|event| search.look_at(event));
        search.found.map(|cut| (cut.seq.0, cut.settings.model.clone()))
    }

    #[test]
    fn a_thread_is_cut_at_the_end_of_a_turn_with_the_settings_of_then() {
        assert_eq!(found(Some(1)), Some((3, "a".into())));
        assert_eq!(found(Some(2)), Some((6, "b".into())));
        assert_eq!(found(None), Some((6, "b".into())), "the last one that has ended");
        assert_eq!(found(Some(3)), None, "it still runs");
        assert_eq!(found(Some(4)), None, "there is none");
    }

    #[test]
    fn the_forks_model_is_told_which_sessions_it_does_not_have() {
        let settings = ThreadSettings { cwd: path("/w"), ..settings() };
        let sessions = [(1000, "make serve".to_owned())];
        insta::assert_snapshot!(told(ThreadId::from_u128(7), &sessions, (&settings, Files::Shared)), @r"
        <fork>
        This conversation goes on from a turn of thread 00000000-0000-0000-0000-000000000007. The workspace /w is the same directory; it was not taken back to what it was at that turn, and may have been changed since. Look before you rely on it.
        These sessions stay with that thread. They may run on, and you cannot read or write them:
        - 1000: `make serve`
        </fork>
        ");
    }
}
