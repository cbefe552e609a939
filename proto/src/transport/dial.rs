//! Connections that a node makes to a coordinator and then serves: for nodes that nobody can reach from outside.
//!
//! Under TLS such a connection is asked for by its protocol, and both sides know each other by their certificates; on loopback it begins
//! with a line that no HTTP begins with, and the coordinator's token. Then the node says who it is, the coordinator lets it in or says why
//! not, and the sides change places: from there on the coordinator asks, and the node answers, as on any other connection.

mod frame;
mod greeting;
mod incoming;
mod outgoing;

pub use greeting::{Hello, Reply, greet, let_in, turn_away};
pub use incoming::{asks_to_dial, dialed_channel, plain};
pub use outgoing::{DialError, DialOut, DialedOut};

/// What a plain connection begins with. HTTP begins with a capital letter.
const PREAMBLE: &[u8] = b"capstan-dial-out/1\n";
