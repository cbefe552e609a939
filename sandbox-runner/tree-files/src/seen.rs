//! What files were made of when they were last looked at, so that only those are read again that may have changed.
//!
//! It is a help and nothing more: whatever is wrong with it costs time, and only a file whose stamp stands here is not read.

use crate::codec::{Reader, put_string};
use crate::content::Content;
use crate::directory::Stamp;
use crate::object::ObjectId;
use crate::tree::Modified;
use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::io;
use std::path::Path;

const MAGIC: &[u8] = b"capstan-seen-1\n";
/// A path of Linux, and some room for those that are only reached step by step.
const MOST_PATH: usize = 60_000;

/// What was seen, by path within the tree: the bytes as they were read, and where each path stands in them. Of tens of thousands of files few are
/// asked for more than their stamp, so nothing is taken apart before.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    bytes: Vec<u8>,
    /// By the path's hash. Of two paths with the same one, one was not seen.
    places: HashMap<u64, usize, BuildHasherDefault<Whole>>,
    hashing: RandomState,
}

/// A hash as it is.
#[derive(Debug, Default)]
struct Whole(u64);

impl Hasher for Whole {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// One line of it.
struct Line<'a> {
    path: &'a [u8],
    stamp: Stamp,
    content: Reader<'a>,
}

impl Seen {
    /// Reads it. What cannot be read has seen nothing.
    pub(crate) fn read(path: &Path) -> Self {
        fs::read(path).ok().and_then(Self::decode).unwrap_or_default()
    }

    /// What a file was made of, if it is as it was.
    pub(crate) fn content(&self, path: &[u8], stamp: &Stamp) -> Option<Content> {
        let at = *self.places.get(&self.hashing.hash_one(path))?;
        let mut line = line(&mut Reader(self.bytes.get(at..)?))?;
        (line.path == path && line.stamp == *stamp).then(|| Content::decode(&mut line.content))?
    }

    fn decode(mut bytes: Vec<u8>) -> Option<Self> {
        let length = bytes.len().checked_sub(ObjectId::LENGTH)?;
        let (body, hash) = bytes.split_at(length);
        if ObjectId::of(body).as_bytes() != hash || !body.starts_with(MAGIC) {
            return None;
        }
        bytes.truncate(length);
        let mut seen = Self { bytes, ..Self::default() };
        let mut reader = Reader(&seen.bytes[MAGIC.len()..]);
        while !reader.is_empty() {
            let at = length - reader.0.len();
            let Line { path, mut content, .. } = line(&mut reader)?;
            seen.places.insert(seen.hashing.hash_one(path), at);
            Content::pass(&mut content)?;
            reader = content;
        }
        Some(seen)
    }
}

/// The line that begins here; its content is read on from where its reader stands.
fn line<'a>(reader: &mut Reader<'a>) -> Option<Line<'a>> {
    let path = reader.string(MOST_PATH)?;
    let (inode, size) = (reader.u64()?, reader.u64()?);
    let mut time = || Some(Modified { seconds: reader.i64()?, nanos: reader.u32()? });
    let stamp = Stamp { inode, size, modified: time()?, changed: time()? };
    Some(Line { path, stamp, content: Reader(reader.0) })
}

/// What is seen now, for the next time.
#[derive(Debug)]
pub(crate) struct Noted(Vec<u8>);

impl Default for Noted {
    fn default() -> Self {
        Self(MAGIC.to_vec())
    }
}

impl Noted {
    pub(crate) fn note(&mut self, path: &[u8], stamp: &Stamp, content: &Content) {
        if path.len() > MOST_PATH {
            return;
        }
        let out = &mut self.0;
        put_string(out, path);
        out.extend(stamp.inode.to_le_bytes());
        out.extend(stamp.size.to_le_bytes());
        for Modified { seconds, nanos } in [stamp.modified, stamp.changed] {
            out.extend(seconds.to_le_bytes());
            out.extend(nanos.to_le_bytes());
        }
        content.encode(out);
    }

    /// Writes it, under another name first, so that it is whole or the one before.
    pub(crate) fn write(mut self, path: &Path) -> io::Result<()> {
        let hash = ObjectId::of(&self.0);
        self.0.extend(hash.as_bytes());
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, self.0)?;
        fs::rename(unfinished, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_a_broken_one_has_seen_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seen");
        let time = |seconds| Modified { seconds, nanos: 5 };
        let stamp = Stamp { inode: 1, size: 2, modified: time(3), changed: time(-4) };
        let content = Content { size: 2, objects: vec![ObjectId::of(b"ab")] };
        let mut noted = Noted::default();
        noted.note(b"a", &stamp, &Content::default());
        noted.note(b"a/b", &stamp, &content);
        noted.write(&path).unwrap();
        assert_eq!(Seen::read(&path).content(b"a/b", &stamp), Some(content));
        assert_eq!(Seen::read(&path).content(b"a", &stamp), Some(Content::default()));
        assert_eq!(Seen::read(&path).content(b"a/", &stamp), None);
        let touched = Stamp { changed: time(9), ..stamp };
        assert_eq!(Seen::read(&path).content(b"a/b", &touched), None);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            fs::write(&path, &broken).unwrap();
            assert_eq!(Seen::read(&path).content(b"a/b", &stamp), None, "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(Seen::read(&path).content(b"a/b", &stamp), None, "{at} bytes");
        }
    }
}
