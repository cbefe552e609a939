//! One HTTP answer, and the ways in which it can go wrong.

use serde_json::json;
use std::time::Duration;

/// One answer of the server.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) content: Content,
    pub(super) delivery: Delivery,
}

/// What is sent.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Server-sent events, each as it goes over the wire.
    Events(Vec<String>),
    /// A whole body.
    Body { status: u16, headers: Vec<(String, String)>, body: String },
    /// Nothing, and the connection stays open.
    Silence,
    /// Nothing, and the connection is closed.
    HangUp,
}

/// How events are sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Delivery {
    /// Each at once.
    Whole,
    /// A few bytes at a time.
    Dripped { bytes: usize, pause: Duration },
    /// The connection is closed in the middle of this event.
    CutIn { event: usize },
    /// The body ends properly before this event.
    EndsBefore { event: usize },
    /// Nothing more is sent from this event on, and the connection stays open.
    StallsBefore { event: usize },
}

impl Reply {
    pub(super) const fn events(events: Vec<String>) -> Self {
        Self::new(Content::Events(events))
    }

    const fn new(content: Content) -> Self {
        Self { content, delivery: Delivery::Whole }
    }

    /// A refusal, with the body that the Responses API gives it.
    #[must_use]
    pub fn refused(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"error": {"type": code, "code": code, "message": message, "param": null}}).to_string();
        Self::new(Content::Body { status, headers: Vec::new(), body })
    }

    /// 429 without a word about when to come back.
    #[must_use]
    pub fn too_many_requests() -> Self {
        Self::refused(429, "rate_limit_exceeded", "Rate limit reached for requests")
    }

    /// 429, with the seconds after which to come back.
    #[must_use]
    pub fn too_many_requests_until(seconds: u32) -> Self {
        Self::too_many_requests().with_header("retry-after", &seconds.to_string())
    }

    /// 500, 503 and their like.
    #[must_use]
    pub fn server_error(status: u16) -> Self {
        Self::refused(status, "server_error", "The server had an error while processing your request")
    }

    /// An error body under status 200, as some gateways send it.
    #[must_use]
    pub fn error_under_200(message: &str) -> Self {
        Self::refused(200, "server_error", message)
    }

    /// A body that is whatever the test wants, under status 200.
    #[must_use]
    pub fn body(content_type: &str, body: &str) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self::new(Content::Body { status: 200, headers, body: body.to_owned() })
    }

    /// No answer at all; the connection stays open.
    #[must_use]
    pub const fn silence() -> Self {
        Self::new(Content::Silence)
    }

    /// No answer; the connection is closed.
    #[must_use]
    pub const fn hang_up() -> Self {
        Self::new(Content::HangUp)
    }

    /// Adds a header. Events have fixed headers and keep them.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Content::Body { headers, .. } = &mut self.content {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Sends the events slowly: so many bytes, then a pause, and so on, without regard for where events or characters end.
    #[must_use]
    pub const fn dripped(mut self, bytes: usize, pause: Duration) -> Self {
        self.delivery = Delivery::Dripped { bytes, pause };
        self
    }

    /// Closes the connection in the middle of an event, counted from 0.
    #[must_use]
    pub const fn cut_in(mut self, event: usize) -> Self {
        self.delivery = Delivery::CutIn { event };
        self
    }

    /// Ends the body as if it were whole, before an event, counted from 0.
    #[must_use]
    pub const fn ends_before(mut self, event: usize) -> Self {
        self.delivery = Delivery::EndsBefore { event };
        self
    }

    /// Falls silent before an event, counted from 0, and keeps the connection open.
    #[must_use]
    pub const fn stalls_before(mut self, event: usize) -> Self {
        self.delivery = Delivery::StallsBefore { event };
        self
    }
}
