//! Checkpoints that travel: saved on one node, brought back there and on another. Real files, real runner, a directory that both share.

use crate::checkpoints::git;
use crate::fixture::{Client, Fixture, soon};
use capstan_blobs::{Blobs, Location};
use capstan_proto::wire::node as wire;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tonic::{Code, Status};

impl Client {
    async fn save(&mut self, cwd: &AbsPath, name: &str) -> Result<wire::SaveResponse, Status> {
        self.save_under(SandboxPolicy::workspace_write(vec![cwd.clone()]), cwd, name).await
    }

    async fn save_under(&mut self, policy: SandboxPolicy, cwd: &AbsPath, name: &str) -> Result<wire::SaveResponse, Status> {
        let (cwd, name, policy) = (cwd.to_string(), name.to_owned(), Some((&policy).into()));
        let request = wire::SaveRequest { authority: self.who(), cwd, name, policy, ignored: false };
        Ok(soon(self.workspace.save(request)).await?.into_inner())
    }

    async fn restore(&mut self, cwd: &AbsPath, name: &str) -> Result<wire::RestoreResponse, Status> {
        let policy = Some((&SandboxPolicy::workspace_write(vec![cwd.clone()])).into());
        let request = wire::RestoreRequest {
            authority: self.who(),
            cwd: cwd.to_string(),
            name: name.to_owned(),
            policy,
            of_thread_id: String::new(),
        };
        Ok(soon(self.workspace.restore(request)).await?.into_inner())
    }
}

fn changed(restored: wire::RestoreResponse) -> Vec<String> {
    let mut names = restored.changed.unwrap().names;
    names.sort();
    names
}

fn blobs(dir: &TempDir) -> Option<Blobs> {
    Some(Blobs::open(&Location::Directory(dir.path().join("blobs"))).unwrap())
}

