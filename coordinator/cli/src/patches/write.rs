//! The files of a work tree from one state to another. Git lays the new files beside the work tree, and never writes into it: it removes all that it
//! is to change before it makes the first new file, and what is not committed would be lost with a full disk or a signal.

use super::differences::Difference;
use super::exchange::Exchange;
use crate::failure::Failure;
use crate::local_git::{Bench, Input, Repository};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The bits of a mode that say who may do what.
const RIGHTS: u32 = 0o777;

/// Brings the files from the tree `ours` to the tree `theirs`, which differ by `all`.
///
/// # Errors
/// A file is not as it was, or cannot be written; then all of them are as they were.
pub(super) fn write(
    bench: &Bench,
    repository: &Repository,
    (ours, theirs): (&str, &str),
    all: &[Difference],
) -> Result<(), Failure> {
    let all: Vec<_> = all.iter().filter(|difference| !difference.is_submodule()).collect();
    let mut exchange = Exchange::begin(repository).map_err(|error| failed(&error))?;
    lay(bench, &exchange, theirs, &all)?;
    unchanged(bench, ours)?;
    let Err(error) = settle(&exchange, &repository.top, &all).and_then(|()| made(&mut exchange, &all)) else { return Ok(()) };
    match exchange.back() {
        Ok(()) => Err(failed(&error)),
        Err(kept) => Err(Failure::failed(format!("the patch fits, and could not be applied: {error}"))
            .hint(format!("files that could not be put back are kept in {}", kept.join("old").display()))),
    }
}

fn failed(error: &io::Error) -> Failure {
    Failure::failed(format!("nothing was changed: the patch fits, and could not be applied: {error}"))
        .hint("look for a full disk and for directories that cannot be written; if a file was changed at that moment, try again")
}

/// Has git lay the new files beside the work tree.
fn lay(bench: &Bench, exchange: &Exchange, theirs: &str, all: &[&Difference]) -> Result<(), Failure> {
    let stay = all.iter().filter(|difference| difference.letter != 'D');
    let list: Vec<u8> = stay.flat_map(|difference| [difference.path.as_os_str().as_bytes(), b"\0"].concat()).collect();
    bench.git().ask(["read-tree", "--reset", theirs], Input::Nothing)?;
    let mut prefix = std::ffi::OsString::from("--prefix=");
    prefix.push(exchange.new_files());
    prefix.push("/");
    let arguments = ["checkout-index", "-f", "-z", "--stdin"].map(std::ffi::OsString::from).into_iter().chain([prefix]);
    let said = bench.git().run(arguments, Input::Bytes(&list))?;
    if said.is_success { Ok(()) } else { Err(failed(&io::Error::other(said.complaint()))) }
}

/// Looks whether the files are what they were when the patch was judged.
fn unchanged(bench: &Bench, ours: &str) -> Result<(), Failure> {
    bench.git().ask(["read-tree", "--reset", ours], Input::Nothing)?;
    // Its complaint about files that are not as they were is the list after it.
    bench.git().run(["update-index", "-q", "--refresh"], Input::Nothing)?;
    let out = bench.git().ask(["diff-files", "--name-only", "-z", "--ignore-submodules=all"], Input::Nothing)?;
    match out.split(|byte| *byte == 0).next().filter(|name| !name.is_empty()) {
        None => Ok(()),
        Some(name) => Err(failed(&io::Error::other(format!("{} was changed meanwhile", String::from_utf8_lossy(name))))),
    }
}

/// Gives the new files the modes of the old ones, of which git keeps only who may execute, and has them on the disk.
fn settle(exchange: &Exchange, top: &Path, all: &[&Difference]) -> io::Result<()> {
    for difference in all.iter().filter(|difference| difference.stays_plain()) {
        let new = exchange.new_files().join(&difference.path);
        let before = fs::symlink_metadata(top.join(&difference.path))?.permissions().mode() & RIGHTS;
        let mode = match difference.modes.each_ref().map(String::as_str) {
            ["100644", "100755"] => before | ((before & 0o444) >> 2),
            ["100755", "100644"] => before & !0o111,
            _ => before,
        };
        fs::set_permissions(new, Permissions::from_mode(mode))?;
    }
    exchange.settle()
}

fn made(exchange: &mut Exchange, all: &[&Difference]) -> io::Result<()> {
    let of = |letters: &'static str| all.iter().filter(move |difference| letters.contains(difference.letter));
    // Before what is new: a file may go where a directory was, and the other way round.
    of("D").try_for_each(|difference| exchange.remove(&difference.path))?;
    of("MT").try_for_each(|difference| exchange.replace(&difference.path))?;
    of("A").try_for_each(|difference| exchange.place(&difference.path))?;
    let gone: Vec<PathBuf> = of("D").map(|difference| difference.path.clone()).collect();
    gone.iter().for_each(|path| exchange.tidy(path));
    Ok(())
}

#[cfg(test)]
mod tests;
