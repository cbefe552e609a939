//! Applies a patch by the runner's own `patch` verb, inside the sandbox of the call: the node never opens a file of the workspace.

use crate::error::NodeError;
use crate::session::launcher::{Launcher, Program};
use crate::session::run::{self, Outcome, RunError};
use bytes::Bytes;
use capstan_types::launch::{SessionEnd, Stdio};
use capstan_types::limits::{ByteCap, SessionLimits};
use capstan_types::patch_report::{PatchDocument, PatchResult};
use capstan_types::session::{PatchCall, PatchReport};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a patch may take. It reads and writes a few files; a network file system may be slow.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// The longest result, in bytes. It names every file of a patch of at most 8 MiB.
const MAX_RESULT: usize = 16 << 20;

/// Applies a patch: all of it, or nothing.
pub(crate) async fn apply(launcher: &Launcher, call: PatchCall) -> Result<PatchReport, NodeError> {
    let document = PatchDocument { cwd: call.cwd.clone(), patch: call.patch };
    let document = serde_json::to_vec(&document).map_err(|error| NodeError::Unknown(error.to_string()))?;
    let mut policy = launcher.admission.admit(call.policy).map_err(NodeError::Refused)?;
    policy.readable.extend(launcher.runner.program());
    let program = Program {
        argv: launcher.runner.verb_argv("patch"),
        cwd: call.cwd,
        env: BTreeMap::new(),
        stdio: Stdio::Pipes,
        policy,
        limits: SessionLimits { head: ByteCap::mebibytes(16), ..SessionLimits::default() },
    };
    match run::to_end(launcher, program, Bytes::from(document), MAX_RESULT, DEADLINE).await {
        Ok(outcome) => report(&outcome),
        Err(RunError::Refused(refusal)) => Err(NodeError::Refused(refusal)),
        Err(RunError::Unknown(reason)) => Err(NodeError::Unknown(reason)),
    }
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
    fn a_program_that_says_nonsense_is_quoted() {
        let nonsense = report(&outcome("thread panicked at", SessionEnd::Exited { code: 101 }));
        let Err(NodeError::Unknown(said)) = nonsense else { panic!("{nonsense:?}") };
        assert_eq!(said, "the patch program ended without a result (exit code 101): thread panicked at");
    }
}
