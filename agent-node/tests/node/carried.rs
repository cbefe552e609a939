//! Checkpoints between nodes that have no store in common: packs are taken from one and given to the other. Real files, real runner.

use crate::fixture::{Client, Fixture, soon};
use crate::saved::{image, project};
use bytes::Bytes;
use capstan_proto::wire::node as wire;
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use capstan_types::saved::record::CheckpointRecord;
use capstan_types::source::{SavedSource, WorkspaceSource};
use std::fs;
use std::path::{Path, PathBuf};
use tonic::{Code, Status};

/// How many bytes a message has.
const PIECE: usize = 100_000;

impl Client {
    async fn lacks(&mut self, record: &Bytes) -> Vec<String> {
        let request = wire::LacksPacksRequest { authority: self.who(), record: record.clone() };
        soon(self.workspace.lacks_packs(request)).await.unwrap().into_inner().packs
    }

    async fn take(&mut self, name: &str, packs: &[String]) -> Result<Vec<(String, Vec<u8>)>, Status> {
        let request = wire::TakePacksRequest { authority: self.who(), name: name.into(), packs: packs.to_vec() };
        let mut pieces = soon(self.workspace.take_packs(request)).await?.into_inner();
        let mut taken: Vec<(String, Vec<u8>)> = Vec::new();
        while let Some(piece) = soon(pieces.message()).await? {
            if !piece.pack.is_empty() {
                taken.push((piece.pack, Vec::new()));
            }
            taken.last_mut().unwrap().1.extend(piece.data);
        }
        Ok(taken)
    }

    fn pieces(&self, pack: &str, bytes: &[u8]) -> Vec<wire::GivePacksRequest> {
        let count = bytes.len().div_ceil(PIECE);
        let piece = |(number, data): (usize, &[u8])| wire::GivePacksRequest {
            authority: (number == 0).then(|| self.who().unwrap()),
            pack: if number == 0 { pack.to_owned() } else { String::new() },
            data: Bytes::copy_from_slice(data),
            ends: number + 1 == count,
            record: Bytes::new(),
        };
        bytes.chunks(PIECE).enumerate().map(piece).collect()
    }

    async fn give(&mut self, pieces: Vec<wire::GivePacksRequest>) -> Result<u64, Status> {
        Ok(soon(self.workspace.give_packs(futures::stream::iter(pieces))).await?.into_inner().bytes)
    }

    async fn save_all(&mut self, cwd: &AbsPath, name: &str) -> Bytes {
        let policy = Some((&SandboxPolicy::workspace_write(vec![cwd.clone()])).into());
        let request = wire::SaveRequest { authority: self.who(), cwd: cwd.to_string(), name: name.into(), policy, ignored: true };
        soon(self.workspace.save(request)).await.unwrap().into_inner().record
    }

    async fn note(&mut self, record: &Bytes) -> Result<(), Status> {
        let note = wire::GivePacksRequest { authority: self.who(), record: record.clone(), ..wire::GivePacksRequest::default() };
        self.give(vec![note]).await.map(drop)
    }

    async fn restore_all(&mut self, cwd: &AbsPath, name: &str) -> Result<(), Status> {
        let policy = Some((&SandboxPolicy::workspace_write(vec![cwd.clone()])).into());
        let request = wire::RestoreRequest {
            authority: self.who(),
            cwd: cwd.to_string(),
            name: name.into(),
            policy,
            of_thread_id: String::new(),
        };
        soon(self.workspace.restore(request)).await.map(drop)
    }
}

/// Saves a directory on one node, and brings it back on the other, with no more packs than that lacks.
pub(crate) async fn carry(here: &mut Client, there: &mut Client, (from, to): (&AbsPath, &AbsPath), name: &str) {
    let record = here.save_all(from, name).await;
    let lacking = there.lacks(&record).await;
    for (pack, bytes) in here.take(name, &lacking).await.unwrap() {
        there.give(there.pieces(&pack, &bytes)).await.unwrap();
    }
    there.note(&record).await.unwrap();
    there.restore_all(to, name).await.unwrap();
}

