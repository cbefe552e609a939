//! The wire: what processes say to each other, and the only code that reads it.
//!
//! The generated structs are an outside format. [`convert`] turns them into the values of `capstan-types` and back, once, at the edge;
//! no other crate matches on a wire struct's fields.

pub mod wire;

pub mod convert;
pub mod grant_header;
pub mod guard;
pub mod methods;
pub mod protocol;
pub mod refusal;
pub mod token;
pub mod transport;
