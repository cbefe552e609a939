//! A turn's view of its workspace: the policy of its sessions, and what the turn changed.

use crate::nodes::host::NodeHost;
use capstan_types::id::TurnId;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Network, SandboxMode, SandboxPolicy};
use capstan_types::session::WorkspaceFacts;
use capstan_types::thread::ThreadSettings;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The most bytes of a turn's diff.
pub(crate) const MOST_DIFF: u64 = 1 << 20;

/// How long the diff of an interrupted turn may take.
const HURRIED_DIFF: Duration = Duration::from_secs(2);

/// The sandbox policy of a thread's sessions, from its settings and its workspace and nothing else.
#[must_use]
pub fn policy(settings: &ThreadSettings, facts: &WorkspaceFacts) -> SandboxPolicy {
    if let Some(profile) = &settings.profile {
        let mut policy = profile.policy(&facts.root, &facts.temp_dirs);
        // What is added to a profile is added to what it lets be written, and makes nothing else writable.
        if profile.base == SandboxMode::WorkspaceWrite {
            policy.writable.extend(settings.writable_roots.iter().cloned());
        }
        return policy;
    }
    match settings.sandbox {
        SandboxMode::ReadOnly => SandboxPolicy { readable: vec![facts.root.clone()], ..SandboxPolicy::read_only() },
        SandboxMode::DangerFullAccess => SandboxPolicy::full_access(),
        SandboxMode::WorkspaceWrite => {
            let temp = facts.temp_dirs.iter().filter(|dir| !(settings.exclude_slash_tmp && dir.as_str() == "/tmp"));
            let roots = std::iter::once(&facts.root).chain(&settings.writable_roots).chain(temp);
            let network = if settings.network_access { Network::Full } else { Network::Loopback };
            SandboxPolicy { network, ..SandboxPolicy::workspace_write(roots.cloned().collect()) }
        }
    }
}

/// The workspace as it was before the turn changed it. Nothing is noted of one that changes nothing.
#[derive(Debug)]
pub struct Before {
    host: Arc<NodeHost>,
    root: AbsPath,
    policy: SandboxPolicy,
    turn: TurnId,
    noted: Noted,
    touched: bool,
}

/// Whether the state before the turn is noted.
#[derive(Debug, PartialEq, Eq)]
enum Noted {
    NotYet,
    Yes,
    /// It cannot be, or need not.
    No,
}

impl Before {
    /// Of a turn that may change what `policy` lets it.
    #[must_use]
    pub fn of(host: Arc<NodeHost>, root: AbsPath, policy: SandboxPolicy, turn: TurnId) -> Self {
        let noted = if policy.mode == SandboxMode::ReadOnly { Noted::No } else { Noted::NotYet };
        Self { host, root, policy, turn, noted, touched: false }
    }

    /// Whether anything was begun that may change it.
    #[must_use]
    pub const fn is_touched(&self) -> bool {
        self.touched
    }

    /// Takes note of it, unless that has been done, or until `interrupt` is cancelled: then there is no call to be run. To be called before
    /// anything may change the workspace.
    pub async fn note(&mut self, interrupt: &CancellationToken) {
        self.touched = true;
        if self.noted != Noted::NotYet {
            return;
        }
        let noted = tokio::select! {
            biased;
            () = interrupt.cancelled() => return,
            noted = self.host.checkpoint(&self.root, &self.policy, self.turn.to_string()) => noted,
        };
        self.noted = match noted {
            Ok(()) => Noted::Yes,
            Err(status) => {
                tracing::debug!(%status, "no checkpoint; the turn shows no diff and cannot be undone");
                Noted::No
            }
        };
    }

    /// What has changed since, or nothing: without a note, without a change, or when it cannot be had. The turn ends with it.
    ///
    /// Once `interrupt` is cancelled it is given little time: whoever interrupted waits for the end of the turn.
    pub async fn diff(self, interrupt: &CancellationToken) -> Option<String> {
        if self.noted != Noted::Yes {
            return None;
        }
        let diff = self.host.diff(&self.policy, self.turn.to_string(), MOST_DIFF, true);
        let hurried = async {
            interrupt.cancelled().await;
            tokio::time::sleep(HURRIED_DIFF).await;
        };
        let diff = tokio::select! {
            biased;
            diff = diff => diff,
            () = hurried => return None,
        };
        let changes = diff.inspect_err(|status| tracing::debug!(%status, "no diff")).ok()?;
        Some(changes.text()).filter(|diff| !diff.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::fixture::{facts, path, settings};
    use capstan_types::policy::PermissionProfile;

    fn paths(texts: &[&str]) -> Vec<AbsPath> {
        texts.iter().map(|text| path(text)).collect()
    }

    #[test]
    fn the_writable_roots_are_the_workspace_the_settings_and_tmp_unless_excluded() {
        let facts = WorkspaceFacts { temp_dirs: paths(&["/tmp", "/var/tmp/x"]), ..facts() };
        let settings = |sandbox, exclude_slash_tmp| ThreadSettings {
            sandbox,
            writable_roots: paths(&["/more"]),
            network_access: true,
            exclude_slash_tmp,
            ..settings()
        };
        let open = policy(&settings(SandboxMode::WorkspaceWrite, false), &facts);
        assert_eq!((open.writable, open.network), (paths(&["/w", "/more", "/tmp", "/var/tmp/x"]), Network::Full));
        let narrow = policy(&settings(SandboxMode::WorkspaceWrite, true), &facts);
        assert_eq!(narrow.writable, paths(&["/w", "/more", "/var/tmp/x"]));
        let closed = policy(&settings(SandboxMode::ReadOnly, false), &facts);
        assert_eq!((closed.writable, closed.readable, closed.network), (vec![], paths(&["/w"]), Network::Loopback));
    }

    #[test]
    fn a_profile_decides_alone_and_the_workspace_is_where_the_node_says() {
        let facts = WorkspaceFacts { root: path("/resolved/w"), temp_dirs: paths(&["/tmp"]), ..facts() };
        let settings = |profile| ThreadSettings {
            sandbox: SandboxMode::DangerFullAccess,
            profile: Some(Box::new(profile)),
            writable_roots: paths(&["/more"]),
            network_access: true,
            ..settings()
        };
        let write = PermissionProfile {
            hidden: vec![":workspace/.env".parse().unwrap()],
            network: Network::None,
            ..PermissionProfile::extending("mine", SandboxMode::WorkspaceWrite)
        };
        let expected = SandboxPolicy {
            hidden: paths(&["/resolved/w/.env"]),
            network: Network::None,
            ..SandboxPolicy::workspace_write(paths(&["/resolved/w", "/tmp", "/more"]))
        };
        assert_eq!(policy(&settings(write), &facts), expected);
        let read = PermissionProfile::extending(":read-only", SandboxMode::ReadOnly);
        let expected = SandboxPolicy { readable: paths(&["/resolved/w"]), ..SandboxPolicy::read_only() };
        assert_eq!(policy(&settings(read), &facts), expected);
    }
}
