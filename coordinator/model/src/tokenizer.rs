//! Exact counts, for the models whose tokenizer is known.
//!
//! Its tables are large: they are read when they are first asked for, and whoever asks should have reason to doubt an estimate.

/// The beginnings of the names of models that are known to count with `o200k_base`.
const O200K: [&str; 9] = ["gpt-5", "gpt-6", "gpt-4.1", "gpt-4o", "gpt-oss", "codex-", "o1", "o3", "o4"];

/// Longer texts are counted in pieces of this size, in bytes; what is lost at a seam is less than a token.
const PIECE: usize = 64 << 10;

/// Whether a model's tokenizer is known.
#[must_use]
pub fn knows(model: &str) -> bool {
    let bare = model.rsplit('/').next().unwrap_or(model);
    O200K.iter().any(|prefix| bare.starts_with(prefix))
}

/// The tokens of a text, as the models that are [known](knows) count them. The first call takes tens of milliseconds, and keeps tens of
/// megabytes.
#[must_use]
pub fn count(text: &str) -> u64 {
    let tokenizer = bpe_openai::o200k_base();
    let (mut rest, mut tokens) = (text, 0_u64);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        tokens += tokenizer.count(piece) as u64;
        rest = after;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_as_openai_counts_it() {
        assert_eq!(count(""), 0);
        assert_eq!(count("hello world"), 2);
        assert_eq!(count("tiktoken is great!"), 6);
        let long = "fn main() { println!(\"größer\"); }\n".repeat(10_000);
        let one = count("fn main() { println!(\"größer\"); }\n");
        assert!(count(&long).abs_diff(one * 10_000) < 50, "{} and {one}", count(&long));
    }

    #[test]
    fn only_models_whose_tokenizer_is_known_are_counted() {
        assert!(knows("gpt-5.1-codex") && knows("openai/gpt-4o") && knows("o3"));
        assert!(!knows("claude-x") && !knows("gpt-3.5") && !knows("scripted"));
    }
}
