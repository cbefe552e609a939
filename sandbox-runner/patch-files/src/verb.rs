//! The `patch` verb: a document comes in, and what became of it goes out.

use crate::{commit, plan};
use capstan_types::item::FileChange;
use capstan_types::patch;
use capstan_types::patch_report::{PatchDocument, PatchResult};
use std::io::{self, Read, Write};
use std::process::ExitCode;

/// The longest document, in bytes.
const MAX_DOCUMENT: u64 = 64 << 20;
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
    let patch = patch::parse(&document.patch).map_err(|error| error.to_string())?;
    let changes = plan::plan(document.cwd.as_path(), &patch.hunks)?;
    commit::commit(changes)?;
    Ok(patch.hunks.iter().map(patch::FileHunk::change).collect())
}

#[cfg(test)]
mod tests;
