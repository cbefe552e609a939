//! What a patch will do to files, worked out without touching any.
//!
//! A file is opened as an editor would open it, through symbolic links, but never so that the opening could wait: a pipe or a device in
//! place of a file is refused.

use capstan_types::patch::{self, Chunk, FileHunk};
use rustix::fs::{Mode, OFlags};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The largest file that is changed, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// One thing to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A file comes to be.
    Make { target: PathBuf, content: String, like: Option<Owner> },
    /// A file gets another content.
    Replace { target: PathBuf, content: String, like: Owner },
    /// A file, or a symbolic link, goes.
    Remove { target: PathBuf },
}

/// What a new version of a file takes over from the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The permission bits.
    pub(crate) mode: u32,
    /// The user.
    pub(crate) uid: u32,
    /// The group.
    pub(crate) gid: u32,
}

impl Change {
    /// The file.
    pub(crate) fn target(&self) -> &Path {
        match self {
            Self::Make { target, .. } | Self::Replace { target, .. } | Self::Remove { target } => target,
        }
    }
}

struct Original {
    real: PathBuf,
    text: String,
    owner: Owner,
}

/// Works out the changes of all hunks, in their order. An error is a sentence for the model.
///
/// `within` is where all of them must lie; without it, the sandbox decides.
pub(crate) fn plan(cwd: &Path, hunks: &[FileHunk], within: Option<&Path>) -> Result<Vec<Change>, String> {
    let mut changes = Vec::new();
    for hunk in hunks {
        match hunk {
            FileHunk::Add { path, content } => {
                let target = vacant(cwd, path, "change it with `*** Update File:`")?;
                changes.push(Change::Make { target, content: content.clone(), like: None });
            }
            FileHunk::Delete { path } => changes.push(Change::Remove { target: removable(cwd, path)? }),
            FileHunk::Update { path, moved_to: None, chunks } => {
                let (original, content) = updated(cwd, path, chunks)?;
                changes.push(Change::Replace { target: original.real, content, like: original.owner });
            }
            FileHunk::Update { path, moved_to: Some(destination), chunks } => {
                let (original, content) = updated(cwd, path, chunks)?;
                let target = vacant(cwd, destination, "move to another name, or delete it in a patch of its own")?;
                changes.push(Change::Make { target, content, like: Some(original.owner) });
                changes.push(Change::Remove { target: removable(cwd, path)? });
            }
        }
    }
    one_change_each(&changes)?;
    within.map_or(Ok(()), |within| all_within(&changes, within))?;
    Ok(changes)
}

/// Targets are real names, so no symbolic link leads out.
fn all_within(changes: &[Change], within: &Path) -> Result<(), String> {
    let real = within.canonicalize().map_err(|error| format!("`{}` cannot be found: {error}", within.display()))?;
    let plain = |target: &Path| !target.components().any(|part| part == Component::ParentDir);
    match changes.iter().find(|change| !(plain(change.target()) && change.target().starts_with(&real))) {
        None => Ok(()),
        Some(outside) => {
            let (outside, real) = (outside.target().display(), real.display());
            Err(format!(
                "`{outside}` is outside of `{real}`, so a patch from here does not change it; run apply_patch from a directory above it"
            ))
        }
    }
}

/// Two names of one file would each be worked out from the same old content, and the last would win.
fn one_change_each(changes: &[Change]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    match changes.iter().find(|change| !seen.insert(change.target())) {
        None => Ok(()),
        Some(twice) => Err(format!(
            "the patch changes `{}` twice, under two names; give all its changes under one",
            twice.target().display()
        )),
    }
}

fn vacant(cwd: &Path, path: &str, instead: &str) -> Result<PathBuf, String> {
    let target = named(&cwd.join(path));
    match fs::symlink_metadata(&target) {
        Ok(_) => Err(format!("`{path}` exists already; {instead}")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(target),
        Err(error) => Err(format!("`{path}` cannot be made: {error}")),
    }
}

fn removable(cwd: &Path, path: &str) -> Result<PathBuf, String> {
    let target = named(&cwd.join(path));
    let kind = fs::symlink_metadata(&target).map_err(|error| unreadable(cwd, path, &error))?.file_type();
    if kind.is_file() || kind.is_symlink() {
        Ok(target)
    } else {
        Err(format!(
            "`{path}` is {}; only files can be deleted by a patch",
            if kind.is_dir() { "a directory" } else { "no regular file" }
        ))
    }
}

/// The file's own name in its real directory, so that two spellings are seen to be one.
pub(crate) fn named(path: &Path) -> PathBuf {
    for above in path.ancestors().skip(1) {
        // A name without `..` below a directory that does not exist yet stays below it.
        let Some(rest) =
            path.strip_prefix(above).ok().filter(|rest| rest.components().all(|part| matches!(part, Component::Normal(_))))
        else {
            return path.to_owned();
        };
        if let Ok(real) = above.canonicalize() {
            return real.join(rest);
        }
    }
    path.to_owned()
}

fn updated(cwd: &Path, path: &str, chunks: &[Chunk]) -> Result<(Original, String), String> {
    let original = read(cwd, path)?;
    let content = patch::apply(path, &original.text, chunks).map_err(|error| error.to_string())?;
    Ok((original, content))
}

fn unreadable(cwd: &Path, path: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("`{path}` does not exist in `{}`; check the path, or use `*** Add File:`", cwd.display())
        }
        _ => format!("`{path}` cannot be read: {error}"),
    }
}

fn read(cwd: &Path, path: &str) -> Result<Original, String> {
    let told = |error: io::Error| unreadable(cwd, path, &error);
    let named = cwd.join(path);
    // Without O_NONBLOCK the opening of a pipe waits for its other end.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(&named, flags, Mode::empty()).map_err(|error| told(error.into()))?);
    let facts = file.metadata().map_err(told)?;
    if !facts.is_file() {
        return Err(format!("`{path}` is no regular file, so it cannot be patched"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!(
            "`{path}` is larger than {} MiB, so it cannot be patched; use a command such as sed",
            MAX_FILE >> 20
        ));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("`{path}` is not UTF-8 text, so it cannot be patched; use a command instead"))?;
    if text.contains('\0') {
        return Err(format!("`{path}` is a binary file, so it cannot be patched; use a command instead"));
    }
    let real = named.canonicalize().map_err(told)?;
    Ok(Original { real, text, owner: Owner { mode: facts.mode() & 0o7777, uid: facts.uid(), gid: facts.gid() } })
}