/// What lies in a node's directory of packs, and what is being written.
fn names(node: &Fixture, dir: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir(node.dir.path().join("state/saved").join(dir)).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_carried_to_a_node_that_shares_nothing_and_only_what_it_lacks() {
    let (one, other) = (Fixture::start().await, Fixture::start().await);
    let (mut here, mut there) = (one.client(), other.client());
    there.authority = here.authority.clone();
    project(one.workspace.as_path());
    fs::write(
        one.path("large"),
        (0..900_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect::<Vec<_>>(),
    )
    .unwrap();
    let record = here.save_all(&one.workspace, "turn-1").await;
    let parsed = CheckpointRecord::parse(&record).unwrap();
    assert_eq!(there.lacks(&record).await, parsed.packs);
    let into = other.workspace.join("here").unwrap();
    fs::create_dir(into.as_path()).unwrap();
    let without = there.note(&record).await.unwrap_err();
    assert!(without.code() == Code::Aborted && without.message().contains("of its packs have not come"), "{without}");
    let unknown = there.restore_all(&into, "turn-1").await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound, "{unknown}");
    for (pack, bytes) in here.take("turn-1", &parsed.packs).await.unwrap() {
        there.give(there.pieces(&pack, &bytes)).await.unwrap();
    }
    assert_eq!(there.lacks(&record).await, Vec::<String>::new());
    there.note(&record).await.unwrap();
    there.restore_all(&into, "turn-1").await.unwrap();
    assert_eq!(image(into.as_path()), image(one.workspace.as_path()));
    fs::write(one.path("one more"), "file").unwrap();
    let next = here.save_all(&one.workspace, "turn-2").await;
    let lacking = there.lacks(&next).await;
    let taken = here.take("turn-2", &lacking).await.unwrap();
    let bytes: usize = taken.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(lacking.len() == 1 && bytes < 10_000, "{bytes} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_workspace_of_another_thread_is_made_of_a_checkpoint_that_was_carried() {
    let (one, other) = (Fixture::start().await, Fixture::start().await);
    let (mut here, mut there) = (one.client(), other.client());
    project(one.workspace.as_path());
    let record = here.save_all(&one.workspace, "turn-1").await;
    let parsed = CheckpointRecord::parse(&record).unwrap();
    let source = WorkspaceSource::Saved(SavedSource { thread: here.authority.thread, name: parsed.name.clone() });
    let make = wire::MakeRequest { authority: there.who(), source: Some(source.into()), ..wire::MakeRequest::default() };
    let missing = made(&mut there, make.clone()).await.unwrap_err();
    assert!(
        missing.code() == Code::FailedPrecondition && missing.message().contains("there is no checkpoint turn-1"),
        "{missing}"
    );
    for (pack, bytes) in here.take("turn-1", &parsed.packs).await.unwrap() {
        there.give(there.pieces(&pack, &bytes)).await.unwrap();
    }
    there.note(&record).await.unwrap();
    let first = made(&mut there, make.clone()).await.unwrap();
    let facts = first.facts.clone().unwrap();
    assert_eq!((first.how.as_str(), facts.git), ("checkpoint", true));
    assert_eq!(image(Path::new(&facts.root)), image(one.workspace.as_path()));
    fs::write(Path::new(&facts.root).join("more"), "work").unwrap();
    assert_eq!(made(&mut there, make).await.unwrap(), first, "it is made once");
    assert!(Path::new(&facts.root).join("more").exists());
}

async fn made(client: &mut Client, make: wire::MakeRequest) -> Result<wire::Made, Status> {
    let mut events = soon(client.workspace.make(make)).await?.into_inner();
    loop {
        let event = soon(events.message()).await?.and_then(|event| event.event);
        if let wire::make_event::Event::Made(made) = event.expect("it ends with the workspace") {
            return Ok(made);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_off_or_changed_on_the_way_never_counts_and_leaves_nothing() {
    let (one, other) = (Fixture::start().await, Fixture::start().await);
    let (mut here, mut there) = (one.client(), other.client());
    there.authority = here.authority.clone();
    project(one.workspace.as_path());
    let record = here.save_all(&one.workspace, "turn-1").await;
    let packs = CheckpointRecord::parse(&record).unwrap().packs;
    let (pack, bytes) = here.take("turn-1", &packs).await.unwrap().swap_remove(0);
    let mut cut = there.pieces(&pack, &bytes);
    cut.last_mut().unwrap().ends = false;
    let mut changed = bytes.clone();
    changed[40] ^= 1;
    let mut long = there.pieces(&pack, &bytes);
    long[0].data = vec![0; (1 << 20) + 1].into();
    let mut unnamed = there.pieces(&pack, &bytes);
    unnamed[0].pack = String::new();
    let cases = [
        (cut, Code::InvalidArgument, "the last pack has no end"),
        (there.pieces(&pack, &changed), Code::DataLoss, "is damaged"),
        (there.pieces(&"a".repeat(64), &bytes), Code::DataLoss, "it has another name"),
        (there.pieces("../../escape", &bytes), Code::InvalidArgument, "is no name of a pack"),
        (long, Code::InvalidArgument, "at most 1048576 are taken"),
        (unnamed, Code::InvalidArgument, "a piece belongs to no pack"),
    ];
    for (pieces, code, said) in cases {
        let refused = there.give(pieces).await.unwrap_err();
        assert!(refused.code() == code && refused.message().contains(said), "{refused}");
        assert_eq!((names(&other, "packs"), names(&other, "new")), (vec![], vec![]), "{said}");
    }
    there.give(there.pieces(&pack, &bytes)).await.unwrap();
    assert_eq!(names(&other, "packs").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn packs_are_given_out_for_checkpoints_of_the_thread_alone() {
    let node = Fixture::start().await;
    let (mut client, mut stranger) = (node.client(), node.client());
    project(node.workspace.as_path());
    let record = client.save_all(&node.workspace, "turn-1").await;
    let packs = CheckpointRecord::parse(&record).unwrap().packs;
    let other = stranger.take("turn-1", &packs).await.unwrap_err();
    assert_eq!(other.code(), Code::NotFound, "{other}");
    let unnamed = client.take("turn-1", &["b".repeat(64)]).await.unwrap_err();
    assert_eq!(unnamed.code(), Code::NotFound, "{unnamed}");
    assert!(Path::new(&names(&node, "packs")[0]).exists());
}
