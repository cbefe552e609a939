//! Bytes that are mostly text.

use serde::{Deserialize, Serialize};

/// Bytes that are mostly text: in JSON they are text where they are UTF-8, and numbers where not.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Spelt", into = "Spelt")]
pub struct RawText(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Spelt {
    Text(String),
    Bytes { bytes: Vec<u8> },
}

impl From<Spelt> for RawText {
    fn from(spelt: Spelt) -> Self {
        match spelt {
            Spelt::Text(text) => Self(text.into_bytes()),
            Spelt::Bytes { bytes } => Self(bytes),
        }
    }
}

impl From<RawText> for Spelt {
    fn from(text: RawText) -> Self {
        match String::from_utf8(text.0) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes { bytes: error.into_bytes() },
        }
    }
}
