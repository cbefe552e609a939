//! The content of a file, or of a directory's list: the objects that it is made of, in order.

use crate::codec::Reader;
use crate::object::ObjectId;
use fastcdc::v2020::StreamCDC;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};

/// Up to this size, in bytes, a content is one object.
const WHOLE: usize = 512 << 10;
/// The sizes of objects beyond that. Borders follow from what is around them, so that an insertion changes few objects.
const SMALLEST: usize = 256 << 10;
const USUAL: usize = 1 << 20;
/// The largest object, in bytes.
pub(crate) const LARGEST: usize = 4 << 20;

/// What a file is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// How many bytes.
    pub size: u64,
    /// Its objects, in order. None when it is empty.
    pub objects: Vec<ObjectId>,
}

impl Content {
    /// Reads `source` to its end, and hands each object of it to `keep`.
    pub(crate) fn read(
        mut source: impl Read,
        hint: u64,
        keep: &mut dyn FnMut(ObjectId, &[u8]) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut content = Self::default();
        let mut add = |bytes: &[u8]| {
            let id = ObjectId::of(bytes);
            content.size += bytes.len() as u64;
            content.objects.push(id);
            keep(id, bytes)
        };
        // One byte more than is expected, so that the end of the file is seen without a second read.
        let expected = usize::try_from(hint).map_or(WHOLE, |hint| hint.min(WHOLE)) + 1;
        let mut start = Vec::with_capacity(expected);
        source.by_ref().take(WHOLE as u64 + 1).read_to_end(&mut start)?;
        if start.len() <= WHOLE {
            if !start.is_empty() {
                add(&start)?;
            }
            return Ok(content);
        }
        for chunk in StreamCDC::new(io::Cursor::new(start).chain(source), SMALLEST, USUAL, LARGEST) {
            add(&chunk.map_err(io::Error::from)?.data)?;
        }
        Ok(content)
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.size.to_le_bytes());
        out.extend(u32::try_from(self.objects.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.objects.iter().for_each(|id| out.extend(id.as_bytes()));
    }

    /// Reads on behind one.
    pub(crate) fn pass(reader: &mut Reader<'_>) -> Option<()> {
        reader.u64()?;
        let count = reader.u32()? as usize;
        reader.bytes(count.checked_mul(ObjectId::LENGTH)?).map(drop)
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let size = reader.u64()?;
        let count = reader.u32()? as usize;
        // A count that the bytes cannot hold must not reserve memory.
        let all = reader.bytes(count.checked_mul(ObjectId::LENGTH)?)?;
        let mut all = Reader(all);
        let objects = (0..count).map_while(|_| all.id()).collect();
        Some(Self { size, objects })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn kept(bytes: &[u8]) -> (Content, BTreeMap<ObjectId, Vec<u8>>) {
        let mut objects = BTreeMap::new();
        let content = Content::read(bytes, bytes.len() as u64, &mut |id, object| {
            objects.insert(id, object.to_vec());
            Ok(())
        });
        (content.unwrap(), objects)
    }

    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let step = |state: &mut u64| {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            state.to_le_bytes()[3]
        };
        (0..length).map(|_| step(&mut state)).collect()
    }

    #[test]
    fn the_objects_in_order_are_the_content() {
        for length in [0, 1, WHOLE, WHOLE + 1, 3 * LARGEST + 7] {
            let bytes = noise(length, 7);
            let (content, objects) = kept(&bytes);
            let whole: Vec<u8> = content.objects.iter().flat_map(|id| objects[id].clone()).collect();
            assert!(whole == bytes && content.size == length as u64, "{length}");
            let least = length.div_ceil(LARGEST);
            assert!(content.objects.len() >= least && (length > WHOLE || content.objects.len() == least), "{length}");
        }
    }

    #[test]
    fn an_insertion_changes_few_objects() {
        let mut bytes = noise(12 << 20, 9);
        let (before, _) = kept(&bytes);
        bytes.splice(100_000..100_000, *b"a few bytes more");
        let (after, _) = kept(&bytes);
        let new = after.objects.iter().filter(|id| !before.objects.contains(id)).count();
        assert!(after.objects.len() > 5 && new <= 2, "{new} of {}", after.objects.len());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_rubbish_is_refused(size in any::<u64>(), count in 0_usize..5, cut in 0_usize..180) {
            let content = Content { size, objects: (0..count).map(|number| ObjectId::of(number.to_string().as_bytes())).collect() };
            let mut bytes = Vec::new();
            content.encode(&mut bytes);
            let mut reader = Reader(&bytes);
            prop_assert_eq!(Content::decode(&mut reader), Some(content));
            prop_assert!(reader.is_empty());
            let cut = cut.min(bytes.len() - 1);
            prop_assert_eq!(Content::decode(&mut Reader(&bytes[..cut])), None);
        }
    }
}
