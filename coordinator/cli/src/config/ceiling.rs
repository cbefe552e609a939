//! The most that a session may have on this host, whatever a coordinator asks for: `[node.ceiling]` and `ownerless_timeout_ms`.

use super::error::ConfigError;
use super::layers::{Layers, bad_value, wrong_type};
use super::permissions::reading::Reading;
use super::permissions::{limits, network};
use capstan_agent_node::default_ceiling;
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::profile::check_protected;
use capstan_types::policy::{Ceiling, Place};
use capstan_types::time::Millis;
use toml::Value;

const TABLE: &str = "node.ceiling";

const KEYS: &str = "mode, network, writable, readable, hidden, protected, level and limits";

/// How long sessions live on when whoever started them is gone. They ask for a minute; this key lowers that,
/// and no number can raise it.
const OWNERLESS: &str = "ownerless_timeout_ms";

/// The shortest time without an owner: a session must outlive the moment in which a connection is made anew.
const SHORTEST: u64 = 100;

/// The ceiling of a node.
///
/// # Errors
/// A key that is not known, or a value that cannot be used: a ceiling that is not understood would hold nothing.
pub fn ceiling(layers: &Layers) -> Result<Ceiling, ConfigError> {
    let mut ceiling = default_ceiling();
    // Whose home `~` would be is not said: a node serves several users.
    let reading = Reading::at(layers, TABLE.to_owned(), None)?;
    for (key, value) in &layers.table(TABLE)? {
        set(&reading, &mut ceiling, key, value)?;
    }
    ceiling.limits.ownerless = ownerless(layers, ceiling.limits.ownerless)?;
    Ok(ceiling)
}

fn set(reading: &Reading<'_>, ceiling: &mut Ceiling, key: &str, value: &Value) -> Result<(), ConfigError> {
    match key {
        "mode" => ceiling.mode = reading.text(key, value)?.parse().map_err(|error| reading.wrong(key, error))?,
        "network" => ceiling.network = network::read(reading, value)?,
        "writable" => ceiling.writable = Some(paths(reading, key, value)?),
        "readable" => ceiling.readable = Some(paths(reading, key, value)?),
        "hidden" => ceiling.hidden = paths(reading, key, value)?,
        "protected" => ceiling.protected = protected(reading, key, value)?,
        "level" => ceiling.level = reading.text(key, value)?.parse().map_err(|error| reading.wrong(key, error))?,
        "limits" => ceiling.limits = limits(reading, value, ceiling.limits)?,
        _ => return Err(reading.wrong(key, format!("the key is not known; a ceiling has {KEYS}"))),
    }
    Ok(())
}

fn paths(reading: &Reading<'_>, key: &str, value: &Value) -> Result<Vec<AbsPath>, ConfigError> {
    let path = |place| match place {
        Place::At(path) => Ok(path),
        Place::Workspace(_) => {
            Err(reading.wrong(key, format!("`{place}`: a node has no workspace of its own; begin it with `/`")))
        }
    };
    reading.places(key, value)?.into_iter().map(path).collect()
}

fn protected(reading: &Reading<'_>, key: &str, value: &Value) -> Result<Vec<String>, ConfigError> {
    let names = reading.texts(key, value)?;
    names.iter().try_for_each(|name| check_protected(name)).map_err(|error| reading.wrong(key, error.reason))?;
    Ok(names)
}

