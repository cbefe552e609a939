//! Log lines on standard error.

use super::{Colour, TelemetryError};
use std::str::FromStr;
use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, Filtered};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

/// Which log lines are written: a level, and levels for single modules, such as `info,capstan_coordinator=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter that `wanted` asks for, the value of `CAPSTAN_LOG`, or `otherwise` when nothing is wanted.
    ///
    /// # Errors
    /// [`TelemetryError::Filter`] when what is wanted is not valid.
    pub fn or(wanted: Option<&str>, otherwise: Self) -> Result<Self, TelemetryError> {
        match wanted.map(str::trim) {
            None | Some("") => Ok(otherwise),
            Some(text) => text.parse(),
        }
    }

    /// Warnings and errors: for commands that a person watches.
    #[must_use]
    pub fn warnings() -> Self {
        Self("warn".to_owned())
    }

    /// What daemons write.
    #[must_use]
    pub fn progress() -> Self {
        Self("info,ractor=warn".to_owned())
    }

    fn directives(&self) -> EnvFilter {
        // It was parsed when it was made; the lossy form cannot fail and drops nothing here.
        EnvFilter::builder().parse_lossy(&self.0)
    }
}

impl FromStr for LogFilter {
    type Err = TelemetryError;

    fn from_str(text: &str) -> Result<Self, TelemetryError> {
        match EnvFilter::builder().parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(TelemetryError::Filter { filter: text.to_owned(), reason: error.to_string() }),
        }
    }
}

pub(super) fn layer<S>(filter: &LogFilter, colour: Colour) -> Filtered<impl Layer<S> + use<S>, EnvFilter, S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(colour == Colour::Ansi).with_target(true);
    lines.with_filter(filter.directives())
}
