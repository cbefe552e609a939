//! What changed as a patch of any size. Real git, real files.

use crate::checkpoints::{git, repository};
use crate::fixture::{Client, Fixture, soon};
use capstan_proto::wire::node as wire;
use capstan_types::checkpoint::{PatchFacts, PatchPart};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use std::fs;
use tonic::{Code, Status};

impl Client {
    async fn begin_turn(&mut self, cwd: &AbsPath, policy: &SandboxPolicy) -> String {
        let turn = capstan_types::id::TurnId::generate().to_string();
        let (authority, cwd) = (self.who(), cwd.to_string());
        let request = wire::CheckpointRequest { authority, cwd, turn: turn.clone(), policy: Some(policy.into()) };
        soon(self.workspace.checkpoint(request)).await.unwrap();
        turn
    }

    async fn results(&mut self, turn: &str, policy: &SandboxPolicy) -> Result<(PatchFacts, Vec<u8>), Status> {
        let (from_turn, to_turn) = (turn.to_owned(), turn.to_owned());
        let request = wire::PatchRequest { authority: self.who(), from_turn, to_turn, policy: Some(policy.into()) };
        let mut pieces = soon(self.workspace.patch(request)).await?.into_inner();
        let (mut facts, mut bytes) = (None, Vec::new());
        while let Some(piece) = pieces.message().await? {
            match PatchPart::try_from(piece).unwrap() {
                PatchPart::Facts(told) => {
                    assert!(facts.replace(told).is_none() && bytes.is_empty(), "the facts come first and once")
                }
                PatchPart::Data(data) => {
                    assert!(data.len() <= 64 << 10);
                    bytes.extend_from_slice(&data);
                }
            }
        }
        Ok((facts.unwrap(), bytes))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_many_mebibytes_is_sent_whole_and_one_turn_of_several_is_one_of_them() {
    let node = Fixture::start().await;
    let (mut client, policy) = (node.client(), SandboxPolicy::workspace_write(Vec::new()));
    let dir = node.workspace.as_path();
    repository(dir);
    let head = git(dir, &["rev-parse", "HEAD"]).trim().to_owned();
    assert_eq!(client.results("", &policy).await.unwrap_err().code(), Code::NotFound);
    let first = client.begin_turn(&node.workspace, &policy).await;
    let noise: Vec<u8> = (0..6_u32 << 20).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    fs::write(node.path("noise"), &noise).unwrap();
    let ended = wire::DiffRequest {
        authority: client.who(),
        turn: first.clone(),
        max_bytes: 1,
        ended: true,
        policy: Some((&policy).into()),
    };
    soon(client.workspace.diff(ended)).await.unwrap();
    client.begin_turn(&node.workspace, &policy).await;
    fs::write(node.path("changed"), "newer\n").unwrap();
    let (facts, whole) = client.results("", &policy).await.unwrap();
    assert_eq!((facts.bytes, facts.files, facts.base), (whole.len() as u64, 2, Some(head)));
    let (facts, of_first) = client.results(&first, &policy).await.unwrap();
    assert_eq!((facts.bytes, facts.files), (of_first.len() as u64, 1), "what changed later is not the first turn's");
    // It is a patch that git takes.
    let (other, file) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    repository(other.path());
    fs::write(file.path(), &whole).unwrap();
    git(other.path(), &["apply", file.path().to_str().unwrap()]);
    assert!(fs::read(other.path().join("noise")).unwrap() == noise);
    assert_eq!(fs::read_to_string(other.path().join("changed")).unwrap(), "newer\n");
    let scratch = fs::read_dir(node.dir.path()).unwrap().flatten().any(|entry| entry.file_name() == "patch");
    assert!(!scratch, "no file of it is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_from_the_threads_sessions_is_in_no_patch() {
    let node = Fixture::start().await;
    let mut client = node.client();
    repository(node.workspace.as_path());
    let hidden = vec![node.workspace.join("secret").unwrap()];
    let policy = SandboxPolicy { hidden, ..SandboxPolicy::workspace_write(Vec::new()) };
    client.begin_turn(&node.workspace, &policy).await;
    fs::write(node.path("secret"), "CANARY-77ab\n").unwrap();
    fs::write(node.path("shown"), "shown\n").unwrap();
    let (facts, patch) = client.results("", &policy).await.unwrap();
    let text = String::from_utf8(patch).unwrap();
    assert!(facts.files == 1 && text.contains("+shown") && !text.contains("CANARY") && !text.contains("secret"), "{text}");
}
