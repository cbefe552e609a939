//! Who attacks, and through what: the one place that knows how the sandbox is called.

use std::path::Path;

/// Who runs the attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Whoever runs the tests: root, mostly.
    Caller,
    /// A user without any rights; the caller when that is one already.
    OrdinaryUser,
}

/// What stands between the attack and the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walls {
    /// The sandbox, in which the workspace may be written.
    WorkspaceWrite,
    /// The same, with the toolchain of whoever runs the tests to be read: it lies in a home that is not the arena's.
    WithTools,
    /// Nothing.
    None,
}

/// One way to run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) who: Who,
    pub(crate) walls: Walls,
}

impl Way {
    /// The sandbox's words, in front of a command.
    pub(crate) fn sandbox(self, runner: &Path) -> Vec<String> {
        match self.walls {
            Walls::WorkspaceWrite => {
                [&runner.display().to_string(), "run", "-s", "workspace-write", "--"].map(str::to_owned).to_vec()
            }
            Walls::WithTools => {
                let tools = capstan_tests::capstan::toolchain_bin();
                let tools = tools.parent().unwrap_or(&tools).display().to_string();
                let runner = runner.display().to_string();
                [&runner, "run", "-s", "workspace-write", "--readable", &tools, "--"].map(str::to_owned).to_vec()
            }
            Walls::None => Vec::new(),
        }
    }

    /// The user whom the attack belongs to, when that is not the caller.
    pub(crate) fn user(self) -> Option<u32> {
        // Of its own for each process of the tests: limits are counted by user.
        (self.who == Who::OrdinaryUser && is_root()).then(|| 30_000 + std::process::id() % 9_000)
    }

    /// What makes a command this user's.
    pub(crate) fn as_user(self) -> Vec<String> {
        let Some(user) = self.user() else { return Vec::new() };
        let words = ["setpriv", &format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups", "--"];
        words.map(str::to_owned).to_vec()
    }

    /// Whether root attacks.
    pub(crate) fn is_root(self) -> bool {
        is_root() && self.user().is_none()
    }

    /// Gives a tree to the user of this way.
    pub(crate) fn give(self, tree: &Path) {
        let Some(user) = self.user() else { return };
        let mut chown = capstan_tests::process::command("chown");
        let done = chown.args(["-R", "-h", &format!("{user}:{user}")]).arg(tree).status();
        assert!(done.is_ok_and(|status| status.success()), "{} can be given away", tree.display());
    }
}

/// Whether root runs the tests.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
