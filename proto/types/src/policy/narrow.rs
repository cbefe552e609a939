//! Narrowing: the most that is both in a policy and below a ceiling.
//!
//! Invariant: a narrowed policy allows nothing that the policy, or the ceiling, does not allow.

use crate::path::AbsPath;
use crate::policy::{Ceiling, HostRule, Level, Network, PROTECTED, SandboxMode, SandboxPolicy};

impl SandboxPolicy {
    /// This policy with everything taken away that is wider than `ceiling`, and with what the ceiling protects added.
    ///
    /// Without a sandbox there are no directories to keep: danger-full-access becomes workspace-write with none of its own.
    #[must_use]
    pub fn narrow(&self, ceiling: &Ceiling) -> Self {
        let mode = self.mode.min(ceiling.strongest_mode());
        if mode == SandboxMode::DangerFullAccess {
            return self.clone();
        }
        let fallen = self.mode == SandboxMode::DangerFullAccess;
        let (asked, read): (&[AbsPath], &[AbsPath]) = if fallen { (&[], &[]) } else { (&self.writable, &self.readable) };
        let protected = joined(&self.protected, &ceiling.protected);
        let writable = match mode {
            SandboxMode::WorkspaceWrite => writable(asked, ceiling.writable.as_deref(), &protected),
            SandboxMode::ReadOnly | SandboxMode::DangerFullAccess => Vec::new(),
        };
        // What may no longer be written may still be read.
        let given_up = asked.iter().filter(|path| !writable.contains(path));
        let readable: Vec<_> = read.iter().chain(given_up).cloned().collect();
        let readable = common(&readable, ceiling.readable_below().as_deref());
        Self {
            mode,
            readable,
            writable,
            hidden: joined(&self.hidden, &ceiling.hidden),
            protected,
            unprotected: false,
            network: self.network.meet(&ceiling.network),
            level: self.level.max(ceiling.level).max(Level::Landlock),
        }
    }
}

impl Network {
    /// The most that is in both.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Full, network) | (network, Self::Full) => network.clone(),
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::Loopback, _) | (_, Self::Loopback) => Self::Loopback,
            (Self::Hosts(ours), Self::Hosts(theirs)) => Self::Hosts(rules(ours, theirs)),
        }
    }
}

fn rules(ours: &[HostRule], theirs: &[HostRule]) -> Vec<HostRule> {
    // A rule that is covered as it stands is kept as it stands; of the others, what they share with each.
    let mut both: Vec<HostRule> = Vec::new();
    for rule in ours {
        if rule.is_covered_by(theirs) {
            both.push(rule.clone());
            continue;
        }
        for shared in theirs.iter().filter_map(|their| rule.meet(their)) {
            if !both.contains(&shared) {
                both.push(shared);
            }
        }
    }
    both
}

fn joined<T: Clone + PartialEq>(ours: &[T], theirs: &[T]) -> Vec<T> {
    let mut all = ours.to_vec();
    theirs.iter().filter(|one| !ours.contains(one)).for_each(|one| all.push(one.clone()));
    all
}

/// The trees that are in both lists: of each two that overlap the inner one, each tree once.
fn common(ours: &[AbsPath], theirs: Option<&[AbsPath]>) -> Vec<AbsPath> {
    let Some(theirs) = theirs else { return joined(&[], ours) };
    let mut inner: Vec<AbsPath> = Vec::new();
    for our in ours {
        for their in theirs {
            let overlap = if our.is_within(their) {
                our
            } else if their.is_within(our) {
                their
            } else {
                continue;
            };
            if !inner.iter().any(|known| overlap.is_within(known)) {
                inner.retain(|known| !known.is_within(overlap));
                inner.push(overlap.clone());
            }
        }
    }
    inner
}

/// The directories that both lists let be written. One that lies in, or on the way into, a protected place of a directory above it would
/// undo that protection, because a place is protected by its path below a writable directory.
fn writable(ours: &[AbsPath], theirs: Option<&[AbsPath]>, protected: &[String]) -> Vec<AbsPath> {
    let Some(allowed) = theirs else { return ours.to_vec() };
    let above: Vec<_> = ours.iter().chain(allowed).collect();
    let mut both = common(ours, theirs);
    both.retain(|root| !above.iter().any(|outer| crosses(root, outer, protected)));
    both
}

fn crosses(inner: &AbsPath, outer: &AbsPath, protected: &[String]) -> bool {
    let Some(below) = inner.below(outer).and_then(|below| below.to_str()) else { return false };
    let way: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
    let names = PROTECTED.into_iter().chain(protected.iter().map(String::as_str));
    names.map(|name| name.split('/').collect::<Vec<_>>()).any(|name| {
        (0..way.len()).any(|from| {
            let rest = way.get(from..).unwrap_or_default();
            rest.iter().zip(&name).all(|(one, other)| one == other)
        })
    })
}

#[cfg(test)]
mod tests;
