//! The proxy over real sockets on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod http;
mod socks;
mod tunnel;
mod world;
