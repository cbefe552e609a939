//! A disk that fills up below the node's state: a small file system in memory, which only root can mount.

use crate::fixture::{Client, Fixture, config, eventually, exited, soon};
use capstan_agent_node::{StateDir, serve};
use capstan_proto::wire::node as wire;
use capstan_registry::EmbeddedRegistry;
use capstan_types::launch::Stdio;
use capstan_types::load::{NodeLoad, Resource};
use capstan_types::output::seal::Stopped;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::session::SessionEvent;
use capstan_types::session::StartCall;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use tonic::{Code, Status};

/// A disk of 24 MiB. The node keeps a quarter of it.
struct Disk {
    dir: TempDir,
}

impl Disk {
    /// Nothing where this user may not mount one.
    #[expect(clippy::print_stderr, reason = "who reads the tests' output must see what was not tested, and why")]
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let said =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "capstan-test"]).arg(dir.path()).output().unwrap();
        if !said.status.success() {
            eprintln!("skipped: no file system can be mounted here: {}", String::from_utf8_lossy(&said.stderr).trim());
            return None;
        }
        Some(Self { dir })
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Takes all that is left.
    fn fill(&self) -> PathBuf {
        let path = self.dir.path().join("filler");
        let mut file = File::options().create(true).append(true).open(&path).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}

async fn node_on(disk: &Disk) -> Fixture {
    Fixture::with(|config, _| config.state_dir = StateDir::Own(disk.state())).await
}

async fn load(client: &mut Client) -> NodeLoad {
    soon(client.node.describe(wire::DescribeRequest {})).await.unwrap().into_inner().load.unwrap().into()
}

fn is_about_the_disk(status: &Status) -> bool {
    status.code() == Code::ResourceExhausted
        && status.message().starts_with("this node is short of space")
        && status.metadata().contains_key("retry-after-ms")
}

async fn a_start_is_refused(node: &Fixture) {
    let refused = async || {
        let mut client = node.client();
        client.run(&node.call(&client, "true")).await.is_err_and(|status| is_about_the_disk(&status))
    };
    eventually("a start is refused for the disk", refused).await;
}

async fn a_start_goes_well(node: &Fixture) {
    let done = async || {
        let mut client = node.client();
        client.run(&node.call(&client, "exit 4")).await.is_ok_and(|ran| ran.end == exited(4))
    };
    eventually("a start goes well", done).await;
}

