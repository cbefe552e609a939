//! Changes of a short time, each name once.

use capstan_types::files::path::FilePath;
use capstan_types::files::report::{Change, PathChange};
use std::collections::BTreeMap;

/// How many names are gathered. Full: that something was lost is told instead of all of them.
const MOST: usize = 10_000;

/// What has changed since it was told last.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    changes: BTreeMap<FilePath, Change>,
    lost: bool,
}

impl Gathered {
    pub(super) fn note(&mut self, path: FilePath, change: Change) {
        if self.lost {
            return;
        }
        match merged(self.changes.get(&path).copied(), change) {
            Some(change) => drop(self.changes.insert(path, change)),
            None => drop(self.changes.remove(&path)),
        }
        if self.changes.len() > MOST {
            self.lose();
        }
    }

    /// Something has happened that nobody knows.
    pub(super) fn lose(&mut self) {
        self.lost = true;
        self.changes.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.lost && self.changes.is_empty()
    }

    /// The changes, and whether others were lost.
    pub(super) fn take(&mut self) -> (Vec<PathChange>, bool) {
        let changes = std::mem::take(&mut self.changes).into_iter().map(|(path, change)| PathChange { path, change });
        (changes.collect(), std::mem::take(&mut self.lost))
    }
}

/// What two changes are together; `None`: everything is as it was.
const fn merged(before: Option<Change>, now: Change) -> Option<Change> {
    match (before, now) {
        (None, now) => Some(now),
        (Some(Change::Made), Change::Removed) => None,
        (Some(Change::Made), _) => Some(Change::Made),
        (Some(Change::Altered | Change::Removed), Change::Removed) => Some(Change::Removed),
        (Some(Change::Altered | Change::Removed), _) => Some(Change::Altered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_told_says_whether_a_name_is_there(was_there in any::<bool>(), steps in prop::collection::vec(0..2_u8, 0..12)) {
            let path = FilePath::new(b"a").unwrap();
            let (mut there, mut gathered) = (was_there, Gathered::default());
            for step in steps {
                let change = match (step, there) {
                    (0, true) => Change::Altered,
                    (_, true) => Change::Removed,
                    (_, false) => Change::Made,
                };
                there = change != Change::Removed;
                gathered.note(path.clone(), change);
            }
            let (told, lost) = gathered.take();
            prop_assert!(!lost && gathered.is_empty());
            match told.first().map(|told| told.change) {
                None => prop_assert_eq!(there, was_there),
                Some(Change::Made) => prop_assert!(there && !was_there),
                Some(Change::Removed) => prop_assert!(!there && was_there),
                Some(Change::Altered) => prop_assert!(there && was_there),
            }
        }
    }

    #[test]
    fn too_many_names_are_told_as_a_loss() {
        let mut gathered = Gathered::default();
        for number in 0..=MOST {
            gathered.note(FilePath::new(number.to_string().as_bytes()).unwrap(), Change::Made);
        }
        assert_eq!(gathered.take(), (Vec::new(), true));
    }
}
