//! What is known of one session: its output, told and untold, and its end.

use crate::denials::Denials;
use crate::fault::ToolFault;
use crate::items::{ItemSink, SinkClosed};
use capstan_types::clamp::{Decoder, HeadTail};
use capstan_types::item::{CommandExecution, ItemBody, ItemId, ItemStatus};
use capstan_types::launch::{Denial, Enforced, SessionEnd};
use capstan_types::output::clean::{Cleaner, Cleaning};
use capstan_types::output::{Piece, Seq};
use capstan_types::time::Millis;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many bytes of untold output are kept from its beginning, and from its end. Each is more than the largest result can show.
const UNTOLD_BYTES: usize = 64 * 1024;

/// How many bytes of the whole output the item keeps from its beginning, and from its end.
const ITEM_BYTES: usize = 128 * 1024;

/// How a session stopped being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ended, and the end was seen.
    Ended(SessionEnd),
    /// It could not be read on; whether it ended is not known.
    Lost {
        /// What was seen.
        reason: String,
        /// How long it had run.
        after: Millis,
    },
}

/// How far a session's output is, for waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// Everything it wrote, in bytes.
    pub(crate) written: u64,
    /// When it last wrote.
    pub(crate) last_output: Option<Instant>,
    /// What of it was there at the last look, in bytes. A code point that was held back counts: only more bytes can show it.
    pub(crate) looked: u64,
    /// Whether nothing more can come.
    pub(crate) over: bool,
}

/// One session's record, shared by the task that reads it and the calls that look at it.
#[derive(Debug)]
pub(crate) struct Record {
    state: Mutex<State>,
    changed: Notify,
    item: ItemId,
    started_at: Instant,
    /// Whether the item is completed; held while the item is told of, so that nothing is told of it after its completion.
    completed: tokio::sync::Mutex<bool>,
}

#[derive(Debug)]
struct State {
    next: Seq,
    shown: Seq,
    looked: Seq,
    /// What the model has not been told, cleaned.
    untold: HeadTail,
    cleaner: Cleaner,
    all: HeadTail,
    decoder: Decoder,
    last_output: Option<Instant>,
    ending: Option<Result<Ending, ToolFault>>,
    denials: Denials,
    body: CommandExecution,
}

impl Record {
    /// A record of a session that has just started. `body` is its item.
    pub(crate) fn new(item: ItemId, body: CommandExecution, cleaning: Cleaning, started_at: Instant) -> Self {
        let state = State {
            next: Seq::default(),
            shown: Seq::default(),
            looked: Seq::default(),
            untold: HeadTail::new(UNTOLD_BYTES),
            cleaner: Cleaner::new(cleaning),
            all: HeadTail::new(ITEM_BYTES),
            decoder: Decoder::default(),
            last_output: None,
            ending: None,
            denials: Denials::default(),
            body,
        };
        let completed = tokio::sync::Mutex::new(false);
        Self { state: Mutex::new(state), changed: Notify::new(), item, started_at, completed }
    }

    /// A record of a session of which the model has been told all before `next`.
    pub(crate) fn from(item: ItemId, body: CommandExecution, cleaning: Cleaning, next: Seq) -> Self {
        // What is read from the first byte on need not be known.
        let before = if next == Seq::default() { String::new() } else { body.output.clone() };
        let record = Self::new(item, body, cleaning, Instant::now());
        {
            let mut state = record.lock();
            state.all.push(before.as_bytes());
            (state.next, state.shown, state.looked) = (next, next, next);
        }
        record
    }

    /// Its item.
    pub(crate) const fn item(&self) -> ItemId {
        self.item
    }

    /// How long it has run.
    pub(crate) fn age(&self) -> Millis {
        Millis::of(self.started_at.elapsed())
    }

    /// Takes a piece of output in, and gives its text for those who watch.
    pub(crate) fn take_in(&self, piece: &Piece) -> String {
        let text = self.lock().take_in(piece);
        self.changed.notify_one();
        text
    }

    /// Notes that the sandbox refused something.
    pub(crate) fn deny(&self, denial: &Denial) {
        self.lock().denials.take_in(denial);
    }

    /// One line for each denial that the model has not been told.
    pub(crate) fn tell_denials(&self) -> Vec<String> {
        self.lock().denials.tell()
    }

    /// What was in force when it started.
    pub(crate) fn enforced(&self) -> Option<Enforced> {
        self.lock().body.enforced.clone()
    }

    /// Notes that nothing more comes.
    pub(crate) fn end(&self, ending: Result<Ending, ToolFault>) {
        self.lock().ending = Some(ending);
        self.changed.notify_one();
    }

