//! The most that a session may ask of the node: `ownerless_timeout_ms`.

use super::error::ConfigError;
use super::layers::{Layers, bad_value, wrong_type};
use capstan_agent_node::Ceilings;
use capstan_types::time::Millis;

/// How long sessions live on when whoever started them is gone. They ask for a minute; this key can lower that.
const OWNERLESS: &str = "ownerless_timeout_ms";

/// The shortest time without an owner: a session must outlive the moment in which a connection is made anew.
const SHORTEST: u64 = 100;

/// The ceilings of a node.
///
/// # Errors
/// A value that is no number, or out of its range.
pub fn ceilings(layers: &Layers) -> Result<Ceilings, ConfigError> {
    let ceilings = Ceilings::default();
    let Some((place, value)) = layers.find(OWNERLESS)? else { return Ok(ceilings) };
    let number = value.as_integer().ok_or_else(|| wrong_type(place, OWNERLESS, "a whole number", value))?;
    match u64::try_from(number) {
        Ok(asked) if (SHORTEST..=ceilings.ownerless.0).contains(&asked) => Ok(Ceilings { ownerless: Millis(asked), ..ceilings }),
        Ok(_) | Err(_) => {
            let reason = format!("{number} is out of range; it is from {SHORTEST} to {} (ms)", ceilings.ownerless.0);
            Err(bad_value(place, OWNERLESS, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use std::path::Path;

    fn with(set: &str) -> Result<Ceilings, String> {
        let overrides = [set.to_owned()];
        let inputs = Inputs { home: Path::new("/"), user: UserConfig::Ignored, profile: None, overrides: &overrides };
        let (layers, unknown) = read(inputs).unwrap();
        assert_eq!(unknown, []);
        ceilings(&layers).map_err(|error| error.to_string())
    }

    #[test]
    fn the_time_without_an_owner_can_be_lowered() {
        assert_eq!(with("model=\"m\"").unwrap(), Ceilings::default());
        assert_eq!(with("ownerless_timeout_ms=2500").unwrap().ownerless, Millis(2500));
    }

    #[test]
    fn a_time_that_is_none_is_refused() {
        assert_eq!(with("ownerless_timeout_ms=soon").unwrap_err(), "-c: `ownerless_timeout_ms` must be a whole number, not text");
        for text in ["0", "-1", "3600001"] {
            let said = with(&format!("ownerless_timeout_ms={text}")).unwrap_err();
            assert!(said.ends_with(&format!("{text} is out of range; it is from 100 to 3600000 (ms)")), "{said}");
        }
    }
}
