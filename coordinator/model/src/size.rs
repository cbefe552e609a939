//! About how many tokens a request has, for whoever paces requests by them or looks whether they fit.

use crate::client::Prompt;
use capstan_types::history::Entry;

/// Bytes of a prompt for each token, as all tokenizers have them within a factor of two for text and code.
pub const BYTES_A_TOKEN: usize = 4;

/// What a picture counts, whatever its bytes.
const IMAGE_TOKENS: u64 = 1000;

/// What stands around each entry.
const FRAME_TOKENS: u64 = 4;

/// An estimate: good enough to pace, and never to bill.
#[must_use]
pub fn prompt(prompt: &Prompt) -> u64 {
    let told = prompt.entries.iter().map(entry).sum::<u64>();
    told.saturating_add(overhead(prompt))
}

/// What a prompt has besides its entries.
#[must_use]
pub fn overhead(prompt: &Prompt) -> u64 {
    let tool = |tool: &crate::client::ToolDefinition| {
        text(&tool.name) + text(&tool.description) + text(&tool.parameters.to_string()) + FRAME_TOKENS
    };
    text(&prompt.instructions) + prompt.tools.iter().map(tool).sum::<u64>()
}

/// An estimate of one entry.
#[must_use]
pub fn entry(entry: &Entry) -> u64 {
    of_entry(entry, &text)
}

/// The tokens of one entry, its texts counted by `count`. A sealed thought is no text, and is estimated all the same.
pub fn of_entry(entry: &Entry, count: &impl Fn(&str) -> u64) -> u64 {
    let tokens = match entry {
        Entry::User { text, images } => count(text) + IMAGE_TOKENS * images.len() as u64,
        Entry::Developer { text } | Entry::Assistant { text } => count(text),
        Entry::Reasoning { text, signature } => self::text(text) + signature.as_deref().map_or(0, self::text),
        Entry::Call { tool, arguments, .. } => count(tool) + count(arguments),
        Entry::CallOutput { output, .. } => count(output),
        Entry::Picture { .. } => IMAGE_TOKENS,
        Entry::Compacted { history } => history.iter().map(|entry| of_entry(entry, count)).sum(),
    };
    tokens.saturating_add(FRAME_TOKENS)
}

/// An estimate of a text.
#[must_use]
pub const fn text(text: &str) -> u64 {
    text.len().div_ceil(BYTES_A_TOKEN) as u64
}
