//! Large files that outlive the host they were made on: packs of workspaces' states, and what says which of them make a state.
//!
//! They lie in a directory that hosts share, or in a bucket that speaks S3. What is written is never changed: a name stands for the same
//! bytes for ever, or for none.

mod blobs;
mod error;
mod location;

pub use blobs::Blobs;
pub use error::{BlobError, LocationError};
pub use location::Location;
