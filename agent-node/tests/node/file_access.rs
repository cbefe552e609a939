//! The files of a workspace, through the node and its sandbox.

use crate::fixture::{Client, Fixture, eventually, soon};
use capstan_proto::wire::files::{self, write_query::Expect};
use capstan_proto::wire::node as wire;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, Instant};
use tonic::{Code, Status, Streaming};

/// Whose files, under a policy.
fn under(node: &Fixture, client: &Client, policy: &SandboxPolicy) -> Option<wire::FilesPlace> {
    Some(wire::FilesPlace { authority: client.who(), top: node.workspace.to_string(), policy: Some(policy.into()) })
}

fn writing(node: &Fixture) -> SandboxPolicy {
    SandboxPolicy::workspace_write(vec![node.workspace.clone()])
}

async fn read(node: &Fixture, client: &mut Client, path: &str, policy: &SandboxPolicy) -> Result<files::ReadAnswer, Status> {
    let query = Some(files::ReadQuery { path: path.to_owned().into(), hash: true, ..Default::default() });
    let request = wire::ReadFileRequest { place: under(node, client, policy), query };
    soon(client.files.read(request)).await.map(tonic::Response::into_inner)
}

async fn write(
    node: &Fixture,
    client: &mut Client,
    path: &str,
    expect: Expect,
    data: &[u8],
) -> Result<files::WriteAnswer, Status> {
    let query = files::WriteQuery {
        path: path.to_owned().into(),
        data: data.to_vec().into(),
        expect: Some(expect),
        parents: true,
        ..Default::default()
    };
    let request = wire::WriteFileRequest { place: under(node, client, &writing(node)), query: Some(query) };
    soon(client.files.write(request)).await.map(tonic::Response::into_inner)
}

async fn list(node: &Fixture, client: &mut Client, query: files::ListQuery) -> Streaming<files::ListPart> {
    let request = wire::ListFilesRequest { place: under(node, client, &writing(node)), query: Some(query) };
    soon(client.files.list(request)).await.unwrap().into_inner()
}

/// The names of a list, and its last part.
async fn all(mut parts: Streaming<files::ListPart>) -> (Vec<String>, files::Done) {
    let mut names = Vec::new();
    while let Some(part) = soon(parts.message()).await.unwrap() {
        match part.part.unwrap() {
            files::list_part::Part::Entries(list) => {
                names.extend(list.entries.iter().map(|entry| String::from_utf8_lossy(&entry.path).into_owned()));
            }
            files::list_part::Part::Done(done) => return (names, done),
        }
    }
    panic!("the list has no end")
}

