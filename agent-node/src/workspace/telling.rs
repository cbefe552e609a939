//! What is said while a workspace is made, to whoever asked and to those who wait for the same.

use crate::error::NodeError;
use capstan_types::source::{MakeEvent, MakeProgress, WorkspaceMade};
use tokio::sync::{mpsc, watch};

/// How many events wait for a reader. Full: progress is left out, and the end waits.
const EVENTS: usize = 16;

/// What whoever asked reads.
pub(crate) type Events = mpsc::Receiver<Result<MakeEvent, NodeError>>;

/// Tells of one request.
#[derive(Debug)]
pub(crate) struct Teller {
    events: mpsc::Sender<Result<MakeEvent, NodeError>>,
    /// Those who wait for the same.
    others: Vec<watch::Sender<Option<MakeProgress>>>,
    last: Option<MakeProgress>,
}

/// A teller and its reader.
pub(crate) fn channel() -> (Teller, Events) {
    let (events, reader) = mpsc::channel(EVENTS);
    (Teller { events, others: Vec::new(), last: None }, reader)
}

impl Teller {
    /// Says what is done now, and how much of it in hundredths.
    pub(crate) fn say(&mut self, said: impl Into<String>, percent: Option<u8>) {
        let progress = MakeProgress { said: said.into(), percent };
        for other in &self.others {
            other.send_replace(Some(progress.clone()));
        }
        self.pass_on(progress);
    }

    /// Says what somebody else does, for whom this one waits.
    pub(crate) fn pass_on(&mut self, progress: MakeProgress) {
        if self.last.as_ref() != Some(&progress) {
            // A reader that does not keep up misses a step, and one that is gone misses all.
            let _ = self.events.try_send(Ok(MakeEvent::Progress(progress.clone())));
            self.last = Some(progress);
        }
    }

    /// From now on, others hear it as well.
    pub(crate) fn told_to(&mut self, other: watch::Sender<Option<MakeProgress>>) {
        self.others.push(other);
    }

    /// They hear no more of it.
    pub(crate) fn no_longer_told_to_the_last(&mut self) {
        if let Some(other) = self.others.pop() {
            other.send_replace(None);
        }
    }

    /// Says how it ended.
    pub(crate) async fn end(self, made: Result<WorkspaceMade, NodeError>) {
        self.others.iter().for_each(|other| drop(other.send_replace(None)));
        // Nobody may be left who wants to know.
        let _ = self.events.send(made.map(|made| MakeEvent::Made(Box::new(made)))).await;
    }
}
