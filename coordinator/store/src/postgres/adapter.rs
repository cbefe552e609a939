//! The statements' seam, on a connection to PostgreSQL.

use crate::sql::connection::{Ask, Cell, Row, Sql, Value};
use crate::sql::fault::Fault;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row as _, TypeInfo, ValueRef, query};

/// A connection.
pub(super) struct On<'c>(pub(super) &'c mut PgConnection);

impl Sql for On<'_> {
    async fn execute(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, Fault> {
        let done = bound(statement, values).execute(&mut *self.0).await?;
        Ok(done.rows_affected())
    }
}

impl Ask for On<'_> {
    async fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let rows = bound(statement, values).fetch_all(&mut *self.0).await?;
        Ok(rows.iter().map(row_of).collect::<Result<_, _>>()?)
    }
}

fn bound(statement: &str, values: &[Value<'_>]) -> Query<'static, Postgres, PgArguments> {
    // The text is made of constants (the seam's invariant).
    let asked = query(AssertSqlSafe(statement.to_owned()));
    values.iter().fold(asked, |asked, value| match *value {
        Value::Text(text) => asked.bind(text.to_owned()),
        Value::MaybeText(text) => asked.bind(text.map(str::to_owned)),
        Value::Words(text) => asked.bind(text.as_bytes().to_vec()),
        Value::MaybeWords(text) => asked.bind(text.map(|text| text.as_bytes().to_vec())),
        Value::Number(number) => asked.bind(number),
        Value::MaybeNumber(number) => asked.bind(number),
    })
}

fn row_of(row: &PgRow) -> Result<Row, sqlx::Error> {
    (0..row.len()).map(|index| cell_of(row, index)).collect::<Result<_, _>>().map(Row)
}

fn cell_of(row: &PgRow, index: usize) -> Result<Cell, sqlx::Error> {
    let raw = row.try_get_raw(index)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match raw.type_info().name() {
        "INT8" => Cell::Number(row.try_get(index)?),
        "INT4" => Cell::Number(row.try_get::<i32, _>(index)?.into()),
        "BYTEA" => {
            let text = String::from_utf8(row.try_get(index)?);
            Cell::Text(text.map_err(|error| sqlx::Error::Decode(Box::new(error)))?)
        }
        _ => Cell::Text(row.try_get(index)?),
    })
}
