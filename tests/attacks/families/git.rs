//! Nothing that is planted in a workspace runs outside later: the settings of git and of agents stay as they are, at any depth.

use crate::attack::Attack;

/// A hook that shows itself outside when git of the host runs it.
macro_rules! hook {
    ($at:literal) => {
        concat!("printf '#!/bin/sh\\ntouch @OUT@/pwned\\n' > ", $at, "; chmod +x ", $at)
    };
}
/// A setting that makes git of the host run a program.
macro_rules! monitor {
    ($at:literal) => {
        concat!("printf '[core]\\n\\tfsmonitor = \"touch @OUT@/pwned; false\"\\n' >> ", $at)
    };
}

/// What is made by a session is its own until it ends; the next one may not change it (`afterwards`).
const FIRST: &str = "the session that makes a repository may set it up; the next one may not change that";

pub(crate) const ATTACKS: &[Attack] = &[
    Attack::shell("git-hook", "a hook is made", hook!(".git/hooks/pre-commit")),
    Attack::shell("git-hook-executable", "a hook that lies there is made to run", "chmod +x .git/hooks/post-commit"),
    Attack::shell("git-hook-changed", "a hook that lies there is changed", "echo true >> .git/hooks/post-commit"),
    Attack::shell("git-hook-moved", "a hook gets the name of another", "mv .git/hooks/post-commit .git/hooks/post-checkout"),
    Attack::shell(
        "git-fsmonitor",
        "git is set to run a program for each status",
        "git config core.fsmonitor 'touch @OUT@/pwned; false'",
    ),
    Attack::shell(
        "git-hooks-path",
        "git is set to look for hooks elsewhere",
        concat!("git config core.hooksPath hooks; mkdir hooks; ", hook!("hooks/pre-commit")),
    ),
    Attack::shell("git-config-append", "the file of settings is written", monitor!(".git/config")),
    Attack::shell(
        "git-config-over",
        "another file is moved over the settings",
        concat!("cp .git/config c; ", monitor!("c"), "; mv c .git/config"),
    ),
    Attack::shell(
        "git-config-link",
        "the settings are written through a hard link",
        concat!("ln .git/config c; ", monitor!("c")),
    ),
    Attack::shell(
        "git-config-symlink",
        "a link replaces the settings",
        concat!("cp .git/config c; ", monitor!("c"), "; rm -f .git/config; ln -s ../c .git/config"),
    ),
    Attack::shell("git-config-removed", "the settings are removed", "rm -f .git/config"),
    Attack::shell("git-config-truncated", "the settings are emptied", "true > .git/config"),
    Attack::shell("git-config-proc", "the settings are written by another name", monitor!("/proc/self/root@WS@/.git/config")),
    Attack::shell("git-config-cwd", "the settings are written by the working directory", monitor!("/proc/self/cwd/.git/config")),
    Attack::shell("git-config-worktree", "the settings of a worktree are made", monitor!(".git/config.worktree")),
    Attack::shell(
        "git-common-dir",
        "the settings are said to lie elsewhere",
        concat!("cp -r .git evil; ", monitor!("evil/config"), "; echo ../evil > .git/commondir"),
    ),
    Attack::shell(
        "git-hooks-moved",
        "the directory of hooks is moved away",
        concat!("mv .git/hooks .git/old; mkdir .git/hooks; ", hook!(".git/hooks/pre-commit")),
    ),
    Attack::shell(
        "git-hooks-symlink",
        "a link replaces the directory of hooks",
        concat!("mkdir h; ", hook!("h/pre-commit"), "; rm -rf .git/hooks; ln -s ../h .git/hooks"),
    ),
    Attack::shell(
        "git-moved",
        "the whole repository is moved away and another put there",
        concat!("mv .git old; cp -r old .git; ", monitor!(".git/config")),
    ),
    Attack::shell(
        "git-copied",
        "the repository is moved away and a copy of it gets a hook",
        concat!("mv .git old; cp -r old .git; ", hook!(".git/hooks/pre-commit")),
    ),
    Attack::shell(
        "git-removed",
        "the whole repository is removed and another made",
        concat!("rm -rf .git; git init -q; ", monitor!(".git/config")),
    ),
    Attack::shell(
        "git-symlink",
        "a link replaces the repository",
        concat!("cp -r .git evil; ", monitor!("evil/config"), "; mv .git old && ln -s evil .git"),
    ),
    Attack::shell(
        "git-file",
        "a file replaces the repository",
        concat!("cp -r .git evil; ", monitor!("evil/config"), "; mv .git old && echo 'gitdir: evil' > .git"),
    ),
    Attack::shell(
        "git-unmounted",
        "the protection is taken away in a namespace",
        concat!("unshare -Urm sh -c 'umount -l .git/hooks; umount -l .git/config; true'; ", hook!(".git/hooks/pre-commit")),
    ),
    Attack::shell("git-nested-config", "the settings of a nested repository", monitor!("vendor/sub/.git/config")),
    Attack::shell("git-nested-hook", "a hook of a nested repository", hook!("vendor/sub/.git/hooks/pre-commit")),
    Attack::shell(
        "git-nested-moved",
        "a nested repository is moved away",
        concat!("cd vendor/sub; mv .git old; cp -r old .git; ", monitor!(".git/config")),
    ),
    Attack::shell(
        "git-ancestor-moved",
        "the directory above a nested repository is moved away",
        concat!("mv vendor v; cp -r v vendor; ", monitor!("vendor/sub/.git/config")),
    )
    .may_move(),
    Attack::shell(
        "git-ancestor-hook",
        "the same, for a hook",
        concat!("mv vendor/sub vendor/old; cp -r vendor/old vendor/sub; ", hook!("vendor/sub/.git/hooks/pre-commit")),
    )
    .may_move(),
    Attack::shell("git-module-config", "the settings of a submodule", monitor!(".git/modules/vendor/module/config")),
    Attack::shell(
        "git-module-hook",
        "a hook of a submodule",
        concat!("mkdir -p .git/modules/vendor/module/hooks; ", hook!(".git/modules/vendor/module/hooks/pre-commit")),
    ),
    Attack::shell(
        "git-module-file",
        "a submodule is said to lie elsewhere",
        concat!(
            "cp -r .git/modules/vendor/module evil; git config -f evil/config core.worktree ../vendor/module; ",
            monitor!("evil/config"),
            "; echo 'gitdir: ../../evil' > vendor/module/.git"
        ),
    ),
    Attack::shell(
        "git-module-moved",
        "the submodules are moved away",
        concat!("mv .git/modules .git/m; cp -r .git/m .git/modules; ", monitor!(".git/modules/vendor/module/config")),
    )
    .may_move(),
    Attack::shell(
        "git-planted",
        "a repository is made where none was, with settings that run a program",
        concat!("mkdir planted; cd planted; git init -q; ", monitor!(".git/config")),
    )
    .not_promised(FIRST),
    Attack::shell(
        "git-planted-hook",
        "a repository is made where none was, with a hook",
        concat!("mkdir planted; cd planted; git init -q; mkdir -p .git/hooks; ", hook!(".git/hooks/pre-commit")),
    )
    .not_promised(FIRST),
    Attack::shell(
        "git-planted-file",
        "a file makes a directory a repository that lies elsewhere",
        concat!("cp -r .git evil; ", monitor!("evil/config"), "; echo \"gitdir: @WS@/evil\" > pkg/deep/.git"),
    ),
    Attack::shell(
        "git-bare",
        "a bare repository is made of plain files",
        concat!(
            "mkdir -p planted/objects planted/refs; echo 'ref: refs/heads/x' > planted/HEAD; printf '[core]\\n\\trepositoryformatversion = 0\\n\\tworktree = @WS@\\n' > planted/config; ",
            monitor!("planted/config")
        ),
    )
    .not_promised(FIRST),
    Attack::shell(
        "git-codex-made",
        "settings of an agent are made where none were",
        "mkdir .codex && echo x > .codex/config.toml",
    ),
    Attack::shell("git-agents-made", "the same, in .agents", "mkdir .agents && echo x > .agents/rules.md"),
    Attack::shell("git-capstan-made", "the same, in .capstan", "mkdir .capstan && echo x > .capstan/config.toml"),
    Attack::shell("git-codex-file", "a file takes the place of settings", "echo x > .codex"),
    Attack::shell("git-codex-symlink", "a link takes the place of settings", "mkdir c; echo x > c/config.toml; ln -s c .codex"),
    Attack::shell("git-codex-renamed", "a directory gets the name of settings", "mkdir c; echo x > c/config.toml; mv c .codex"),
    Attack::shell(
        "git-codex-upper",
        "settings are made in capitals, for a file system that does not care",
        "mkdir .CODEX && echo x > .CODEX/config.toml",
    ),
    Attack::shell(
        "git-codex-deep",
        "settings of an agent are made further below",
        "mkdir pkg/deep/.codex && echo x > pkg/deep/.codex/config.toml",
    ),
    Attack::shell("git-agents-deep", "the same, in .agents", "mkdir pkg/deep/.agents && echo x > pkg/deep/.agents/rules.md"),
    Attack::shell(
        "git-capstan-deep",
        "the same, in .capstan",
        "mkdir pkg/deep/.capstan && echo x > pkg/deep/.capstan/config.toml",
    ),
    Attack::shell(
        "git-codex-moved-in",
        "a tree that holds settings is moved to its place",
        "mkdir -p t/.codex; echo x > t/.codex/config.toml; mv t pkg/new",
    ),
    Attack::shell("git-codex-changed", "settings of an agent are changed", "echo x >> has/.codex/config.toml"),
    Attack::shell("git-agents-changed", "the same, in .agents", "echo x >> has/.agents/rules.md"),
    Attack::shell("git-codex-added", "settings of an agent are added", "echo x > has/.codex/more.toml"),
    Attack::shell("git-codex-gone", "settings of an agent are moved away", "mv has/.codex has/c"),
    Attack::shell("git-codex-removed", "settings of an agent are removed", "rm -rf has/.codex"),
    Attack::shell(
        "git-codex-ancestor",
        "the directory above settings is moved away",
        "mv has had; mkdir -p has/.codex; echo x > has/.codex/config.toml",
    )
    .may_move(),
    Attack::shell(
        "git-codex-linked",
        "settings of an agent are changed through a hard link",
        "ln has/.codex/config.toml c; echo x >> c",
    ),
    Attack::shell(
        "git-checked-out",
        "git itself puts settings in place",
        "mkdir -p t; GIT_INDEX_FILE=i git read-tree --empty; GIT_INDEX_FILE=i git update-index --add --cacheinfo 100644,$(echo x | git hash-object -w --stdin),.codex/config.toml; GIT_INDEX_FILE=i git checkout-index -a",
    ),
];
