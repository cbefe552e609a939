//! Why one try failed, in the terms in which it is decided whether to try again.

use crate::client::ModelError;
use crate::limiter::Quotas;
use std::time::Duration;

pub(crate) mod body;
pub(crate) mod retry_after;

/// Why one try failed. Its texts hold no secret: whoever makes one has redacted them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The provider answered with an error status.
    Status {
        /// The HTTP status.
        status: u16,
        /// The provider's word for it, or nothing.
        code: String,
        /// How long the provider asks to wait.
        wait: Option<Duration>,
        /// What it says.
        message: String,
        /// What it says of its quotas.
        quotas: Box<Quotas>,
    },
    /// The provider reported an error inside its answer.
    Reported {
        /// The provider's word for it, or nothing.
        code: String,
        /// How long the provider asks to wait.
        wait: Option<Duration>,
        /// What it says.
        message: String,
    },
    /// There was no connection, or it broke before an answer.
    Unreachable(String),
    /// Nothing came for so long.
    Silent(Duration),
    /// The answer broke off, or could not be understood.
    Cut(String),
    /// The provider ended the answer early on purpose.
    Incomplete(String),
    /// The request could not be made.
    Unsendable(String),
}

/// What a failure means for the next try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may work the next time. The text is for people.
    Again(String),
    /// It may work later.
    Later {
        /// How long the provider asks to wait.
        wait: Option<Duration>,
        /// What it says.
        message: String,
    },
    /// The next try would end the same way.
    Never(ModelError),
}

impl Failure {
    /// What it means for the next try.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Status { status, code, wait, message, .. } => by_status(*status, code, *wait, message),
            Self::Reported { code, wait, message } => by_code(code, *wait, message)
                .unwrap_or_else(|| Verdict::Again(if code.is_empty() { message.clone() } else { format!("{code}: {message}") })),
            Self::Unreachable(reason) => Verdict::Again(reason.clone()),
            Self::Silent(for_so_long) => Verdict::Again(format!("nothing came for {} s", for_so_long.as_secs_f32())),
            Self::Cut(reason) => Verdict::Again(reason.clone()),
            Self::Incomplete(reason) => Verdict::Never(ModelError::Incomplete(reason.clone())),
            Self::Unsendable(reason) => Verdict::Never(ModelError::Refused(reason.clone())),
        }
    }

    /// Whether it came before any part of an answer, so that the limit for requests counts and not that for streams.
    pub(crate) const fn is_before_the_answer(&self) -> bool {
        match self {
            // A rate limit is waited out as long as either limit allows.
            Self::Status { status, .. } => *status != 429,
            Self::Unreachable(_) | Self::Unsendable(_) => true,
            Self::Reported { .. } | Self::Silent(_) | Self::Cut(_) | Self::Incomplete(_) => false,
        }
    }

    /// What it says to whoever paces requests, if the provider refused because it is too much for it: the wait that it asks for, and
    /// its quotas. One that is asked less may have answered.
    pub(crate) fn overload(&self) -> Option<(Option<Duration>, Quotas)> {
        match (self, self.verdict()) {
            (Self::Status { quotas, .. }, Verdict::Later { wait, .. }) => Some((wait, **quotas)),
            (_, Verdict::Later { wait, .. }) => Some((wait, Quotas::default())),
            (Self::Status { status: 503 | 529, wait, quotas, .. }, Verdict::Again(_)) => Some((*wait, **quotas)),
            (Self::Reported { code, wait, .. }, Verdict::Again(_)) if OVERLOADED.contains(&code.as_str()) => {
                Some((*wait, Quotas::default()))
            }
            (_, Verdict::Again(_) | Verdict::Never(_)) => None,
        }
    }

    /// Its short name for telemetry, as `error.type`.
    pub(crate) fn kind(&self) -> String {
        match self {
            Self::Status { status, .. } => status.to_string(),
            Self::Reported { code, .. } if code.is_empty() => "reported".to_owned(),
            Self::Reported { code, .. } => code.chars().take(64).collect(),
            Self::Unreachable(_) => "unreachable".to_owned(),
            Self::Silent(_) => "timeout".to_owned(),
            Self::Cut(_) => "cut".to_owned(),
            Self::Incomplete(_) => "incomplete".to_owned(),
            Self::Unsendable(_) => "unsendable".to_owned(),
        }
    }
}

