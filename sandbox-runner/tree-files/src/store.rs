//! Reads objects from packs.

use crate::content::Content;
use crate::error::TreeError;
use crate::object::ObjectId;
use crate::object::OfHash;
use crate::pack_index::{self, Place};
use crate::tree::{self, Entry};
use std::collections::HashMap;
use std::fs::{self, File};
use std::hash::BuildHasherDefault;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The longest list of one directory that is read, in bytes: some two million names.
const MOST_LIST: u64 = 512 << 20;

/// The packs of some directories.
#[derive(Debug, Default)]
pub struct Store {
    packs: Vec<Pack>,
    places: HashMap<ObjectId, (usize, Place), BuildHasherDefault<OfHash>>,
    /// The first pack that could not be used, and why.
    unusable: Option<(PathBuf, String)>,
}

#[derive(Debug)]
struct Pack {
    path: PathBuf,
    name: Option<ObjectId>,
    file: File,
}

impl Store {
    /// All packs of a directory. One that is not there has none. A damaged pack is as good as none, and named when an object is missing.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open(dir: &Path) -> Result<Self, TreeError> {
        let mut store = Self::default();
        let listed = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(store),
            listed => listed.and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(TreeError::file(dir, "read"))?,
        };
        let mut paths: Vec<_> = listed.iter().map(fs::DirEntry::path).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "pack") && name_of(path).is_some());
        paths.sort();
        for path in paths {
            if let Err(error) = store.add(&path) {
                store.unusable.get_or_insert_with(|| (path, error.to_string()));
            }
        }
        Ok(store)
    }

    /// The one pack at `path`.
    pub(crate) fn of_one(path: &Path) -> io::Result<Self> {
        let mut store = Self::default();
        store.add(path)?;
        Ok(store)
    }

    fn add(&mut self, path: &Path) -> io::Result<()> {
        let file = File::open(path)?;
        let lines = pack_index::read(&file)?;
        let number = self.packs.len();
        self.packs.push(Pack { path: path.to_owned(), name: name_of(path), file });
        self.places.reserve(lines.len());
        // Whichever was first is as good as another.
        for (id, place) in lines {
            self.places.entry(id).or_insert((number, place));
        }
        Ok(())
    }

    /// Whether an object is there.
    #[must_use]
    pub fn has(&self, id: &ObjectId) -> bool {
        self.places.contains_key(id)
    }

    /// An object's bytes.
    ///
    /// # Errors
    /// When it is missing, or its pack is damaged: what is given has the hash that was asked for.
    pub fn get(&self, id: &ObjectId) -> Result<Vec<u8>, TreeError> {
        let (number, place) = self.places.get(id).ok_or_else(|| self.missing(*id))?;
        let pack = &self.packs[*number];
        let mut stored = vec![0; place.stored as usize];
        pack.file.read_exact_at(&mut stored, place.offset).map_err(TreeError::file(&pack.path, "read"))?;
        let bytes = if place.stored == place.size {
            stored
        } else {
            let broken =
                |error: io::Error| TreeError::damaged(&pack.path, format!("the object {id} cannot be unpacked ({error})"));
            zstd::bulk::decompress(&stored, place.size as usize).map_err(broken)?
        };
        if ObjectId::of(&bytes) == *id {
            Ok(bytes)
        } else {
            Err(TreeError::damaged(&pack.path, format!("the object {id} has another hash")))
        }
    }

    fn missing(&self, id: ObjectId) -> TreeError {
        self.unusable.as_ref().map_or(TreeError::Missing(id), |(path, reason)| TreeError::damaged(path, reason.clone()))
    }

    /// The entries of a directory.
    pub(crate) fn directory(&self, content: &Content) -> Result<Vec<Entry>, TreeError> {
        let id = content.objects.first().copied().unwrap_or_else(|| ObjectId::of(b""));
        let not = |reason: &str| TreeError::NotATree { id, reason: reason.to_owned() };
        if content.size > MOST_LIST {
            return Err(not("it is too long"));
        }
        let mut list = Vec::new();
        for object in &content.objects {
            list.extend(self.get(object)?);
            if list.len() as u64 > content.size {
                return Err(not("it is longer than it says"));
            }
        }
        tree::decode(&list).map_err(not)
    }

    /// The name of the pack that holds an object.
    pub(crate) fn pack_of(&self, id: &ObjectId) -> Option<ObjectId> {
        self.packs[self.places.get(id)?.0].name
    }
}

fn name_of(path: &Path) -> Option<ObjectId> {
    path.file_stem()?.to_str()?.parse().ok()
}
