//! Turns the provider library's errors into failures.

use super::http::innermost;
use crate::failure::body::{self, Said};
use crate::failure::{Failure, retry_after};
use crate::limiter::Quotas;
use crate::redact::Redactor;
use genai::{BoxError, Error};
use reqwest::header::HeaderMap;
use std::time::SystemTime;

/// What went wrong. Everything in it that came from outside is redacted before it is cut to size, lest half a key be left.
pub(super) fn failure(error: &Error, redactor: &Redactor) -> Failure {
    match error {
        Error::WebStream { error, .. } => transport(error, redactor),
        Error::HttpError { status, body, headers, .. } => by_status(status.as_u16(), body, headers, redactor),
        Error::WebModelCall { webc_error, .. } | Error::WebAdapterCall { webc_error, .. } => match webc_error {
            genai::webc::Error::ResponseFailedStatus { status, body, headers } => {
                by_status(status.as_u16(), body, headers, redactor)
            }
            genai::webc::Error::Reqwest(error) => by_http(error, redactor),
            other => Failure::Cut(body::shorten(&redactor.clean(&other.to_string()))),
        },
        Error::ChatResponse { body, .. } => {
            let said = body::error_of(body).or_else(|| body::error_of(&serde_json::json!({ "error": body })));
            reported(said.unwrap_or_default(), redactor)
        }
        Error::StreamParse { serde_error, .. } => {
            Failure::Cut(body::shorten(&redactor.clean(&format!("an event cannot be understood: {serde_error}"))))
        }
        Error::JsonValueExt(error) => Failure::Cut(body::shorten(&redactor.clean(&format!("an event lacks a field: {error}")))),
        other => Failure::Unsendable(body::shorten(&redactor.clean(&other.to_string()))),
    }
}

/// An error that the provider reported inside an answer.
pub(super) fn reported(said: Said, redactor: &Redactor) -> Failure {
    let message = redactor.clean(&said.message);
    Failure::Reported { wait: retry_after::from_message(&message), code: said.code, message }
}

fn transport(error: &BoxError, redactor: &Redactor) -> Failure {
    if let Some(error) = error.downcast_ref::<Error>() {
        return failure(error, redactor);
    }
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return by_http(error, redactor);
    }
    Failure::Cut(body::shorten(&redactor.clean(&format!("the answer cannot be read: {}", innermost(error.as_ref())))))
}

fn by_http(error: &reqwest::Error, redactor: &Redactor) -> Failure {
    let cause = body::shorten(&redactor.clean(&innermost(error)));
    if error.is_builder() {
        return Failure::Unsendable(format!("the request cannot be made: {cause}"));
    }
    if error.is_connect() {
        return Failure::Unreachable(format!("cannot connect: {cause}"));
    }
    if error.is_body() || error.is_decode() {
        return Failure::Cut(format!("the connection broke while the answer was read: {cause}"));
    }
    Failure::Unreachable(format!("the connection broke before an answer came: {cause}"))
}

fn by_status(status: u16, body: &str, headers: &HeaderMap, redactor: &Redactor) -> Failure {
    let Said { code, message } = body::read(&redactor.clean(body));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let now = SystemTime::now();
    let wait = retry_after::from_headers(header, now).or_else(|| retry_after::from_message(&message));
    Failure::Status { status, code, wait, message, quotas: Box::new(Quotas::from_headers(header, now)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Secret;
    use genai::ModelIden;
    use genai::adapter::AdapterKind;

    fn model() -> ModelIden {
        ModelIden::new(AdapterKind::OpenAI, "m")
    }

    #[test]
    fn a_key_quoted_at_the_edge_of_a_long_body_is_not_left_in_half() {
        let body = format!("{{\"error\":\"{}sk-canary-0123456789\"}}", "x".repeat(590));
        let error = Error::HttpError {
            status: reqwest::StatusCode::BAD_REQUEST,
            canonical_reason: String::new(),
            body,
            headers: Box::default(),
        };
        let redactor = Redactor::of([Secret::new("sk-canary-0123456789")]);
        let said = format!("{:?}", failure(&error, &redactor));
        assert!(!said.contains("sk-"), "{said}");
    }

    #[test]
    fn an_error_inside_an_answer_keeps_its_code() {
        let body = serde_json::json!({"type": "overloaded_error", "message": "Overloaded"});
        let error = Error::ChatResponse { model_iden: model(), body };
        assert_eq!(
            failure(&error, &Redactor::default()),
            Failure::Reported { code: String::new(), wait: None, message: "Overloaded".to_owned() }
        );
    }
}