/// Words for a provider that is asked too much by everybody.
const OVERLOADED: [&str; 4] = ["overloaded_error", "server_is_overloaded", "slow_down", "UNAVAILABLE"];

fn by_status(status: u16, code: &str, wait: Option<Duration>, message: &str) -> Verdict {
    let message = format!("{status}{}{message}", if message.is_empty() { "" } else { ": " });
    match by_code(code, wait, &message) {
        // An overloaded provider may word it as an error of the request; its status is the plainer one.
        Some(verdict @ Verdict::Never(_)) if status < 500 => return verdict,
        Some(verdict @ Verdict::Later { .. }) => return verdict,
        Some(Verdict::Never(_) | Verdict::Again(_)) | None => {}
    }
    match status {
        401 => Verdict::Never(ModelError::Credentials(message)),
        429 => Verdict::Later { wait, message },
        // A time-out, a conflict or "too early", all of them passing.
        408 | 409 | 425 => Verdict::Again(message),
        400 | 413 | 422 if speaks_of_window(&message) => Verdict::Never(ModelError::ContextWindow(message)),
        300..=399 => Verdict::Never(ModelError::Refused(format!("{message} (a redirect; set base_url to where it leads)"))),
        404 => Verdict::Never(ModelError::Refused(format!("{message} (check the model's name and the provider's base_url)"))),
        500.. if wait.is_some() => Verdict::Later { wait, message },
        500.. => Verdict::Again(message),
        _ => Verdict::Never(ModelError::Refused(message)),
    }
}

fn by_code(code: &str, wait: Option<Duration>, message: &str) -> Option<Verdict> {
    let text = || message.to_owned();
    match code {
        "context_length_exceeded" | "model_context_window_exceeded" => Some(Verdict::Never(ModelError::ContextWindow(text()))),
        "insufficient_quota" | "billing_hard_limit_reached" | "billing_error" | "usage_limit_reached" => Some(Verdict::Never(
            ModelError::RateLimited(format!("{message} (the account's quota is used up; waiting does not help)")),
        )),
        "invalid_api_key" | "authentication_error" | "UNAUTHENTICATED" => Some(Verdict::Never(ModelError::Credentials(text()))),
        "rate_limit_exceeded" | "rate_limit_error" | "RESOURCE_EXHAUSTED" => Some(Verdict::Later { wait, message: text() }),
        "invalid_prompt"
        | "permission_error"
        | "not_found_error"
        | "model_not_found"
        | "invalid_request_error"
        | "request_too_large"
        | "INVALID_ARGUMENT"
        | "PERMISSION_DENIED"
        | "NOT_FOUND"
        | "blocked" => Some(refused(message)),
        _ => None,
    }
}

fn refused(message: &str) -> Verdict {
    if speaks_of_window(message) {
        return Verdict::Never(ModelError::ContextWindow(message.to_owned()));
    }
    Verdict::Never(ModelError::Refused(message.to_owned()))
}

/// Whether an error without a code of its own is about the length of the prompt. These are the providers' own phrases.
fn speaks_of_window(message: &str) -> bool {
    const PHRASES: [&str; 6] = [
        "context_length_exceeded",
        "maximum context length",
        "prompt is too long",
        "exceeds the maximum number of tokens",
        "exceed context limit",
        "context window",
    ];
    let message = message.to_lowercase();
    PHRASES.iter().any(|phrase| message.contains(phrase))
}

#[cfg(test)]
mod tests;
