//! What is known of models by their names. Small on purpose: a name that is not known gets careful defaults and works.

/// What is known of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelInfo {
    /// How many tokens a prompt may have.
    pub context_window: u64,
    /// How hard it thinks if nobody says; `None` leaves it to the provider.
    pub default_effort: Option<&'static str>,
    /// Whether it can see pictures.
    pub images: bool,
    /// Whether it reasons before it answers, and so takes an effort and gives its reasoning back sealed.
    pub reasons: bool,
}

const fn known(context_window: u64, images: bool, reasons: bool) -> ModelInfo {
    ModelInfo { context_window, default_effort: None, images, reasons }
}

/// Models by the beginning of their names, longer beginnings first.
const BY_PREFIX: [(&str, ModelInfo); 16] = [
    ("gpt-3.5", known(16_385, false, false)),
    ("gpt-4.1", known(1_047_576, true, false)),
    ("gpt-4o", known(128_000, true, false)),
    ("gpt-4", known(128_000, true, false)),
    ("gpt-oss", known(131_072, false, true)),
    ("gpt-", known(272_000, true, true)),
    ("chatgpt-", known(128_000, true, false)),
    ("codex-", known(272_000, true, true)),
    ("o1", known(200_000, true, true)),
    ("o3", known(200_000, true, true)),
    ("o4", known(200_000, true, true)),
    ("claude", known(200_000, true, true)),
    ("gemini", known(1_048_576, true, true)),
    ("deepseek", known(128_000, false, true)),
    ("qwen", known(131_072, false, true)),
    ("llama", known(128_000, false, false)),
];

/// For a name that begins like none of the above.
const UNKNOWN: ModelInfo = known(128_000, true, true);

/// What is known of a model. A maker's name before a slash, as routers write it, is passed over.
#[must_use]
pub fn lookup(model: &str) -> ModelInfo {
    let bare = model.rsplit('/').next().unwrap_or(model);
    BY_PREFIX.iter().find(|(prefix, _)| bare.starts_with(prefix)).map_or(UNKNOWN, |(_, info)| *info)
}

/// The built-in provider that serves a model, for when none is configured.
#[must_use]
pub fn provider_for(model: &str) -> &'static str {
    match model {
        model if model.starts_with("claude") => "anthropic",
        model if model.starts_with("gemini") => "gemini",
        _ => "openai",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_known_by_the_beginning_of_its_name() {
        assert_eq!(lookup("gpt-4.1-mini").context_window, 1_047_576);
        assert!(!lookup("gpt-4o-2024-11-20").reasons);
        assert!(lookup("gpt-5.1-codex-max").reasons);
        assert_eq!(lookup("meta/llama-4"), lookup("llama-4"));
        assert_eq!(lookup("nobody-knows"), UNKNOWN);
    }

    #[test]
    fn no_beginning_hides_a_longer_one() {
        for (place, (prefix, _)) in BY_PREFIX.iter().enumerate() {
            let hidden = BY_PREFIX.iter().skip(place + 1).find(|(later, _)| later.starts_with(prefix));
            assert_eq!(hidden, None, "{prefix} hides it");
        }
    }

    #[test]
    fn a_model_leads_to_its_provider() {
        let pairs = [("gpt-5", "openai"), ("o3", "openai"), ("claude-x", "anthropic"), ("gemini-3", "gemini"), ("?", "openai")];
        for (model, provider) in pairs {
            assert_eq!(provider_for(model), provider);
            assert!(crate::ProviderConfig::built_in(provider).is_some());
        }
    }
}
