//! From a path to an answer. Pure, but for the reading of metrics and checks.

use super::Shown;
use std::fmt::Write as _;

/// The type of OpenMetrics text, as its specification names it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// One thing that must hold for the process to take work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name: lower-case words with hyphens.
    pub name: &'static str,
    /// Why it does not hold; `None` if it does.
    pub failed: Option<String>,
}

impl Check {
    /// A check that holds, unless there is a reason why not.
    #[must_use]
    pub const fn new(name: &'static str, failed: Option<String>) -> Self {
        Self { name, failed }
    }
}

/// An answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

/// Answers a GET of `path`.
pub(super) fn answer(path: &str, query: Option<&str>, shown: &Shown) -> Answer {
    let verbose = query.is_some_and(|query| query.split('&').any(|word| word == "verbose" || word == "verbose=true"));
    match path {
        "/livez" => health("livez", &[], verbose),
        "/readyz" => health("readyz", &(shown.checks)(), verbose),
        "/metrics" => metrics(shown),
        _ => plain(404, "not found; there are /livez, /readyz and /metrics\n".to_owned()),
    }
}

fn metrics(shown: &Shown) -> Answer {
    let mut body = String::new();
    match prometheus_client::encoding::text::encode(&mut body, &shown.registry) {
        Ok(()) => Answer { status: 200, content_type: OPEN_METRICS, body },
        Err(error) => plain(500, format!("the metrics cannot be written: {error}\n")),
    }
}

fn health(name: &str, checks: &[Check], verbose: bool) -> Answer {
    let failed = checks.iter().any(|check| check.failed.is_some());
    let status = if failed { 503 } else { 200 };
    if !failed && !verbose {
        return plain(status, "ok\n".to_owned());
    }
    let mut body = String::new();
    for Check { name, failed } in checks {
        // Writing to a string cannot fail.
        let _ = match failed {
            None => writeln!(body, "[+]{name} ok"),
            Some(reason) => writeln!(body, "[-]{name} failed: {reason}"),
        };
    }
    let _ = writeln!(body, "{name} check {}", if failed { "failed" } else { "passed" });
    plain(status, body)
}

const fn plain(status: u16, body: String) -> Answer {
    Answer { status, content_type: PLAIN, body }
}
