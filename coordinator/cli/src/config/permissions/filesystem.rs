//! Codex's table of paths: each with `read`, `write` or `deny`, and names for the places that every machine has.

use super::reading::Reading;
use crate::config::error::ConfigError;
use capstan_types::policy::{Level, PermissionProfile, Place, SandboxMode};
use toml::Value;

const KEY: &str = "filesystem";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    Deny,
}

/// What the table says, until it is known what it is added to.
#[derive(Debug)]
pub(super) struct Filesystem<'a> {
    reading: &'a Reading<'a>,
    rules: Vec<(Place, Access)>,
    workspace: Option<Access>,
    temp: Option<bool>,
    level: Level,
}

impl<'a> Filesystem<'a> {
    pub(super) const fn new(reading: &'a Reading<'a>) -> Self {
        Self { reading, rules: Vec::new(), workspace: None, temp: None, level: Level::None }
    }

    /// Reads `filesystem`.
    pub(super) fn read(&mut self, value: &Value) -> Result<(), ConfigError> {
        for (path, value) in self.reading.table(KEY, value)? {
            match (path.as_str(), value) {
                // How far patterns are looked for, and what git may write: patterns are refused, and git may write what it needs.
                ("glob_scan_max_depth", Value::Integer(_)) | ("allow_limited_git_writes", Value::Boolean(_)) => {}
                (_, Value::Table(inner)) => {
                    for (below, value) in inner {
                        self.rule(&joined(path, below), &access(self.reading, path, value)?)?;
                    }
                }
                (_, value) => self.rule(path, &access(self.reading, path, value)?)?,
            }
        }
        Ok(())
    }

    /// Reads `workspace_roots`: directories that are treated as the workspace is.
    pub(super) fn roots(&mut self, value: &Value) -> Result<(), ConfigError> {
        for (path, value) in self.reading.table("workspace_roots", value)? {
            if self.reading.flag(&format!("workspace_roots.\"{path}\""), value)? {
                let place = self.reading.place("workspace_roots", path)?;
                self.rules.push((place, Access::Write));
            }
        }
        Ok(())
    }

    fn rule(&mut self, path: &str, access: &Access) -> Result<(), ConfigError> {
        match (path, access) {
            // The system's own files are always readable.
            (":minimal", Access::Read) => {}
            (":minimal", _) => return Err(self.refused(path, "the system's own files can be read and never written")),
            // Nothing but what is listed can be read, which only a root of its own can hold.
            (":root", Access::Deny) => self.level = self.level.max(Level::Namespaces),
            (":root", Access::Read) => self.rules.push((Place::At(capstan_types::path::AbsPath::root()), Access::Read)),
            (":root", Access::Write) => return Err(self.refused(path, "everything is only written by :danger-full-access")),
            (":tmpdir" | ":slash_tmp", access) => self.temp = Some(self.temp.unwrap_or(false) || *access == Access::Write),
            (path, access) => {
                let named = [":workspace_roots", ":project_roots", ":cwd"].iter().find_map(|name| path.strip_prefix(name));
                let place = match named {
                    Some(rest) => self.reading.place(KEY, &format!(":workspace{rest}"))?,
                    None => self.reading.place(KEY, path)?,
                };
                if place == Place::workspace() {
                    self.workspace = Some(*access);
                } else {
                    self.rules.push((place, *access));
                }
            }
        }
        Ok(())
    }

    fn refused(&self, path: &str, reason: &str) -> ConfigError {
        self.reading.wrong(KEY, format!("`{path}`: {reason}"))
    }

    /// Adds all of it to the profile, whose base is `named` or has to follow from what is said of the workspace.
    pub(super) fn put(self, profile: &mut PermissionProfile, named: Option<SandboxMode>) -> Result<(), ConfigError> {
        profile.base = match (self.workspace, named) {
            (None, None) => {
                return Err(self.reading.wrong(
                    "extends",
                    "it is missing; name :read-only, :workspace, :danger-full-access or a profile, or say under \
                     filesystem.\":workspace_roots\" what \".\" is",
                ));
            }
            (None, Some(base)) => base,
            (Some(_), Some(SandboxMode::DangerFullAccess)) => {
                return Err(self
                    .reading
                    .wrong(KEY, "there is no sandbox under :danger-full-access to hold it; extend another profile"));
            }
            (Some(Access::Read), _) => SandboxMode::ReadOnly,
            (Some(Access::Write), _) => SandboxMode::WorkspaceWrite,
            (Some(Access::Deny), _) => {
                return Err(self.refused(":workspace", "the workspace of a session cannot be hidden from it"));
            }
        };
        profile.level = profile.level.max(self.level);
        profile.temp = self.temp.unwrap_or(profile.temp);
        for (place, access) in &self.rules {
            self.add(profile, place, *access)?;
        }
        Ok(())
    }

    fn add(&self, profile: &mut PermissionProfile, place: &Place, access: Access) -> Result<(), ConfigError> {
        let inside = matches!(place, Place::Workspace(_));
        let writable = profile.base == SandboxMode::WorkspaceWrite;
        match access {
            Access::Deny => profile.hidden.push(place.clone()),
            Access::Read if inside && writable => {
                return Err(self.refused(
                    &place.to_string(),
                    "one place in a writable workspace cannot be read-only; name it under `protected`, which holds wherever it occurs",
                ));
            }
            Access::Read if inside => {}
            Access::Read => profile.readable.push(place.clone()),
            Access::Write if place.is_protected() => {
                return Err(self
                    .refused(&place.to_string(), "it is read-only in every sandbox, because what is in it runs outside of one"));
            }
            Access::Write if inside && writable => {}
            Access::Write => profile.writable.push(place.clone()),
        }
        Ok(())
    }
}

fn joined(path: &str, below: &str) -> String {
    match below {
        "." | "" => path.to_owned(),
        below => format!("{path}/{}", below.strip_prefix("./").unwrap_or(below)),
    }
}

fn access(reading: &Reading<'_>, path: &str, value: &Value) -> Result<Access, ConfigError> {
    match value.as_str() {
        Some("read") => Ok(Access::Read),
        Some("write") => Ok(Access::Write),
        Some("deny" | "none") => Ok(Access::Deny),
        Some(other) => Err(reading.wrong(KEY, format!("`{path}`: `{other}` is no access; write read, write or deny"))),
        None => Err(reading.type_error(&format!("{KEY}.\"{path}\""), "read, write or deny", value)),
    }
}
