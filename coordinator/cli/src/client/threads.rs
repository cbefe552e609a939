//! Threads as wholes: found, opened, forked, named, put away, removed, exported.

use super::error::ClientError;
use super::fork_at::ForkAt;
use super::lost::Lost;
use super::requests::Restored;
use super::{Client, Events};
use capstan_proto::convert::Malformed;
use capstan_types::checkpoint::{PatchFacts, PatchPart};
use capstan_types::id::{EventSeq, ThreadId, TurnId};
use capstan_types::saved::note::ListedCheckpoint;
use capstan_types::thread::listing::{ThreadFilter, ThreadPage};
use capstan_types::thread::{OnInterrupt, ThreadRecord, TurnInput};
use capstan_types::tree_document::Difference;

/// The longest that the next line of an export may take.
const LINE_DEADLINE: std::time::Duration = std::time::Duration::from_secs(30);

impl Client {
    /// A page of threads.
    ///
    /// # Errors
    /// The coordinator or its store fails. It is asked once.
    pub async fn threads(&mut self, filter: ThreadFilter) -> Result<ThreadPage, ClientError> {
        self.requests.list(filter).await
    }

    /// One thread.
    ///
    /// # Errors
    /// There is none, or as [`Client::threads`].
    pub async fn thread(&mut self, thread: ThreadId) -> Result<ThreadRecord, ClientError> {
        self.requests.get(thread).await
    }

    /// Has the coordinator run this thread, whoever ran it before; gives it and the number of its last event.
    ///
    /// # Errors
    /// There is none, its workspace cannot be had, or the coordinator stays away.
    pub async fn resume(&mut self, thread: ThreadId) -> Result<(ThreadRecord, EventSeq), ClientError> {
        let mut lost = Lost::not_yet(self.reach.clone());
        loop {
            match lost.attend(Box::pin(self.requests.resume(thread))).await {
                Err(error) if error.is_lost_connection() => lost.wait(error).await?,
                done => return done,
            }
        }
    }

    /// Forks a thread at the end of a turn, or of the last one that has ended, under this id.
    ///
    /// # Errors
    /// As [`Client::resume`]; or there is no such turn.
    pub async fn fork(&mut self, source: ThreadId, at: ForkAt, new: ThreadId) -> Result<(ThreadRecord, EventSeq), ClientError> {
        let mut lost = Lost::not_yet(self.reach.clone());
        loop {
            match lost.attend(Box::pin(self.requests.fork(source, at, new))).await {
                Err(error) if error.is_lost_connection() => lost.wait(error).await?,
                done => return done,
            }
        }
    }

    /// Follows a thread in which a turn is about to be started, after an event of it.
    ///
    /// # Errors
    /// There is no such thread, or the coordinator stays away.
    pub async fn follow_after(&mut self, thread: ThreadId, after: EventSeq) -> Result<Events, ClientError> {
        let mut events = Events::of_a_turn(self.requests.clone(), thread, after, Lost::not_yet(self.reach.clone()));
        events.open().await?;
        Ok(events)
    }

    /// Every stored event of a thread.
    ///
    /// # Errors
    /// There is no such thread, or the coordinator stays away.
    pub async fn events(&mut self, thread: ThreadId) -> Result<Events, ClientError> {
        let mut events = Events::of_what_is_stored(self.requests.clone(), thread, Lost::not_yet(self.reach.clone()));
        events.open().await?;
        Ok(events)
    }

    /// The checkpoints of a thread.
    ///
    /// # Errors
    /// As [`Client::thread`].
    pub async fn checkpoints(&mut self, thread: ThreadId) -> Result<Vec<ListedCheckpoint>, ClientError> {
        self.requests.checkpoints(thread).await
    }

    /// Brings a checkpoint back, or the state at the end of a turn.
    ///
    /// # Errors
    /// As [`Client::thread`]; or there is no such checkpoint, or it cannot be brought back.
    pub async fn restore(&mut self, thread: ThreadId, which: String, force: bool) -> Result<Restored, ClientError> {
        self.requests.restore(thread, which, force).await
    }

    /// What differs between two checkpoints, and whether there is more.
    ///
    /// # Errors
    /// As [`Client::restore`].
    pub async fn compare(&mut self, thread: ThreadId, which: [String; 2]) -> Result<(Vec<Difference>, bool), ClientError> {
        self.requests.compare(thread, which).await
    }

