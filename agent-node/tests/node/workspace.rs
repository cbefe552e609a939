//! Directories, patches, snapshots.

use crate::fixture::{Client, Fixture, soon};
use capstan_proto::refusal;
use capstan_proto::wire::node as wire;
use capstan_types::id::{Attempt, CallId};
use capstan_types::item::{FileChange, FileChangeKind};
use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::{PatchCall, PatchReport, WorkspaceFacts};
use std::collections::BTreeMap;
use std::path::Path;
use tonic::{Code, Status};

impl Client {
    async fn open(&mut self, cwd: &AbsPath) -> Result<WorkspaceFacts, Status> {
        let request = wire::OpenRequest { authority: self.who(), cwd: cwd.to_string() };
        Ok(soon(self.workspace.open(request)).await?.into_inner().try_into().unwrap())
    }

    async fn patch(&mut self, call: &PatchCall) -> Result<PatchReport, Status> {
        let request = wire::ApplyPatchRequest::from(call);
        Ok(soon(self.workspace.apply_patch(request)).await?.into_inner().try_into().unwrap())
    }

    async fn snapshot(&mut self, cwd: &AbsPath) -> Result<String, Status> {
        let request = wire::SnapshotRequest { authority: self.who(), cwd: cwd.to_string() };
        Ok(soon(self.workspace.snapshot(request)).await?.into_inner().snapshot_id)
    }

    async fn diff(&mut self, cwd: &AbsPath, snapshot: &str, max_bytes: u64) -> Result<wire::DiffResponse, Status> {
        let (authority, cwd, snapshot_id) = (self.who(), cwd.to_string(), snapshot.to_owned());
        let request = wire::DiffRequest { authority, cwd, snapshot_id, max_bytes };
        Ok(soon(self.workspace.diff(request)).await?.into_inner())
    }
}

fn patch_call(node: &Fixture, client: &Client, patch: &str) -> PatchCall {
    PatchCall {
        authority: client.authority.clone(),
        call: CallId::generate(),
        attempt: Attempt(1),
        patch: format!("*** Begin Patch\n{patch}*** End Patch\n"),
        cwd: node.workspace.clone(),
        policy: SandboxPolicy::workspace_write(vec![node.workspace.clone()]),
    }
}

