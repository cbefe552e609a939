//! How a group of writes is committed.
//!
//! Each write stands in a savepoint of its own, so that one that is refused takes nothing else with it. Each group leaves its number in
//! the row of its writer: when the connection breaks while a commit is on its way, that row tells what became of it, and the group is
//! done once more only if it was not done. A number is the writer's own, and a writer has one group at a time.

use super::adapter::On;
use super::append::append;
use super::fault::{failed, is_lost, unreachable, was_in_the_way};
use super::place::{Place, late};
use crate::error::StoreError;
use crate::rows::now;
use crate::sql::connection::{Ask, Value};
use crate::sql::fault::Fault;
use crate::sql::write::{Write, apply};
use crate::writer::{Answer, Commit};
use capstan_types::id::Epoch;
use sqlx::{AssertSqlSafe, PgConnection, raw_sql};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest that one group may take on one connection.
const GROUP_DEADLINE: Duration = Duration::from_secs(25);

/// Commits on a connection of its own, made again when it is lost.
#[derive(Debug)]
pub(super) struct Committer {
    place: Place,
    /// Unlike that of any other writer, in this process or another. A UUID: it may stand in a statement.
    writer: String,
    /// The group's.
    number: i64,
    connection: Option<PgConnection>,
}

/// Why a group is not done.
enum NotDone {
    /// The connection broke before the commit was asked for: nothing is stored.
    Before(sqlx::Error),
    /// It broke afterwards: these are the answers if it is stored.
    Perhaps(Vec<Answer>),
    /// The database refused the whole of it.
    Refused(StoreError),
}

impl Committer {
    pub(super) const fn of(place: Place, writer: String, connection: PgConnection) -> Self {
        Self { place, writer, number: 0, connection: Some(connection) }
    }

    /// Carries the group out once, on the connection there is or a new one.
    async fn attempt(&mut self, group: &[Write]) -> Result<Vec<Answer>, NotDone> {
        let mut connection = self.connected().await.map_err(NotDone::Before)?;
        let mut perhaps = None;
        let done = timeout(GROUP_DEADLINE, self.transact(&mut connection, group, &mut perhaps)).await;
        match done.unwrap_or_else(|_| Err(late("a group of writes took too long"))) {
            Ok(()) => {
                self.connection = Some(connection);
                Ok(perhaps.unwrap_or_default())
            }
            Err(error) if is_lost(&error) => Err(perhaps.map_or_else(|| NotDone::Before(error), NotDone::Perhaps)),
            Err(error) if was_in_the_way(&error) => Err(NotDone::Before(error)),
            // The connection goes with its transaction.
            Err(error) => Err(NotDone::Refused(failed(&error))),
        }
    }

    async fn connected(&mut self) -> Result<PgConnection, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.place.connect().await,
        }
    }

    /// `answers` is filled when the commit is about to be asked for.
    async fn transact(
        &self,
        connection: &mut PgConnection,
        group: &[Write],
        answers: &mut Option<Vec<Answer>>,
    ) -> Result<(), sqlx::Error> {
        let mark = format!(
            "BEGIN; INSERT INTO writers (id, number, at) VALUES ('{}', {}, {}) \
             ON CONFLICT (id) DO UPDATE SET number = excluded.number, at = excluded.at; SAVEPOINT one",
            self.writer,
            self.number,
            now()
        );
        raw_sql(AssertSqlSafe(mark)).execute(&mut *connection).await?;
        let mut given = Vec::with_capacity(group.len());
        for write in group {
            let answer = match one(connection, write).await {
                Ok(epoch) => Ok(epoch),
                Err(Fault::Broken(error)) if is_lost(&error) || was_in_the_way(&error) => return Err(error),
                Err(fault) => Err(fault.told(|error| failed(&error))),
            };
            let next = match &answer {
                Ok(_) => "RELEASE SAVEPOINT one; SAVEPOINT one",
                Err(_) => "ROLLBACK TO SAVEPOINT one",
            };
            raw_sql(next).execute(&mut *connection).await?;
            given.push(answer);
        }
        *answers = Some(given);
        raw_sql("COMMIT").execute(&mut *connection).await.map(drop)
    }

    /// Whether the group is stored.
    async fn is_stored(&mut self) -> Result<bool, sqlx::Error> {
        let mut connection = self.connected().await?;
        // Waits for the transaction itself, should the database not know yet that its connection is gone.
        let select = "SELECT number FROM writers WHERE id = $1 FOR UPDATE";
        let values = [Value::Text(&self.writer)];
        let asked = timeout(GROUP_DEADLINE, On(&mut connection).rows(select, &values)).await;
        let rows = asked.map_err(|_| late("no answer came in time"))?.map_err(|fault| match fault {
            Fault::Broken(error) => error,
            Fault::Refused(error) => sqlx::Error::Protocol(error.to_string()),
        })?;
        self.connection = Some(connection);
        Ok(rows.first().is_some_and(|row| row.number(0).is_ok_and(|number| number == self.number)))
    }
}

/// Carries out one write behind a savepoint.
async fn one(connection: &mut PgConnection, write: &Write) -> Result<Epoch, Fault> {
    if let Write::Append { thread, fence, rows, at } = write {
        match append(connection, *thread, *fence, rows, *at).await {
            Ok(true) => return Ok(*fence),
            Err(error) if is_lost(&error) || was_in_the_way(&error) => return Err(Fault::Broken(error)),
            // `apply` finds out what is wrong, if it is wrong at all.
            Ok(false) | Err(_) => raw_sql("ROLLBACK TO SAVEPOINT one").execute(&mut *connection).await.map(drop)?,
        }
    }
    apply(&mut On(connection), write).await
}

impl Commit for Committer {
    async fn commit(&mut self, group: &[Write]) -> Vec<Answer> {
        self.number = self.number.saturating_add(1);
        let began = Instant::now();
        let all = |error: StoreError| group.iter().map(|_| Err(error.clone())).collect();
        let mut perhaps: Option<Vec<Answer>> = None;
        loop {
            let error = match perhaps.take() {
                None => match self.attempt(group).await {
                    Ok(answers) => return answers,
                    Err(NotDone::Refused(error)) => return all(error),
                    Err(NotDone::Before(error)) => error,
                    Err(NotDone::Perhaps(answers)) => {
                        tracing::warn!(store = %self.place.url, "the connection broke during a commit; it is looked up");
                        perhaps = Some(answers);
                        late("the connection broke during a commit")
                    }
                },
                Some(answers) => match self.is_stored().await {
                    Ok(true) => return answers,
                    Ok(false) => continue,
                    Err(error) => {
                        perhaps = Some(answers);
                        error
                    }
                },
            };
            if began.elapsed() >= self.place.patience {
                return match perhaps {
                    Some(_) => all(StoreError::Late(self.place.patience)),
                    None => all(unreachable(&self.place.url, &error)),
                };
            }
            tracing::debug!(%error, "the database is not there; it is tried again");
            sleep(PAUSE).await;
        }
    }
}
