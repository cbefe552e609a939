//! Why a coordinator did not do what was asked, and whether to ask again.

use crate::hint;
use capstan_proto::convert::Malformed;
use std::error::Error as _;
use std::time::Duration;
use tonic::{Code, Status};

/// Why a coordinator did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It said no.
    #[error("{}", hint::sentence(.0))]
    Refused(Box<Status>),
    /// It did not answer.
    #[error("the coordinator did not {what} within {} s", .deadline.as_secs())]
    Silent {
        /// What it was to do.
        what: &'static str,
        /// How long it had.
        deadline: Duration,
    },
    /// It has been away for longer than the user wants to wait.
    #[error("the coordinator at {place} could not be reached for {} s ({reason})", .patience.as_secs())]
    Away {
        /// Where it was.
        place: String,
        /// How long it was waited for.
        patience: Duration,
        /// What the last attempt met.
        reason: String,
    },
    /// The user did not wait for its answer.
    #[error("its answer was not waited for")]
    Impatient,
    /// Its answer, or what it was to be sent, makes no sense.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl ClientError {
    /// Whether the connection failed, and not the coordinator: whether it did what was asked is not known, and the same may be asked
    /// again under the same ids.
    #[must_use]
    pub fn is_lost_connection(&self) -> bool {
        match self {
            // A status that the coordinator sent has no source; one that was made here says what went wrong here.
            Self::Refused(status) => status.source().is_some(),
            Self::Silent { .. } => true,
            Self::Away { .. } | Self::Impatient | Self::Malformed(_) => false,
        }
    }

    /// Whether it says that it cannot now, such as when it stops.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Refused(status) if status.code() == Code::Unavailable)
    }

    /// The least that explains it, for the middle of a sentence.
    #[must_use]
    pub fn reason(&self) -> String {
        let Self::Refused(status) = self else { return self.to_string() };
        let mut innermost: Option<&(dyn std::error::Error + 'static)> = status.source();
        while let Some(deeper) = innermost.and_then(std::error::Error::source) {
            innermost = Some(deeper);
        }
        innermost.map_or_else(|| self.to_string(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_connection_that_failed_is_told_from_a_coordinator_that_says_no() {
        let said = ClientError::from(Status::unavailable("it stops"));
        assert!(!said.is_lost_connection() && said.is_unavailable());
        let lost = ClientError::from(Status::from_error(Box::new(io::Error::other("connection reset"))));
        assert!(lost.is_lost_connection());
        assert_eq!(lost.reason(), "connection reset");
    }
}
