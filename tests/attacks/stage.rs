//! What all arenas of one test share: the programs, readable for everybody, and a repository to copy.

use crate::way::Way;
use capstan_tests::capstan::binary;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A directory of the test's own in /var/tmp, for /tmp is replaced inside a sandbox.
#[derive(Debug)]
pub(crate) struct Stage(TempDir);

impl Stage {
    /// Copies the programs and makes the repository.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("capstan-attacks-").tempdir_in("/var/tmp").expect("/var/tmp can be written");
        let stage = Self(dir);
        for name in ["bin", "arenas", "seed"] {
            fs::create_dir(stage.path().join(name)).expect("a directory can be made in a fresh one");
        }
        for open in ["", "bin", "arenas"] {
            fs::set_permissions(stage.path().join(open), Permissions::from_mode(0o755)).expect("the directory is ours");
        }
        for name in ["capstan-sandbox", "attacker"] {
            fs::copy(binary(name), stage.program(name)).expect("a program can be copied");
        }
        stage.seed();
        stage
    }

    /// Where everything lies.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A program that everybody can run.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.path().join("bin").join(name)
    }

    /// Makes the workspace that arenas copy: a repository with a nested one, a submodule and a worktree of its own.
    fn seed(&self) {
        let script = r#"
            set -e
            export HOME=$PWD GIT_TEMPLATE_DIR= GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
            git init -q -b main module; (cd module; echo 1 >file; git add file; git commit -qm one)
            git init -q -b main ws; cd ws
            git config user.name a; git config user.email a@b; git config extensions.worktreeConfig true
            echo 1 >tracked; mkdir -p has/.codex has/.agents pkg/deep vendor/sub
            echo 'a = 1' >has/.codex/config.toml; echo rules >has/.agents/rules.md
            git add .; git commit -qm one
            git -c protocol.file.allow=always submodule --quiet add ../module vendor/module; git commit -qm two
            (cd vendor/sub; git init -q -b main; git config user.name a; git config user.email a@b; git commit -qm one --allow-empty)
            mkdir -p .git/hooks vendor/sub/.git/hooks; printf '#!/bin/sh\ntouch @OUT@/pwned\n' >.git/hooks/post-commit; chmod 644 .git/hooks/post-commit
        "#;
        let mut shell = capstan_tests::process::command("sh");
        let done = shell.args(["-c", script]).current_dir(self.path().join("seed")).status().expect("sh can be started");
        assert!(done.success(), "the repository can be made");
    }

    /// Copies the workspace for an arena.
    pub(crate) fn copy_workspace(&self, to: &Path, outside: &Path, way: Way) {
        let mut copy = capstan_tests::process::command("cp");
        let done = copy.arg("-a").arg(self.path().join("seed/ws")).arg(to).status().expect("cp can be started");
        assert!(done.success(), "the workspace can be copied");
        let hook = to.join(".git/hooks/post-commit");
        let text = fs::read_to_string(&hook).expect("the hook is there");
        fs::write(&hook, text.replace("@OUT@", &outside.display().to_string())).expect("the hook can be written");
        fs::copy(self.program("attacker"), to.join("attacker")).expect("the attacker can be copied");
        way.give(to);
    }
}
