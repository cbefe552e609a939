//! The names in a directory, however many there are, in bounded memory.

use capstan_types::files::document::Order;
use rustix::fs::Dir;
use std::collections::BinaryHeap;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::vec;

/// How many names are kept of a directory. One that has more is gone through once for each so many.
const KEPT: usize = 32 << 10;

/// The names in a directory, one after the other.
pub(crate) enum Names {
    Sorted(Sorted),
    AsFound(Box<Dir>),
}

/// The names in the order of their bytes.
pub(crate) struct Sorted {
    /// Those that were found last, the first one at the front.
    found: vec::IntoIter<CString>,
    /// The last of them, if there are more behind it.
    last: Option<CString>,
    /// How many are kept.
    kept: usize,
}

impl Names {
    /// Those of `directory`; of sorted ones only those that do not come before `from`.
    pub(crate) fn of(directory: &OwnedFd, order: Order, from: Option<&[u8]>) -> io::Result<Self> {
        match order {
            Order::Sorted => Sorted::of(directory, from, KEPT).map(Self::Sorted),
            Order::AsFound => Ok(Self::AsFound(Box::new(Dir::read_from(directory)?))),
        }
    }

    /// The next name.
    pub(crate) fn next(&mut self, directory: &OwnedFd) -> Option<io::Result<CString>> {
        match self {
            Self::Sorted(sorted) => sorted.next(directory),
            Self::AsFound(found) => found.find_map(|entry| match entry {
                Ok(entry) => is_name(entry.file_name()).then(|| Ok(entry.file_name().to_owned())),
                Err(error) => Some(Err(error.into())),
            }),
        }
    }
}

impl Sorted {
    fn of(directory: &OwnedFd, from: Option<&[u8]>, kept: usize) -> io::Result<Self> {
        pass(directory, kept, |name| from.is_none_or(|from| name.to_bytes() >= from))
    }

    fn next(&mut self, directory: &OwnedFd) -> Option<io::Result<CString>> {
        if let Some(name) = self.found.next() {
            return Some(Ok(name));
        }
        let last = self.last.take()?;
        match pass(directory, self.kept, |name| name > last.as_c_str()) {
            Ok(next) => *self = next,
            Err(error) => return Some(Err(error)),
        }
        self.found.next().map(Ok)
    }
}

/// Goes through the directory once, and keeps the first of those names that are `wanted`.
fn pass(directory: &OwnedFd, kept: usize, wanted: impl Fn(&CStr) -> bool) -> io::Result<Sorted> {
    let mut heap = BinaryHeap::new();
    let mut more = false;
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if !is_name(name) || !wanted(name) {
            continue;
        }
        if heap.len() < kept {
            heap.push(name.to_owned());
            continue;
        }
        more = true;
        if let Some(mut largest) = heap.peek_mut()
            && name < largest.as_c_str()
        {
            *largest = name.to_owned();
        }
    }
    let found = heap.into_sorted_vec();
    let last = found.last().filter(|_| more).cloned();
    Ok(Sorted { found: found.into_iter(), last, kept })
}

fn is_name(name: &CStr) -> bool {
    !matches!(name.to_bytes(), b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs::File;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn sorted_names_are_all_of_them_whatever_is_kept_at_once(
            names in prop::collection::btree_set("[a-c]{1,6}", 0..60),
            kept in 1_usize..9,
            from in prop::option::of("[a-c]{0,3}"),
        ) {
            let place = tempfile::tempdir().unwrap();
            for name in &names {
                File::create(place.path().join(name)).unwrap();
            }
            let directory = OwnedFd::from(File::open(place.path()).unwrap());
            let mut sorted = Sorted::of(&directory, from.as_deref().map(str::as_bytes), kept).unwrap();
            let mut told = Vec::new();
            while let Some(name) = sorted.next(&directory) {
                told.push(name.unwrap().into_string().unwrap());
            }
            let wanted: Vec<_> = names.iter().filter(|name| from.as_ref().is_none_or(|from| *name >= from)).cloned().collect();
            prop_assert_eq!(told, wanted);
        }
    }
}
