//! Permission profiles of a configuration: `default_permissions`, and `[permissions.NAME]`.
//!
//! The keys are Codex's where Codex has them, and shorter ones of our own beside them. What a sandbox here cannot hold is refused with a
//! sentence, never left out in silence.

mod filesystem;
pub(super) mod network;
pub(super) mod reading;

use super::error::ConfigError;
use super::layers::{Layers, bad_value, wrong_type};
use capstan_runtime::config_file::merge;
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::{PermissionProfile, Place, SandboxMode};
use filesystem::Filesystem;
use reading::Reading;
use toml::{Table, Value};

/// How many profiles may extend one another.
const DEEPEST: usize = 8;

const KEYS: &str =
    "description, extends, filesystem, workspace_roots, writable, readable, hidden, protected, network, level and limits";

/// The profile of that name.
///
/// # Errors
/// There is none, or it cannot be held, or contradicts itself.
pub fn profile(layers: &Layers, name: &str, user_home: Option<&AbsPath>) -> Result<PermissionProfile, ConfigError> {
    if let Some(built_in) = PermissionProfile::built_in(name) {
        return Ok(built_in);
    }
    let (table, base) = extended(layers, name)?;
    let reading = Reading::new(layers, name, user_home)?;
    let profile = fill(&reading, table, name, base)?;
    profile.checked().map_err(|error| reading.wrong(error.key, error.reason))
}

/// The profile's table above those that it extends, and the built-in mode that is at the bottom, if one is.
fn extended(layers: &Layers, name: &str) -> Result<(Table, Option<SandboxMode>), ConfigError> {
    let all = layers.table("permissions")?;
    let (mut merged, mut next) = (Table::new(), name.to_owned());
    for _ in 0..DEEPEST {
        let reading = Reading::new(layers, &next, None)?;
        let mut table = match all.get(&next) {
            Some(Value::Table(table)) => table.clone(),
            Some(other) => return Err(reading.type_error("", "a table", other)),
            None => return Err(ConfigError::NoPermissions { name: next, known: known(&all) }),
        };
        let extends = table.remove("extends").map(|value| reading.text("extends", &value)).transpose()?;
        merge(&mut table, merged);
        merged = table;
        match extends {
            None => return Ok((merged, None)),
            Some(parent) => match PermissionProfile::built_in(&parent) {
                Some(built_in) => return Ok((merged, Some(built_in.base))),
                None => next = parent,
            },
        }
    }
    Err(Reading::new(layers, name, None)?
        .wrong("extends", format!("more than {DEEPEST} profiles extend one another, or in a circle")))
}

fn known(all: &Table) -> String {
    let built_in = PermissionProfile::BUILT_IN.into_iter().map(|(name, _)| name);
    built_in.chain(all.keys().map(String::as_str)).collect::<Vec<_>>().join(", ")
}

fn fill(reading: &Reading<'_>, table: Table, name: &str, base: Option<SandboxMode>) -> Result<PermissionProfile, ConfigError> {
    let mut profile = PermissionProfile::extending(name, base.unwrap_or(SandboxMode::ReadOnly));
    let mut filesystem = Filesystem::new(reading);
    for (key, value) in &table {
        match key.as_str() {
            "description" => drop(reading.text(key, value)?),
            "filesystem" => filesystem.read(value)?,
            "workspace_roots" => filesystem.roots(value)?,
            "writable" => profile.writable = reading.places(key, value)?,
            "readable" => profile.readable = reading.places(key, value)?,
            "hidden" => profile.hidden = reading.places(key, value)?,
            "protected" => profile.protected = reading.texts(key, value)?,
            "network" => profile.network = network::read(reading, value)?,
            "level" => profile.level = reading.text(key, value)?.parse().map_err(|error| reading.wrong(key, error))?,
            "limits" => profile.limits = limits(reading, value, profile.limits)?,
            _ => return Err(reading.wrong(key, format!("the key is not known; a profile has {KEYS}"))),
        }
    }
    filesystem.put(&mut profile, base)?;
    Ok(profile)
}

pub(super) fn limits(reading: &Reading<'_>, value: &Value, limits: SessionLimits) -> Result<SessionLimits, ConfigError> {
    reading.table("limits", value)?.iter().try_fold(limits, |limits, (name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            other => return Err(reading.type_error(&format!("limits.{name}"), "a number or a text", other)),
        };
        limits.with(name, &text).map_err(|error| reading.wrong("limits", error))
    })
}

/// What a configuration says of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chosen {
    /// `sandbox_mode` counts.
    Mode,
    /// `default_permissions` does: the name of a profile.
    Profile(String),
}

/// Which of `sandbox_mode` and `default_permissions` counts: the one that a stronger layer has.
///
/// # Errors
/// One layer has both, and one of them would have no effect.
pub(super) fn chosen(layers: &Layers) -> Result<Option<Chosen>, ConfigError> {
    const MODE: &str = "sandbox_mode";
    const PROFILE: &str = "default_permissions";
    let Some(found) = layers.strongest(&[MODE, PROFILE])? else { return Ok(None) };
    match found.as_slice() {
        [(_, MODE, _)] => Ok(Some(Chosen::Mode)),
        [(place, key, value)] => {
            let name = value.as_str().ok_or_else(|| wrong_type(place, key, "text", value))?;
            Ok(Some(Chosen::Profile(name.to_owned())))
        }
        [(place, ..), ..] => Err(bad_value(place, PROFILE, format!("`{MODE}` is set beside it; leave out one of the two"))),
        [] => Ok(None),
    }
}

/// A text as a place: `~` is the user's home.
fn place(text: &str, user_home: Option<&AbsPath>) -> Result<Place, String> {
    let text = match (text.strip_prefix('~'), user_home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        (Some(_), _) => return Err(format!("`{text}` is not a place: whose home that is is not known")),
        (None, _) => text.to_owned(),
    };
    text.parse::<Place>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
