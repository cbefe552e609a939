//! Workspaces that a node makes of their sources: real git, real sandboxes, real servers.

mod attacks;
mod git_server;
mod killed;
mod remote;

use crate::checkpoints::git;
use crate::fixture::{Client, Fixture, exited};
use capstan_proto::wire::node as wire;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::source::{
    GitCredential, GitSource, History, MakeEvent, MakeProgress, MakeWorkspace, SavedSource, WorkspaceMade, WorkspaceSource,
};
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tonic::{Code, Status};

/// The longest that a workspace may take to be made.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node whose mounts go with it.
pub(crate) struct Maker(pub(crate) Option<Fixture>);

impl Maker {
    pub(crate) async fn start() -> Self {
        Self(Some(Fixture::start().await))
    }

    pub(crate) async fn again(mut self) -> Self {
        Self(Some(self.0.take().unwrap().again().await))
    }
}

impl std::ops::Deref for Maker {
    type Target = Fixture;

    fn deref(&self) -> &Fixture {
        self.0.as_ref().unwrap()
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        if let Some(node) = &self.0 {
            unmount(&node.dir.path().join("state"));
        }
    }
}

/// Takes all mounts below a node's state away.
pub(crate) fn unmount(state: &Path) {
    for entry in fs::read_dir(state.join("workspaces")).into_iter().flatten().flatten() {
        let _ = Command::new("umount").arg("-lq").arg(entry.path().join("tree")).output();
    }
}

impl Client {
    /// Asks for the thread's workspace, and gives it with all that was told meanwhile.
    pub(crate) async fn make(&mut self, source: WorkspaceSource) -> Result<(WorkspaceMade, Vec<MakeProgress>), Status> {
        self.make_with(source, Vec::new()).await
    }

    pub(crate) async fn make_with(
        &mut self,
        source: WorkspaceSource,
        credentials: Vec<GitCredential>,
    ) -> Result<(WorkspaceMade, Vec<MakeProgress>), Status> {
        let make = MakeWorkspace { authority: self.authority.clone(), source, policy: None, quota_bytes: None, credentials };
        let making = async {
            let mut events = self.workspace.make(wire::MakeRequest::from(&make)).await?.into_inner();
            let mut told = Vec::new();
            while let Some(event) = events.message().await? {
                match MakeEvent::try_from(event).unwrap() {
                    MakeEvent::Progress(progress) => told.push(progress),
                    MakeEvent::Made(made) => return Ok((*made, told)),
                }
            }
            panic!("the stream ended without an end, after {told:?}")
        };
        tokio::time::timeout(PATIENCE, making).await.expect("it was not made in time")
    }
}

pub(crate) fn of(url: impl ToString) -> WorkspaceSource {
    WorkspaceSource::Git(source(url))
}

pub(crate) fn source(url: impl ToString) -> GitSource {
    GitSource::whole(url.to_string().parse().unwrap())
}

