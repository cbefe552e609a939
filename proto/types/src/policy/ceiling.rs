//! The most that a node's operator lets any session have, whatever a coordinator asks for.
//!
//! A policy that asks for more than the ceiling is refused before anything starts, so that nobody works under a policy that he does not
//! know of. What only protects (hidden and protected paths, the least level) is added to every policy, and limits are lowered; the proof
//! of the session shows both.

use crate::limits::SessionLimits;
use crate::path::AbsPath;
use crate::policy::{HostRule, Level, Network, SandboxMode, SandboxPolicy};
use serde::{Deserialize, Serialize};

/// The most that a session on a node may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ceiling {
    /// The strongest mode. danger-full-access is within it only where nothing else here restricts.
    pub mode: SandboxMode,
    /// The widest network.
    pub network: Network,
    /// The directories below which something may be writable at all; `None` is anywhere. The node's temporary directories count too.
    pub writable: Option<Vec<AbsPath>>,
    /// The directories below which something may be readable besides the system's own; `None` is anywhere. What may be writable may be
    /// readable.
    pub readable: Option<Vec<AbsPath>>,
    /// Paths that are hidden from every session.
    pub hidden: Vec<AbsPath>,
    /// Relative paths that are read-only in every session, besides [`crate::policy::PROTECTED`].
    pub protected: Vec<String>,
    /// The least that must be in force.
    pub level: Level,
    /// The highest limits.
    pub limits: SessionLimits,
}

impl Default for Ceiling {
    /// No ceiling: everything is within it.
    fn default() -> Self {
        Self {
            mode: SandboxMode::DangerFullAccess,
            network: Network::Full,
            writable: None,
            readable: None,
            hidden: Vec::new(),
            protected: Vec::new(),
            level: Level::None,
            limits: SessionLimits::WIDEST,
        }
    }
}

/// What of a policy is wider than the node's ceiling. Nothing was started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CeilingError {
    /// The mode.
    #[error(
        "this node allows {allowed} at most, and the policy is {asked}; use -s {allowed}, or have the node's operator raise its ceiling"
    )]
    Mode {
        /// The policy's.
        asked: SandboxMode,
        /// The strongest that is within the ceiling.
        allowed: SandboxMode,
    },
    /// The kind of network.
    #[error(
        "this node allows no more network than `{allowed}`, and the policy has `{asked}`; ask for less, or have the node's operator raise its ceiling"
    )]
    Network {
        /// The policy's.
        asked: &'static str,
        /// The widest that is within the ceiling.
        allowed: &'static str,
    },
    /// A host.
    #[error(
        "this node does not allow the host `{rule}` ({allowed}); leave it out, or have the node's operator raise its ceiling"
    )]
    Host {
        /// The policy's rule.
        rule: HostRule,
        /// The ceiling's network.
        allowed: Network,
    },
    /// A writable directory.
    #[error("this node does not allow `{path}` to be writable ({}); leave it out, or have the node's operator raise its ceiling", among(.allowed))]
    Writable {
        /// The policy's directory.
        path: AbsPath,
        /// What the ceiling allows.
        allowed: Vec<AbsPath>,
    },
    /// A readable path.
    #[error("this node does not allow `{path}` to be readable ({}); leave it out, or have the node's operator raise its ceiling", among(.allowed))]
    Readable {
        /// The policy's path.
        path: AbsPath,
        /// What the ceiling allows.
        allowed: Vec<AbsPath>,
    },
    /// A path that nobody may see.
    #[error(
        "this node hides `{hidden}` from every session, and the policy names `{path}` in it; leave it out, or work elsewhere"
    )]
    Hidden {
        /// The policy's path.
        path: AbsPath,
        /// The ceiling's.
        hidden: AbsPath,
    },
}

fn among(allowed: &[AbsPath]) -> String {
    if allowed.is_empty() {
        return "nothing is".to_owned();
    }
    let paths: Vec<_> = allowed.iter().map(AbsPath::as_str).collect();
    format!("only below {}", paths.join(", "))
}

impl Ceiling {
    /// The strongest mode that is within the ceiling as a whole: no sandbox at all is more than any other restriction allows.
    #[must_use]
    pub fn strongest_mode(&self) -> SandboxMode {
        let open = self.network.is_full()
            && self.writable.is_none()
            && self.readable.is_none()
            && self.hidden.is_empty()
            && self.protected.is_empty()
            && self.level == Level::None;
        if open { self.mode } else { self.mode.min(SandboxMode::WorkspaceWrite) }
    }

    /// The directories below which something may be readable: those listed, and the writable ones.
    pub(super) fn readable_below(&self) -> Option<Vec<AbsPath>> {
        let (readable, writable) = (self.readable.as_ref()?, self.writable.as_ref()?);
        Some(readable.iter().chain(writable).cloned().collect())
    }

    /// The first thing in `policy` that is wider than this ceiling. What [`SandboxPolicy::narrow`] only adds (hidden and protected paths,
    /// the level) is never too wide.
    #[must_use]
    pub fn exceeded_by(&self, policy: &SandboxPolicy) -> Option<CeilingError> {
        let allowed = self.strongest_mode();
        if policy.mode > allowed {
            return Some(CeilingError::Mode { asked: policy.mode, allowed });
        }
        if policy.mode == SandboxMode::DangerFullAccess {
            return None;
        }
        self.network_exceeded_by(&policy.network).or_else(|| self.paths_exceeded_by(policy))
    }

