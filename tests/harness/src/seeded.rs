//! A stream of bytes that its seed alone decides, so that whoever reads any part of it can tell whether it is right.

/// A generator of numbers (xorshift64*, Vigna 2016): plain, and the same on every host.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        // A state of zero would stay there.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next one.
    pub const fn draw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// The next one, below `limit`, which must not be 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.draw() % limit
    }
}

/// The first `length` bytes of the stream of `seed`: every value, with NUL, escapes and halves of characters among them.
///
/// # Panics
/// When they do not fit the memory.
#[must_use]
pub fn bytes(seed: u64, length: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    let length = usize::try_from(length).expect("a stream fits the memory");
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&numbers.draw().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_one_stream_and_another_seed_another() {
        assert_eq!(bytes(7, 1000), bytes(7, 2000)[..1000]);
        assert_ne!(bytes(7, 1000), bytes(8, 1000));
        assert!(bytes(0, 100).iter().any(|byte| *byte != 0), "the seed 0 has a stream as well");
    }

    #[test]
    fn every_value_occurs() {
        let seen: std::collections::BTreeSet<u8> = bytes(1, 100_000).into_iter().collect();
        assert_eq!(seen.len(), 256);
    }
}