fn deep() -> files::ListQuery {
    files::ListQuery { depth: 100, limit: 10_000_000, leave: files::LeaveOut::Nothing.into(), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_and_written_as_the_threads_policy_lets_its_sessions() {
    let node = Fixture::start().await;
    let mut client = node.client();
    assert!(write(&node, &mut client, "a/b", Expect::Absent(true), b"one").await.unwrap().created);
    let first = read(&node, &mut client, "a/b", &writing(&node)).await.unwrap();
    assert_eq!(first.data, "one");
    let hash = first.facts.unwrap().hash;
    let large = vec![b'x'; 8 << 20];
    assert!(!write(&node, &mut client, "a/b", Expect::Hash(hash.clone()), &large).await.unwrap().created);
    let lost = write(&node, &mut client, "a/b", Expect::Hash(hash), b"two").await.unwrap_err();
    assert_eq!((lost.code(), lost.message()), (Code::Aborted, "`a/b` is not as it was read; read it again, and write over that"));
    assert_eq!(fs::read(node.path("a/b")).unwrap(), large);
    // A thread that may only read writes nothing, and neither does a request under its policy.
    let policy = SandboxPolicy { readable: vec![node.workspace.clone()], ..SandboxPolicy::read_only() };
    let query =
        files::WriteQuery { path: "new".into(), data: "x".into(), expect: Some(Expect::Absent(true)), ..Default::default() };
    let request = wire::WriteFileRequest { place: under(&node, &client, &policy), query: Some(query) };
    let refused = soon(client.files.write(request)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert!(!node.path("new").exists());
    assert_eq!(read(&node, &mut client, "nothing", &policy).await.unwrap_err().code(), Code::NotFound);
    // The directory of the last one goes a moment after its answer.
    eventually("its session is gone", async || node.session_dirs().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_from_a_thread_is_neither_read_nor_listed_nor_found_by_any_way() {
    let node = Fixture::start().await;
    let mut client = node.client();
    fs::create_dir(node.path("secrets")).unwrap();
    fs::write(node.path("secrets/key"), "canary").unwrap();
    fs::write(node.path(".env"), "canary").unwrap();
    fs::write(node.path("open"), "nothing here").unwrap();
    symlink("secrets/key", node.path("way")).unwrap();
    fs::write(node.dir.path().join("outside"), "canary").unwrap();
    symlink("../outside", node.path("out")).unwrap();
    let hidden = ["secrets", ".env"].map(|name| AbsPath::new(node.path(name)).unwrap());
    let policy = SandboxPolicy { hidden: hidden.to_vec(), ..writing(&node) };
    for path in ["secrets/key", ".env", "way", "out"] {
        let refused = read(&node, &mut client, path, &policy).await;
        assert!(refused.is_err() || refused.as_ref().is_ok_and(|answer| answer.data.is_empty()), "{path}: {refused:?}");
    }
    let request = wire::ListFilesRequest { place: under(&node, &client, &policy), query: Some(deep()) };
    let parts = soon(client.files.list(request)).await.unwrap().into_inner();
    assert_eq!(all(parts).await.0, ["open", "out", "way"]);
    let query = files::SearchQuery { pattern: "canary".into(), leave: files::LeaveOut::Nothing.into(), ..Default::default() };
    let request = wire::SearchFilesRequest { place: under(&node, &client, &policy), query: Some(query) };
    let mut parts = soon(client.files.search(request)).await.unwrap().into_inner();
    let part = soon(parts.message()).await.unwrap().unwrap().part.unwrap();
    assert!(matches!(&part, files::search_part::Part::Done(done) if done.told == 0 && done.searched == 1), "{part:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_that_nobody_writes_into_holds_nobody_up() {
    let node = Fixture::start().await;
    let mut client = node.client();
    assert!(Command::new("mkfifo").arg(node.path("pipe")).status().unwrap().success());
    let before = Instant::now();
    let refused = read(&node, &mut client, "pipe", &writing(&node)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::FailedPrecondition, "`pipe` is a named pipe; only regular files are read")
    );
    assert!(before.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_of_a_long_list_misses_nothing_and_one_that_goes_ends_it() {
    let node = Fixture::start().await;
    let mut client = node.client();
    let name = |number: u32| format!("{number:05}-{}", "n".repeat(200));
    fs::create_dir(node.path("huge")).unwrap();
    for number in 0..20_000 {
        fs::File::create(node.path("huge").join(name(number))).unwrap();
    }
    // Nobody reads while the whole list, which is several times as long as what is kept of output, could be written.
    let parts = list(&node, &mut client, deep()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (names, done) = all(parts).await;
    assert_eq!((names.len(), done.told), (20_001, 20_001));
    assert!(names.is_sorted() && names[20_000] == format!("huge/{}", name(19_999)));
    let parts = list(&node, &mut client, deep()).await;
    drop(parts);
    eventually("its session is gone", async || node.session_dirs().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_as_they_happen_until_the_watcher_goes() {
    let node = Fixture::start().await;
    let mut client = node.client();
    fs::create_dir(node.path("src")).unwrap();
    let query = Some(files::WatchQuery { settle_ms: 50, ..Default::default() });
    let request = wire::WatchFilesRequest { place: under(&node, &client, &writing(&node)), query };
    let mut parts = soon(client.files.watch(request)).await.unwrap().into_inner();
    let first = soon(parts.message()).await.unwrap().unwrap().part.unwrap();
    assert!(matches!(&first, files::watch_part::Part::Watching(watching) if watching.directories == 2), "{first:?}");
    let call = node.call(&client, "echo x > src/made");
    client.run(&call).await.unwrap();
    loop {
        let part = soon(parts.message()).await.unwrap().unwrap().part.unwrap();
        let files::watch_part::Part::Changes(changes) = part else { panic!("{part:?}") };
        // A session's protected names come and go with it.
        if changes.changes.iter().any(|change| change.path == "src/made") {
            break;
        }
    }
    drop(parts);
    // Its session goes, although nothing changes any more; the call's stays until it is released.
    eventually("its session is gone", async || node.session_dirs().len() <= 1).await;
}
