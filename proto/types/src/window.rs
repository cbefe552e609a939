//! How long a thread's prompts may become.

use serde::{Deserialize, Serialize};

/// How long a thread's prompts may become, in tokens. What is not set is known from the model's name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSettings {
    /// The context window of the thread's model.
    #[serde(default)]
    pub context: Option<u64>,
    /// How long a prompt may be before the conversation is shortened; at most nine tenths of the window count.
    #[serde(default)]
    pub compact_at: Option<u64>,
}
