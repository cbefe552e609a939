//! Why a statement, or the write that it is a part of, was not carried out.

use crate::error::StoreError;

/// Why not.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The write itself is not allowed, or what is stored cannot be read; the transaction around it is sound.
    Refused(StoreError),
    /// The database failed; what is open must be rolled back.
    Broken(sqlx::Error),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Fault {
    /// As the store's error; `failed` knows what the database means.
    pub(crate) fn told(self, failed: impl FnOnce(sqlx::Error) -> StoreError) -> StoreError {
        match self {
            Self::Refused(error) => error,
            Self::Broken(error) => failed(error),
        }
    }
}
