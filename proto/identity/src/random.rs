//! Random numbers of the system, as bytes and as text. The only place that asks for those that keep a secret.

use ring::rand::{SecureRandom, SystemRandom};

/// The system has no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system has no random numbers")]
pub struct NoRandom;

/// So many random bytes.
///
/// # Errors
/// [`NoRandom`].
pub fn bytes<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// So many random bytes as lower case hexadecimal digits, two for each.
///
/// # Errors
/// [`NoRandom`].
pub fn hex<const N: usize>() -> Result<String, NoRandom> {
    Ok(bytes::<N>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike_and_text_has_two_digits_for_a_byte() {
        assert_ne!(bytes::<16>(), bytes::<16>());
        let text = hex::<8>().unwrap();
        assert!(text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{text}");
    }
}
