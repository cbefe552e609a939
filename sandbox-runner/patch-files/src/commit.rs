//! Carrying out changes so that all of them happen or none.
//!
//! New contents are first written beside their targets, where whatever is likely to fail (room, permission) fails before anything has
//! changed. Then each is put in place by a rename, which a reader of the file sees whole, and what was there before is kept until the
//! last one has succeeded.

use crate::plan::{Change, Owner};
use crate::rename::{exchange, rename_new};
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// What has been done so far, and how each part is undone.
#[derive(Debug)]
enum Done {
    /// A directory was made.
    Directory(PathBuf),
    /// A file was written that nobody knows by its name yet.
    Written(PathBuf),
    /// A file has come to be.
    Made(PathBuf),
    /// A file's old version lies in `kept`, whether a new one has taken its place or not.
    SetAside { target: PathBuf, kept: PathBuf },
}

/// A change whose new content is written.
struct Staged {
    change: Change,
    written: Option<PathBuf>,
}

/// Carries out `changes`. An error is a sentence for the model, and everything is as it was.
pub(crate) fn commit(changes: Vec<Change>) -> Result<(), String> {
    let mut done = Vec::new();
    let carried_out =
        stage(changes, &mut done).and_then(|staged| staged.iter().try_for_each(|staged| put_in_place(staged, &mut done)));
    match carried_out {
        Ok(()) => {
            done.iter().for_each(forget);
            Ok(())
        }
        Err(reason) => {
            let lost: String = done.iter().rev().filter_map(undo).collect();
            Err(format!("{reason}. Nothing was changed{lost}"))
        }
    }
}

fn told(target: &Path, error: &io::Error) -> String {
    let target = target.display();
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!("`{target}` cannot be written: permission denied, perhaps by the sandbox"),
        _ => format!("`{target}` cannot be written: {error}"),
    }
}

fn stage(changes: Vec<Change>, done: &mut Vec<Done>) -> Result<Vec<Staged>, String> {
    let mut staged = Vec::new();
    for change in changes {
        let written = match &change {
            Change::Make { target, content, like } => Some(write_beside(target, content, *like, done)),
            Change::Replace { target, content, like } => Some(write_beside(target, content, Some(*like), done)),
            Change::Remove { .. } => None,
        };
        let written = written.transpose().map_err(|error| told(change.target(), &error))?;
        staged.push(Staged { change, written });
    }
    Ok(staged)
}

fn write_beside(target: &Path, content: &str, like: Option<Owner>, done: &mut Vec<Done>) -> io::Result<PathBuf> {
    make_parents(target, done)?;
    let path = beside(target, done.len());
    let mut file = File::options().write(true).create_new(true).mode(0o666).open(&path)?;
    done.push(Done::Written(path.clone()));
    file.write_all(content.as_bytes())?;
    if let Some(owner) = like {
        // Only the powerful can give files away; the others' files are their own already.
        let _ = fchown(&file, Some(owner.uid), Some(owner.gid));
        file.set_permissions(Permissions::from_mode(owner.mode))?;
    }
    Ok(path)
}

/// A name in the target's directory that is nobody's. It does not grow with the target's name, which may be as long as names can be.
fn beside(target: &Path, number: usize) -> PathBuf {
    target.with_file_name(format!(".capstan-patch-{}-{number}", std::process::id()))
}

fn make_parents(target: &Path, done: &mut Vec<Done>) -> io::Result<()> {
    let missing: Vec<_> = target.ancestors().skip(1).take_while(|ancestor| !ancestor.exists()).collect();
    for directory in missing.into_iter().rev() {
        fs::create_dir(directory)?;
        done.push(Done::Directory(directory.to_owned()));
    }
    Ok(())
}

fn put_in_place(staged: &Staged, done: &mut Vec<Done>) -> Result<(), String> {
    let moved = match (&staged.change, &staged.written) {
        (Change::Make { target, .. }, Some(written)) => {
            rename_new(written, target).map(|()| done.push(Done::Made(target.clone())))
        }
        (Change::Replace { target, .. }, Some(written)) => replace(target, written, done),
        (Change::Remove { target }, _) => set_aside(target, done),
        (Change::Make { .. } | Change::Replace { .. }, None) => Err(io::ErrorKind::NotFound.into()),
    };
    moved.map_err(|error| told(staged.change.target(), &error))
}

fn replace(target: &Path, written: &Path, done: &mut Vec<Done>) -> io::Result<()> {
    if exchange(written, target)? {
        done.push(Done::SetAside { target: target.to_owned(), kept: written.to_owned() });
        return Ok(());
    }
    set_aside(target, done)?;
    fs::rename(written, target)
}

fn set_aside(target: &Path, done: &mut Vec<Done>) -> io::Result<()> {
    let kept = beside(target, done.len());
    rename_new(target, &kept)?;
    done.push(Done::SetAside { target: target.to_owned(), kept });
    Ok(())
}

/// Takes away what was kept for undoing.
fn forget(done: &Done) {
    match done {
        Done::SetAside { kept, .. } => drop(fs::remove_file(kept)),
        Done::Directory(_) | Done::Written(_) | Done::Made(_) => {}
    }
}

/// Undoes one thing. What cannot be undone is told, with where it lies.
fn undo(done: &Done) -> Option<String> {
    match done {
        Done::Directory(path) => drop(fs::remove_dir(path)),
        Done::Written(path) | Done::Made(path) => drop(fs::remove_file(path)),
        Done::SetAside { target, kept } => {
            let failed = fs::rename(kept, target).err()?;
            return Some(format!(", except that the old `{}` is now `{}` ({failed})", target.display(), kept.display()));
        }
    }
    None
}
