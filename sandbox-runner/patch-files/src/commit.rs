//! Carrying out changes so that all of them happen or none.
//!
//! New contents are first written beside their targets, where whatever is likely to fail (room, permission) fails before anything has
//! changed. Then each is put in place by a rename, which a reader of the file sees whole, and what was there before is kept until the
//! last one has succeeded. Every step is in the journal before it is taken.

use crate::journal::{self, Journal};
use crate::plan::{Change, Owner};
use crate::rename::{exchange, rename_new};
use crate::steps::{Identity, Step};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// A change whose new content is written.
struct Staged {
    change: Change,
    written: Option<PathBuf>,
}

/// Carries out `changes`. An error is a sentence for the model, and everything is as it was.
///
/// Of a program that is killed in the middle, the next one with the same `cwd`, or with the same first file, undoes what it did.
pub(crate) fn commit(cwd: &Path, changes: Vec<Change>) -> Result<(), String> {
    let Some(first) = changes.first().map(|change| change.target().to_owned()) else { return Ok(()) };
    let home = home(cwd, &first);
    let mut journal = Journal::begin(&home).map_err(|error| format!("{}. Nothing was changed", told(&first, &error)))?;
    let carried_out =
        stage(changes, &mut journal).and_then(|staged| staged.iter().try_for_each(|staged| put_in_place(staged, &mut journal)));
    let (journal, reason) = match carried_out {
        Ok(()) => match journal.over() {
            Ok(()) => return Ok(()),
            Err((journal, error)) => (journal, told(&first, &error)),
        },
        Err(reason) => (journal, reason),
    };
    let lost = journal.undo().concat();
    Err(format!("{reason}. Nothing was changed{lost}"))
}

/// Undoes what programs left that were killed in the middle of a patch like this. Gives sentences about what could not be undone.
pub(crate) fn recover<'a>(cwd: &Path, targets: impl Iterator<Item = &'a Path>) -> Vec<String> {
    let mut homes = vec![cwd.to_owned()];
    homes.extend(targets.take(1).map(existing_above));
    homes.sort();
    homes.dedup();
    homes.iter().flat_map(|home| journal::recover(home)).collect()
}

/// Where the journal lies: where one looks first for it, if that can be written.
fn home(cwd: &Path, first: &Path) -> PathBuf {
    let writable = accessat(CWD, cwd, Access::WRITE_OK | Access::EXEC_OK, AtFlags::empty()).is_ok();
    if writable { cwd.to_owned() } else { existing_above(first) }
}

fn existing_above(target: &Path) -> PathBuf {
    target.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(target).to_owned()
}

fn told(target: &Path, error: &io::Error) -> String {
    let target = target.display();
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("`{target}` cannot be written: permission denied, perhaps by the sandbox")
        }
        _ => format!("`{target}` cannot be written: {error}"),
    }
}

fn stage(changes: Vec<Change>, journal: &mut Journal) -> Result<Vec<Staged>, String> {
    let mut staged = Vec::new();
    for change in changes {
        let written = match &change {
            Change::Make { target, content, like } => Some(write_beside(target, content, *like, journal)),
            Change::Replace { target, content, like } => Some(write_beside(target, content, Some(*like), journal)),
            Change::Remove { .. } => None,
        };
        let written = written.transpose().map_err(|error| told(change.target(), &error))?;
        staged.push(Staged { change, written });
    }
    Ok(staged)
}

fn write_beside(target: &Path, content: &str, like: Option<Owner>, journal: &mut Journal) -> io::Result<PathBuf> {
    make_parents(target, journal)?;
    let path = journal.beside(target);
    journal.begin_step(Step::Written(path.clone()))?;
    let mut file = File::options().write(true).create_new(true).mode(0o666).open(&path)?;
    file.write_all(content.as_bytes())?;
    if let Some(owner) = like {
        // Only the powerful can give files away; the others' files are their own already.
        let _ = fchown(&file, Some(owner.uid), Some(owner.gid));
        file.set_permissions(Permissions::from_mode(owner.mode))?;
    }
    Ok(path)
}

fn make_parents(target: &Path, journal: &mut Journal) -> io::Result<()> {
    let missing: Vec<_> = target.ancestors().skip(1).take_while(|ancestor| !ancestor.exists()).collect();
    for directory in missing.into_iter().rev() {
        journal.begin_step(Step::Directory(directory.to_owned()))?;
        fs::create_dir(directory)?;
    }
    Ok(())
}

fn put_in_place(staged: &Staged, journal: &mut Journal) -> Result<(), String> {
    let moved = match (&staged.change, &staged.written) {
        (Change::Make { target, .. }, Some(written)) => make(target, written, journal),
        (Change::Replace { target, .. }, Some(written)) => replace(target, written, journal),
        (Change::Remove { target }, _) => set_aside(target, None, journal),
        (Change::Make { .. } | Change::Replace { .. }, None) => Err(io::ErrorKind::NotFound.into()),
    };
    moved.map_err(|error| told(staged.change.target(), &error))
}

fn make(target: &Path, written: &Path, journal: &mut Journal) -> io::Result<()> {
    let (target, kept, new) = (target.to_owned(), written.to_owned(), Identity::of(written));
    journal.begin_step(Step::Placed { target: target.clone(), kept, old: None, new })?;
    rename_new(written, &target)
}

fn replace(target: &Path, written: &Path, journal: &mut Journal) -> io::Result<()> {
    let (old, new) = (Some(identity(target)?), Identity::of(written));
    journal.begin_step(Step::Placed { target: target.to_owned(), kept: written.to_owned(), old, new })?;
    if exchange(written, target)? {
        return Ok(());
    }
    set_aside(target, new, journal)?;
    fs::rename(written, target)
}

fn set_aside(target: &Path, new: Option<Identity>, journal: &mut Journal) -> io::Result<()> {
    let (kept, old) = (journal.beside(target), Some(identity(target)?));
    journal.begin_step(Step::Placed { target: target.to_owned(), kept: kept.clone(), old, new })?;
    rename_new(target, &kept)
}

/// What must be there: nothing is replaced that has gone in the meantime.
fn identity(target: &Path) -> io::Result<Identity> {
    Identity::of(target).ok_or_else(|| io::ErrorKind::NotFound.into())
}
