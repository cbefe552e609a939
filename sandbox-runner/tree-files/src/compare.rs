//! Compares two states. Directories that are equal are not looked into.

use crate::content::Content;
use crate::error::TreeError;
use crate::shown::shown;
use crate::store::Store;
use crate::tree::{Entry, Kind};
use capstan_types::tree_document::{Difference, Differing};
use std::cmp::Ordering;

/// What differs from `before` to `after`, in the order of paths, and no more than `most` names.
///
/// When a thing was changed last is no difference.
///
/// # Errors
/// When a list is missing or damaged.
pub fn compare(store: &Store, before: &Content, after: &Content, most: usize) -> Result<Vec<Difference>, TreeError> {
    let mut comparing = Comparing { store, most, found: Vec::new() };
    comparing.directories(before, after, &mut Vec::new())?;
    Ok(comparing.found)
}

struct Comparing<'a> {
    store: &'a Store,
    most: usize,
    found: Vec<Difference>,
}

impl Comparing<'_> {
    fn directories(&mut self, before: &Content, after: &Content, path: &mut Vec<u8>) -> Result<(), TreeError> {
        if before == after || self.found.len() >= self.most {
            return Ok(());
        }
        let (before, after) = (self.store.directory(before)?, self.store.directory(after)?);
        let (mut before, mut after) = (before.iter().peekable(), after.iter().peekable());
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => one.name.cmp(&other.name),
            };
            let one = before.next_if(|_| order != Ordering::Greater);
            let other = after.next_if(|_| order != Ordering::Less);
            self.names(one, other, path)?;
        }
    }

    fn names(&mut self, before: Option<&Entry>, after: Option<&Entry>, path: &mut Vec<u8>) -> Result<(), TreeError> {
        let Some(entry) = before.or(after) else { return Ok(()) };
        let length = path.len();
        path.extend(&entry.name);
        let below = |entry: Option<&Entry>| match entry.map(|entry| &entry.kind) {
            Some(Kind::Directory(content)) => Some(content.clone()),
            _ => None,
        };
        if let Some(differing) = differing(before, after) {
            self.note(path, differing);
        }
        path.push(b'/');
        let compared = match (below(before), below(after)) {
            (None, None) => Ok(()),
            (Some(before), Some(after)) => self.directories(&before, &after, path),
            (Some(before), None) => self.lone(&before, Differing::Removed, path),
            (None, Some(after)) => self.lone(&after, Differing::Added, path),
        };
        path.truncate(length);
        compared
    }

    /// All of a directory that is in one state only.
    fn lone(&mut self, content: &Content, differing: Differing, path: &mut Vec<u8>) -> Result<(), TreeError> {
        if self.found.len() >= self.most {
            return Ok(());
        }
        for entry in self.store.directory(content)? {
            let length = path.len();
            path.extend(&entry.name);
            self.note(path, differing);
            if let Kind::Directory(content) = &entry.kind {
                path.push(b'/');
                self.lone(content, differing, path)?;
            }
            path.truncate(length);
        }
        Ok(())
    }

    fn note(&mut self, path: &[u8], differing: Differing) {
        if self.found.len() < self.most {
            self.found.push(Difference { path: shown(path), differing });
        }
    }
}

fn differing(before: Option<&Entry>, after: Option<&Entry>) -> Option<Differing> {
    match (before, after) {
        (None, None) => None,
        (Some(_), None) => Some(Differing::Removed),
        (None, Some(_)) => Some(Differing::Added),
        (Some(before), Some(after)) => match (&before.kind, &after.kind) {
            (Kind::Directory(_), Kind::Directory(_)) => mode(before, after),
            (before_kind, after_kind) if before_kind == after_kind => mode(before, after),
            _ => Some(Differing::Changed),
        },
    }
}

fn mode(before: &Entry, after: &Entry) -> Option<Differing> {
    let matters = !matches!(before.kind, Kind::Link(_));
    (matters && before.mode != after.mode).then_some(Differing::Mode)
}
