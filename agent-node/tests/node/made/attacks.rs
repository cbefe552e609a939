//! Repositories that mean harm.

use super::{Maker, of, project, source};
use crate::checkpoints::git;
use capstan_types::source::{GitSource, WorkspaceSource};
use std::fs;
use std::os::unix::fs::symlink;
use tonic::Code;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_repository_holds_is_run_while_it_is_fetched_and_checked_out() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    let trap = node.dir.path().join("sprung");
    let touch = format!("touch {}; echo sprung >&2", trap.display());
    // On the server's side, which here is a directory, and in the files.
    for hook in ["post-checkout", "post-merge", "pre-auto-gc", "reference-transaction", "fsmonitor", "post-index-change"] {
        let path = top.join(".git/hooks").join(hook);
        fs::write(&path, format!("#!/bin/sh\n{touch}\n")).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    for (key, value) in [
        ("filter.trap.smudge", touch.as_str()),
        ("filter.trap.process", &touch),
        ("core.fsmonitor", &touch),
        ("uploadpack.packObjectsHook", &touch),
        ("core.sshCommand", &touch),
        ("diff.external", &touch),
    ] {
        git(&top, &["config", key, value]);
    }
    fs::write(top.join(".gitattributes"), "* filter=trap diff=trap merge=trap\n").unwrap();
    fs::write(
        top.join(".gitmodules"),
        format!("[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c '{touch}'\n\tupdate = !{touch}\n"),
    )
    .unwrap();
    git(
        &top,
        &[
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "filter.trap.process=",
            "-c",
            "filter.trap.smudge=",
            "add",
            "-A",
        ],
    );
    git(
        &top,
        &[
            "-c",
            "core.fsmonitor=false",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "filter.trap.process=",
            "-c",
            "filter.trap.smudge=",
            "commit",
            "-q",
            "-m",
            "trap",
        ],
    );
    let _ = fs::remove_file(&trap);
    let mut client = node.client();
    let (made, _) = client.make(of(top.display())).await.unwrap();
    assert!(!trap.exists(), "a program of the repository was run");
    let said =
        node.session(&mut client, &made.facts.root, "ls .git/hooks; git config --local --list; git log -1 --format=%s").await;
    assert!(!said.contains("sprung") && !said.contains("touch") && said.ends_with("trap\n"), "{said}");
    assert!(!trap.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_brought_is_said_and_not_left_out() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    for asked in [GitSource { submodules: true, ..source(top.display()) }, GitSource { lfs: true, ..source(top.display()) }] {
        let refused = node.client().make(WorkspaceSource::Git(asked)).await.unwrap_err();
        assert!(refused.code() == Code::FailedPrecondition && refused.message().contains("without them"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_node_keeps_and_what_is_hidden_is_no_source() {
    let node = Maker::start().await;
    let top = project(node.dir.path());
    node.client().make(of(top.display())).await.unwrap();
    let state = node.dir.path().join("state").canonicalize().unwrap();
    let mirror = fs::read_dir(state.join("mirrors")).unwrap().next().unwrap().unwrap().path();
    // By its name, by a link, and as a directory above it.
    symlink(&mirror, node.dir.path().join("alias")).unwrap();
    for place in [mirror, node.dir.path().join("alias"), state] {
        let refused = node.client().make(of(place.display())).await.unwrap_err();
        assert!(
            refused.code() == Code::FailedPrecondition && refused.message().contains("no directory of this node"),
            "{refused}"
        );
    }
    // A `.git` file, and borrowed objects, that lead elsewhere: git follows them only as far as it may read.
    let secret = node.dir.path().join("secret");
    fs::create_dir(&secret).unwrap();
    crate::checkpoints::repository(&secret);
    let lure = node.dir.path().join("lure");
    fs::create_dir(&lure).unwrap();
    fs::write(lure.join(".git"), format!("gitdir: {}\n", secret.join(".git").display())).unwrap();
    let refused = node.client().make(of(lure.display())).await.unwrap_err();
    assert!(refused.code() == Code::FailedPrecondition, "{refused}");
    let borrowed = node.dir.path().join("borrowed");
    fs::create_dir(&borrowed).unwrap();
    git(&borrowed, &["init", "-q", "-b", "main"]);
    fs::write(borrowed.join(".git/objects/info/alternates"), format!("{}\n", secret.join(".git/objects").display())).unwrap();
    fs::write(borrowed.join(".git/refs/heads/main"), git(&secret, &["rev-parse", "main"])).unwrap();
    let refused = node.client().make(of(borrowed.display())).await.unwrap_err();
    assert!(refused.code() != Code::Ok, "{refused}");
    assert!(!refused.message().contains("kept"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_leads_out_of_itself_is_not_written_there() {
    let node = Maker::start().await;
    let top = node.dir.path().join("links");
    fs::create_dir(&top).unwrap();
    git(&top, &["init", "-q", "-b", "main"]);
    let outside = node.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    // The link first, then a file by a path through it: made with plumbing, as no ordinary git would.
    symlink(&outside, top.join("a")).unwrap();
    git(&top, &["add", "a"]);
    let link = git(&top, &["write-tree"]);
    fs::write(top.join("blob"), "written").unwrap();
    let blob = git(&top, &["hash-object", "-w", "blob"]);
    let entry = |mode: &str, kind: &str, hash: &str, name: &str| format!("{mode} {kind} {}\t{name}\n", hash.trim());
    let inner = mktree(&top, &entry("100644", "blob", &blob, "file"));
    let evil = mktree(
        &top,
        &format!(
            "{}{}",
            entry("040000", "tree", &inner, "A"),
            entry("120000", "blob", &git(&top, &["rev-parse", &format!("{}:a", link.trim())]), "a")
        ),
    );
    let dot_git = mktree(&top, &entry("040000", "tree", &inner, ".git"));
    for (name, tree) in [("links", evil), ("dotgit", dot_git)] {
        let commit = git(&top, &["commit-tree", "-m", name, tree.trim()]);
        git(&top, &["update-ref", &format!("refs/heads/{name}"), commit.trim()]);
        let source = GitSource { revision: Some(name.parse().unwrap()), ..source(top.display()) };
        let made = node.client().make(WorkspaceSource::Git(source)).await;
        if let Err(refused) = &made {
            assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "{name}: something was written outside");
        assert!(name != "dotgit" || made.is_err(), "a tree with a .git was checked out");
    }
}

/// A tree of these entries, whatever they are called.
fn mktree(top: &std::path::Path, entries: &str) -> String {
    use std::io::Write;
    let mut child = std::process::Command::new("git")
        .args(["mktree"])
        .current_dir(top)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(entries.as_bytes()).unwrap();
    let said = child.wait_with_output().unwrap();
    assert!(said.status.success());
    String::from_utf8(said.stdout).unwrap()
}
