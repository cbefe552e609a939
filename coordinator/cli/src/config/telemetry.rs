//! Where spans are sent: `OTEL_EXPORTER_OTLP_ENDPOINT`, else `[otel]`.

use super::error::ConfigError;
use super::layers::{Layers, wrong_type};
use crate::surroundings::Surroundings;
use toml::Value;

/// The variables that name a collector, in the order in which they count.
const VARIABLES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// The keys that say where spans go, in the order in which they count.
const KEYS: [&str; 2] = ["otel.trace_exporter", "otel.exporter"];

/// The collector's address, if spans are wanted.
///
/// # Errors
/// An exporter that is written in a form that there is not.
pub fn endpoint(layers: &Layers, surroundings: &Surroundings) -> Result<Option<String>, ConfigError> {
    if let Some(named) = VARIABLES.iter().find_map(|name| surroundings.variable(name)) {
        return Ok(Some(named.to_owned()));
    }
    for key in KEYS {
        if let Some((place, value)) = layers.find(key)? {
            // `otlp-http` and a bare word name nothing that spans could be sent to by gRPC; they are Codex's, and no mistake.
            return match value {
                Value::String(_) => Ok(None),
                Value::Table(table) => Ok(grpc_endpoint(table)),
                other => Err(wrong_type(place, key, "\"none\" or a table", other)),
            };
        }
    }
    Ok(None)
}

fn grpc_endpoint(exporter: &toml::Table) -> Option<String> {
    exporter.get("otlp-grpc")?.get("endpoint")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use capstan_types::path::AbsPath;

    fn found(config: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        let inputs = Inputs { home: dir.path(), user: UserConfig::Read, profile: None, overrides: &[] };
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let surroundings = Surroundings::new(variables, AbsPath::new("/").unwrap());
        endpoint(&read(inputs).unwrap().0, &surroundings).map_err(|error| error.to_string())
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let config = "[otel]\nexporter = { otlp-grpc = { endpoint = 'http://file:4317' } }";
        assert_eq!(found(config, &[]).unwrap().as_deref(), Some("http://file:4317"));
        let general = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4317");
        assert_eq!(found(config, &[general]).unwrap().as_deref(), Some(general.1));
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4317");
        assert_eq!(found(config, &[general, traces]).unwrap().as_deref(), Some(traces.1));
    }

    #[test]
    fn an_exporter_for_traces_goes_before_the_one_for_logs() {
        let config = "[otel]\nexporter = { otlp-grpc = { endpoint = 'http://a:1' } }\ntrace_exporter = 'none'";
        assert_eq!(found(config, &[]), Ok(None));
        assert_eq!(found("otel.exporter = { otlp-http = { endpoint = 'http://a:1' } }", &[]), Ok(None));
        assert!(
            found("otel.exporter = 5", &[]).unwrap_err().ends_with("`otel.exporter` must be \"none\" or a table, not a number")
        );
    }
}
