//! A connection of any kind, for those who do not care which.

use tokio::io::{AsyncRead, AsyncWrite};

/// What both sides read and write.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection of any kind.
pub type AnyWire = Box<dyn Wire>;
