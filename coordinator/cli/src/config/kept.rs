//! What a coordinator keeps and where: `store`, `[blobs]` and `[checkpoints]`.

use super::error::ConfigError;
use super::layers::Layers;
use super::permissions::reading::Reading;
use crate::failure::Failure;
use crate::home::Home;
use crate::kept::Kept;
use crate::surroundings::Surroundings;
use capstan_blobs::{Location, LocationError};
use capstan_coordinator::CheckpointRules;
use toml::Value;

const BLOBS: &str = "blobs";
const CHECKPOINTS: &str = "checkpoints";

/// What a coordinator of this home keeps, and where: what is named, else in the home.
///
/// # Errors
/// A key that is not known, or a value that is none.
pub fn kept(layers: &Layers, home: &Home, surroundings: &Surroundings) -> Result<Kept, Failure> {
    let store = super::store(layers, home, surroundings)?;
    let blobs = blobs(layers)?.unwrap_or_else(|| Location::Directory(home.blobs()));
    let usual = CheckpointRules { scratch: home.carried(), ..CheckpointRules::default() };
    let git = super::git_credentials(layers, surroundings)?;
    Ok(Kept { store, blobs: Some(blobs), checkpoints: checkpoints(layers, usual)?, git })
}

/// The store for blobs that is named.
///
/// # Errors
/// A key that is not known, or a text that names no store.
pub fn blobs(layers: &Layers) -> Result<Option<Location>, ConfigError> {
    let reading = Reading::at(layers, BLOBS.to_owned(), None)?;
    let mut blobs = None;
    for (key, value) in &layers.table(BLOBS)? {
        match key.as_str() {
            "url" => {
                let location = reading.text(key, value)?.parse();
                blobs = Some(location.map_err(|error: LocationError| reading.wrong(key, error))?);
            }
            _ => return Err(reading.wrong(key, "the key is not known; a store for blobs has url")),
        }
    }
    Ok(blobs)
}

fn checkpoints(layers: &Layers, usual: CheckpointRules) -> Result<CheckpointRules, ConfigError> {
    let reading = Reading::at(layers, CHECKPOINTS.to_owned(), None)?;
    let mut rules = usual;
    for (key, value) in &layers.table(CHECKPOINTS)? {
        match key.as_str() {
            "keep" => rules.keep = count(&reading, key, value)?,
            "days" => rules.days = count(&reading, key, value)?,
            "ignored" => rules.ignored = reading.flag(key, value)?,
            _ => return Err(reading.wrong(key, "the key is not known; checkpoints have keep, days and ignored")),
        }
    }
    Ok(rules)
}

fn count(reading: &Reading<'_>, key: &str, value: &Value) -> Result<u32, ConfigError> {
    let number = value.as_integer().ok_or_else(|| reading.type_error(key, "a whole number", value))?;
    u32::try_from(number).map_err(|_| reading.wrong(key, format!("{number} is out of range; it is 0 to {}", u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use capstan_types::path::AbsPath;

    fn found(overrides: &[&str]) -> Result<Kept, String> {
        let dir = tempfile::tempdir().unwrap();
        let variables = [("CAPSTAN_HOME".to_owned(), dir.path().join("home").to_str().unwrap().to_owned())];
        let surroundings = Surroundings::new(variables.into_iter().collect(), AbsPath::new("/").unwrap());
        let overrides: Vec<String> = overrides.iter().map(|set| (*set).to_owned()).collect();
        let inputs = Inputs { home: dir.path(), user: UserConfig::Ignored, profile: None, overrides: &overrides };
        let (layers, unknown) = read(inputs).unwrap();
        assert_eq!(unknown, []);
        kept(&layers, &Home::open(&surroundings).unwrap(), &surroundings).map_err(|failure| failure.sentence)
    }

    #[test]
    fn checkpoints_lie_in_the_home_unless_another_place_is_named() {
        let usual = found(&[]).unwrap();
        assert!(matches!(&usual.blobs, Some(Location::Directory(path)) if path.ends_with("home/blobs")));
        assert_eq!((usual.checkpoints.keep, usual.checkpoints.days, usual.checkpoints.ignored), (50, 14, false));
        let named = found(&["blobs.url=\"s3://bucket/a\"", "checkpoints.keep=3", "checkpoints.ignored=true"]).unwrap();
        assert_eq!(named.blobs.map(|blobs| blobs.to_string()).as_deref(), Some("s3://bucket/a"));
        assert_eq!((named.checkpoints.keep, named.checkpoints.ignored), (3, true));
        let ephemeral = found(&[]).unwrap().ephemeral();
        assert_eq!((ephemeral.checkpoints.keep, ephemeral.is_ephemeral()), (0, true));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (set, said) in [
            ("blobs.url=\"blobs\"", "s3://NAME/PREFIX"),
            ("blobs.path=\"/x\"", "a store for blobs has url"),
            ("checkpoints.keep=-1", "-1 is out of range"),
            ("checkpoints.hours=1", "checkpoints have keep, days and ignored"),
            ("checkpoints.ignored=1", "must be true or false"),
        ] {
            let refused = found(&[set]).unwrap_err();
            assert!(refused.contains(said), "{set}: {refused}");
        }
    }
}
