//! The one task that writes, and the queue in front of it.
//!
//! Writes that have arrived while the last transaction was on its way to the disk are committed together in the next one, so that many
//! threads share the cost of reaching it.

use crate::error::StoreError;
use crate::sql::write::Write;
use capstan_types::id::Epoch;
use std::future::Future;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Writes that wait. Full: whoever writes waits for a place.
const QUEUE: usize = 1024;

/// The most writes in one transaction, so that the first of them does not wait for a thousand others.
const GROUP: usize = 128;

/// The longest that one write waits for its answer; more than a locked file, a slow disk and a full queue take together.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);

/// The longest that closing waits for what is queued.
const DRAIN_DEADLINE: Duration = Duration::from_secs(30);

/// What comes of a write: the thread's epoch after it.
pub(crate) type Answer = Result<Epoch, StoreError>;

/// Carries out groups of writes.
pub(crate) trait Commit: Send + 'static {
    /// Carries out each of `group`, all that are not refused in one transaction where that works; one answer for each, in order.
    /// Nothing is answered with `Ok` before it is on the disk. A write that is refused takes no other with it.
    fn commit(&mut self, group: &[Write]) -> impl Future<Output = Vec<Answer>> + Send;
}

#[derive(Debug)]
struct Job {
    write: Write,
    reply: oneshot::Sender<Answer>,
}

/// The way to the writing task. Dropping it ends the task between two statements; a transaction that is open then is rolled back, and
/// nobody was told that it was stored.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
    closing: watch::Sender<bool>,
    task: Mutex<JoinSet<()>>,
}

impl Writer {
    pub(crate) fn start(commit: impl Commit) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (closing, told) = watch::channel(false);
        let mut task = JoinSet::new();
        task.spawn(run(commit, jobs, told));
        Self { queue, closing, task: Mutex::new(task) }
    }

    /// Has `write` done; returns the thread's epoch after it. When this returns `Ok`, it is on the disk.
    pub(crate) async fn write(&self, write: Write) -> Answer {
        let asked = async {
            let (reply, answer) = oneshot::channel();
            self.queue.send(Job { write, reply }).await.map_err(|_| closed())?;
            answer.await.map_err(|_| StoreError::Failed("the writer has ended before it answered".to_owned()))?
        };
        timeout(ANSWER_DEADLINE, asked).await.unwrap_or(Err(StoreError::Late(ANSWER_DEADLINE)))
    }

    /// Refuses further writes, and waits until those that were accepted are answered.
    pub(crate) async fn drain(&self) {
        self.closing.send_replace(true);
        let mut task = self.task.lock().await;
        if timeout(DRAIN_DEADLINE, task.join_next()).await.is_err() {
            tracing::warn!(
                "the store was closed while records waited for the disk; whoever sent them has not been told that they are stored"
            );
            task.abort_all();
        }
    }
}

async fn run(mut commit: impl Commit, mut jobs: mpsc::Receiver<Job>, mut closing: watch::Receiver<bool>) {
    loop {
        let mut group = Vec::new();
        let received = tokio::select! {
            biased;
            // Nothing more is taken, and what is queued is still received below.
            _ = closing.wait_for(|closing| *closing), if !jobs.is_closed() => {
                jobs.close();
                continue;
            }
            received = jobs.recv_many(&mut group, GROUP) => received,
        };
        if received == 0 {
            return;
        }
        let (writes, replies): (Vec<_>, Vec<_>) = group.drain(..).map(|job| (job.write, job.reply)).unzip();
        for (reply, answer) in replies.into_iter().zip(commit.commit(&writes).await) {
            // Whoever asked may have gone; what is stored stays stored.
            let _ = reply.send(answer);
        }
    }
}

/// What a closed store answers.
pub(crate) fn closed() -> StoreError {
    StoreError::Failed("it has been closed".to_owned())
}
