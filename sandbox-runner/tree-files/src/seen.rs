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
use std::io;
use std::path::Path;

const MAGIC: &[u8] = b"capstan-seen-1\n";
/// A path of Linux, and some room for those that are only reached step by step.
const MOST_PATH: usize = 60_000;

/// What was seen, by path within the tree.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashMap<Vec<u8>, (Stamp, Content)>);

impl Seen {
    /// Reads it. What cannot be read has seen nothing.
    pub(crate) fn read(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| Self::decode(&bytes)).unwrap_or_default()
    }

    /// What a file was made of, if it is as it was.
    pub(crate) fn content(&self, path: &[u8], stamp: &Stamp) -> Option<&Content> {
        self.0.get(path).filter(|(seen, _)| seen == stamp).map(|(_, content)| content)
    }

    pub(crate) fn note(&mut self, path: &[u8], stamp: Stamp, content: Content) {
        if path.len() <= MOST_PATH {
            self.0.insert(path.to_owned(), (stamp, content));
        }
    }

    /// Writes it, under another name first, so that it is whole or the one before.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, self.encode())?;
        fs::rename(unfinished, path)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for (path, (stamp, content)) in &self.0 {
            put_string(&mut out, path);
            out.extend(stamp.inode.to_le_bytes());
            out.extend(stamp.size.to_le_bytes());
            for Modified { seconds, nanos } in [stamp.modified, stamp.changed] {
                out.extend(seconds.to_le_bytes());
                out.extend(nanos.to_le_bytes());
            }
            content.encode(&mut out);
        }
        let hash = ObjectId::of(&out);
        out.extend(hash.as_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, hash) = bytes.split_at_checked(bytes.len().checked_sub(ObjectId::LENGTH)?)?;
        if ObjectId::of(body).as_bytes() != hash {
            return None;
        }
        let mut reader = Reader(body.strip_prefix(MAGIC)?);
        let mut seen = HashMap::new();
        while !reader.is_empty() {
            let path = reader.string(MOST_PATH)?.to_owned();
            let (inode, size) = (reader.u64()?, reader.u64()?);
            let mut time = || Some(Modified { seconds: reader.i64()?, nanos: reader.u32()? });
            let stamp = Stamp { inode, size, modified: time()?, changed: time()? };
            seen.insert(path, (stamp, Content::decode(&mut reader)?));
        }
        Some(Self(seen))
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
        let mut seen = Seen::default();
        seen.note(b"a/b", stamp, content.clone());
        seen.write(&path).unwrap();
        assert_eq!(Seen::read(&path).content(b"a/b", &stamp), Some(&content));
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
