//! The `tree` verb: a document comes in, and what became of it goes out.

use crate::compare::compare;
use crate::content::Content;
use crate::put::{Times, put};
use crate::store::Store;
use crate::take::{Places, Taken, take};
use capstan_types::tree_document::{StateTaken, TreeDocument, TreeResult, TreeState};
use std::io::{self, Read, Write};
use std::process::ExitCode;

/// The longest document, in bytes: the names of tracked files may be many.
const MAX_DOCUMENT: u64 = 256 << 20;
/// The exit code for a document that cannot be understood.
const MISUSE: u8 = 2;

/// Reads a [`TreeDocument`] as JSON from standard input, does what it says, and prints the [`TreeResult`].
///
/// Exit code 2, and a sentence on standard error, for a document that cannot be understood.
pub fn tree() -> ExitCode {
    match read_document().and_then(|document| print(&result_of(document))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            let _ = writeln!(io::stderr().lock(), "capstan-sandbox: {reason}");
            ExitCode::from(MISUSE)
        }
    }
}

fn read_document() -> Result<TreeDocument, String> {
    let mut document = Vec::new();
    let read = io::stdin().lock().take(MAX_DOCUMENT + 1).read_to_end(&mut document);
    let length = read.map_err(|error| format!("cannot read the document: {error}"))?;
    if length as u64 > MAX_DOCUMENT {
        return Err(format!("the document is longer than {MAX_DOCUMENT} bytes"));
    }
    serde_json::from_slice(&document).map_err(|error| format!("the document is not valid: {error}"))
}

fn print(result: &TreeResult) -> Result<(), String> {
    let line = serde_json::to_string(result).map_err(|error| error.to_string())?;
    writeln!(io::stdout().lock(), "{line}").map_err(|error| format!("cannot print the result: {error}"))
}

fn result_of(document: TreeDocument) -> TreeResult {
    carry_out(document).unwrap_or_else(TreeResult::Refused)
}

fn carry_out(document: TreeDocument) -> Result<TreeResult, String> {
    match document {
        TreeDocument::Take { top, store, out, seen, leave, bounds } => {
            let places = Places { top: top.as_path(), store: store.as_path(), out: out.as_path(), seen: seen.as_path() };
            let taken = take(places, &leave, bounds).map_err(|error| error.to_string())?;
            Ok(TreeResult::Taken(told(taken)))
        }
        TreeDocument::Put { top, store, seen, leave, state } => {
            let store = Store::open(store.as_path()).map_err(|error| error.to_string())?;
            let root = (&content(&state)?, state.mode);
            let times = Times::of(top.as_path()).map_err(|error| error.to_string())?;
            let done = put(top.as_path(), root, &store, &leave, times, seen.as_path());
            done.map(TreeResult::Put).map_err(|error| error.to_string())
        }
        TreeDocument::Compare { store, before, after, most } => {
            let store = Store::open(store.as_path()).map_err(|error| error.to_string())?;
            let found = compare(&store, &content(&before)?, &content(&after)?, most);
            found.map(TreeResult::Compared).map_err(|error| error.to_string())
        }
    }
}

fn content(state: &TreeState) -> Result<Content, String> {
    let objects = state.objects.iter().map(|id| id.parse()).collect::<Result<_, _>>();
    Ok(Content { size: state.size, objects: objects.map_err(|error| format!("the state's name is {error}"))? })
}

fn told(taken: Taken) -> StateTaken {
    let Taken { root, mode, packs, new_packs, files, bytes, new_bytes, skipped } = taken;
    let texts = |ids: &mut dyn Iterator<Item = crate::object::ObjectId>| ids.map(String::from).collect();
    StateTaken {
        state: TreeState { size: root.size, objects: texts(&mut root.objects.into_iter()), mode },
        packs: texts(&mut packs.into_iter()),
        new_packs: texts(&mut new_packs.into_iter()),
        files,
        bytes,
        new_bytes,
        skipped,
    }
}
