//! Runs the runner's `tree` verb, inside the sandbox.

use crate::error::NodeError;
use crate::session::launcher::{Launcher, Program};
use crate::session::run::{self, Outcome, RunError};
use bytes::Bytes;
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::path::AbsPath;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use capstan_types::saved::WorkspaceRestored;
use capstan_types::tree_document::{Difference, StatePut, StateTaken, TreeDocument, TreeResult};
use std::collections::BTreeMap;

/// The longest result, in bytes. It names packs, and some files.
const MAX_RESULT: usize = 16 << 20;

/// Takes a state. An error says why there is none.
pub(super) async fn take(launcher: &Launcher, document: TreeDocument, policy: &SandboxPolicy) -> Result<StateTaken, String> {
    let TreeDocument::Take { top, store, out, seen, .. } = &document else { return Err("that takes no state".to_owned()) };
    let sees = SandboxPolicy { readable: reads(policy, top), hidden: policy.hidden.clone(), ..SandboxPolicy::read_only() };
    // What is read is no more than a session may, and nothing that the node's operator keeps from sessions.
    let mut sees = launcher.admission.admit(sees).map_err(|refusal| refusal.to_string())?;
    sees.readable.push(store.clone());
    let confined = SandboxPolicy { mode: SandboxMode::WorkspaceWrite, writable: vec![out.clone(), above(seen)], ..sees };
    let top = top.clone();
    match run(launcher, top, document, confined).await {
        Ok(TreeResult::Taken(taken)) => Ok(taken),
        Ok(TreeResult::Refused(reason)) | Err(NodeError::Unknown(reason)) => Err(reason),
        Ok(_) => Err("its program answered something else".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Puts a state back. Of a program that was cut off it is not known how far it came.
pub(super) async fn put(
    launcher: &Launcher,
    document: TreeDocument,
    policy: &SandboxPolicy,
) -> Result<WorkspaceRestored, NodeError> {
    let TreeDocument::Put { top, store, seen, .. } = &document else {
        return Err(NodeError::Unknown("that puts no state back".to_owned()));
    };
    let writing = SandboxPolicy { hidden: policy.hidden.clone(), ..SandboxPolicy::workspace_write(vec![top.clone()]) };
    // What is written is the workspace, and nothing that the node's operator keeps from sessions.
    let writing = launcher.admission.admit(writing).map_err(NodeError::Refused)?;
    let readable = vec![store.clone(), above(seen)];
    // The state was taken of a workspace where those names were protected all the time.
    let confined = SandboxPolicy { readable, unprotected: true, ..writing };
    let top = top.clone();
    match run(launcher, top, document, confined).await? {
        TreeResult::Put(StatePut { changed, named, skipped }) => Ok(WorkspaceRestored { changed, named, skipped }),
        TreeResult::Refused(reason) => Err(NodeError::Unknown(reason)),
        _ => Err(NodeError::Unknown("its program answered something else".to_owned())),
    }
}

/// Compares two states. It reads packs, and nothing else of the host.
pub(super) async fn compare(launcher: &Launcher, document: TreeDocument) -> Result<Vec<Difference>, String> {
    let TreeDocument::Compare { store, .. } = &document else { return Err("that compares no states".to_owned()) };
    let store = store.clone();
    let confined = SandboxPolicy { readable: vec![store.clone()], ..SandboxPolicy::read_only() };
    match run(launcher, store, document, confined).await {
        Ok(TreeResult::Compared(differences)) => Ok(differences),
        Ok(TreeResult::Refused(reason)) | Err(NodeError::Unknown(reason)) => Err(reason),
        Ok(_) => Err("its program answered something else".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What the thread's sessions may read of the workspace. Nothing else of what they may is given to the program: a directory above the node's own would
/// show that, and have it hidden again with the packs in it.
fn reads(policy: &SandboxPolicy, top: &AbsPath) -> Vec<AbsPath> {
    let given = || policy.readable.iter().chain(&policy.writable);
    match policy.mode {
        SandboxMode::DangerFullAccess => vec![top.clone()],
        _ if given().any(|place| top.is_within(place)) => vec![top.clone()],
        _ => given().filter(|place| place.is_within(top)).cloned().collect(),
    }
}

fn above(path: &AbsPath) -> AbsPath {
    path.as_path().parent().and_then(|above| AbsPath::new(above).ok()).unwrap_or_else(|| path.clone())
}

async fn run(
    launcher: &Launcher,
    cwd: AbsPath,
    document: TreeDocument,
    mut policy: SandboxPolicy,
) -> Result<TreeResult, NodeError> {
    // Where it can be read already it is not mounted once more: a place for that cannot be made of a program that runs.
    let is_seen = |program: &AbsPath| policy.readable.iter().chain(&policy.writable).any(|place| program.is_within(place));
    let unseen = launcher.runner.program().into_iter().filter(|program| !is_seen(program)).collect::<Vec<_>>();
    policy.readable.extend(unseen);
    let program = Program {
        argv: launcher.runner.verb_argv("tree"),
        cwd,
        env: BTreeMap::new(),
        stdio: Stdio::Pipes,
        policy,
        limits: SessionLimits { head: ByteCap::mebibytes(16), ..SessionLimits::default() },
    };
    let document = serde_json::to_vec(&document).map_err(|error| NodeError::Unknown(error.to_string()))?;
    match run::to_end(launcher, program, Bytes::from(document), MAX_RESULT, super::DEADLINE).await {
        Ok(outcome) => result(&outcome),
        Err(RunError::Refused(refusal)) => Err(NodeError::Refused(refusal)),
        Err(RunError::Unknown(reason)) => Err(NodeError::Unknown(reason)),
    }
}

fn result(outcome: &Outcome) -> Result<TreeResult, NodeError> {
    match (serde_json::from_slice(&outcome.output), &outcome.end) {
        (Ok(result), SessionEnd::Exited { .. }) => Ok(result),
        // Killed after its answer, perhaps in the middle of its work: the answer is not to be trusted.
        (_, end) => {
            let said = String::from_utf8_lossy(&outcome.output[..outcome.output.len().min(500)]).trim().to_owned();
            Err(NodeError::Unknown(format!("the program ended without a result ({end:?}) {said}")))
        }
    }
}
