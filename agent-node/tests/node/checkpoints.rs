//! The states of a workspace: what a turn changed, and undoing it. Real git, real files.

use crate::fixture::{Client, Fixture, soon};
use capstan_agent_node::CheckpointDir;
use capstan_proto::wire::node as wire;
use capstan_types::id::TurnId;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tonic::{Code, Status};
use wire::undo_response::Result as Undo;

/// A policy that hides nothing; what may be written is nothing to a state.
fn open() -> Option<wire::Policy> {
    Some((&SandboxPolicy::workspace_write(Vec::new())).into())
}

impl Client {
    /// Takes note of the state before a new turn, and gives that turn's name.
    async fn begun(&mut self, cwd: &AbsPath) -> Result<String, Status> {
        let turn = TurnId::generate().to_string();
        self.begin(cwd, &turn).await.map(|()| turn)
    }

    async fn begin(&mut self, cwd: &AbsPath, turn: &str) -> Result<(), Status> {
        let request =
            wire::CheckpointRequest { authority: self.who(), cwd: cwd.to_string(), turn: turn.to_owned(), policy: open() };
        soon(self.workspace.checkpoint(request)).await.map(drop)
    }

    async fn ask_diff(&mut self, turn: &str, max_bytes: u64, ended: bool) -> Result<wire::DiffResponse, Status> {
        let request = wire::DiffRequest { authority: self.who(), turn: turn.to_owned(), max_bytes, ended, policy: open() };
        Ok(soon(self.workspace.diff(request)).await?.into_inner())
    }

    async fn diff(&mut self, turn: &str) -> Result<wire::DiffResponse, Status> {
        self.ask_diff(turn, 0, false).await
    }

    async fn end(&mut self, turn: &str) -> String {
        self.ask_diff(turn, 0, true).await.unwrap().diff
    }

    async fn undo(&mut self, turn: &str, force: bool) -> Result<Undo, Status> {
        let request = wire::UndoRequest { authority: self.who(), turn: turn.to_owned(), force, policy: open() };
        Ok(soon(self.workspace.undo(request)).await?.into_inner().result.unwrap())
    }
}

