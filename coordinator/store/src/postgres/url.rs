//! Where a PostgreSQL store is, without showing its password to anybody.

use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::str::FromStr;

/// A URL such as `postgres://user:password@host:5432/database?sslmode=verify-full`. What is shown of it is never its password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

/// A text that is no URL of a PostgreSQL database. It does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store's URL cannot be read ({0}); expected postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
pub struct NoPostgresUrl(String);

impl PostgresUrl {
    /// Whether a text is meant as such a URL, well-formed or not.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// How it is connected to.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn options(&self) -> Result<PgConnectOptions, NoPostgresUrl> {
        self.0.parse().map_err(|error: sqlx::Error| match error {
            sqlx::Error::Configuration(reason) => NoPostgresUrl(reason.to_string()),
            // Others may repeat what they could not read.
            _ => NoPostgresUrl("it is malformed".to_owned()),
        })
    }
}

impl FromStr for PostgresUrl {
    type Err = NoPostgresUrl;

    fn from_str(text: &str) -> Result<Self, NoPostgresUrl> {
        if !Self::is_meant(text) {
            return Err(NoPostgresUrl("it does not begin with postgres://".to_owned()));
        }
        let url = Self(text.to_owned());
        url.options().map(|_| url)
    }
}

impl fmt::Display for PostgresUrl {
    /// The host and the database.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(options) = self.options() else { return f.write_str("postgres://…") };
        match options.get_socket() {
            Some(socket) => write!(f, "postgres://{}", socket.display())?,
            None => write!(f, "postgres://{}:{}", options.get_host(), options.get_port())?,
        }
        write!(f, "/{}", options.get_database().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url: PostgresUrl = "postgres://me:s3cr%40t@db.example:6543/capstan?password=s3cret2".parse().unwrap();
        assert_eq!(url.to_string(), "postgres://db.example:6543/capstan");
        assert_eq!(format!("{url:?}"), "PostgresUrl(postgres://db.example:6543/capstan)");
        let socket: PostgresUrl = "postgres://me@localhost/db?host=/run/pg".parse().unwrap();
        assert_eq!(socket.to_string(), "postgres:///run/pg/db");
        for wrong in ["mysql://a:s3cret@b/c", "postgres://a:s3cret@b:99999999/c", "postgres://a:s3cret@[/c", "s3cret"] {
            let said = wrong.parse::<PostgresUrl>().unwrap_err().to_string();
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
}
