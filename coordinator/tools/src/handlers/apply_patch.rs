//! `apply_patch`: changes files by a patch, all of it or nothing.

use crate::arguments;
use crate::effects::Effects;
use crate::fault::ToolFault;
use crate::format::patch_report;
use crate::handler::{BadCall, Effect, Handler, Prepared, not_started};
use crate::host::{HostError, PatchReport, PatchRequest};
use crate::invocation::{CallContext, CallResult};
use crate::spec::ToolSpec;
use async_trait::async_trait;
use capstan_types::call::{Call, Outcome, ReplayClass};
use capstan_types::id::NodeId;
use capstan_types::item::{FileChange, FileChangeKind, ItemBody, ItemStatus};
use capstan_types::patch::{self, FileHunk, Patch};
use capstan_types::path::AbsPath;
use capstan_types::policy::SandboxPolicy;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// The tool.
#[derive(Debug)]
pub(crate) struct ApplyPatch;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "patch")]
    input: String,
}

const DESCRIPTION: &str = "\
Changes files. All of the patch is applied, or nothing of it. Its form:

*** Begin Patch
*** Add File: path/new.txt
+every line of the new file
*** Delete File: path/old.txt
*** Update File: path/changed.txt
*** Move to: path/renamed.txt
@@ a line above the change, if the lines below are not unique in the file
 a line that stays
-a line that goes
+a line that comes
*** End Patch

Name a file once. Give about three unchanged lines before and after each change, exactly as they are in the file, and the changes of a \
file from its top to its bottom. `*** Move to:` is for renaming only. Write `*** End of File` after a change at the very end of a file.";

impl Handler for ApplyPatch {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: "apply_patch",
            description: DESCRIPTION,
            parameters: json!({
                "type": "object",
                "properties": {
                    "input": { "type": "string", "description": "The whole patch, from `*** Begin Patch` to `*** End Patch`." }
                },
                "required": ["input"],
                "additionalProperties": false
            }),
        }
    }

    fn replay_class(&self, _arguments: &str) -> ReplayClass {
        ReplayClass::Workspace
    }

    fn effects(&self, _arguments: &str) -> Effects {
        Effects::Writes
    }

    fn once(&self) -> bool {
        true
    }

    fn takes_host(&self) -> bool {
        true
    }

    fn prepare(&self, call: &Call, context: &CallContext) -> Result<Box<dyn Prepared>, BadCall> {
        // A provider with free-form tools sends the patch itself instead of JSON.
        if call.arguments.trim_start().starts_with("*** Begin Patch") {
            return PatchCall::prepare(call, call.arguments.clone(), context.cwd.clone());
        }
        let arguments: Arguments = arguments::parse(call)?;
        PatchCall::prepare(call, arguments.input, context.cwd.clone())
    }
}

/// A patch that could be read.
#[derive(Debug)]
pub(super) struct PatchCall {
    text: String,
    patch: Patch,
    cwd: AbsPath,
    files: Vec<(AbsPath, String)>,
}

impl PatchCall {
    /// Reads a patch whose relative paths start from `cwd`.
    pub(super) fn prepare(call: &Call, text: String, cwd: AbsPath) -> Result<Box<dyn Prepared>, BadCall> {
        let patch = patch::parse(&text).map_err(|error| bad_patch(call, error.to_string()))?;
        let paths = patch.hunks.iter().flat_map(FileHunk::paths);
        let files: Result<Vec<_>, _> = paths.map(|path| cwd.join(path).map(|absolute| (absolute, path.to_owned()))).collect();
        let files = files.map_err(|error| bad_patch(call, error.to_string()))?;
        Ok(Box::new(Self { text, patch, cwd, files }))
    }

    /// The changes with absolute paths, as people are told of them.
    fn changes(&self) -> Vec<FileChange> {
        let absolute = |path: String| self.cwd.join(&path).map_or(path, String::from);
        let change = |hunk: &FileHunk| {
            let FileChange { path, kind } = hunk.change();
            let kind = match kind {
                FileChangeKind::Update { moved_to } => FileChangeKind::Update { moved_to: moved_to.map(absolute) },
                FileChangeKind::Add | FileChangeKind::Delete => kind,
            };
            FileChange { path: absolute(path), kind }
        };
        self.patch.hunks.iter().map(change).collect()
    }