fn ownerless(layers: &Layers, highest: Millis) -> Result<Millis, ConfigError> {
    let Some((place, value)) = layers.find(OWNERLESS)? else { return Ok(highest) };
    let highest = highest.min(SessionLimits::default().ownerless);
    let number = value.as_integer().ok_or_else(|| wrong_type(place, OWNERLESS, "a whole number", value))?;
    match u64::try_from(number) {
        Ok(asked) if (SHORTEST..=highest.0).contains(&asked) => Ok(Millis(asked)),
        Ok(_) | Err(_) => {
            let reason = format!(
                "{number} is out of range; it is from {SHORTEST} to {} (ms), which is what sessions have without it",
                highest.0
            );
            Err(bad_value(place, OWNERLESS, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use capstan_types::policy::{Level, Network, SandboxMode};
    use std::path::Path;

    fn with_all(overrides: &[&str]) -> Result<Ceiling, String> {
        let overrides: Vec<String> = overrides.iter().map(|set| (*set).to_owned()).collect();
        let inputs = Inputs { home: Path::new("/"), user: UserConfig::Ignored, profile: None, overrides: &overrides };
        let (layers, unknown) = read(inputs).unwrap();
        assert_eq!(unknown, []);
        ceiling(&layers).map_err(|error| error.to_string())
    }

    fn with(set: &str) -> Result<Ceiling, String> {
        with_all(&[set])
    }

    #[test]
    fn the_time_without_an_owner_can_be_lowered() {
        assert_eq!(with("model=\"m\"").unwrap(), default_ceiling());
        assert_eq!(with("ownerless_timeout_ms=2500").unwrap().limits.ownerless, Millis(2500));
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        assert_eq!(with("ownerless_timeout_ms=soon").unwrap_err(), "-c: `ownerless_timeout_ms` must be a whole number, not text");
        for text in ["0", "-1", "60001"] {
            let said = with(&format!("ownerless_timeout_ms={text}")).unwrap_err();
            assert!(
                said.ends_with(&format!(
                    "{text} is out of range; it is from 100 to 60000 (ms), which is what sessions have without it"
                )),
                "{said}"
            );
        }
    }

    #[test]
    fn a_ceiling_is_read_whole() {
        let paths = |texts: &[&str]| texts.iter().map(|text| AbsPath::new(text).unwrap()).collect::<Vec<_>>();
        let read = with_all(&[
            "node.ceiling.mode=\"workspace-write\"",
            "node.ceiling.network=[\"*.crates.io\"]",
            "node.ceiling.writable=[\"/srv\", \"/tmp\"]",
            "node.ceiling.readable=[\"/data\"]",
            "node.ceiling.hidden=[\"/srv/keys\"]",
            "node.ceiling.protected=[\".env\"]",
            "node.ceiling.level=\"namespaces\"",
            "node.ceiling.limits.memory=\"1GiB\"",
            "node.ceiling.limits.processes=64",
        ])
        .unwrap();
        let limits = default_ceiling().limits.with("memory", "1GiB").unwrap().with("processes", "64").unwrap();
        let expected = Ceiling {
            mode: SandboxMode::WorkspaceWrite,
            network: Network::Hosts(vec!["*.crates.io".parse().unwrap()]),
            writable: Some(paths(&["/srv", "/tmp"])),
            readable: Some(paths(&["/data"])),
            hidden: paths(&["/srv/keys"]),
            protected: vec![".env".to_owned()],
            level: Level::Namespaces,
            limits,
        };
        assert_eq!(read, expected);
        assert_eq!(with("node.ceiling.network=\"loopback\"").unwrap().network, Network::Loopback);
    }

    #[test]
    fn what_no_ceiling_can_be_is_refused_with_what_would_be_one() {
        for (set, said) in [
            ("mode=\"most\"", "`node.ceiling.mode`: `most` is not a sandbox mode; use read-only"),
            ("network=\"some\"", "`node.ceiling.network`: `some` is no network; write none, loopback, full, or a list of hosts"),
            ("network=[\"a b\"]", "`node.ceiling.network`: "),
            ("writable=\"/srv\"", "`node.ceiling.writable` must be a list of texts, not text"),
            ("writable=[\"srv\"]", "`node.ceiling.writable`: `srv` is not a place"),
            ("hidden=[\":workspace/x\"]", "`:workspace/x`: a node has no workspace of its own; begin it with `/`"),
            ("protected=[\"/etc\"]", "`node.ceiling.protected`: `/etc` must be a relative path"),
            ("level=\"strong\"", "`node.ceiling.level`: `strong` is not a sandbox level; use landlock, namespaces or full"),
            ("limits.ram=1", "`node.ceiling.limits`: `ram` is not a limit; there are memory"),
            ("limits.memory=\"lots\"", "`node.ceiling.limits`: `memory` is `lots`; write a number of bytes"),
            ("writeable=[]", "`node.ceiling.writeable`: the key is not known; a ceiling has mode, network, writable"),
        ] {
            let error = with(&format!("node.ceiling.{set}")).unwrap_err();
            assert!(error.contains(said), "{set}: {error}");
        }
        assert_eq!(with("node.ceiling=3").unwrap_err(), "-c: `node.ceiling` must be a table, not a number");
    }
}