fn git(dir: &Path, args: &[&str]) -> String {
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
fn repository(dir: &Path) {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_opened_by_its_real_name() {
    let node = Fixture::start().await;
    let mut client = node.client();
    std::os::unix::fs::symlink(node.workspace.as_path(), node.dir.path().join("alias")).unwrap();
    let alias = AbsPath::new(node.dir.path().join("alias")).unwrap();
    let facts = client.open(&alias).await.unwrap();
    assert_eq!((facts.root, facts.git, facts.node.as_str()), (node.workspace.clone(), false, "n1"));
    assert_eq!(facts.temp_dirs, [AbsPath::new("/tmp").unwrap()]);
    git(node.workspace.as_path(), &["init", "-q"]);
    assert!(client.open(&alias).await.unwrap().git);
    let missing = client.open(&node.workspace.join("missing").unwrap()).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_applied_whole_or_not_at_all() {
    let node = Fixture::start().await;
    let mut client = node.client();
    std::fs::write(node.path("a"), "one\ntwo\n").unwrap();
    let add_and_change = "*** Add File: b\n+new\n*** Update File: a\n@@\n one\n-two\n+2\n";
    let report = client.patch(&patch_call(&node, &client, add_and_change)).await.unwrap();
    let change = |path: &str, kind| FileChange { path: path.into(), kind };
    let changes = vec![change("b", FileChangeKind::Add), change("a", FileChangeKind::Update { moved_to: None })];
    assert_eq!(report, PatchReport::Applied { changes });
    assert_eq!(std::fs::read_to_string(node.path("a")).unwrap(), "one\n2\n");
    let unfit = "*** Add File: c\n+new\n*** Update File: a\n@@\n-no such line\n+x\n";
    let PatchReport::Refused { reason } = client.patch(&patch_call(&node, &client, unfit)).await.unwrap() else {
        panic!("it was applied")
    };
    assert!(!reason.is_empty() && !node.path("c").exists(), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_one_call_is_applied_once_however_often_it_is_sent() {
    let node = Fixture::start().await;
    let mut client = node.client();
    std::fs::write(node.path("a"), "x\n").unwrap();
    let call = patch_call(&node, &client, "*** Update File: a\n@@\n-x\n+y\n");
    let calls = (0..4).map(|_| {
        let (mut client, call) = (client.clone(), call.clone());
        async move { client.patch(&call).await.unwrap() }
    });
    let reports = futures::future::join_all(calls).await;
    assert!(matches!(&reports[0], PatchReport::Applied { .. }), "{:?}", reports[0]);
    assert!(reports.iter().all(|report| *report == reports[0]));
    assert_eq!(client.patch(&call).await.unwrap(), reports[0]);
    assert_eq!(std::fs::read_to_string(node.path("a")).unwrap(), "y\n", "it was applied again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_stays_inside_the_sandbox_of_its_call() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let outside = node.dir.path().join("outside");
    let escape = format!("*** Add File: {}\n+x\n", outside.display());
    let report = client.patch(&patch_call(&node, &client, &escape)).await.unwrap();
    assert!(matches!(report, PatchReport::Refused { .. }), "{report:?}");
    assert!(!outside.exists());
    let read_only = PatchCall { policy: SandboxPolicy::read_only(), ..patch_call(&node, &client, "*** Add File: b\n+x\n") };
    assert!(matches!(client.patch(&read_only).await.unwrap(), PatchReport::Refused { .. }));
    assert!(!node.path("b").exists());
    let impossible = vec![node.workspace.clone(), node.workspace.join("missing").unwrap()];
    let no_sandbox =
        PatchCall { policy: SandboxPolicy::workspace_write(impossible), ..patch_call(&node, &client, "*** Add File: b\n+x\n") };
    let status = client.patch(&no_sandbox).await.unwrap_err();
    assert!(matches!(refusal::from_status(&status), Some(Refusal::Policy { .. })), "{status:?}");
    assert_eq!(node.session_dirs(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_patch_passes_the_wire() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let body = "+0123456789abcdef\n".repeat(390_000);
    let report = client.patch(&patch_call(&node, &client, &format!("*** Add File: big\n{body}"))).await.unwrap();
    assert!(matches!(report, PatchReport::Applied { .. }), "{report:?}");
    assert_eq!(std::fs::metadata(node.path("big")).unwrap().len(), 390_000 * 17);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_shows_every_kind_of_change_and_git_is_not_touched() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let dir = node.workspace.as_path();
    repository(dir);
    // Staged, changed and untracked before the snapshot: none of it belongs to the diff.
    std::fs::write(node.path("kept"), "kept, and changed before\n").unwrap();
    git(dir, &["add", "kept"]);
    std::fs::write(node.path("earlier"), "untracked before\n").unwrap();
    let before = contents(&dir.join(".git"));
    let snapshot = client.snapshot(&node.workspace).await.unwrap();
    assert_eq!(client.diff(&node.workspace, &snapshot, 0).await.unwrap(), wire::DiffResponse { diff: String::new(), cut: false });
    std::fs::write(node.path("changed"), "new\n").unwrap();
    std::fs::write(node.path("binary"), [0, 9, 9]).unwrap();
    std::fs::write(node.path("ignored"), "not shown\n").unwrap();
    std::fs::write(node.path("grüße.txt"), "hällo\n").unwrap();
    std::fs::remove_file(node.path("deleted")).unwrap();
    std::fs::rename(node.path("moved"), node.path("renamed")).unwrap();
    let diff = client.diff(&node.workspace, &snapshot, 0).await.unwrap();
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
    assert!(!diff.cut);
    assert_eq!(contents(&dir.join(".git")), before, "something in .git was changed");
    let short = client.diff(&node.workspace, &snapshot, 40).await.unwrap();
    assert!(short.cut && short.diff.len() <= 40 && diff.diff.starts_with(&short.diff), "{short:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_two_newest_snapshots_are_kept_and_only_for_their_thread() {
    let node = Fixture::start().await;
    let mut client = node.client();
    repository(node.workspace.as_path());
    let mut snapshots = Vec::new();
    for _ in 0..3 {
        snapshots.push(client.snapshot(&node.workspace).await.unwrap());
    }
    let code = |status: Status| status.code();
    assert_eq!(client.diff(&node.workspace, &snapshots[0], 0).await.map_err(code), Err(Code::NotFound));
    assert!(client.diff(&node.workspace, &snapshots[1], 0).await.is_ok());
    let mut other = node.client();
    assert_eq!(other.diff(&node.workspace, &snapshots[2], 0).await.map_err(code), Err(Code::NotFound));
    let elsewhere = AbsPath::new("/").unwrap();
    assert_eq!(client.diff(&elsewhere, &snapshots[2], 0).await.map_err(code), Err(Code::Aborted));
    let scratch = node.dir.path().join("state/scratch");
    assert!(!contents(&scratch).is_empty());
    node.running.shutdown().await;
    assert!(contents(&scratch).values().all(Vec::is_empty), "the node left snapshots behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_work_in_every_kind_of_work_tree() {
    let node = Fixture::start().await;
    let mut client = node.client();
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
    for dir in [&empty, &main, &linked, &nested, &sub] {
        let snapshot = client.snapshot(dir).await.unwrap_or_else(|status| panic!("{dir}: {status}"));
        std::fs::write(dir.as_path().join("added"), "fresh\n").unwrap();
        let diff = client.diff(dir, &snapshot, 0).await.unwrap_or_else(|status| panic!("{dir}: {status}")).diff;
        assert!(diff.contains("+fresh\n") && diff.matches("diff --git").count() == 1, "{dir}: {diff}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_sound_work_tree_the_reason_is_one_sentence() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let plain = client.snapshot(&node.workspace).await.unwrap_err();
    assert_eq!(plain.code(), Code::Aborted);
    assert!(plain.message().contains("not a git repository"), "{plain}");
    repository(node.workspace.as_path());
    std::fs::write(node.path(".git/index"), "nonsense").unwrap();
    let broken = client.snapshot(&node.workspace).await.unwrap_err();
    assert_eq!(broken.code(), Code::Aborted);
    assert!(broken.message().contains("index") && !broken.message().contains('\n'), "{broken}");
    std::fs::remove_dir_all(node.path(".git")).unwrap();
    let scratch = node.dir.path().join("state/scratch");
    assert!(contents(&scratch).values().all(Vec::is_empty), "a failed snapshot was left behind");
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
    let snapshot = client.snapshot(&node.workspace).await.unwrap();
    std::fs::write(node.path("a.txt"), "after\n").unwrap();
    let diff = client.diff(&node.workspace, &snapshot, 0).await.unwrap();
    assert!(diff.diff.contains("-before\n+after\n"), "{diff:?}");
    assert!(!loot.exists(), "a program of the repository's wrote outside the scratch directory");
}
