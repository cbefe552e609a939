//! History: what the model is shown of a thread, in the order it happened.
//!
//! Items are for people; entries are for the model. Both are stored, because neither can be made from the other without loss.

use serde::{Deserialize, Serialize};

/// One entry of the prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Entry {
    /// Instructions that rank above the user's.
    Developer {
        /// The text.
        text: String,
    },
    /// What the user said.
    User {
        /// The text.
        text: String,
        /// Pictures that came with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        images: Vec<Image>,
    },
    /// What the model said.
    Assistant {
        /// The text.
        text: String,
    },
    /// The model's reasoning, carried back so that the next step goes on from it.
    Reasoning {
        /// The readable summary, if the provider gave one.
        text: String,
        /// The provider's sealed form, to be sent back unread. Meaningless to another provider.
        signature: Option<String>,
    },
    /// A tool call.
    Call {
        /// The provider's name for the call.
        model_call_id: String,
        /// The tool.
        tool: String,
        /// The arguments, as the model wrote them.
        arguments: String,
    },
    /// What came of a tool call.
    CallOutput {
        /// The provider's name for the call.
        model_call_id: String,
        /// What the model is told.
        output: String,
    },
    /// A picture that a tool call asked for. It follows the call's output.
    Picture {
        /// The provider's name for the call.
        model_call_id: String,
        /// The picture.
        image: Image,
    },
    /// The conversation was shortened: from here on the model is shown this in the place of all that stands before. What stands before
    /// stays stored.
    Compacted {
        /// What the model is shown instead. Holds no other entry of this kind.
        history: Vec<Self>,
    },
}

impl Entry {
    /// What the model is shown of a stored history: from the last place at which it was shortened.
    #[must_use]
    pub fn shown(mut stored: Vec<Self>) -> Vec<Self> {
        let Some(place) = stored.iter().rposition(|entry| matches!(entry, Self::Compacted { .. })) else { return stored };
        let after = stored.split_off(place + 1);
        let mut shown = match stored.pop() {
            Some(Self::Compacted { history }) => history,
            _ => Vec::new(),
        };
        shown.extend(after);
        shown
    }
}

/// A picture in a prompt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its bytes in base64.
    pub base64: String,
}

impl Image {
    /// The media types that models take.
    pub const KINDS: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

    /// The media type of a picture that models take, by its first bytes and not by its name.
    #[must_use]
    pub fn kind_of(bytes: &[u8]) -> Option<&'static str> {
        const SIGNATURES: [(&[u8], &str); 4] = [
            (b"\x89PNG\r\n\x1a\n", "image/png"),
            (b"\xff\xd8\xff", "image/jpeg"),
            (b"GIF87a", "image/gif"),
            (b"GIF89a", "image/gif"),
        ];
        if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            return Some("image/webp");
        }
        SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)).map(|(_, kind)| *kind)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}, {} bytes of base64)", self.media_type, self.base64.len())
    }
}

/// Tokens used, as the provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub input_tokens: u64,
    /// Tokens of the prompt that the provider had kept.
    pub cached_input_tokens: u64,
    /// Tokens of the prompt that the provider put into its cache.
    pub cache_write_input_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: u64,
    /// Tokens of reasoning.
    pub reasoning_output_tokens: u64,
}

impl Usage {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_input_tokens: self.cached_input_tokens.saturating_add(other.cached_input_tokens),
            cache_write_input_tokens: self.cache_write_input_tokens.saturating_add(other.cache_write_input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            reasoning_output_tokens: self.reasoning_output_tokens.saturating_add(other.reasoning_output_tokens),
        }
    }
}
