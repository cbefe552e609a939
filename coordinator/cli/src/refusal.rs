//! A coordinator's no, as a command's failure.

use crate::client::ClientError;
use crate::failure::Failure;
use crate::hint;
use tonic::Code;

/// Bad input when it is about what was asked for, a failed turn otherwise.
#[must_use]
pub fn refused(error: ClientError) -> Failure {
    let failure = match &error {
        // Another coordinator has the thread.
        ClientError::Refused(status) if matches!(status.code(), Code::Unknown | Code::Aborted) => Failure::failed(&error),
        ClientError::Refused(_) | ClientError::Malformed(_) => Failure::bad_input(&error),
        ClientError::Silent { .. } | ClientError::Away { .. } | ClientError::Impatient => Failure::failed(&error),
    };
    let hint = match &error {
        ClientError::Refused(status) => hint::hint(status).map(str::to_owned),
        ClientError::Away { .. } => {
            Some("the turn goes on if the coordinator lives; `capstan threads follow` shows it".to_owned())
        }
        ClientError::Malformed(_) | ClientError::Silent { .. } | ClientError::Impatient => None,
    };
    Failure { hint, ..failure }
}