    /// Waits until something was noted.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The first byte that the model has not been told.
    pub(crate) fn shown(&self) -> Seq {
        self.lock().shown
    }

    /// How far it is.
    pub(crate) fn progress(&self) -> Progress {
        let state = self.lock();
        Progress { written: state.next.0, last_output: state.last_output, looked: state.looked.0, over: state.ending.is_some() }
    }

    /// How it ended, if it did.
    pub(crate) fn ending(&self) -> Result<Option<Ending>, ToolFault> {
        self.lock().ending.clone().transpose()
    }

    /// Everything since the last look, and the first byte that has not been shown. While it runs, a code point or an escape sequence
    /// that is not complete is kept for the next look.
    pub(crate) fn look(&self, ending: Option<&Ending>) -> (HeadTail, Seq) {
        let mut state = self.lock();
        let mut text = String::new();
        match ending {
            Some(_) => state.cleaner.finish(&mut text),
            None => state.cleaner.settle(&mut text),
        }
        state.untold.push(text.as_bytes());
        let held = if ending.is_some() { 0 } else { state.cleaner.held() };
        state.looked = state.next;
        state.shown = Seq(state.next.0.saturating_sub(held));
        (std::mem::replace(&mut state.untold, HeadTail::new(UNTOLD_BYTES)), state.shown)
    }

    /// The item as it is now.
    fn body(&self) -> ItemBody {
        let state = self.lock();
        let output = state.all.clamp(u64::MAX).text;
        ItemBody::CommandExecution(CommandExecution { output, denials: state.denials.kept(), ..state.body.clone() })
    }

    /// Tells how the item is now, unless it is completed.
    pub(crate) async fn update(&self, items: &dyn ItemSink) -> Result<(), SinkClosed> {
        let completed = self.completed.lock().await;
        if *completed { Ok(()) } else { items.updated(self.item, self.body()).await }
    }

    /// Completes the item with how the session ended. Once that is stored, later calls do nothing.
    pub(crate) async fn complete(&self, ending: &Ending, items: &dyn ItemSink) -> Result<(), SinkClosed> {
        let mut completed = self.completed.lock().await;
        if *completed {
            return Ok(());
        }
        self.note(ending);
        items.completed(self.item, self.body()).await?;
        *completed = true;
        Ok(())
    }

    fn note(&self, ending: &Ending) {
        let duration = self.age();
        let body = &mut self.lock().body;
        (body.end, body.status, body.reason) = told(ending, body.enforced.as_ref());
        body.duration.get_or_insert(duration);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves at most one piece of output uncounted; the session's end must still be told.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_in(&mut self, piece: &Piece) -> String {
        let mut text = String::new();
        let hole = match piece {
            Piece::Gap { .. } => piece.end().0.saturating_sub(self.next.0),
            Piece::Bytes { seq, .. } => seq.0.saturating_sub(self.next.0),
        };
        if hole > 0 {
            let mut clean = String::new();
            self.cleaner.finish(&mut clean);
            self.untold.push(clean.as_bytes());
            self.untold.push_gap(hole);
            self.all.push_gap(hole);
            text = self.decoder.flush();
        }
        if let Piece::Bytes { seq, bytes } = piece {
            // Whoever cut the stream, a piece that begins with bytes that are here already adds only the rest.
            let known = usize::try_from(self.next.0.saturating_sub(seq.0)).unwrap_or(usize::MAX).min(bytes.len());
            let new = &bytes[known..];
            let mut clean = String::new();
            self.cleaner.push(new, &mut clean);
            self.untold.push(clean.as_bytes());
            self.all.push(new);
            text += &self.decoder.push(new);
        }
        self.next = self.next.max(piece.end());
        self.last_output = Some(Instant::now());
        text
    }
}

/// What the item says of an ending.
fn told(ending: &Ending, enforced: Option<&Enforced>) -> (Option<SessionEnd>, ItemStatus, Option<String>) {
    match ending {
        Ending::Ended(end @ SessionEnd::Exited { code: 0 }) => (Some(end.clone()), ItemStatus::Completed, None),
        Ending::Ended(end @ SessionEnd::Exited { .. }) => (Some(end.clone()), ItemStatus::Failed, None),
        Ending::Ended(end) => (Some(end.clone()), ItemStatus::Failed, Some(crate::format::ended(end, enforced))),
        Ending::Lost { reason, .. } => (
            Some(SessionEnd::Unknown { reason: reason.clone() }),
            ItemStatus::Failed,
            Some(format!("whether the command finished is not known: {reason}")),
        ),
    }
}
