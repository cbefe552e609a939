//! Logs and spans of the commands.

use crate::args::ColourChoice;
use crate::config::{Layers, telemetry::endpoint};
use crate::failure::Failure;
use crate::render::Ink;
use crate::screen::{self, Stream};
use crate::surroundings::Surroundings;
use capstan_runtime::telemetry::{self, Colour, LogFilter, OtlpEndpoint, TelemetryConfig, TelemetryGuard};

/// The log of a command unless `CAPSTAN_LOG` asks for another.
const COMMAND_LOGS: &str = "off,capstan_cli=warn";

/// What a command tells besides its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    logs: LogFilter,
    colour: Colour,
    otlp: Option<OtlpEndpoint>,
}

impl Telemetry {
    /// For a command that a person watches: what the command itself warns of. Everything else it says in its output, once.
    ///
    /// # Errors
    /// `CAPSTAN_LOG` or the collector's address is malformed.
    pub fn for_command(layers: &Layers, surroundings: &Surroundings) -> Result<Self, Failure> {
        Self::with(COMMAND_LOGS.parse().map_err(Failure::bad_input)?, layers, surroundings)
    }

    /// For a daemon: what it does.
    ///
    /// # Errors
    /// As [`Telemetry::for_command`].
    pub fn for_daemon(layers: &Layers, surroundings: &Surroundings) -> Result<Self, Failure> {
        Self::with(LogFilter::progress(), layers, surroundings)
    }

    fn with(otherwise: LogFilter, layers: &Layers, surroundings: &Surroundings) -> Result<Self, Failure> {
        let logs = LogFilter::or(surroundings.variable("CAPSTAN_LOG"), otherwise).map_err(Failure::bad_input)?;
        let colour = match screen::ink(ColourChoice::Auto, Stream::Err, surroundings) {
            Ink::Ansi => Colour::Ansi,
            Ink::Plain => Colour::Plain,
        };
        let otlp = endpoint(layers, surroundings)?.map(|text| text.parse()).transpose().map_err(Failure::bad_input)?;
        Ok(Self { logs, colour, otlp })
    }
}

/// Starts it, under the program's name.
///
/// # Errors
/// The exporter cannot be started.
pub fn start(service: &str, telemetry: &Telemetry) -> Result<TelemetryGuard, Failure> {
    let Telemetry { logs, colour, otlp } = telemetry.clone();
    telemetry::init(&TelemetryConfig { service: service.to_owned(), logs, colour, otlp }).map_err(Failure::bad_input)
}
