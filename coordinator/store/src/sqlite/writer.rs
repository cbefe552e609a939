//! The one task that writes, and the queue in front of it.
//!
//! Writes that have arrived while the last transaction was on its way to the disk are committed together in the next one. Each stands
//! in a savepoint of its own, so that one that is refused takes nothing else with it. When SQLite itself fails, nothing of the group is
//! kept, and each write is tried once more alone: a record that does not fit on the disk must not fail a smaller one beside it.

use super::apply::{Write, apply};
use super::connections::{Connections, closed};
use super::fault::{Fault, failed};
use crate::store::StoreError;
use capstan_types::id::Epoch;
use sqlx::{SqliteConnection, raw_sql};
use std::sync::Arc;
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

type Answer = Result<Epoch, StoreError>;

#[derive(Debug)]
struct Job {
    write: Write,
    reply: oneshot::Sender<Answer>,
}

/// The way to the writing task. Dropping it ends the task between two statements; a transaction that is open then is rolled back, and
/// nobody was told that it was stored.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Job>,
    closing: watch::Sender<bool>,
    task: Mutex<JoinSet<()>>,
}

impl Writer {
    pub(super) fn start(connections: Arc<Connections>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (closing, told) = watch::channel(false);
        let mut task = JoinSet::new();
        task.spawn(run(connections, jobs, told));
        Self { queue, closing, task: Mutex::new(task) }
    }

    /// Has `write` done; returns the thread's epoch after it. When this returns `Ok`, it is on the disk.
    pub(super) async fn write(&self, write: Write) -> Answer {
        let asked = async {
            let (reply, answer) = oneshot::channel();
            self.queue.send(Job { write, reply }).await.map_err(|_| closed())?;
            answer.await.map_err(|_| StoreError::Failed("the writer has ended before it answered".to_owned()))?
        };
        timeout(ANSWER_DEADLINE, asked).await.unwrap_or(Err(StoreError::Late(ANSWER_DEADLINE)))
    }

    /// Refuses further writes, and waits until those that were accepted are answered.
    pub(super) async fn drain(&self) {
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

async fn run(connections: Arc<Connections>, mut jobs: mpsc::Receiver<Job>, mut closing: watch::Receiver<bool>) {
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
        commit(&connections, group).await;
    }
}

async fn commit(connections: &Connections, group: Vec<Job>) {
    let mut connection = match connections.writer().await {
        Ok(connection) => connection,
        Err(error) => return group.into_iter().for_each(|job| answer(job, Err(error.clone()))),
    };
    if group.len() > 1 {
        match together(&mut connection, &group).await {
            Ok(answers) => return group.into_iter().zip(answers).for_each(|(job, done)| answer(job, done)),
            Err(NotDone::Begin(error)) => return group.into_iter().for_each(|job| answer(job, Err(error.clone()))),
            // Each is tried alone below.
            Err(NotDone::Inside) => {}
        }
    }
    for job in group {
        let done = alone(&mut connection, &job.write).await;
        answer(job, done);
    }
}

fn answer(job: Job, done: Answer) {
    // Whoever asked may have gone; what is stored stays stored.
    let _ = job.reply.send(done);
}

// Transactions are written out below, since sqlx's own count their depth, and count wrong when SQLite has rolled back by itself, as it
// does on a full disk.

/// Carries out one write in a transaction of its own.
async fn alone(connection: &mut SqliteConnection, write: &Write) -> Answer {
    begin(connection).await?;
    let done = match apply(connection, write).await {
        Ok(epoch) => raw_sql("COMMIT").execute(&mut *connection).await.map(|_| epoch).map_err(failed),
        Err(Fault::Refused(error)) => Err(error),
        Err(Fault::Broken(error)) => Err(failed(error)),
    };
    if done.is_err() {
        roll_back(connection).await;
    }
    done
}

/// Why nothing of a group was kept.
enum NotDone {
    /// The transaction could not begin: to try again at once would only be to wait again.
    Begin(StoreError),
    /// SQLite failed on the way.
    Inside,
}

/// Carries out a group in one transaction: one answer for each write, or nothing of it is kept.
async fn together(connection: &mut SqliteConnection, group: &[Job]) -> Result<Vec<Answer>, NotDone> {
    begin(connection).await.map_err(NotDone::Begin)?;
    let written = match write_all(connection, group).await {
        Ok(answers) => raw_sql("COMMIT").execute(&mut *connection).await.map(|_| answers),
        Err(error) => Err(error),
    };
    if let Err(error) = &written {
        tracing::debug!(%error, writes = group.len(), "a group of writes failed; each is tried alone");
        roll_back(connection).await;
    }
    written.map_err(|_| NotDone::Inside)
}

async fn write_all(connection: &mut SqliteConnection, group: &[Job]) -> Result<Vec<Answer>, sqlx::Error> {
    let mut answers = Vec::with_capacity(group.len());
    for job in group {
        raw_sql("SAVEPOINT one").execute(&mut *connection).await?;
        match apply(connection, &job.write).await {
            Ok(epoch) => answers.push(Ok(epoch)),
            Err(Fault::Refused(error)) => {
                raw_sql("ROLLBACK TO one").execute(&mut *connection).await?;
                answers.push(Err(error));
            }
            Err(Fault::Broken(error)) => return Err(error),
        }
        raw_sql("RELEASE one").execute(&mut *connection).await?;
    }
    Ok(answers)
}

async fn begin(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    raw_sql("BEGIN IMMEDIATE").execute(connection).await.map(drop).map_err(failed)
}

async fn roll_back(connection: &mut SqliteConnection) {
    // It fails when SQLite has rolled back already; either way nothing is open now.
    let _ = raw_sql("ROLLBACK").execute(connection).await;
}
