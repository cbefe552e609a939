//! Applies a patch by the runner's own `patch` verb, inside the sandbox of the call: the node never opens a file of the workspace.

use crate::error::NodeError;
use crate::session::launcher::{Launcher, Program};
use crate::session::protected::PRIVATE;
use crate::session::run::{self, Outcome, RunError};
use bytes::Bytes;
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::patch::{self, FileHunk};
use capstan_types::patch_report::{PatchDocument, PatchResult};
use capstan_types::path::AbsPath;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use capstan_types::session::{PatchCall, PatchReport};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// How long a patch may take. It reads and writes a few files; a network file system may be slow.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The longest result, in bytes. It names every file of a patch of at most 8 MiB.
const MAX_RESULT: usize = 16 << 20;

/// Applies a patch: all of it, or nothing.
pub(crate) async fn apply(launcher: &Launcher, call: PatchCall) -> Result<PatchReport, NodeError> {
    let document = PatchDocument { cwd: call.cwd.clone(), patch: call.patch, undo_only: false };
    launcher.own.keep_out(call.authority.thread, &call.cwd, &call.policy).map_err(NodeError::Refused)?;
    let mut policy = launcher.admission.admit(call.policy).map_err(NodeError::Refused)?;
    if let Some(reason) = unreachable(&document, &policy, launcher.has_private_temp()) {
        return Ok(PatchReport::Refused { reason });
    }
    policy.readable.extend(launcher.runner.program());
    match run(launcher, program(launcher, &call.cwd, policy.clone()), &document).await {
        Err(NodeError::Unknown(reason)) => Err(NodeError::Unknown(undone(launcher, &call.cwd, document, policy, reason).await)),
        known => known,
    }
}

/// Has a program that did not live to its end undone by another, and says what is known then. A patch that was whole before its program was
/// ended stays, so what happened is still not known; but no half of it is left.
async fn undone(launcher: &Launcher, cwd: &AbsPath, document: PatchDocument, policy: SandboxPolicy, reason: String) -> String {
    let document = PatchDocument { undo_only: true, ..document };
    match run(launcher, program(launcher, cwd, policy), &document).await {
        Ok(PatchReport::Refused { reason: said }) => format!("{reason}; {said}"),
        Ok(PatchReport::Applied { .. }) | Err(_) => format!("{reason}; it may be applied in part"),
    }
}

async fn run(launcher: &Launcher, program: Program, document: &PatchDocument) -> Result<PatchReport, NodeError> {
    let document = serde_json::to_vec(document).map_err(|error| NodeError::Unknown(error.to_string()))?;
    match run::to_end(launcher, program, Bytes::from(document), MAX_RESULT, DEADLINE).await {
        Ok(outcome) => report(&outcome),
        Err(RunError::Refused(refusal)) => Err(NodeError::Refused(refusal)),
        Err(RunError::Unknown(reason)) => Err(NodeError::Unknown(reason)),
    }
}

fn program(launcher: &Launcher, cwd: &AbsPath, policy: SandboxPolicy) -> Program {
    Program {
        argv: launcher.runner.verb_argv("patch"),
        cwd: cwd.clone(),
        env: BTreeMap::new(),
        stdio: Stdio::Pipes,
        policy,
        limits: SessionLimits { head: ByteCap::mebibytes(16), ..SessionLimits::default() },
    }
}

/// Why a patch would change nothing that anybody finds: a session has places of its own that are gone after it, and could write there.
/// What else the policy forbids is left to the sandbox.
fn unreachable(document: &PatchDocument, policy: &SandboxPolicy, private_temp: bool) -> Option<String> {
    if policy.mode == SandboxMode::DangerFullAccess {
        return None;
    }
    let kept = |root: &&AbsPath| !(private_temp && PRIVATE.iter().any(|place| root.as_path() == Path::new(place)));
    let writes = policy.mode == SandboxMode::WorkspaceWrite;
    let roots: Vec<&AbsPath> = policy.writable.iter().filter(|_| writes).filter(kept).collect();
    // One that cannot be read is refused by the program that is to apply it.
    let patch = patch::parse(&document.patch).ok()?;
    let outside = |named: &&str| {
        let place = document.cwd.join(named).ok();
        place.is_some_and(|place| {
            let real = resolved(&place);
            !roots.iter().any(|root| place.is_within(root) || real.is_within(root))
        })
    };
    let place = patch.hunks.iter().flat_map(FileHunk::paths).find(outside)?;
    Some(match roots.as_slice() {
        [] => format!("`{place}` cannot be changed, because nothing may be written"),
        roots => {
            let roots: Vec<_> = roots.iter().map(|root| root.as_str()).collect();
            format!("`{place}` is not in a directory that can be patched ({}); nothing was changed", roots.join(", "))
        }
    })
}

