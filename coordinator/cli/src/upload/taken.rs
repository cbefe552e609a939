//! The state of a work tree with its staged `.git`, taken into packs by the runner's `tree` verb.

use super::listing::listed;
use super::place::Place;
use super::staging::{Staged, stage};
use crate::failure::Failure;
use crate::local_git::{Git, Repository};
use crate::local_program::{Input, Program};
use crate::runner;
use crate::surroundings::Surroundings;
use capstan_types::path::AbsPath;
use capstan_types::tree_document::{Bounds, Leave, StateTaken, TreeDocument, TreeResult};
use std::fs;
use std::io;

/// How much a work tree may hold: files, bytes of one file, bytes that are sent.
const BOUNDS: Bounds = Bounds { files: 1_000_000, file_bytes: 4 << 30, new_bytes: 32 << 30 };
/// How much longer the packs may be than what is in them, before all is packed anew.
const LOOSEST: u64 = 3;
/// Up to this many bytes nobody cares how loose they are.
const LITTLE: u64 = 256 << 20;

/// The file that says so.
const ANEW: &str = "anew";

/// A state that is ready to be sent.
#[derive(Debug)]
pub struct Upload {
    /// What was taken.
    pub taken: StateTaken,
    /// How much of the history is in it.
    pub staged: Staged,
    /// The top of the work tree.
    pub top: AbsPath,
}

/// Takes the state.
///
/// # Errors
/// Git or the runner fails, or there is too much.
pub fn take(git: &Git, repository: &Repository, place: &Place, surroundings: &Surroundings) -> Result<Upload, Failure> {
    let top = AbsPath::new(&repository.top)
        .map_err(|error| Failure::bad_input(format!("the repository cannot be uploaded: {error}")))?;
    if fs::remove_file(place.path(ANEW)?.as_path()).is_ok() {
        place.empty();
    }
    let staged = stage(git, repository, place)?;
    let names = listed(&git.personal(surroundings), &repository.top)?;
    let document = TreeDocument::Take {
        top: top.clone(),
        store: place.path("packs")?,
        out: place.path("new")?,
        seen: place.path("seen/files")?,
        leave: Leave { tracked: names, unnamed: true, repository: Some(place.path("git")?), ..Leave::default() },
        bounds: BOUNDS,
    };
    let taken = run(&document, surroundings)?;
    let failed = |error: io::Error| Failure::failed(format!("the packs of the upload cannot be kept: {error}"));
    for pack in &taken.new_packs {
        let name = format!("new/{pack}.pack");
        fs::rename(place.path(&name)?.as_path(), place.pack(pack)).map_err(failed)?;
    }
    keep_only(place, &taken).map_err(failed)?;
    Ok(Upload { taken, staged, top })
}

/// Without a sandbox: it reads the person's files with the person's rights, follows no link, and runs nothing.
fn run(document: &TreeDocument, surroundings: &Surroundings) -> Result<StateTaken, Failure> {
    let runner = runner::find(surroundings)?;
    let program = Program { program: runner.program, arguments: runner.args, environment: Vec::new(), cwd: "/".into() };
    let text = serde_json::to_vec(document).map_err(Failure::failed)?;
    let said = program.run(["tree"], Input::Bytes(&text), None)?;
    let refused = |reason: &str| Failure::failed(format!("the repository cannot be uploaded: {reason}"));
    match serde_json::from_slice(&said.out) {
        Ok(TreeResult::Taken(taken)) if said.is_success => Ok(taken),
        Ok(TreeResult::Refused(reason)) => Err(refused(&reason)),
        Ok(_) | Err(_) => Err(refused(&said.complaint())),
    }
}

/// Removes packs that the state does not need; and all of them, where most of what they hold is of no use any more.
fn keep_only(place: &Place, taken: &StateTaken) -> io::Result<()> {
    let mut length = 0;
    for entry in fs::read_dir(place.path("packs").map_err(|failure| io::Error::other(failure.sentence))?.as_path())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().trim_end_matches(".pack").to_owned();
        if taken.packs.contains(&name) {
            length += entry.metadata()?.len();
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    if length > LITTLE && length > taken.bytes.saturating_mul(LOOSEST) {
        tracing::info!(length, bytes = taken.bytes, "the next upload of this repository packs all of it anew");
        fs::write(place.path(ANEW).map_err(|failure| io::Error::other(failure.sentence))?.as_path(), "")?;
    }
    Ok(())
}
