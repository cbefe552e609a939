//! The `patch` verb: a document comes in, and what became of it goes out.

use crate::{commit, plan};
use capstan_types::item::FileChange;
use capstan_types::patch;
use capstan_types::patch_report::{PatchDocument, PatchResult};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// The longest document, and the longest patch, in bytes.
pub(crate) const MAX_DOCUMENT: u64 = 64 << 20;
/// The exit code for a document that cannot be understood.
const MISUSE: u8 = 2;

/// Reads a patch document (`PatchDocument` as JSON, 64 MiB at most) from standard input, applies it, and prints the `PatchResult`: either
/// all of the patch is applied, or nothing has changed and the result says why.
///
/// Exit code 2, and a sentence on standard error, for a document that cannot be understood.
pub fn patch() -> ExitCode {
    match read_document().and_then(|document| print(&result_of(&document))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            let _ = writeln!(io::stderr().lock(), "capstan-sandbox: {reason}");
            ExitCode::from(MISUSE)
        }
    }
}

fn read_document() -> Result<PatchDocument, String> {
    let mut document = Vec::new();
    let read = io::stdin().lock().take(MAX_DOCUMENT + 1).read_to_end(&mut document);
    let length = read.map_err(|error| format!("cannot read the patch document: {error}"))?;
    if length as u64 > MAX_DOCUMENT {
        return Err(format!("the patch document is longer than {MAX_DOCUMENT} bytes; split the patch"));
    }
    serde_json::from_slice(&document).map_err(|error| format!("the patch document is not valid: {error}"))
}

fn print(result: &PatchResult) -> Result<(), String> {
    let line = serde_json::to_string(result).map_err(|error| error.to_string())?;
    writeln!(io::stdout().lock(), "{line}").map_err(|error| format!("cannot print the result: {error}"))
}

fn result_of(document: &PatchDocument) -> PatchResult {
    match apply(document) {
        Ok(changes) => PatchResult::Applied(changes),
        Err(reason) => PatchResult::Refused(reason),
    }
}

fn apply(document: &PatchDocument) -> Result<Vec<FileChange>, String> {
    let cwd = document.cwd.as_path();
    if document.undo_only {
        let patch = patch::parse(&document.patch).map_err(|error| error.to_string())?;
        let lost = recover(cwd, &patch);
        return Err(format!("it was applied whole or not at all{}", ended(&lost)));
    }
    carry_out(cwd, &document.patch, None)
}

/// Applies a patch whose relative paths start from `cwd`. `within` is where all of its files must lie. An error is a sentence, and nothing
/// has changed.
pub(crate) fn carry_out(cwd: &Path, text: &str, within: Option<&Path>) -> Result<Vec<FileChange>, String> {
    let patch = patch::parse(text).map_err(|error| error.to_string())?;
    let lost = recover(cwd, &patch);
    if !lost.is_empty() {
        return Err(lost.join("; "));
    }
    let changes = plan::plan(cwd, &patch.hunks, within)?;
    commit::commit(cwd, changes)?;
    Ok(patch.hunks.iter().map(patch::FileHunk::change).collect())
}

fn recover(cwd: &Path, patch: &patch::Patch) -> Vec<String> {
    let targets: Vec<_> = patch.hunks.iter().take(1).map(|hunk| plan::named(&cwd.join(hunk.path()))).collect();
    commit::recover(cwd, targets.iter().map(|target| target.as_path()))
}

fn ended(lost: &[String]) -> String {
    lost.iter().map(|lost| format!("; {lost}")).collect()
}

#[cfg(test)]
mod tests;
