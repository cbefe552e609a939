//! Repositories of a server: with credentials and without, and what is said when it does not work.

use super::git_server::GitServer;
use super::{Maker, mirrors, of, project, source};
use crate::checkpoints::git;
use capstan_types::source::{GitCredential, GitSource, History, WorkspaceSource};
use std::path::{Path, PathBuf};
use std::process::Command;
use tonic::Code;

/// `agent:CANARY-5d1f-token`, as HTTP says it.
const RIGHT: &str = "Basic YWdlbnQ6Q0FOQVJZLTVkMWYtdG9rZW4=";
const CANARY: &str = "CANARY-5d1f-token";

fn credential(server: &GitServer, password: &str) -> Vec<GitCredential> {
    vec![
        GitCredential::new("other.example", "x".into(), "y".into()).unwrap(),
        GitCredential::new(&server.address.to_string(), "agent".into(), password.into()).unwrap(),
    ]
}

/// Every file below a directory that holds `text`.
fn holding(dir: &Path, text: &str) -> Vec<PathBuf> {
    let said = Command::new("grep").args(["-rlaF", "--devices=skip", text]).arg(dir).output().unwrap();
    String::from_utf8_lossy(&said.stdout).lines().map(PathBuf::from).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_behind_a_password_is_fetched_and_the_password_is_nowhere() {
    let node = Maker::start().await;
    project(node.dir.path());
    let server = GitServer::start(node.dir.path(), RIGHT);
    let url = server.url("project");
    let looking = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let watched = std::sync::Arc::clone(&looking);
    let watch = std::thread::spawn(move || {
        let (mut seen, mut looks) = (Vec::new(), 0);
        while watched.load(std::sync::atomic::Ordering::Relaxed) {
            for entry in std::fs::read_dir("/proc").unwrap().flatten() {
                for file in ["environ", "cmdline"] {
                    let text = std::fs::read(entry.path().join(file)).unwrap_or_default();
                    if text.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()) {
                        seen.push(entry.path());
                    }
                }
            }
            looks += 1;
        }
        (seen, looks)
    });
    let mut client = node.client();
    let (made, _) = client.make_with(of(&url), credential(&server, CANARY)).await.unwrap();
    // Again, with a fetch of what is new.
    std::fs::write(node.dir.path().join("project/kept"), "fourth\n").unwrap();
    git(&node.dir.path().join("project"), &["commit", "-q", "-am", "fourth"]);
    let mut other = node.client();
    let (newer, _) = other.make_with(of(&url), credential(&server, CANARY)).await.unwrap();
    looking.store(false, std::sync::atomic::Ordering::Relaxed);
    let (seen, looks) = watch.join().unwrap();
    assert!(seen.is_empty() && looks > 3, "the password was seen in {seen:?}, in {looks} looks");
    assert_eq!(
        node.session(&mut other, &newer.facts.root, "git log -1 --format=%s; git remote get-url origin").await,
        format!("fourth\n{url}\n")
    );
    assert!(newer.reused_mirror && newer.fetched_bytes > 0 && newer.fetched_bytes < made.fetched_bytes, "{newer:?}");
    assert_eq!(holding(node.dir.path(), CANARY), Vec::<PathBuf>::new());
    assert_eq!(holding(made.facts.root.as_path(), CANARY), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failure_has_its_sentence_and_leaves_nothing_behind() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    let server = GitServer::start(node.dir.path(), RIGHT);
    let right = || credential(&server, CANARY);
    let fails = async |source: GitSource, credentials: Vec<GitCredential>| {
        let failed = node.client().make_with(WorkspaceSource::Git(source), credentials).await.unwrap_err();
        (failed.code(), failed.message().to_owned())
    };
    let project = source(server.url("project"));
    let (code, said) = fails(project.clone(), credential(&server, "wrong")).await;
    assert!(code == Code::FailedPrecondition && said.contains("does not accept the credentials for"), "{said}");
    let (code, said) = fails(project.clone(), Vec::new()).await;
    assert!(code == Code::FailedPrecondition && said.contains("asks for credentials"), "{said}");
    for revision in ["gone", "refs/heads/gone", &"0a".repeat(20)] {
        for history in [History::Whole, History::Shallow(std::num::NonZeroU32::MIN)] {
            let gone = GitSource { revision: Some(revision.parse().unwrap()), history, ..project.clone() };
            let (code, said) = fails(gone, right()).await;
            assert!(
                code == Code::FailedPrecondition && said.contains("has no branch, tag or commit"),
                "{revision} {history:?}: {said}"
            );
        }
    }
    let (code, said) = fails(source(server.url("nothing")), right()).await;
    assert!(code == Code::FailedPrecondition && said.contains("is not a git repository"), "{said}");
    let (code, said) = fails(source(top.join("deep").display()), Vec::new()).await;
    assert!(code == Code::FailedPrecondition && said.contains("is not a git repository"), "{said}");
    let (code, said) = fails(source("/nowhere/at/all"), Vec::new()).await;
    assert!(code == Code::FailedPrecondition && said.contains("is no directory of this node"), "{said}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, said) = fails(source(format!("http://{closed}/r")), Vec::new()).await;
    assert!(code == Code::Unavailable && said.contains("cannot be reached"), "{said}");
    assert_eq!(std::fs::read_dir(node.dir.path().join("state/workspaces")).unwrap().count(), 0);
    let scratch: Vec<_> = std::fs::read_dir(node.dir.path().join("state/scratch")).unwrap().collect();
    assert!(scratch.is_empty(), "{scratch:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_in_the_middle_is_asked_again_and_the_mirror_is_whole() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    let server = GitServer::start(node.dir.path(), "");
    server.dies_in_the_middle(true);
    let cut = node.client().make(of(server.url("project"))).await.unwrap_err();
    assert!(cut.code() == Code::Unavailable && cut.message().contains("broke off in the middle"), "{cut}");
    server.dies_in_the_middle(false);
    let mut client = node.client();
    let (made, _) = client.make(of(server.url("project"))).await.unwrap();
    assert_eq!(made.revision.as_deref(), Some(git(&top, &["rev-parse", "main"]).trim()));
    assert_eq!(node.session(&mut client, &made.facts.root, "git fsck --full 2>&1; git log -1 --format=%s").await, "third\n");
    assert_eq!(mirrors(&node).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_asked_for_a_pack_once_however_many_want_it() {
    let node = Maker::start().await;
    project(node.dir.path());
    let server = GitServer::start(node.dir.path(), "");
    let makes = (0..10).map(|_| {
        let (mut client, source) = (node.client(), of(server.url("project")));
        tokio::spawn(async move { client.make(source).await.unwrap().1 })
    });
    for told in futures::future::join_all(makes).await {
        assert!(!told.unwrap().is_empty(), "somebody waited without hearing why");
    }
    assert_eq!(server.packs(), 1);
    // Parts of a history come over the wire as they are asked for.
    let blobless = GitSource { history: History::Blobless, ..source(server.url("project")) };
    let mut client = node.client();
    let (made, _) = client.make(WorkspaceSource::Git(blobless)).await.unwrap();
    assert_eq!(node.session(&mut client, &made.facts.root, "git status --porcelain; cat kept").await, "third\n");
}