/// A repository with a commit, a change that is not committed, an untracked file and one that is ignored.
pub(crate) fn project(dir: &Path) {
    let write = |name: &str, text: &str| {
        fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
        fs::write(dir.join(name), text).unwrap();
    };
    write("src/main.c", "int main() { return 0; }\n");
    write(".gitignore", "*.o\n");
    git(dir, &["init", "-q", "-b", "main"]);
    git(dir, &["add", "."]);
    git(dir, &["commit", "-q", "-m", "first"]);
    write("src/main.c", "int main() { return 1; }\n");
    write("src/new.c", "new\n");
    write("src/main.o", "object");
    write("odd \u{fc} name\n", "odd");
    fs::create_dir_all(dir.join("empty/inner")).unwrap();
    fs::set_permissions(dir.join("empty"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("src/main.c", dir.join("link")).unwrap();
    fs::write(dir.join("run.sh"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(dir.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Every name with its mode, its time, and its content or target.
pub(crate) fn image(top: &Path) -> Vec<(PathBuf, u32, i64, Vec<u8>)> {
    let (mut found, mut dirs) = (Vec::new(), vec![top.to_owned()]);
    while let Some(at) = dirs.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let facts = fs::symlink_metadata(&path).unwrap();
            let content = if facts.is_dir() {
                dirs.push(path.clone());
                Vec::new()
            } else if facts.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else {
                fs::read(&path).unwrap()
            };
            found.push((path.strip_prefix(top).unwrap().to_owned(), facts.mode(), facts.mtime(), content));
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_was_saved_on_one_node_is_equal_on_another() {
    let shared = tempfile::tempdir().unwrap();
    let one = Fixture::with(|config, _| config.blobs = blobs(&shared)).await;
    let other = Fixture::with(|config, _| config.blobs = blobs(&shared)).await;
    let (mut client, mut there) = (one.client(), other.client());
    there.authority = client.authority.clone();
    project(one.workspace.as_path());
    let saved = client.save(&one.workspace, "turn-1").await.unwrap();
    assert_eq!(saved.skipped, Some(wire::Skipped::default()));
    let new = other.workspace.join("here").unwrap();
    fs::create_dir(new.as_path()).unwrap();
    there.restore(&new, "turn-1").await.unwrap();
    let mut expected = image(one.workspace.as_path());
    expected.retain(|(path, ..)| path != Path::new("src/main.o"));
    // Its list of names has changed with what is left out, and nothing else.
    let same = |(path, mode, time, content): &(PathBuf, u32, i64, Vec<u8>)| (path.clone(), *mode, *time, content.clone());
    assert_eq!(image(new.as_path()).iter().map(same).collect::<Vec<_>>(), expected);
    assert_eq!(git(new.as_path(), &["log", "--format=%s"]), "first\n");
    assert_eq!(git(new.as_path(), &["status", "--porcelain", "-s", "src"]), " M src/main.c\n?? src/new.c\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_changed_is_stored_again_and_every_checkpoint_can_be_had_back() {
    let node = Fixture::start().await;
    let mut client = node.client();
    for number in 0..200 {
        fs::write(node.path(&format!("f{number}")), format!("{number}").repeat(200)).unwrap();
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let first = client.save(&node.workspace, "one").await.unwrap();
    let before = image(node.workspace.as_path());
    assert_eq!(first.files, 200);
    fs::write(node.path("f7"), "another").unwrap();
    fs::remove_file(node.path("f8")).unwrap();
    let second = client.save(&node.workspace, "two").await.unwrap();
    assert!(second.files == 199 && second.new_bytes < first.new_bytes / 4, "{second:?} after {first:?}");
    let again = client.save(&node.workspace, "two").await.unwrap();
    assert_eq!(again, second, "what is asked twice is answered once");
    assert_eq!(changed(client.restore(&node.workspace, "one").await.unwrap()), ["f7", "f8"]);
    let content = |image: Vec<(PathBuf, u32, i64, Vec<u8>)>| image.into_iter().map(|(path, mode, _, bytes)| (path, mode, bytes));
    assert!(content(image(node.workspace.as_path())).eq(content(before)));
    // The node's next life knows them as well.
    let authority = client.authority.clone();
    let node = node.again().await;
    let mut client = node.client();
    client.authority = authority;
    assert_eq!(changed(client.restore(&node.workspace, "two").await.unwrap()), ["f7", "f8"]);
    assert!(!node.path("f8").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sessions_may_not_read_is_no_part_of_a_checkpoint_and_stays_where_it_is() {
    let node = Fixture::start().await;
    let mut client = node.client();
    fs::write(node.path("code"), "code").unwrap();
    fs::write(node.path(".env"), "CANARY-41c7").unwrap();
    let hidden = SandboxPolicy {
        hidden: vec![node.workspace.join(".env").unwrap()],
        ..SandboxPolicy::workspace_write(vec![node.workspace.clone()])
    };
    client.save_under(hidden.clone(), &node.workspace, "one").await.unwrap();
    for found in image(&node.dir.path().join("state/saved")) {
        assert!(!found.3.windows(11).any(|bytes| bytes == b"CANARY-41c7"), "{:?}", found.0);
    }
    fs::write(node.path("code"), "other").unwrap();
    let cwd = node.workspace.to_string();
    let request = wire::RestoreRequest {
        authority: client.who(),
        cwd,
        name: "one".into(),
        policy: Some((&hidden).into()),
        of_thread_id: String::new(),
    };
    soon(client.workspace.restore(request)).await.unwrap();
    assert_eq!(fs::read_to_string(node.path("code")).unwrap(), "code");
    assert_eq!(fs::read_to_string(node.path(".env")).unwrap(), "CANARY-41c7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_reads_no_checkpoint_not_even_its_own() {
    let node = Fixture::start().await;
    let mut client = node.client();
    fs::write(node.path("code"), "code").unwrap();
    client.save(&node.workspace, "one").await.unwrap();
    let packs = node.dir.path().join("state/saved/packs");
    assert_eq!(fs::read_dir(&packs).unwrap().count(), 1);
    let call = node.call(&client, &format!("ls {0}; cat {0}/*; echo x > {0}/y", packs.display()));
    let output = client.run(&call).await.unwrap().output;
    assert!(!output.contains("capstan-pack") && !output.contains(".pack\n"), "{output}");
    assert_eq!(fs::read_dir(&packs).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_saved_or_brought_back_is_said() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let none = client.restore(&node.workspace, "never").await.unwrap_err();
    assert_eq!(none.code(), Code::NotFound);
    let nowhere = node.workspace.join("nowhere").unwrap();
    let unsaved = client.save(&nowhere, "one").await.unwrap_err();
    assert_eq!(unsaved.code(), Code::Aborted, "{unsaved}");
    let bad = client.save(&node.workspace, "../x").await.unwrap_err();
    assert_eq!((bad.code(), bad.message().contains("1 to 100 letters")), (Code::InvalidArgument, true), "{bad}");
    // Another thread's checkpoints are not this one's.
    fs::write(node.path("a"), "a").unwrap();
    client.save(&node.workspace, "one").await.unwrap();
    assert_eq!(node.client().restore(&node.workspace, "one").await.unwrap_err().code(), Code::NotFound);
    // A pack that is gone is missed before anything is changed.
    for pack in fs::read_dir(node.dir.path().join("state/saved/packs")).unwrap() {
        fs::remove_file(pack.unwrap().path()).unwrap();
    }
    fs::write(node.path("a"), "b").unwrap();
    let gone = client.restore(&node.workspace, "one").await.unwrap_err();
    assert_eq!((gone.code(), fs::read_to_string(node.path("a")).unwrap()), (Code::Aborted, "b".to_owned()), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_keeps_from_sessions_is_neither_saved_nor_written() {
    let node = Fixture::with(|config, dir| {
        let work = AbsPath::new(dir.join("work").canonicalize().unwrap()).unwrap();
        config.ceiling.hidden.push(work.join("secret").unwrap());
        config.ceiling.writable = Some(vec![work]);
    })
    .await;
    let mut client = node.client();
    fs::write(node.path("code"), "code").unwrap();
    fs::write(node.path("secret"), "CANARY-77aa").unwrap();
    client.save(&node.workspace, "one").await.unwrap();
    for found in image(&node.dir.path().join("state/saved")) {
        assert!(!found.3.windows(11).any(|bytes| bytes == b"CANARY-77aa"), "{:?}", found.0);
    }
    client.restore(&node.workspace, "one").await.unwrap();
    assert_eq!(fs::read_to_string(node.path("secret")).unwrap(), "CANARY-77aa");
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    let elsewhere = AbsPath::new(outside.path().canonicalize().unwrap()).unwrap();
    let refused = client.restore(&elsewhere, "one").await.unwrap_err();
    assert_eq!((refused.code(), fs::read_dir(outside.path()).unwrap().count()), (Code::Aborted, 0), "{refused}");
    let missing = node.workspace.join("not/there").unwrap();
    client.restore(&missing, "one").await.unwrap_err();
    assert!(!missing.as_path().exists(), "the node makes no directories for others");
}