    fn summary(&self) -> String {
        let line = |hunk: &FileHunk| match hunk {
            FileHunk::Add { path, .. } => format!("A {path}"),
            FileHunk::Delete { path } => format!("D {path}"),
            FileHunk::Update { path, moved_to: None, .. } => format!("M {path}"),
            FileHunk::Update { path, moved_to: Some(to), .. } => format!("M {path} -> {to}"),
        };
        self.patch.hunks.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn outcome(&self, report: Result<PatchReport, HostError>, node: NodeId, wall: Duration) -> Result<Told, ToolFault> {
        Ok(match report {
            Ok(PatchReport::Applied { .. }) => {
                let output = format!("Success. Updated the following files:\n{}", self.summary());
                let result = CallResult {
                    outcome: Outcome::Finished { end: None },
                    output: patch_report(0, wall, &output),
                    release: Vec::new(),
                    changes: Vec::new(),
                    picture: None,
                };
                Told { result, status: ItemStatus::Completed, reason: None }
            }
            Ok(PatchReport::Refused { reason }) => Told::nothing_changed(reason, wall),
            Err(HostError::Fenced) => return Err(ToolFault::Fenced),
            Err(error @ (HostError::NotStarted(_) | HostError::Busy { .. })) => Told::nothing_changed(error.to_string(), wall),
            Err(error @ (HostError::Lost { .. } | HostError::NoSession | HostError::InputClosed)) => Told::unknown(&error, node),
        })
    }
}

/// What the model and a person are told.
struct Told {
    result: CallResult,
    status: ItemStatus,
    reason: Option<String>,
}

impl Told {
    fn nothing_changed(reason: String, wall: Duration) -> Self {
        let output = patch_report(1, wall, &format!("No file was changed: {reason}"));
        Self { result: not_started(reason.clone(), output), status: ItemStatus::Failed, reason: Some(reason) }
    }

    fn unknown(error: &HostError, node: NodeId) -> Self {
        let truth = format!(
            "{error}, while the patch was being applied; whether it was applied is not known: read its files before you send it again"
        );
        let outcome = Outcome::Unknown { reason: truth.clone(), node: Some(node), session: None };
        let result = CallResult {
            outcome,
            output: format!("apply_patch: {truth}"),
            release: Vec::new(),
            changes: Vec::new(),
            picture: None,
        };
        Self { result, status: ItemStatus::Failed, reason: Some(truth) }
    }
}

#[async_trait]
impl Prepared for PatchCall {
    fn effect(&self) -> Effect {
        Effect::Write { files: self.files.clone() }
    }

    fn action(&self) -> String {
        format!("apply a patch:\n{}", self.summary())
    }

    fn item(&self, call: &Call, _context: &CallContext, status: ItemStatus, reason: Option<String>) -> Option<ItemBody> {
        Some(ItemBody::FileChange { call: call.id, changes: self.changes(), status, reason })
    }

    async fn run(self: Box<Self>, call: &Call, context: &CallContext, policy: SandboxPolicy) -> Result<CallResult, ToolFault> {
        let began = Instant::now();
        let body = |status, reason| ItemBody::FileChange { call: call.id, changes: self.changes(), status, reason };
        let item = context.items.started(body(ItemStatus::InProgress, None)).await?;
        let request =
            PatchRequest { call: call.id, attempt: call.attempt, patch: self.text.clone(), cwd: self.cwd.clone(), policy };
        let report = context.host.apply_patch(request).await;
        let Told { result, status, reason } = self.outcome(report, context.host.node(), began.elapsed())?;
        context.items.completed(item, body(status, reason)).await?;
        Ok(result)
    }
}

/// A patch that cannot be read is a failed change, so that a person sees what the model tried.
fn bad_patch(call: &Call, reason: String) -> BadCall {
    let output = format!("apply_patch verification failed: {reason}");
    let item = ItemBody::FileChange { call: call.id, changes: Vec::new(), status: ItemStatus::Failed, reason: Some(reason) };
    BadCall { output, item: Box::new(item) }
}
