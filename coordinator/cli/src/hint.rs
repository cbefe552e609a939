//! What an operator can do about an answer of a coordinator that is no.

use tonic::{Code, Status};

/// A status as a sentence.
#[must_use]
pub fn sentence(status: &Status) -> String {
    match status.message() {
        "" => format!("the coordinator refused: {}", status.code()),
        message => message.to_owned(),
    }
}

/// What to do, where the status's own text does not say.
#[must_use]
pub fn hint(status: &Status) -> Option<&'static str> {
    match status.code() {
        Code::Unavailable => Some("if the store cannot be written, free some space or run with --ephemeral"),
        Code::Unauthenticated => Some("name the coordinator's token file with --coordinator-token-file"),
        _ => None,
    }
}