    /// Gives a thread a name; an empty one takes it away.
    ///
    /// # Errors
    /// As [`Client::thread`]; or the name cannot be one.
    pub async fn rename(&mut self, thread: ThreadId, name: String) -> Result<(), ClientError> {
        self.requests.rename(thread, name).await
    }

    /// Puts a thread away, or takes it back.
    ///
    /// # Errors
    /// As [`Client::thread`].
    pub async fn archive(&mut self, thread: ThreadId, undo: bool) -> Result<(), ClientError> {
        self.requests.archive(thread, undo).await
    }

    /// Removes a thread.
    ///
    /// # Errors
    /// As [`Client::thread`]; or a turn of it runs.
    pub async fn delete(&mut self, thread: ThreadId) -> Result<(), ClientError> {
        self.requests.delete(thread).await
    }

    /// Says something to the turn that runs in a thread.
    ///
    /// # Errors
    /// None runs, or as [`Client::thread`].
    pub async fn steer(&mut self, thread: ThreadId, text: String) -> Result<(), ClientError> {
        self.requests.steer(thread, text).await
    }

    /// Has a turn begin under this id when those before it have ended; gives how many these are.
    ///
    /// # Errors
    /// There is no such thread, too many wait, or the coordinator stays away.
    pub async fn queue_turn(&mut self, thread: ThreadId, turn: TurnId, input: TurnInput) -> Result<u32, ClientError> {
        let mut lost = Lost::not_yet(self.reach.clone());
        loop {
            match lost.attend(Box::pin(self.requests.queue_turn(thread, turn, input.clone()))).await {
                Err(error) if error.is_lost_connection() => lost.wait(error).await?,
                done => return done,
            }
        }
    }

    /// Interrupts the turn that runs in a thread, and gives it; with `queued` those that wait are taken back.
    ///
    /// # Errors
    /// As [`Client::thread`].
    pub async fn interrupt_turn(
        &mut self,
        thread: ThreadId,
        sessions: OnInterrupt,
        queued: bool,
    ) -> Result<Option<TurnId>, ClientError> {
        self.requests.interrupt(thread, sessions, queued).await
    }

    /// Gives what a turn changed, or the whole thread, to `keep` as a patch piece by piece, and then says what it was.
    ///
    /// # Errors
    /// As [`Client::thread`]; there is no such turn, or the patch has not come whole. `keep`'s own are given as the inner ones.
    pub async fn patch<E>(
        &mut self,
        thread: ThreadId,
        turn: Option<TurnId>,
        mut keep: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Result<PatchFacts, E>, ClientError> {
        let mut pieces = self.requests.patch(thread, turn).await?;
        let (mut facts, mut length) = (PatchFacts::default(), 0_u64);
        loop {
            let next = tokio::time::timeout(LINE_DEADLINE, pieces.message()).await;
            let next = next.map_err(|_| ClientError::Silent { what: "send the next piece", deadline: LINE_DEADLINE })?;
            match next?.map(PatchPart::try_from).transpose()? {
                Some(PatchPart::Facts(told)) => facts = told,
                Some(PatchPart::Data(bytes)) => {
                    length += bytes.len() as u64;
                    if let Err(error) = keep(&bytes) {
                        return Ok(Err(error));
                    }
                }
                None if length == facts.bytes => return Ok(Ok(facts)),
                None => return Err(Malformed::new("bytes", "the patch has not come whole").into()),
            }
        }
    }

    /// Gives every line of a thread's export to `keep`, in order.
    ///
    /// # Errors
    /// As [`Client::thread`]; what was kept until then is not whole. `keep`'s own are given as the inner ones.
    pub async fn export<E>(
        &mut self,
        thread: ThreadId,
        mut keep: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<Result<(), E>, ClientError> {
        let mut lines = self.requests.export(thread).await?;
        loop {
            let next = tokio::time::timeout(LINE_DEADLINE, lines.message()).await;
            let next = next.map_err(|_| ClientError::Silent { what: "send the next line", deadline: LINE_DEADLINE })?;
            match next? {
                Some(line) => {
                    if let Err(error) = keep(&line.line) {
                        return Ok(Err(error));
                    }
                }
                None => return Ok(Ok(())),
            }
        }
    }
}