fn ballast(state: &Path) -> bool {
    fs::metadata(state.join("ballast")).is_ok_and(|meta| meta.len() >= 1 << 20)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_no_exit_status_and_when_space_returns_the_node_goes_on() {
    const SESSIONS: i32 = 8;
    let Some(disk) = Disk::mount() else { return };
    let node = node_on(&disk).await;
    let mut client = node.client();
    let mut running = Vec::new();
    for number in 0..SESSIONS {
        let call = node.call(&client, &format!("read line; echo $line; exit {number}"));
        let mut events = client.start(&StartCall { stdio: Stdio::Pipes, ..call }).await.unwrap();
        running.push((events.started().await, events));
    }
    let filler = disk.fill();
    a_start_is_refused(&node).await;
    let told = load(&mut client).await;
    assert!(told.short.contains(&Resource::Disk) && told.rooms[&Resource::Disk].free == 0, "{told:?}");
    for (number, (session, mut events)) in (0..).zip(running) {
        client.write(session, b"on\n", true).await.unwrap();
        let ran = events.rest().await.unwrap();
        assert_eq!(ran.end, exited(number), "{ran:?}");
        client.release(session).await.unwrap();
    }
    eventually("all are forgotten", async || client.clone().known().await == 0).await;
    fs::remove_file(filler).unwrap();
    a_start_goes_well(&node).await;
    eventually("the ballast is back", async || ballast(&disk.state())).await;
    assert_eq!(load(&mut client).await.short, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_below_a_workspace_stops_starts_there_and_nowhere_else() {
    let Some(disk) = Disk::mount() else { return };
    let node = Fixture::start().await;
    let place = AbsPath::new(disk.dir.path().canonicalize().unwrap()).unwrap();
    let there = async |script: &str| {
        let mut client = node.client();
        let policy = SandboxPolicy::workspace_write(vec![place.clone()]);
        client.run(&StartCall { cwd: place.clone(), policy, ..node.call(&client, script) }).await
    };
    assert_eq!(there("exit 3").await.unwrap().end, exited(3));
    let filler = disk.fill();
    let named = format!("this node is short of space on the disk that holds the workspace `{place}`: ");
    let refused = async || {
        there("true").await.is_err_and(|status| {
            status.code() == Code::ResourceExhausted
                && status.message().starts_with(&named)
                && status.metadata().contains_key("retry-after-ms")
        })
    };
    eventually("a start there is refused for its disk", refused).await;
    a_start_goes_well(&node).await;
    assert_eq!(load(&mut node.client()).await.short, [Resource::WorkspaceDisk]);
    fs::remove_file(filler).unwrap();
    eventually("a start there goes well", async || there("exit 5").await.is_ok_and(|ran| ran.end == exited(5))).await;
    node.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_on_a_full_disk_gives_its_ballast_up_and_serves() {
    let Some(disk) = Disk::mount() else { return };
    let first = node_on(&disk).await;
    a_start_goes_well(&first).await;
    eventually("there is a ballast", async || ballast(&disk.state())).await;
    first.running.shutdown().await;
    let filler = disk.fill();
    let second = node_on(&disk).await;
    a_start_is_refused(&second).await;
    fs::remove_file(filler).unwrap();
    a_start_goes_well(&second).await;
    second.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_on_a_full_disk_says_what_to_do() {
    let Some(disk) = Disk::mount() else { return };
    disk.fill();
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.state_dir = StateDir::Own(disk.state());
    let said = serve(config, Arc::new(EmbeddedRegistry::empty())).await.unwrap_err().to_string();
    assert!(said.ends_with("is full; free some space, and start again"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_kept_whole_leaves_the_node_its_room_and_says_how_much_it_is() {
    let Some(disk) = Disk::mount() else { return };
    let node = node_on(&disk).await;
    let mut client = node.client();
    let mut call = node.call(&client, "head -c 40000000 /dev/zero; exit 3");
    call.limits.keep_all = Some(1 << 30);
    let mut events = client.start(&call).await.unwrap();
    let seal = loop {
        match events.next().await.unwrap() {
            Some(SessionEvent::Ended { end, seal }) if end == exited(3) => break seal.unwrap(),
            Some(SessionEvent::Started { .. } | SessionEvent::Output(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    let kept = seal.kept.unwrap();
    assert_eq!((seal.total, kept.stopped), (40_000_000, Some(Stopped::Disk)));
    assert!((1 << 20..24 << 20).contains(&kept.bytes), "{} bytes were kept", kept.bytes);
    // Head and tail are whole, and nobody else is refused.
    assert_eq!(seal.hole.bytes, 40_000_000 - (2 << 20));
    a_start_goes_well(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_for_which_there_is_no_room_is_refused_in_words_and_leaves_the_room_as_it_was() {
    let Some(disk) = Disk::mount() else { return };
    let node = node_on(&disk).await;
    let top = node.dir.path().join("project");
    fs::create_dir(&top).unwrap();
    crate::checkpoints::repository(&top);
    let small = crate::checkpoints::git(&top, &["rev-parse", "main"]);
    let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(30 << 20).collect();
    fs::write(top.join("large"), bytes).unwrap();
    crate::checkpoints::git(&top, &["add", "-A"]);
    crate::checkpoints::git(&top, &["commit", "-q", "-m", "large"]);
    let refused = node.client().make(crate::made::of(top.display())).await.unwrap_err();
    assert!(refused.code() == Code::ResourceExhausted && refused.message().contains("disk of this node is full"), "{refused}");
    assert_eq!(fs::read_dir(disk.state().join("workspaces")).unwrap().count(), 0);
    eventually("nothing half made is left", async || fs::read_dir(disk.state().join("scratch")).unwrap().count() == 0).await;
    crate::checkpoints::git(&top, &["reset", "-q", "--hard", small.trim()]);
    let (made, _) = node.client().make(crate::made::of(top.display())).await.unwrap();
    assert_eq!(made.revision.as_deref(), Some(small.trim()));
}
