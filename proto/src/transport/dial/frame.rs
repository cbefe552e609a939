//! What is said before the sides change places: JSON, behind its length in four bytes, the highest first.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The longest, in bytes: a node's record with many labels.
const LONGEST: usize = 64 << 10;

/// Says it.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), what: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec(what).map_err(io::Error::other)?;
    let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= LONGEST);
    let length = length.ok_or_else(|| io::Error::other(format!("{} bytes are more than {LONGEST}", text.len())))?;
    to.write_all(&length.to_be_bytes()).await?;
    to.write_all(&text).await?;
    to.flush().await
}

/// Hears it.
pub(super) async fn read<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let invalid = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let length = usize::try_from(from.read_u32().await?).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(invalid(format!("{length} bytes are more than {LONGEST}")));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text).await?;
    serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn heard(bytes: &[u8]) -> io::Result<Vec<String>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { read(&mut &*bytes).await })
    }

    #[tokio::test]
    async fn what_was_said_is_heard() {
        let mut said = Vec::new();
        write(&mut said, &["a", "b"]).await.unwrap();
        assert_eq!(read::<Vec<String>>(&mut said.as_slice()).await.unwrap(), ["a", "b"]);
        assert!(write(&mut said, &"x".repeat(LONGEST)).await.is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_heard_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = heard(&bytes);
        }
    }
}
