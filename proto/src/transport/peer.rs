//! Whose process is at the other end of a Unix socket. The kernel says so, and nobody can lie about it.

use std::io;
use tokio::net::UnixStream;

/// The other end is not this user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is the socket of another user (uid {0})")]
pub struct Foreign(pub u32);

/// Passes a connection to a process of this user.
///
/// # Errors
/// [`Foreign`], of kind `PermissionDenied`, or the kernel does not say.
pub fn own(stream: &UnixStream) -> io::Result<()> {
    let theirs = stream.peer_cred()?.uid();
    // Both ends of a fresh pair are this process, which is how it learns its own user without asking by an unsafe call.
    let ours = UnixStream::pair()?.0.peer_cred()?.uid();
    if theirs == ours { Ok(()) } else { Err(io::Error::new(io::ErrorKind::PermissionDenied, Foreign(theirs))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_process_is_its_own_peer() {
        let (one, other) = UnixStream::pair().unwrap();
        assert!(own(&one).is_ok() && own(&other).is_ok());
    }
}
