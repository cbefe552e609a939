//! How processes reach each other: TCP on loopback, a Unix socket, or a pipe in memory. The services on top do not know which.

pub mod connect;
pub mod listen;
pub mod pipe;

pub use connect::{ConnectError, channel};
pub use listen::{Bound, Listen, ListenError};
pub use pipe::{PipeConnector, PipeListener, pipe};