/// A path with the links of what exists of it resolved.
fn resolved(path: &AbsPath) -> AbsPath {
    let real = |above: &Path| {
        let rest = path.as_path().strip_prefix(above).ok()?;
        AbsPath::new(above.canonicalize().ok()?.join(rest)).ok()
    };
    path.as_path().ancestors().find_map(real).unwrap_or_else(|| path.clone())
}

fn report(outcome: &Outcome) -> Result<PatchReport, NodeError> {
    match (serde_json::from_slice(&outcome.output), &outcome.end) {
        (Ok(PatchResult::Applied(changes)), SessionEnd::Exited { .. }) => Ok(PatchReport::Applied { changes }),
        (Ok(PatchResult::Refused(reason)), SessionEnd::Exited { .. }) => Ok(PatchReport::Refused { reason }),
        // Killed after its answer, perhaps in the middle of its work: the answer is not to be trusted.
        (_, end) => {
            let said = String::from_utf8_lossy(&outcome.output[..outcome.output.len().min(500)]).trim().to_owned();
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            Err(NodeError::Unknown(format!("the patch program ended without a result ({}){said}", described(end))))
        }
    }
}

fn described(end: &SessionEnd) -> String {
    match end {
        SessionEnd::Exited { code } => format!("exit code {code}"),
        SessionEnd::Signalled { signal } => format!("signal {signal}"),
        SessionEnd::Limit(limit) => format!("limit: {}", limit.as_str()),
        SessionEnd::Killed { by } => format!("killed by {by}"),
        SessionEnd::Unknown { reason } => reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::launch::Enforced;

    fn outcome(output: &str, end: SessionEnd) -> Outcome {
        Outcome { output: output.as_bytes().to_vec(), end, enforced: Enforced::default() }
    }

    #[test]
    fn a_result_counts_only_from_a_program_that_lived_to_its_end() {
        let refused = r#"{"refused":"no such file"}"#;
        let done = SessionEnd::Exited { code: 1 };
        assert_eq!(report(&outcome(refused, done)), Ok(PatchReport::Refused { reason: "no such file".into() }));
        let killed = report(&outcome(r#"{"applied":[]}"#, SessionEnd::Signalled { signal: 9 }));
        assert!(matches!(killed, Err(NodeError::Unknown(said)) if said.contains("signal 9")));
    }

    #[test]
    fn a_patch_of_what_goes_with_its_session_is_refused() {
        let path = |text: &str| AbsPath::new(text).unwrap();
        let document = |name: &str| PatchDocument {
            cwd: path("/w"),
            patch: format!("*** Begin Patch\n*** Add File: {name}\n+x\n*** End Patch\n"),
            undo_only: false,
        };
        let policy = SandboxPolicy::workspace_write(vec![path("/w"), path("/tmp")]);
        let said = |name: &str, policy: &SandboxPolicy, private| unreachable(&document(name), policy, private);
        for inside in ["a", "b/../c", "/w/d"] {
            assert_eq!(said(inside, &policy, true), None, "{inside}");
        }
        for outside in ["/tmp/a", "../home/a", "/w/../home/a"] {
            let reason = said(outside, &policy, true).unwrap();
            assert_eq!(reason, format!("`{outside}` is not in a directory that can be patched (/w); nothing was changed"));
        }
        assert_eq!(said("/tmp/a", &policy, false), None, "where /tmp is everybody's, it is found there");
        assert!(said("a", &SandboxPolicy::read_only(), true).unwrap().contains("nothing may be written"));
        assert_eq!(said("/tmp/a", &SandboxPolicy::full_access(), true), None);
    }

    #[test]
    fn a_program_that_says_nonsense_is_quoted() {
        let nonsense = report(&outcome("thread panicked at", SessionEnd::Exited { code: 101 }));
        let Err(NodeError::Unknown(said)) = nonsense else { panic!("{nonsense:?}") };
        assert_eq!(said, "the patch program ended without a result (exit code 101): thread panicked at");
    }
}
