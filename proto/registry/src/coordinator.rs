//! What a coordinator says of itself, so that clients can find one.

use serde::{Deserialize, Serialize};

/// A coordinator that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoordinatorRecord {
    /// Its name, unlike that of any other coordinator, dead ones too.
    pub id: String,
    /// Where clients reach it, as they would name it: `unix:///PATH` or `http://HOST:PORT`.
    pub addresses: Vec<String>,
    /// Its release.
    pub version: String,
}