/// A repository on the node's host with two branches, a tag, and what is not only text.
pub(crate) fn project(dir: &Path) -> PathBuf {
    let top = dir.join("project");
    fs::create_dir(&top).unwrap();
    crate::checkpoints::repository(&top);
    fs::create_dir(top.join("deep")).unwrap();
    fs::write(top.join("deep/run.sh"), "#!/bin/sh\necho hello\n").unwrap();
    fs::set_permissions(top.join("deep/run.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("deep/run.sh", top.join("link")).unwrap();
    git(&top, &["add", "-A"]);
    git(&top, &["commit", "-q", "-m", "second"]);
    git(&top, &["tag", "-a", "v1", "-m", "one"]);
    git(&top, &["branch", "side"]);
    fs::write(top.join("kept"), "third\n").unwrap();
    git(&top, &["commit", "-q", "-am", "third"]);
    top
}

impl Maker {
    /// Runs a script in a workspace, as its thread's session.
    pub(crate) async fn session(&self, client: &mut Client, root: &AbsPath, script: &str) -> String {
        let mut call = self.call(client, script);
        call.cwd = root.clone();
        call.policy = SandboxPolicy::workspace_write(vec![root.clone()]);
        let ran = client.run(&call).await.unwrap();
        assert_eq!(ran.end, exited(0), "{script}: {}", ran.output);
        ran.output
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_workspace_is_made_once_and_known_to_the_nodes_next_life() {
    let node = Maker::start().await;
    let mut client = node.client();
    let (made, _) = client.make(WorkspaceSource::Empty).await.unwrap();
    let root = made.facts.root.clone();
    let expected = node.dir.path().join("state/workspaces").join(client.authority.thread.to_string()).join("tree");
    assert_eq!((made.how.as_str(), root.as_path(), made.facts.git), ("empty", expected.canonicalize().unwrap().as_path(), false));
    assert_eq!(node.session(&mut client, &root, "echo mine >file; ls").await, "file\n");
    // What the sandbox of a session that has just ended has put there is no part of the workspace.
    assert_eq!(client.make(WorkspaceSource::Empty).await.unwrap().0.facts.root, root);
    let other = client.make(of("/nowhere")).await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyExists, "{other}");
    let authority = client.authority.clone();
    let node = node.again().await;
    let mut client = node.client();
    client.authority = authority;
    assert_eq!(client.make(WorkspaceSource::Empty).await.unwrap().0.facts.root, root);
    assert_eq!(node.session(&mut client, &root, "cat file").await, "mine\n");
    let saved = SavedSource { thread: client.authority.thread, name: "upload".parse().unwrap() };
    let unmade = node.client().make(WorkspaceSource::Saved(saved)).await.unwrap_err();
    assert_eq!(unmade.code(), Code::FailedPrecondition, "{unmade}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_is_checked_out_with_a_repository_of_its_own() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    let mut client = node.client();
    let (made, told) = client.make(of(top.display())).await.unwrap();
    assert_eq!(made.revision.as_deref(), Some(git(&top, &["rev-parse", "main"]).trim()));
    assert!(made.facts.git && made.fetched_bytes > 0 && !made.reused_mirror, "{made:?}");
    assert!(told.iter().any(|progress| progress.said.starts_with("fetching file:///")), "{told:?}");
    let root = made.facts.root;
    let script = "git status --porcelain -b; git log --format=%s; git branch -a; git remote -v; ./link; \
                  git -c user.name=a -c user.email=a@b commit -q --allow-empty -m mine && git log -1 --format=%s; git fsck 2>&1";
    let said = node.session(&mut client, &root, script).await;
    insta_like(
        &said,
        &["## main...origin/main\n", "third\nsecond\nfirst\n", "* main\n", "remotes/origin/side\n", "hello\n", "mine\n"],
    );
    assert!(!said.contains("error") && !said.contains("state/mirrors"), "{said}");
    // A tag and a branch of the same repository: nothing is fetched again.
    for (revision, head) in [("v1", "second"), ("side", "second"), ("refs/heads/main", "third")] {
        let mut other = node.client();
        let git_source = GitSource { revision: Some(revision.parse().unwrap()), ..source(top.display()) };
        let (made, _) = other.make(WorkspaceSource::Git(git_source)).await.unwrap();
        assert!(made.reused_mirror && made.fetched_bytes == 0, "{made:?}");
        assert_eq!(
            node.session(&mut other, &made.facts.root, "git log -1 --format=%s; git status --porcelain").await,
            format!("{head}\n")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_workspace_is_its_own_and_none_changes_what_another_is_made_of() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    let (mut one, mut other) = (node.client(), node.client());
    let first = one.make(of(top.display())).await.unwrap().0.facts.root;
    let script = "echo changed >kept; rm -r deep; mv moved elsewhere; chmod -R u+w .git; \
                  for f in .git/objects/pack/*; do echo garbage >$f; done; git gc -q 2>/dev/null; rm -rf .git/refs; true";
    node.session(&mut one, &first, script).await;
    let second = other.make(of(top.display())).await.unwrap().0.facts.root;
    let said = node
        .session(&mut other, &second, "cat kept; ls deep; git status --porcelain; git fsck --full && git log --format=%s")
        .await;
    assert_eq!(said, "third\nrun.sh\nthird\nsecond\nfirst\n");
    assert!(fs::read_dir(node.dir.path().join("state/mirrors")).unwrap().count() == 1);
    for mirror in mirrors(&node) {
        git(
            &mirror,
            &["--git-dir=.", "-c", "safe.bareRepository=all", "cat-file", "-e", git(&top, &["rev-parse", "main"]).trim()],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_of_a_repository_is_there_after_the_nodes_restart() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    let mut client = node.client();
    let (made, _) = client.make(of(top.display())).await.unwrap();
    node.session(&mut client, &made.facts.root, "echo mine >kept; echo new >new").await;
    let authority = client.authority.clone();
    let node = node.again().await;
    let mut client = node.client();
    client.authority = authority;
    let said = node.session(&mut client, &made.facts.root, "cat kept new; git status --porcelain").await;
    assert_eq!(said, "mine\nnew\n M kept\n?? new\n");
    assert_eq!(client.make(of(top.display())).await.unwrap().0, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workspaces_that_are_asked_for_at_once_fetch_once() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    let makes = (0..40).map(|_| {
        let (mut client, source) = (node.client(), of(top.display()));
        tokio::spawn(async move { client.make(source).await.unwrap().0 })
    });
    let made: Vec<WorkspaceMade> = futures::future::join_all(makes).await.into_iter().map(|made| made.unwrap()).collect();
    assert_eq!(made.iter().filter(|made| made.fetched_bytes > 0).count(), 1);
    let mut roots: Vec<_> = made.iter().map(|made| made.facts.root.clone()).collect();
    roots.sort();
    roots.dedup();
    assert_eq!(roots.len(), 40);
    assert!(made.iter().all(|one| one.revision == made[0].revision));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_as_long_as_it_was_asked_for() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    git(&top, &["config", "uploadpack.allowFilter", "true"]);
    git(&top, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let made = async |history, revision: Option<&str>| {
        let mut client = node.client();
        let revision = revision.map(|text| text.parse().unwrap());
        let source = GitSource { history, revision, ..source(top.display()) };
        let (made, _) = client.make(WorkspaceSource::Git(source)).await.unwrap();
        let script = "git log --format=%s; git status --porcelain; cat kept; git count-objects -v | sed -n 's/in-pack: //p'";
        node.session(&mut client, &made.facts.root, script).await
    };
    let whole = made(History::Whole, None).await;
    assert!(whole.starts_with("third\nsecond\nfirst\nthird\n"), "{whole}");
    let blobless = made(History::Blobless, None).await;
    assert!(blobless.starts_with("third\nsecond\nfirst\nthird\n") && blobless != whole, "{blobless} and {whole}");
    let shallow = History::Shallow(NonZeroU32::MIN);
    assert!(made(shallow, None).await.starts_with("third\nthird\n"));
    assert!(made(shallow, Some("v1")).await.starts_with("second\nkept\n"));
    let commit = git(&top, &["rev-parse", "v1~1"]);
    assert!(made(History::Whole, Some(commit.trim())).await.starts_with("first\nkept\n"));
}

fn mirrors(node: &Fixture) -> Vec<PathBuf> {
    let entries = fs::read_dir(node.dir.path().join("state/mirrors")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn insta_like(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}
