//! How a group of writes is committed.
//!
//! Each write stands in a savepoint of its own, so that one that is refused takes nothing else with it. When SQLite itself fails,
//! nothing of the group is kept, and each write is tried once more alone: a record that does not fit on the disk must not fail a
//! smaller one beside it.

use super::adapter::On;
use super::append::Script;
use super::connections::Connections;
use super::fault::{failed, is_busy};
use crate::error::StoreError;
use crate::sql::fault::Fault;
use crate::sql::write::{Write, apply};
use crate::writer::{Answer, Commit};
use capstan_types::id::Epoch;
use sqlx::{SqliteConnection, raw_sql};
use std::sync::Arc;

/// Commits on the connection that writes.
#[derive(Debug)]
pub(super) struct Committer(pub(super) Arc<Connections>);

impl Commit for Committer {
    async fn commit(&mut self, group: &[Write]) -> Vec<Answer> {
        let all = |error: StoreError| group.iter().map(|_| Err(error.clone())).collect();
        let mut connection = match self.0.writer().await {
            Ok(connection) => connection,
            Err(error) => return all(error),
        };
        if group.len() > 1 {
            match together(&mut connection, group).await {
                Ok(answers) => return answers,
                Err(NotDone::Begin(error)) => return all(error),
                // Each is tried alone below.
                Err(NotDone::Inside) => {}
            }
        }
        let mut answers = Vec::with_capacity(group.len());
        for write in group {
            answers.push(alone(&mut connection, write).await);
        }
        answers
    }
}

// Transactions are written out below, since sqlx's own count their depth, and count wrong when SQLite has rolled back by itself, as it
// does on a full disk.

/// Carries out one write in a transaction of its own.
async fn alone(connection: &mut SqliteConnection, write: &Write) -> Answer {
    let done = match scripted(connection, write).await {
        Ok(Some(epoch)) => Ok(epoch),
        Ok(None) => {
            begin(connection).await?;
            apply(&mut On(connection), write).await
        }
        Err(error) => Err(Fault::Broken(error)),
    };
    let done = match done {
        Ok(epoch) => raw_sql("COMMIT").execute(&mut *connection).await.map(|_| epoch).map_err(failed),
        Err(Fault::Refused(error)) => Err(error),
        Err(Fault::Broken(error)) => Err(failed(error)),
    };
    if done.is_err() {
        roll_back(connection).await;
    }
    done
}

/// Begins a transaction and carries out one write in it, in one script, where that works; else nothing is open, and nothing of it is left.
async fn scripted(connection: &mut SqliteConnection, write: &Write) -> Result<Option<Epoch>, sqlx::Error> {
    let Some(script) = Script::of("BEGIN IMMEDIATE", write) else { return Ok(None) };
    match script.run(connection).await {
        Ok(Some(epoch)) => Ok(Some(epoch)),
        // To begin once more would only be to wait once more.
        Err(Fault::Broken(error)) if is_busy(&error) => Err(error),
        // What follows finds out what is wrong, if it is wrong at all.
        Ok(None) | Err(_) => {
            roll_back(connection).await;
            Ok(None)
        }
    }
}

/// Why nothing of a group was kept.
enum NotDone {
    /// The transaction could not begin: to try again at once would only be to wait again.
    Begin(StoreError),
    /// SQLite failed on the way.
    Inside,
}

/// Carries out a group in one transaction: one answer for each write, or nothing of it is kept.
async fn together(connection: &mut SqliteConnection, group: &[Write]) -> Result<Vec<Answer>, NotDone> {
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

async fn write_all(connection: &mut SqliteConnection, group: &[Write]) -> Result<Vec<Answer>, sqlx::Error> {
    let mut answers = Vec::with_capacity(group.len());
    for write in group {
        match in_savepoint(connection, write).await {
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

/// Opens a savepoint and carries out one write in it.
async fn in_savepoint(connection: &mut SqliteConnection, write: &Write) -> Result<Epoch, Fault> {
    match Script::of("SAVEPOINT one", write) {
        Some(script) => match script.run(connection).await? {
            Some(epoch) => return Ok(epoch),
            None => raw_sql("ROLLBACK TO one").execute(&mut *connection).await?,
        },
        None => raw_sql("SAVEPOINT one").execute(&mut *connection).await?,
    };
    apply(&mut On(connection), write).await
}

async fn begin(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    raw_sql("BEGIN IMMEDIATE").execute(connection).await.map(drop).map_err(failed)
}

async fn roll_back(connection: &mut SqliteConnection) {
    // It fails when SQLite has rolled back already; either way nothing is open now.
    let _ = raw_sql("ROLLBACK").execute(connection).await;
}
