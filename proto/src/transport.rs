//! How processes reach each other: TLS between members of a cluster, TCP on loopback, a Unix socket, or a pipe in memory. The services on top do not know which.

pub mod any_wire;
pub mod breakable;
pub mod connect;
pub mod dial;
pub mod listen;
pub mod peer;
pub mod pipe;
pub mod socket_file;
pub mod tls;
mod windows;

pub use breakable::Breakable;
pub use connect::{ConnectError, channel, own_channel, try_out};
pub use listen::{Bound, Listen, ListenError};
pub use pipe::{PipeConnector, PipeListener, pipe};
pub use socket_file::SocketFile;