    fn network_exceeded_by(&self, asked: &Network) -> Option<CeilingError> {
        match (asked, &self.network) {
            (Network::Hosts(asked), Network::Hosts(allowed)) => {
                let rule = asked.iter().find(|rule| !rule.is_covered_by(allowed))?.clone();
                Some(CeilingError::Host { rule, allowed: self.network.clone() })
            }
            (asked, allowed) => (asked.meet(allowed) != *asked)
                .then(|| CeilingError::Network { asked: asked.as_str(), allowed: allowed.as_str() }),
        }
    }

    fn paths_exceeded_by(&self, policy: &SandboxPolicy) -> Option<CeilingError> {
        let narrowed = policy.narrow(self);
        let writes = policy.mode == SandboxMode::WorkspaceWrite;
        let outside = policy.writable.iter().find(|path| writes && !covered(path, &narrowed.writable));
        if let Some(path) = outside {
            return Some(CeilingError::Writable { path: path.clone(), allowed: self.writable.clone().unwrap_or_default() });
        }
        let named = || policy.readable.iter().chain(&policy.writable);
        let readable: Vec<_> = narrowed.readable.iter().chain(&narrowed.writable).cloned().collect();
        if let Some(path) = named().find(|path| !covered(path, &readable)) {
            return Some(CeilingError::Readable { path: path.clone(), allowed: self.readable_below().unwrap_or_default() });
        }
        let hidden = |path: &AbsPath| self.hidden.iter().find(|hidden| path.is_within(hidden)).cloned();
        named().find_map(|path| hidden(path).map(|hidden| CeilingError::Hidden { path: path.clone(), hidden }))
    }
}

fn covered(path: &AbsPath, roots: &[AbsPath]) -> bool {
    roots.iter().any(|root| path.is_within(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(texts: &[&str]) -> Vec<AbsPath> {
        texts.iter().map(|text| AbsPath::new(text).unwrap()).collect()
    }

    fn said(ceiling: &Ceiling, policy: &SandboxPolicy) -> String {
        ceiling.exceeded_by(policy).map_or_else(|| "within".to_owned(), |error| error.to_string())
    }

    #[test]
    fn without_a_ceiling_everything_is_within_it() {
        for policy in [SandboxPolicy::full_access(), SandboxPolicy::read_only(), SandboxPolicy::workspace_write(paths(&["/"]))] {
            assert_eq!(said(&Ceiling::default(), &policy), "within");
            assert_eq!(policy.narrow(&Ceiling::default()), policy);
        }
    }

    #[test]
    fn what_is_wider_is_named_with_what_to_do() {
        let ceiling = Ceiling {
            mode: SandboxMode::WorkspaceWrite,
            network: Network::Hosts(vec!["*.crates.io".parse().unwrap()]),
            writable: Some(paths(&["/srv", "/tmp"])),
            readable: Some(paths(&["/data"])),
            hidden: paths(&["/srv/keys"]),
            ..Ceiling::default()
        };
        let write = |texts: &[&str]| SandboxPolicy::workspace_write(paths(texts));
        let network = |network| SandboxPolicy { network, ..write(&["/srv/w"]) };
        let end = "or have the node's operator raise its ceiling";
        assert_eq!(
            said(&ceiling, &SandboxPolicy::full_access()),
            format!(
                "this node allows workspace-write at most, and the policy is danger-full-access; use -s workspace-write, {end}"
            )
        );
        assert_eq!(
            said(&ceiling, &write(&["/srv/w", "/home/me"])),
            format!("this node does not allow `/home/me` to be writable (only below /srv, /tmp); leave it out, {end}")
        );
        assert_eq!(
            said(&ceiling, &SandboxPolicy { readable: paths(&["/etc/x"]), ..SandboxPolicy::read_only() }),
            format!("this node does not allow `/etc/x` to be readable (only below /data, /srv, /tmp); leave it out, {end}")
        );
        assert_eq!(
            said(&ceiling, &network(Network::Full)),
            format!("this node allows no more network than `hosts`, and the policy has `full`; ask for less, {end}")
        );
        assert_eq!(
            said(&ceiling, &network(Network::Hosts(vec!["crates.io".parse().unwrap()]))),
            format!("this node does not allow the host `crates.io` (hosts: *.crates.io); leave it out, {end}")
        );
        assert!(said(&ceiling, &write(&["/srv/keys/mine"])).starts_with("this node hides `/srv/keys` from every session"));
        assert_eq!(said(&ceiling, &network(Network::Hosts(vec!["static.crates.io:443".parse().unwrap()]))), "within");
        assert_eq!(said(&ceiling, &network(Network::None)), "within");
    }

    #[test]
    fn no_sandbox_is_more_than_any_other_restriction_allows() {
        for ceiling in [
            Ceiling { network: Network::Loopback, ..Ceiling::default() },
            Ceiling { writable: Some(Vec::new()), ..Ceiling::default() },
            Ceiling { readable: Some(Vec::new()), ..Ceiling::default() },
            Ceiling { hidden: paths(&["/keys"]), ..Ceiling::default() },
            Ceiling { protected: vec![".env".to_owned()], ..Ceiling::default() },
            Ceiling { level: Level::Landlock, ..Ceiling::default() },
        ] {
            assert!(said(&ceiling, &SandboxPolicy::full_access()).starts_with("this node allows workspace-write at most"));
        }
    }

    #[test]
    fn a_protected_place_is_no_writable_directory_of_its_own() {
        let ceiling = Ceiling { writable: Some(paths(&["/srv"])), ..Ceiling::default() };
        for path in ["/srv/w/.git/hooks", "/srv/w/.git", "/srv/.capstan/x"] {
            assert!(said(&ceiling, &SandboxPolicy::workspace_write(paths(&[path]))).contains("to be writable"), "{path}");
        }
    }
}
