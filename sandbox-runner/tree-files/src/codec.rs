//! Numbers and byte strings in a row: little-endian, lengths before what they measure.

use crate::object::ObjectId;

/// Reads from the front of some bytes. `None` where they end too early.
#[derive(Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn id(&mut self) -> Option<ObjectId> {
        self.array().map(ObjectId::from_bytes)
    }

    /// Bytes after their length, which is at most `most`.
    pub(crate) fn string(&mut self, most: usize) -> Option<&'a [u8]> {
        let length = usize::from(self.u16()?);
        (length <= most).then(|| self.bytes(length))?
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Appends bytes after their length. Longer ones than a u16 can measure are cut, which no name or link target of Linux reaches.
pub(crate) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend(length.to_le_bytes());
    out.extend(&bytes[..usize::from(length)]);
}
