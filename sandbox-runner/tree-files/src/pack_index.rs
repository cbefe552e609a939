//! The end of a pack: what is in it and where.
//!
//! A pack is `MAGIC`, the objects one after the other, and this index, which ends in its own length and hash, so that a pack which was cut
//! off is not taken for a whole one.

use crate::codec::Reader;
use crate::content::LARGEST;
use crate::object::ObjectId;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How a pack begins.
pub(crate) const MAGIC: &[u8] = b"capstan-pack-1\n";
/// The bytes of one line of the index, and of what follows the last.
const LINE: usize = ObjectId::LENGTH + 8 + 4 + 4;
const FOOTER: usize = 8 + ObjectId::LENGTH;

/// Where an object lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// From the beginning of the pack.
    pub(crate) offset: u64,
    /// How many bytes it takes there; as many as `size` when it is not compressed.
    pub(crate) stored: u32,
    /// How many bytes it has.
    pub(crate) size: u32,
}

/// The index and the footer of a pack.
pub(crate) fn encode(lines: &[(ObjectId, Place)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines.len() * LINE + FOOTER);
    for (id, place) in lines {
        out.extend(id.as_bytes());
        out.extend(place.offset.to_le_bytes());
        out.extend(place.stored.to_le_bytes());
        out.extend(place.size.to_le_bytes());
    }
    let hash = ObjectId::of(&out);
    out.extend((lines.len() as u64).to_le_bytes());
    out.extend(hash.as_bytes());
    out
}

/// What a pack is called: the hash of all that follows its objects.
pub(crate) fn name(file: &File) -> io::Result<ObjectId> {
    let length = file.metadata()?.len();
    let Some(footer_at) = length.checked_sub(FOOTER as u64) else { return Err(wrong("it is too short")) };
    let mut footer = [0; FOOTER];
    file.read_exact_at(&mut footer, footer_at)?;
    let lines = Reader(&footer).u64().and_then(|count| count.checked_mul(LINE as u64)).filter(|lines| *lines <= footer_at);
    let lines = lines.ok_or_else(|| wrong("its index is cut off"))?;
    let mut index = vec![0; usize::try_from(lines + FOOTER as u64).map_err(|_| wrong("its index is too long"))?];
    file.read_exact_at(&mut index, footer_at - lines)?;
    Ok(ObjectId::of(&index))
}

/// Reads the index of a pack. An error of the kind `InvalidData` says what is wrong with it.
pub(crate) fn read(file: &File) -> io::Result<Vec<(ObjectId, Place)>> {
    let length = file.metadata()?.len();
    let mut magic = [0; MAGIC.len()];
    let mut footer = [0; FOOTER];
    let Some(footer_at) = length.checked_sub(FOOTER as u64).filter(|at| *at >= MAGIC.len() as u64) else {
        return Err(wrong("it is too short"));
    };
    file.read_exact_at(&mut magic, 0)?;
    file.read_exact_at(&mut footer, footer_at)?;
    if magic != MAGIC {
        return Err(wrong("it begins otherwise"));
    }
    let mut reader = Reader(&footer);
    let (Some(count), Some(hash)) = (reader.u64(), reader.id()) else { return Err(wrong("it is too short")) };
    let index_length = count.checked_mul(LINE as u64).filter(|length| *length <= footer_at - MAGIC.len() as u64);
    let Some(index_length) = index_length else { return Err(wrong("its index is cut off")) };
    let mut index = vec![0; usize::try_from(index_length).map_err(|_| wrong("its index is too long"))?];
    let index_at = footer_at - index_length;
    file.read_exact_at(&mut index, index_at)?;
    if ObjectId::of(&index) != hash {
        return Err(wrong("its index has another hash than it says"));
    }
    let mut reader = Reader(&index);
    std::iter::from_fn(|| line(&mut reader))
        .map(|(id, place)| {
            let ends = place.offset.checked_add(u64::from(place.stored));
            let fits = ends.is_some_and(|end| end <= index_at) && place.size as usize <= LARGEST && place.stored <= place.size;
            if fits { Ok((id, place)) } else { Err(wrong("its index leads out of it")) }
        })
        .collect()
}

fn line(reader: &mut Reader<'_>) -> Option<(ObjectId, Place)> {
    Some((reader.id()?, Place { offset: reader.u64()?, stored: reader.u32()?, size: reader.u32()? }))
}

fn wrong(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
