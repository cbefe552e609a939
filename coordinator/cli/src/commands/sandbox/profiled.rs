//! `-P`: a permission profile, made into one whole policy for the runner.
//!
//! Invariant: a flag beside a profile takes away from it or is refused; none adds to it.

use crate::config::{self, Inputs, Layers, UserConfig, permissions};
use crate::failure::{self, Failure};
use crate::surroundings::Surroundings;
use crate::workspace::{self, GitCheck};
use capstan_types::limits::SessionLimits;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, Network, SandboxMode, SandboxPolicy};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

/// A profile where it is used, and what is left of it by the flags beside it.
struct Narrowed {
    name: String,
    policy: SandboxPolicy,
    limits: SessionLimits,
}

/// The profile that is named before the command, if one is.
pub(super) fn named(args: &[OsString]) -> Result<Option<String>, Failure> {
    let Some(flag) = pairs(args).find(|pair| pair.first().is_some_and(|flag| flag == "-P" || flag == "--permission-profile"))
    else {
        return Ok(None);
    };
    let name = flag.get(1).and_then(|name| name.to_str());
    name.map(|name| Some(name.to_owned()))
        .ok_or_else(|| Failure::bad_input("`-P` needs the name of a permission profile behind it"))
}

/// The arguments of `run` with the profile as a whole policy, and without the flags that went into it. `home` is where the configuration
/// is, if there is one.
///
/// # Errors
/// The profile cannot be used, or a flag beside it would add to it.
pub(super) fn translated(
    args: &[OsString],
    name: String,
    home: Option<&Path>,
    surroundings: &Surroundings,
) -> Result<Vec<OsString>, Failure> {
    let mut narrowed = Narrowed::at(name, directory(args, surroundings)?, home, surroundings)?;
    let mut passed = Vec::new();
    for pair in pairs(args) {
        let text = pair.get(1).map(|value| value.to_string_lossy()).unwrap_or_default();
        if !narrowed.takes(&pair.first().map(|flag| flag.to_string_lossy()).unwrap_or_default(), &text)? {
            passed.extend_from_slice(pair);
        }
    }
    let whole = serde_json::to_string(&(&narrowed.policy, &narrowed.limits)).map_err(Failure::failed)?;
    let before = [OsString::from("run"), "--policy".into(), whole.into()];
    Ok(before.into_iter().chain(passed).chain(args.iter().skip(flags_end(args)).cloned()).collect())
}

fn flags_end(args: &[OsString]) -> usize {
    // The value of a flag is never the `--` before the command.
    (1..args.len()).step_by(2).find(|at| args.get(*at).is_some_and(|arg| arg == "--")).unwrap_or(args.len())
}

/// Flags and their values, behind the verb.
fn pairs(args: &[OsString]) -> std::slice::Chunks<'_, OsString> {
    args.get(1..flags_end(args)).unwrap_or_default().chunks(2)
}

fn directory(args: &[OsString], surroundings: &Surroundings) -> Result<AbsPath, Failure> {
    let named = pairs(args).rfind(|pair| pair.first().is_some_and(|flag| flag == "-C" || flag == "--cd"));
    let directory = named.and_then(|pair| pair.get(1)).map_or_else(|| OsStr::new("."), OsString::as_os_str);
    workspace::local(&surroundings.absolute(Path::new(directory))?, GitCheck::Skipped)
}

impl Narrowed {
    fn at(name: String, root: AbsPath, home: Option<&Path>, surroundings: &Surroundings) -> Result<Self, Failure> {
        let read = |home| config::read(Inputs { home, user: UserConfig::Read, profile: None, overrides: &[] });
        let layers = home.map(read).transpose()?.map_or_else(Layers::default, |(layers, _)| layers);
        let user_home = surroundings.variable("HOME").and_then(|home| AbsPath::new(home).ok());
        let profile = permissions::profile(&layers, &name, user_home.as_ref())?;
        let temporary = ["/tmp"].into_iter().chain(surroundings.variable("TMPDIR"));
        let temporary: Vec<AbsPath> =
            temporary.filter(|dir| Path::new(dir).is_dir()).filter_map(|dir| AbsPath::new(dir).ok()).collect();
        let limits = SessionLimits { output: None, idle: None, ..profile.limits };
        if limits != profile.limits {
            failure::warn(
                &mut io::stderr(),
                "limits of output and idle time hold for a node's sessions only, not for this command",
            );
        }
        Ok(Self { policy: profile.policy(&root, &temporary), limits, name })
    }

    /// Takes a flag that changes the policy or the limits; false for any other.
    fn takes(&mut self, flag: &str, value: &str) -> Result<bool, Failure> {
        let bad = |error: &dyn std::fmt::Display| Failure::bad_input(format!("`{flag} {value}`: {error}"));
        match flag {
            "-P" | "--permission-profile" => {}
            "-s" | "--sandbox" => {
                return Err(Failure::bad_input(format!(
                    "`{flag}` and the permission profile `{}` exclude each other; leave out one of the two",
                    self.name
                )));
            }
            "-w" | "--writable" | "-r" | "--readable" => return Err(self.wider(flag, value)),
            "-n" | "--network" => self.policy.network = self.network(value.parse().map_err(|error| bad(&error))?, flag, value)?,
            "--level" => self.policy.level = self.level(value.parse().map_err(|error| bad(&error))?, flag, value)?,
            "-l" | "--limit" => {
                let asked = self.limits.with_flag(value).map_err(|error| bad(&error))?;
                if asked.narrow(&self.limits) != asked {
                    return Err(self.wider(flag, value));
                }
                self.limits = SessionLimits { output: None, idle: None, ..asked };
                if self.limits != asked {
                    return Err(bad(&"it holds for a node's sessions only; this command writes its output where you do"));
                }
            }
            "--protect" if self.is_open() => return Err(self.unheld(flag)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn is_open(&self) -> bool {
        self.policy.mode == SandboxMode::DangerFullAccess
    }

    fn network(&self, asked: Network, flag: &str, value: &str) -> Result<Network, Failure> {
        match asked.meet(&self.policy.network) == asked {
            true if self.is_open() && !asked.is_full() => Err(self.unheld(flag)),
            true => Ok(asked),
            false => Err(self.wider(flag, value)),
        }
    }

    fn level(&self, asked: Level, flag: &str, value: &str) -> Result<Level, Failure> {
        match asked >= self.policy.level {
            true if self.is_open() && asked > Level::None => Err(self.unheld(flag)),
            true => Ok(asked),
            false => Err(self.wider(flag, value)),
        }
    }

    fn wider(&self, flag: &str, value: &str) -> Failure {
        let name = &self.name;
        Failure::bad_input(format!("`{flag} {value}` would allow more than the permission profile `{name}` does"))
            .hint(format!("leave it out, or change [permissions.{}] in config.toml", name.trim_start_matches(':')))
    }

    fn unheld(&self, flag: &str) -> Failure {
        Failure::bad_input(format!("there is no sandbox under the permission profile `{}` to hold `{flag}`", self.name))
            .hint("leave it out, or choose another profile")
    }
}

#[cfg(test)]
mod tests;
