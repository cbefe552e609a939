//! Small files that are read through the node.

use crate::fixture::{Client, Fixture, soon};
use capstan_proto::wire::node as wire;
use capstan_types::file_read::{FileRead, FilesRead, MOST_BYTES, ReadFiles};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::fs;
use std::os::unix::fs::symlink;

impl Client {
    async fn read(&mut self, read: &ReadFiles) -> FilesRead {
        soon(self.workspace.read_files(wire::ReadFilesRequest::from(read))).await.unwrap().into_inner().try_into().unwrap()
    }

    async fn read_now(&mut self, read: &ReadFiles) -> Vec<FileRead> {
        match self.read(read).await {
            FilesRead::Now { files, .. } => files,
            FilesRead::Unchanged => panic!("nothing was seen before"),
        }
    }
}

fn request(node: &Fixture, client: &Client, names: &[&str]) -> ReadFiles {
    ReadFiles {
        authority: client.authority.clone(),
        cwd: node.workspace.clone(),
        paths: names.iter().map(|name| node.workspace.join(name).unwrap()).collect(),
        root: Some(node.workspace.clone()),
        max_bytes: 100,
        policy: SandboxPolicy::workspace_write(vec![node.workspace.clone()]),
        seen: None,
    }
}

fn content(bytes: &[u8], size: u64) -> FileRead {
    FileRead::Content { bytes: bytes.to_vec(), size }
}

fn refused(reason: &str) -> FileRead {
    FileRead::Refused { reason: reason.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_has_its_own_answer() {
    let node = Fixture::start().await;
    let mut client = node.client();
    fs::write(node.dir.path().join("secret"), "outside").unwrap();
    fs::write(node.path("plain"), "a\nb").unwrap();
    fs::write(node.path("empty"), "").unwrap();
    fs::write(node.path("binary"), [0, 255, 10, 10]).unwrap();
    fs::write(node.path("long"), [b'x'; 250]).unwrap();
    fs::write(node.path("it's \"odd\" $HOME\nname"), "odd").unwrap();
    fs::create_dir(node.path("dir")).unwrap();
    symlink("plain", node.path("inside")).unwrap();
    symlink(node.dir.path().join("secret"), node.path("outside")).unwrap();
    symlink("/etc/passwd", node.path("system")).unwrap();
    symlink("nowhere", node.path("dangling")).unwrap();
    let names = [
        "plain",
        "empty",
        "binary",
        "long",
        "it's \"odd\" $HOME\nname",
        "dir",
        "inside",
        "outside",
        "system",
        "dangling",
        "missing",
    ];
    let read = client.read_now(&request(&node, &client, &names)).await;
    let out = "is a link that leads out of the workspace";
    let expected = [
        content(b"a\nb", 3),
        content(b"", 0),
        content(&[0, 255, 10, 10], 4),
        content(&[b'x'; 100], 250),
        content(b"odd", 3),
        refused("is not a regular file"),
        content(b"a\nb", 3),
        refused(out),
        refused(out),
        refused("is a link that leads nowhere"),
        FileRead::Missing,
    ];
    assert_eq!(read, expected);
    node.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_file_is_not_read() {
    let node = Fixture::start().await;
    let mut client = node.client();
    fs::write(node.path(".env"), "KEY=1").unwrap();
    let mut read = request(&node, &client, &[".env"]);
    read.policy.hidden = vec![AbsPath::new(node.path(".env")).unwrap()];
    let answer = client.read_now(&read).await;
    assert!(!matches!(&answer[0], FileRead::Content { bytes, .. } if !bytes.is_empty()), "{answer:?}");
    node.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_as_it_was_seen_is_not_read_again() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let mut read = request(&node, &client, &["a", "b"]);
    let FilesRead::Now { stamp, files } = client.read(&read).await else { panic!("nothing was seen before") };
    assert_eq!(files, [FileRead::Missing, FileRead::Missing]);
    read.seen = stamp;
    assert_eq!(client.read(&read).await, FilesRead::Unchanged);
    fs::write(node.path("b"), "new").unwrap();
    let FilesRead::Now { stamp, files } = client.read(&read).await else { panic!("a file came to be") };
    assert_eq!(files, [FileRead::Missing, content(b"new", 3)]);
    read.seen = stamp;
    assert_eq!(client.read(&read).await, FilesRead::Unchanged);
    assert!(node.session_dirs().is_empty(), "a reading program left something behind");
    node.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_files_together_have_a_limit_too() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let size = usize::try_from(MOST_BYTES).unwrap() * 3 / 4;
    fs::write(node.path("a"), vec![b'a'; size]).unwrap();
    fs::write(node.path("b"), vec![b'b'; size]).unwrap();
    let read = ReadFiles { max_bytes: MOST_BYTES, ..request(&node, &client, &["a", "b"]) };
    let read = client.read_now(&read).await;
    assert_eq!(read[0], content(&vec![b'a'; size], size as u64));
    assert_eq!(read[1], content(&vec![b'b'; size / 3], size as u64));
    node.running.shutdown().await;
}
