//! A directory as an object: its entries, sorted by name, in one form and no other, so that equal directories have equal names.

use crate::codec::{Reader, put_string};
use crate::content::Content;

/// How a list begins, so that a later form can be told from this one.
const MAGIC: &[u8] = b"capstan-tree-1\n";
/// The longest name and the longest target of a link that Linux has, in bytes.
const MOST_NAME: usize = 255;
const MOST_TARGET: usize = 4095;
/// The bits of a mode that are kept: permissions, set-user, set-group, sticky.
pub(crate) const MODE_BITS: u16 = 0o7777;

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) mode: u16,
    pub(crate) modified: Modified,
    pub(crate) kind: Kind,
}

/// When something was changed last: seconds since 1970, and nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Modified {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    File(Content),
    /// The list of its entries, as [`encode`] writes it.
    Directory(Content),
    /// A symbolic link, and where it leads, whatever that is.
    Link(Vec<u8>),
    Pipe,
}

/// The entries of a directory, which must be sorted by name.
pub(crate) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    for Entry { name, mode, modified, kind } in entries {
        let letter = match kind {
            Kind::File(_) => b'f',
            Kind::Directory(_) => b'd',
            Kind::Link(_) => b'l',
            Kind::Pipe => b'p',
        };
        out.push(letter);
        out.extend(mode.to_le_bytes());
        out.extend(modified.seconds.to_le_bytes());
        out.extend(modified.nanos.to_le_bytes());
        put_string(&mut out, name);
        match kind {
            Kind::File(content) | Kind::Directory(content) => content.encode(&mut out),
            Kind::Link(target) => put_string(&mut out, target),
            Kind::Pipe => {}
        }
    }
    out
}

/// Reads what [`encode`] wrote. An error says what is wrong; nothing else is taken for a directory.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Entry>, &'static str> {
    let mut reader = Reader(bytes);
    if reader.bytes(MAGIC.len()) != Some(MAGIC) {
        return Err("it begins otherwise");
    }
    let mut entries: Vec<Entry> = Vec::new();
    while !reader.is_empty() {
        let entry = entry(&mut reader).ok_or("it is cut off, or one of its numbers makes no sense")?;
        if !is_name(&entry.name) {
            return Err("one of its names leads elsewhere");
        }
        if entries.last().is_some_and(|last| last.name >= entry.name) {
            return Err("its names are not in order");
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn entry(reader: &mut Reader<'_>) -> Option<Entry> {
    let letter = reader.u8()?;
    let mode = reader.u16().filter(|mode| mode & !MODE_BITS == 0)?;
    let modified = Modified { seconds: reader.i64()?, nanos: reader.u32().filter(|nanos| *nanos < 1_000_000_000)? };
    let name = reader.string(MOST_NAME)?.to_vec();
    let kind = match letter {
        b'f' => Kind::File(Content::decode(reader)?),
        b'd' => Kind::Directory(Content::decode(reader)?),
        b'l' => Kind::Link(reader.string(MOST_TARGET).filter(|target| !target.is_empty() && !target.contains(&0))?.to_vec()),
        b'p' => Kind::Pipe,
        _ => return None,
    };
    Some(Entry { name, mode, modified, kind })
}

/// Whether it is one step within a directory.
fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|byte| matches!(byte, 0 | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ObjectId;
    use proptest::prelude::*;

    fn kinds() -> impl Strategy<Value = Kind> {
        let content = (any::<u64>(), prop::collection::vec(any::<[u8; 32]>(), 0..3))
            .prop_map(|(size, ids)| Content { size, objects: ids.into_iter().map(ObjectId::from_bytes).collect() });
        prop_oneof![
            content.clone().prop_map(Kind::File),
            content.prop_map(Kind::Directory),
            prop::collection::vec(1_u8.., 1..20).prop_map(Kind::Link),
            Just(Kind::Pipe),
        ]
    }

    fn trees() -> impl Strategy<Value = Vec<Entry>> {
        let entry = (0..=MODE_BITS, any::<i64>(), 0_u32..1_000_000_000, kinds());
        let name = prop::collection::vec(any::<u8>(), 1..12).prop_filter("a name", |name| is_name(name));
        prop::collection::btree_map(name, entry, 0..8).prop_map(|entries| {
            let entry = |(name, (mode, seconds, nanos, kind))| Entry { name, mode, modified: Modified { seconds, nanos }, kind };
            entries.into_iter().map(entry).collect()
        })
    }

    proptest! {
        #[test]
        fn a_directory_is_read_back_as_it_was(entries in trees()) {
            prop_assert_eq!(decode(&encode(&entries)), Ok(entries));
        }

        #[test]
        fn what_is_read_has_one_form_only(entries in trees(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = encode(&entries);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(read) = decode(&bytes) {
                prop_assert_eq!(encode(&read), bytes);
            }
        }

        #[test]
        fn rubbish_is_refused_without_a_panic(rest in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&rest);
            let _ = decode(&[MAGIC, &rest].concat());
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["..", ".", "", "a/b", "a\0"] {
            let entry = Entry { name: name.into(), mode: 0o644, modified: Modified::default(), kind: Kind::Pipe };
            assert!(decode(&encode(&[entry])).is_err(), "{name:?}");
        }
        let entry = |name: &str| Entry { name: name.into(), mode: 0, modified: Modified::default(), kind: Kind::Pipe };
        assert_eq!(decode(&encode(&[entry("b"), entry("a")])), Err("its names are not in order"));
        assert_eq!(decode(&encode(&[entry("a"), entry("a")])), Err("its names are not in order"));
        assert_eq!(decode(b"capstan-tree-2\n"), Err("it begins otherwise"));
    }
}
