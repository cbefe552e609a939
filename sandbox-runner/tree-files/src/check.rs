//! Says whether a pack is what it is called: for whoever is handed one by somebody else.

use crate::error::TreeError;
use crate::object::ObjectId;
use crate::pack_index;
use crate::store::Store;
use std::fs::File;
use std::path::Path;

/// The most bytes that the objects of one pack have together, before compression. A pack of the usual length has less at any compression that
/// files reach; one that has more was made to keep its reader busy.
const MOST_RAW: u64 = 16 << 30;

/// Reads all of a pack, and compares each object in it with its hash, and its name with what is in it.
///
/// # Errors
/// It cannot be read, or is not what it is called.
pub fn check_pack(path: &Path, name: &str) -> Result<(), TreeError> {
    let damaged = |reason: String| TreeError::damaged(path, reason);
    let wanted: ObjectId = name.parse().map_err(|error: crate::object::NotAnObjectId| damaged(error.to_string()))?;
    let file = File::open(path).map_err(TreeError::file(path, "read"))?;
    if pack_index::name(&file).map_err(|error| damaged(error.to_string()))? != wanted {
        return Err(damaged("it has another name".to_owned()));
    }
    let lines = pack_index::read(&file).map_err(|error| damaged(error.to_string()))?;
    let length = file.metadata().map_err(TreeError::file(path, "read"))?.len();
    let (stored, raw) = lines.iter().fold((0_u64, 0_u64), |(stored, raw), (_, place)| {
        (stored.saturating_add(place.stored.into()), raw.saturating_add(place.size.into()))
    });
    // Objects that share their bytes would cost more to look at than to send.
    if stored > length || raw > MOST_RAW {
        return Err(damaged(format!("its objects have {raw} bytes, and {stored} of the {length} that it has")));
    }
    let store = Store::of_one(path).map_err(|error| damaged(error.to_string()))?;
    lines.iter().try_for_each(|(id, _)| store.get(id).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{Packer, file_name};
    use std::fs;

    #[test]
    fn a_pack_passes_under_its_name_and_with_every_byte_and_not_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let mut packer = Packer::new(dir.path()).unwrap();
        for text in ["one".repeat(100), "two".to_owned(), "three".repeat(50)] {
            packer.add(ObjectId::of(text.as_bytes()), text.as_bytes()).unwrap();
        }
        let pack = packer.finish().unwrap()[0];
        let path = dir.path().join(file_name(pack));
        check_pack(&path, &pack.to_string()).unwrap();
        let other = check_pack(&path, &"a".repeat(64)).unwrap_err();
        assert!(other.to_string().contains("it has another name"), "{other}");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            fs::write(&path, &broken).unwrap();
            check_pack(&path, &pack.to_string()).unwrap_err();
            fs::write(&path, &whole[..at]).unwrap();
            check_pack(&path, &pack.to_string()).unwrap_err();
        }
    }

    #[test]
    fn objects_that_share_their_bytes_are_refused_before_they_are_unpacked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.pack");
        let object = zstd::bulk::compress(&vec![0; 4 << 20], 1).unwrap();
        let place = pack_index::Place { offset: 15, stored: u32::try_from(object.len()).unwrap(), size: 4 << 20 };
        let lines: Vec<_> = (0..10_000_u32).map(|number| (ObjectId::of(&number.to_le_bytes()), place)).collect();
        let index = pack_index::encode(&lines);
        fs::write(&path, [pack_index::MAGIC, &object, &index].concat()).unwrap();
        let name = pack_index::name(&File::open(&path).unwrap()).unwrap();
        let refused = check_pack(&path, &name.to_string()).unwrap_err();
        assert!(refused.to_string().contains("its objects have 41943040000 bytes"), "{refused}");
    }
}
