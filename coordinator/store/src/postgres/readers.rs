//! Questions, on connections of their own. One that meets a lost connection is asked again: it changes nothing.

use super::adapter::On;
use super::fault::{failed, is_lost, unreachable};
use super::place::{CONNECT_PATIENCE, Place, late};
use crate::error::StoreError;
use crate::sql::connection::{Ask, Row, Value};
use crate::sql::fault::Fault;
use crate::sql_store::Reading;
use crate::writer::closed;
use async_trait::async_trait;
use sqlx::PgPool;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest that one question may take; longer than the database itself allows a statement, which says more.
const ANSWER: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Readers {
    place: Place,
    pool: PgPool,
}

impl Readers {
    pub(super) fn of(place: Place) -> Self {
        Self { pool: place.readers(), place }
    }

    async fn once(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let mut connection = self.pool.acquire().await?;
        let answered = timeout(ANSWER, On(&mut connection).rows(statement, values)).await;
        let answered = answered.unwrap_or_else(|_| Err(Fault::Broken(late("no answer came in time"))));
        if matches!(&answered, Err(Fault::Broken(error)) if is_lost(error)) {
            // It must not be given to the next who asks.
            drop(connection.detach());
        }
        answered
    }
}

#[async_trait]
impl Reading for Readers {
    async fn rows(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StoreError> {
        let began = Instant::now();
        loop {
            match self.once(statement, values).await {
                Ok(rows) => return Ok(rows),
                Err(Fault::Refused(error)) => return Err(error),
                Err(Fault::Broken(sqlx::Error::PoolClosed)) => return Err(closed()),
                Err(Fault::Broken(error)) if is_lost(&error) => {
                    if began.elapsed() >= self.place.patience {
                        return Err(unreachable(&self.place.url, &error));
                    }
                    sleep(PAUSE).await;
                }
                Err(Fault::Broken(error)) => return Err(failed(&error)),
            }
        }
    }

    async fn close(&self) {
        // A reader that hangs must not keep the process from ending; its connection closes with the process.
        let _ = timeout(CONNECT_PATIENCE, self.pool.close()).await;
    }
}
