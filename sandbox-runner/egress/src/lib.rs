//! The way out of a session that may reach some hosts: a proxy which dials what a list allows, and nothing else.
//!
//! The listener lies in the session's own network namespace and is all that there is to reach in it; the proxy itself dials from the
//! host's. One port speaks HTTP/1.1 CONNECT, HTTP/1.x requests with an absolute URI, and SOCKS5. A name is read by one parser, looked up
//! once, and what is dialled is an address that was checked. Invariant: what is not understood is refused, and an empty list reaches nothing.
//!
//! Not held: what is said inside of TLS, and by protocols that begin it late. A host on the list that serves others behind the same
//! address can be asked for them there.

pub mod address;
pub mod authority;
pub mod client_hello;
pub mod request;
pub mod socks;

mod head;

mod bounds;
mod refused;
mod resolve;

mod denials;
mod destination;
mod own_addresses;

mod body;
mod incoming;
mod relay;

mod connection;
mod http;
mod proxy;
mod serve;
mod socks_connection;

pub use bounds::Bounds;
pub use resolve::{Resolve, SystemResolver};
pub use serve::{serve, serve_with};
