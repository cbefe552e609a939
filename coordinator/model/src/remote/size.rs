//! About how large a request is, in tokens, for whoever paces requests by them.

use crate::client::Prompt;
use capstan_types::history::Entry;

/// Bytes of a prompt for each token, as all tokenizers have them within a factor of two for text and code.
const BYTES_A_TOKEN: usize = 4;

/// What a picture counts, whatever its bytes.
const IMAGE_TOKENS: usize = 1000;

/// An estimate: good enough to pace, and never to bill.
pub(super) fn tokens(prompt: &Prompt) -> u64 {
    let tools = prompt.tools.iter().map(|tool| (tool.name.len() + tool.description.len()) / BYTES_A_TOKEN);
    let all = prompt.instructions.len() / BYTES_A_TOKEN + prompt.entries.iter().map(entry).sum::<usize>() + tools.sum::<usize>();
    u64::try_from(all).unwrap_or(u64::MAX)
}

fn entry(entry: &Entry) -> usize {
    match entry {
        Entry::User { text, images } => text.len() / BYTES_A_TOKEN + images.len() * IMAGE_TOKENS,
        Entry::Developer { text } | Entry::Assistant { text } => text.len() / BYTES_A_TOKEN,
        Entry::Reasoning { text, signature } => (text.len() + signature.as_ref().map_or(0, String::len)) / BYTES_A_TOKEN,
        Entry::Call { tool, arguments, .. } => (tool.len() + arguments.len()) / BYTES_A_TOKEN,
        Entry::CallOutput { output, .. } => output.len() / BYTES_A_TOKEN,
        Entry::Picture { .. } => IMAGE_TOKENS,
    }
}