pub(crate) fn undone(undo: Undo) -> wire::Undone {
    match undo {
        Undo::Undone(undone) => undone,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn git(dir: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
    let mut command = std::process::Command::new("git");
    command.current_dir(dir).args(identity).args(args).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let done = command.output().unwrap();
    assert!(done.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// All files below a directory with what is in them.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(at) = dirs.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.insert(format!("{}/", path.display()), vec![]);
                dirs.push(path);
            } else {
                found.insert(path.display().to_string(), std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// A repository with one commit.
pub(crate) fn repository(dir: &Path) {
    git(dir, &["init", "-q", "-b", "main"]);
    let text: String = (0..40).map(|number| format!("line {number}\n")).collect();
    for (name, content) in
        [("kept", "kept\n"), ("changed", "old\n"), ("deleted", "gone\n"), ("moved", &text), (".gitignore", "ignored\n")]
    {
        std::fs::write(dir.join(name), content).unwrap();
    }
    std::fs::write(dir.join("binary"), [0, 1, 2]).unwrap();
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "first"]);
}

const NOTHING: wire::DiffResponse = wire::DiffResponse { diff: String::new(), left_out_bytes: 0, files: 0 };

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_shows_every_kind_of_change_and_git_is_not_touched() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let dir = node.workspace.as_path();
    repository(dir);
    // Staged, changed and untracked before the turn: none of it belongs to the diff.
    std::fs::write(node.path("kept"), "kept, and changed before\n").unwrap();
    git(dir, &["add", "kept"]);
    std::fs::write(node.path("earlier"), "untracked before\n").unwrap();
    let before = contents(&dir.join(".git"));
    let turn = client.begun(&node.workspace).await.unwrap();
    assert_eq!(client.diff(&turn).await.unwrap(), NOTHING);
    std::fs::write(node.path("changed"), "new\n").unwrap();
    std::fs::write(node.path("binary"), [0, 9, 9]).unwrap();
    std::fs::write(node.path("ignored"), "not shown\n").unwrap();
    std::fs::write(node.path("grüße.txt"), "hällo\n").unwrap();
    std::fs::remove_file(node.path("deleted")).unwrap();
    std::fs::rename(node.path("moved"), node.path("renamed")).unwrap();
    let diff = client.diff(&turn).await.unwrap();
    for part in [
        "diff --git a/changed b/changed",
        "-old\n+new\n",
        "Binary files a/binary and b/binary differ",
        "diff --git a/grüße.txt b/grüße.txt\nnew file mode 100644",
        "+hällo\n",
        "deleted file mode 100644",
        "similarity index 100%\nrename from moved\nrename to renamed",
    ] {
        assert!(diff.diff.contains(part), "{part} is not in {}", diff.diff);
    }
    for absent in ["kept", "earlier", "ignored"] {
        assert!(!diff.diff.contains(absent), "{absent} is in {}", diff.diff);
    }
    assert_eq!((diff.left_out_bytes, diff.files), (0, 5));
    assert_eq!(contents(&dir.join(".git")), before, "something in .git was changed");
    let short = client.ask_diff(&turn, 40, false).await.unwrap();
    assert!(short.diff.len() <= 40 && diff.diff.starts_with(&short.diff), "{short:?}");
    assert_eq!((short.left_out_bytes + short.diff.len() as u64, short.files), (diff.diff.len() as u64, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_brings_back_every_byte_and_leaves_what_git_ignores_alone() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let dir = node.workspace.as_path();
    repository(dir);
    std::fs::write(node.path("untracked"), "mine\n").unwrap();
    std::fs::write(node.path(".gitattributes"), "* text=auto eol=lf\n*.x filter=none ident\n").unwrap();
    std::fs::write(node.path("crlf.txt"), "a\r\nb\r\n").unwrap();
    std::fs::write(node.path("id.x"), "$Id$\n").unwrap();
    std::fs::write(node.path("tool"), "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(node.path("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink("kept", node.path("link")).unwrap();
    std::fs::write(node.path("ignored"), "before\n").unwrap();
    let before = contents(dir);
    let turn = client.begun(&node.workspace).await.unwrap();
    for name in ["changed", "binary", "untracked", "crlf.txt", "id.x"] {
        std::fs::write(node.path(name), "changed\n").unwrap();
    }
    for name in ["deleted", "tool", "link"] {
        std::fs::remove_file(node.path(name)).unwrap();
    }
    std::fs::create_dir_all(node.path("new/deep")).unwrap();
    std::fs::write(node.path("new/deep/file"), "new\n").unwrap();
    let diff = client.end(&turn).await;
    assert!(diff.contains("+++ b/new/deep/file") && diff.contains("+++ b/untracked"), "{diff}");
    std::fs::write(node.path("ignored"), "after\n").unwrap();
    let after = contents(dir);
    let done = undone(client.undo(&turn, false).await.unwrap());
    let names = done.changed.unwrap();
    assert_eq!((names.names.len(), done.resisted), (9, false), "{names:?}");
    let mut expected = before.clone();
    expected.insert(node.path("ignored").display().to_string(), b"after\n".to_vec());
    assert_eq!(contents(dir), expected);
    assert_eq!(std::fs::metadata(node.path("tool")).unwrap().permissions().mode() & 0o111, 0o111);
    assert_eq!(std::fs::read_link(node.path("link")).unwrap(), Path::new("kept"));
    // The undo can be undone.
    undone(client.undo(&done.saved, false).await.unwrap());
    assert_eq!(contents(dir), after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_whose_states_are_forgotten_leaves_no_content_behind_and_can_begin_anew() {
    let node = Fixture::start().await;
    let (mut client, mut other) = (node.client(), node.client());
    std::fs::write(node.path("a"), "before\n").unwrap();
    let (turn, others) = (client.begun(&node.workspace).await.unwrap(), other.begun(&node.workspace).await.unwrap());
    let kept = node.dir.path().join("state/checkpoints");
    let threads = || std::fs::read_dir(&kept).unwrap().count();
    assert_eq!(threads(), 2);
    for _ in 0..2 {
        let request = wire::ForgetRequest { authority: client.who() };
        soon(client.workspace.forget(request)).await.unwrap();
    }
    assert_eq!(threads(), 1);
    assert_eq!(client.diff(&turn).await.map_err(|status| status.code()), Err(Code::NotFound));
    assert_eq!(other.diff(&others).await.unwrap(), NOTHING);
    let again = client.begun(&node.workspace).await.unwrap();
    std::fs::write(node.path("a"), "after\n").unwrap();
    assert!(client.diff(&again).await.unwrap().diff.contains("-before\n+after\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn states_that_are_to_last_as_long_as_the_node_go_with_it() {
    let node = Fixture::with(|config, _| config.checkpoints = CheckpointDir::WhileItLives).await;
    let mut client = node.client();
    std::fs::write(node.path("a"), "before\n").unwrap();
    let turn = client.begun(&node.workspace).await.unwrap();
    std::fs::write(node.path("a"), "after\n").unwrap();
    assert!(client.diff(&turn).await.unwrap().diff.contains("+after\n"));
    drop(client);
    let Fixture { running, dir, .. } = node;
    running.shutdown().await;
    assert_eq!(std::fs::read_dir(dir.path().join("state/scratch")).unwrap().count(), 0);
    assert!(!dir.path().join("state/checkpoints").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_for_once_is_tried_again() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let there = node.workspace.join("late").unwrap();
    client.begun(&there).await.unwrap_err();
    std::fs::create_dir(there.as_path()).unwrap();
    client.begun(&there).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_turn_is_not_undone_unless_forced_and_never_lost() {
    let node = Fixture::start().await;
    let mut client = node.client();
    std::fs::write(node.path("a"), "one\n").unwrap();
    let turn = client.begun(&node.workspace).await.unwrap();
    std::fs::write(node.path("a"), "two\n").unwrap();
    assert_eq!(client.undo(&turn, false).await.unwrap(), Undo::NeverEnded(wire::NeverEnded {}));
    client.end(&turn).await;
    std::fs::write(node.path("a"), "mine\n").unwrap();
    std::fs::write(node.path("b"), "mine too\n").unwrap();
    let since = wire::FileNames { names: vec!["a".into(), "b".into()], more: 0 };
    assert_eq!(client.undo("", false).await.unwrap(), Undo::ChangedSince(since));
    assert_eq!(std::fs::read_to_string(node.path("a")).unwrap(), "mine\n");
    let done = undone(client.undo(&turn, true).await.unwrap());
    assert_eq!(std::fs::read_to_string(node.path("a")).unwrap(), "one\n");
    assert!(!node.path("b").exists());
    undone(client.undo(&done.saved, false).await.unwrap());
    assert_eq!(std::fs::read_to_string(node.path("a")).unwrap(), "mine\n");
    assert_eq!(std::fs::read_to_string(node.path("b")).unwrap(), "mine too\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_are_undone_one_after_another_and_another_life_of_the_node_knows_them() {
    let mut node = Fixture::start().await;
    let mut client = node.client();
    for number in 0..3 {
        let turn = client.begun(&node.workspace).await.unwrap();
        // Asked again, the first state stays.
        std::fs::write(node.path("f"), format!("{number}\n")).unwrap();
        client.begin(&node.workspace, &turn).await.unwrap();
        client.end(&turn).await;
    }
    let authority = client.authority.clone();
    node = node.again().await;
    let mut client = node.client();
    client.authority = authority;
    for left in ["1\n", "0\n"] {
        undone(client.undo("", false).await.unwrap());
        assert_eq!(std::fs::read_to_string(node.path("f")).unwrap(), left);
    }
    undone(client.undo("", false).await.unwrap());
    assert!(!node.path("f").exists());
    assert_eq!(client.undo("", false).await.map_err(|status| status.code()), Err(Code::NotFound));
    let mut other = node.client();
    assert_eq!(other.diff("").await.map_err(|status| status.code()), Err(Code::NotFound), "another thread's");
}

#[tokio::test(flavor = "multi_thread")]
async fn states_are_noted_in_every_kind_of_work_tree_and_without_one() {
    let node = Fixture::start().await;
    let make = |name: &str| {
        std::fs::create_dir_all(node.path(name)).unwrap();
        node.workspace.join(name).unwrap()
    };
    let empty = make("empty");
    git(empty.as_path(), &["init", "-q"]);
    let main = make("main");
    repository(main.as_path());
    git(main.as_path(), &["worktree", "add", "-q", "../linked"]);
    let linked = node.workspace.join("linked").unwrap();
    let nested = make("nested");
    repository(nested.as_path());
    for inner in ["with-commit", "without-commit"] {
        std::fs::create_dir(nested.as_path().join(inner)).unwrap();
        git(&nested.as_path().join(inner), &["init", "-q"]);
        std::fs::write(nested.as_path().join(inner).join("f"), "x").unwrap();
    }
    git(&nested.as_path().join("with-commit"), &["add", "-A"]);
    git(&nested.as_path().join("with-commit"), &["commit", "-q", "-m", "inner"]);
    let sub = make("main/sub:with colon");
    let plain = AbsPath::new(node.dir.path().join("plain")).unwrap();
    std::fs::create_dir(plain.as_path()).unwrap();
    std::fs::write(plain.as_path().join(".gitignore"), "out\n").unwrap();
    std::fs::write(plain.as_path().join("out"), "built").unwrap();
    let broken = make("broken");
    repository(broken.as_path());
    std::fs::write(broken.as_path().join(".git/index"), "nonsense").unwrap();
    for dir in [&empty, &main, &linked, &nested, &sub, &plain, &broken] {
        let mut client = node.client();
        let turn = client.begun(dir).await.unwrap_or_else(|status| panic!("{dir}: {status}"));
        std::fs::write(dir.as_path().join("added"), "fresh\n").unwrap();
        let diff = client.diff(&turn).await.unwrap_or_else(|status| panic!("{dir}: {status}")).diff;
        assert!(diff.contains("+fresh\n") && diff.matches("diff --git").count() == 1, "{dir}: {diff}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_repository_makes_git_run_cannot_leave_the_sandbox() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let dir = node.workspace.as_path();
    repository(dir);
    let loot = node.path("loot");
    let program = format!("sh -c 'echo ran >>{0}; cat; echo ran >>{0}'", loot.display());
    for key in ["filter.evil.clean", "core.fsmonitor", "diff.evil.textconv", "diff.external"] {
        git(dir, &["config", key, &program]);
    }
    std::fs::write(node.path(".gitattributes"), "*.txt filter=evil diff=evil\n").unwrap();
    std::fs::write(node.path("a.txt"), "before\n").unwrap();
    let turn = client.begun(&node.workspace).await.unwrap();
    std::fs::write(node.path("a.txt"), "after\n").unwrap();
    let diff = client.diff(&turn).await.unwrap();
    assert!(diff.diff.contains("-before\n+after\n"), "{diff:?}");
    assert!(!loot.exists(), "a program of the repository's wrote outside the scratch directory");
}
