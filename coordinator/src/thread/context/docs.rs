//! Project instructions: where they are looked for, which of them count, and how the model is told of them. Pure.
//!
//! In each directory from the top of the repository down to the working directory the first name that exists decides, and nearer ones
//! come later. All of a project's files share one limit. Whatever of them cannot be used is said, to the model and to people.

use capstan_types::docs::{MOST_FALLBACK_NAMES, ProjectDocs};
use capstan_types::file_read::{FileRead, MOST_PATHS};
use capstan_types::path::AbsPath;

/// Names that are looked for in every directory, the first before the second.
const NAMES: [&str; 2] = ["AGENTS.override.md", "AGENTS.md"];

/// Directories that are looked into; in a deeper tree those nearest to the working directory.
const MOST_DIRECTORIES: usize = MOST_PATHS / (NAMES.len() + MOST_FALLBACK_NAMES);

/// One file of instructions, as the model is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The file.
    pub source: String,
    /// Who keeps it.
    pub keeper: Keeper,
    /// What it says, as far as it is told.
    pub text: String,
    /// What is wrong with it.
    pub fault: Option<String>,
}

/// Who keeps a file of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// The user, for all projects.
    User,
    /// Whoever writes in the project.
    Project,
}

/// The names that are looked for in a directory, the first before the others.
#[must_use]
pub fn names(docs: &ProjectDocs) -> Vec<&str> {
    let mut names: Vec<&str> = NAMES.to_vec();
    for name in docs.fallback_names.iter().take(MOST_FALLBACK_NAMES) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// The directories that are looked into, outermost first.
#[must_use]
pub fn directories(top: Option<&AbsPath>, cwd: &AbsPath) -> Vec<AbsPath> {
    let top = top.filter(|top| cwd.is_within(top)).unwrap_or(cwd);
    let above = cwd.as_path().ancestors().take_while(|above| above.starts_with(top.as_path()));
    let mut directories: Vec<AbsPath> = above.take(MOST_DIRECTORIES).filter_map(|above| AbsPath::new(above).ok()).collect();
    directories.reverse();
    directories
}

/// The files to be read, directory by directory.
#[must_use]
pub fn candidates(directories: &[AbsPath], names: &[&str]) -> Vec<AbsPath> {
    let in_one = |directory: &AbsPath| names.iter().filter_map(|name| directory.join(name).ok()).collect::<Vec<_>>();
    directories.iter().flat_map(in_one).collect()
}

/// What counts of the files that were read: of each `names` files of one directory the first that exists.
#[must_use]
pub fn chosen(candidates: &[AbsPath], read: &[FileRead], names: usize, max_bytes: u32) -> Vec<Part> {
    let (max, mut room) = (max_bytes as usize, max_bytes as usize);
    let mut parts = Vec::new();
    for (paths, reads) in candidates.chunks(names.max(1)).zip(read.chunks(names.max(1))) {
        let found = paths.iter().zip(reads).find(|(_, read)| **read != FileRead::Missing);
        let part = found.and_then(|(path, read)| part(path, read, room, max));
        room -= part.as_ref().map_or(0, |part| part.text.len());
        parts.extend(part);
    }
    parts
}

/// An empty file says nothing, and hides the names after it.
fn part(path: &AbsPath, read: &FileRead, room: usize, max: usize) -> Option<Part> {
    let part = |text, fault| Some(Part { source: path.to_string(), keeper: Keeper::Project, text, fault });
    let refused = |reason: String| part(String::new(), Some(reason));
    match read {
        FileRead::Missing => None,
        FileRead::Refused { reason } => refused(format!("not read: it {reason}")),
        FileRead::Content { bytes, .. } if bytes.contains(&0) => refused("not read: it is binary".to_owned()),
        FileRead::Content { bytes, .. } if bytes.trim_ascii().is_empty() => None,
        FileRead::Content { .. } if room == 0 => refused(format!("left out: the files before it take all {max} bytes")),
        FileRead::Content { bytes, size } => {
            let is_cut = *size > bytes.len() as u64 || bytes.len() > room;
            let (text, replaced) = text(bytes, room, is_cut);
            let replaced = replaced.then(|| "it is not UTF-8, and what is none was replaced".to_owned());
            let cut =
                is_cut.then(|| format!("cut after {} of its {size} bytes, since {max} is the most of all files", text.len()));
            let faults: Vec<String> = replaced.into_iter().chain(cut).collect();
            part(text, (!faults.is_empty()).then(|| faults.join("; ")))
        }
    }
}

/// At most `room` bytes of text, and whether something in it was no text. No character is split.
fn text(bytes: &[u8], room: usize, is_cut: bool) -> (String, bool) {
    let taken = &bytes[..bytes.len().min(room)];
    let taken = match std::str::from_utf8(taken) {
        // The cut lies inside a character.
        Err(error) if is_cut && error.error_len().is_none() => &taken[..error.valid_up_to()],
        _ => taken,
    };
    let lossy = String::from_utf8_lossy(taken);
    let replaced = matches!(lossy, std::borrow::Cow::Owned(_));
    let mut text = lossy.into_owned();
    text.truncate(text.floor_char_boundary(room));
    (text, replaced)
}

#[cfg(test)]
mod tests;
