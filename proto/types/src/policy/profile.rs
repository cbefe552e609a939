//! Permission profiles: a sandbox under a name of the user's own.
//!
//! A profile knows no machine: places in the workspace are kept as such until a node says where the workspace is. Reading one checks
//! that it does not contradict itself; code that holds a checked profile may trust it.

mod place;

pub use place::Place;

use crate::limits::{LimitError, SessionLimits};
use crate::path::AbsPath;
use crate::policy::{Level, Network, SandboxMode, SandboxPolicy};
use serde::{Deserialize, Serialize};

/// A sandbox policy that is not yet at a workspace, and the limits that go with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionProfile {
    /// Its name. Those of the built-in ones begin with a colon.
    pub name: String,
    /// The mode that it extends: whether the workspace may be written, and whether there is a sandbox.
    pub base: SandboxMode,
    /// Whether the node's temporary directories may be written.
    pub temp: bool,
    /// What may be written besides the workspace.
    #[serde(default)]
    pub writable: Vec<Place>,
    /// What may be read besides the system, the workspace and what may be written.
    #[serde(default)]
    pub readable: Vec<Place>,
    /// What may be neither read nor written, even below the others.
    #[serde(default)]
    pub hidden: Vec<Place>,
    /// Relative paths that are read-only wherever they occur, besides [`crate::policy::PROTECTED`].
    #[serde(default)]
    pub protected: Vec<String>,
    /// Which network there is.
    pub network: Network,
    /// The least that must be in force.
    pub level: Level,
    /// What each session may use.
    pub limits: SessionLimits,
}

/// A profile that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {reason}")]
pub struct ProfileError {
    /// The key that is wrong.
    pub key: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl From<LimitError> for ProfileError {
    fn from(error: LimitError) -> Self {
        Self { key: "limits", reason: error.to_string() }
    }
}

impl PermissionProfile {
    /// The names of the profiles that are always there.
    pub const BUILT_IN: [(&'static str, SandboxMode); 4] = [
        (":read-only", SandboxMode::ReadOnly),
        (":workspace", SandboxMode::WorkspaceWrite),
        (":workspace-write", SandboxMode::WorkspaceWrite),
        (":danger-full-access", SandboxMode::DangerFullAccess),
    ];

    /// The built-in profile of that name.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let (name, base) = Self::BUILT_IN.into_iter().find(|(own, _)| *own == name)?;
        Some(Self::extending(name, base))
    }

    /// A profile that is the base mode and nothing more.
    #[must_use]
    pub fn extending(name: &str, base: SandboxMode) -> Self {
        let open = base == SandboxMode::DangerFullAccess;
        Self {
            name: name.to_owned(),
            base,
            temp: base == SandboxMode::WorkspaceWrite,
            writable: Vec::new(),
            readable: Vec::new(),
            hidden: Vec::new(),
            protected: Vec::new(),
            network: if open { Network::Full } else { Network::Loopback },
            level: if open { Level::None } else { Level::Landlock },
            limits: SessionLimits::default(),
        }
    }

    /// The mode of its policies: a profile that lets anything be written is workspace-write.
    #[must_use]
    pub const fn mode(&self) -> SandboxMode {
        match self.base {
            SandboxMode::ReadOnly if self.temp || !self.writable.is_empty() => SandboxMode::WorkspaceWrite,
            base => base,
        }
    }

    /// The policy in the workspace at `root`, on a node with these temporary directories.
    #[must_use]
    pub fn policy(&self, root: &AbsPath, temp_dirs: &[AbsPath]) -> SandboxPolicy {
        if self.base == SandboxMode::DangerFullAccess {
            return SandboxPolicy::full_access();
        }
        let at = |places: &[Place]| places.iter().map(|place| place.at(root)).collect::<Vec<_>>();
        let (mut writable, mut readable) = (at(&self.writable), at(&self.readable));
        match self.base {
            SandboxMode::ReadOnly => readable.insert(0, root.clone()),
            SandboxMode::WorkspaceWrite | SandboxMode::DangerFullAccess => writable.insert(0, root.clone()),
        }
        if self.temp {
            writable.extend(temp_dirs.iter().cloned());
        }
        SandboxPolicy {
            mode: self.mode(),
            writable,
            readable,
            hidden: at(&self.hidden),
            protected: self.protected.clone(),
            unprotected: false,
            network: self.network.clone(),
            level: self.level,
        }
    }

    /// Checks that the profile does not contradict itself.
    ///
    /// # Errors
    /// The first key that is wrong, and why.
    pub fn checked(self) -> Result<Self, ProfileError> {
        if self.base == SandboxMode::DangerFullAccess {
            self.check_open()?;
        } else {
            self.check_places()?;
            self.protected.iter().try_for_each(|name| check_protected(name))?;
            if self.level == Level::None {
                return Err(wrong("level", "it is `none`, which no sandbox is; extend :danger-full-access for that"));
            }
        }
        self.limits.checked()?;
        Ok(self)
    }

    /// Without a sandbox nothing else can be held.
    fn check_open(&self) -> Result<(), ProfileError> {
        let held = [
            ("writable", !self.writable.is_empty()),
            ("readable", !self.readable.is_empty()),
            ("hidden", !self.hidden.is_empty()),
            ("protected", !self.protected.is_empty()),
            ("network", !self.network.is_full()),
            ("level", self.level != Level::None),
        ];
        match held.into_iter().find(|(_, named)| *named) {
            Some((key, _)) => Err(wrong(key, "there is no sandbox under :danger-full-access to hold it; extend another profile")),
            None => Ok(()),
        }
    }

    fn check_places(&self) -> Result<(), ProfileError> {
        let root = Place::At(AbsPath::root());
        if self.writable.contains(&root) {
            return Err(wrong("writable", "`/` is everything; extend :danger-full-access, or name directories"));
        }
        if let Some(place) = self.writable.iter().find(|place| place.opens_protected()) {
            let reason =
                format!("`{place}` is, or leads to, what is read-only in every sandbox; make the workspace writable instead");
            return Err(ProfileError { key: "writable", reason });
        }
        let workspace = Place::workspace();
        if self.hidden.contains(&root) || self.hidden.contains(&workspace) {
            return Err(wrong("hidden", "neither `/` nor the whole workspace can be hidden from the sessions that work there"));
        }
        for (key, places) in [("writable", &self.writable), ("readable", &self.readable)] {
            let under = |place: &Place| self.hidden.iter().find(|hidden| place.is_within(hidden)).cloned();
            if let Some((place, hidden)) = places.iter().find_map(|place| Some((place, under(place)?))) {
                let reason = format!("`{place}` is {key}, and `{hidden}` is hidden; leave out one of the two");
                return Err(ProfileError { key, reason });
            }
        }
        Ok(())
    }
}

/// Checks a name that is to be read-only wherever it occurs.
///
/// # Errors
/// It is no relative path of plain parts.
pub fn check_protected(name: &str) -> Result<(), ProfileError> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    if name.split('/').all(plain) {
        return Ok(());
    }
    let shown = name.escape_debug();
    let reason = format!("`{shown}` must be a relative path without `.`, `..` and empty parts; it holds wherever it occurs");
    Err(ProfileError { key: "protected", reason })
}

fn wrong(key: &'static str, reason: &str) -> ProfileError {
    ProfileError { key, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
