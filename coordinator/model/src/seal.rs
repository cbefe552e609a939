//! Seals: a provider's own form of its reasoning, marked with who made it.
//!
//! Such a form means nothing to anybody else, and another provider refuses the whole request for it. A thread may change its model
//! between turns, so the mark travels with it in [`Entry::Reasoning`](capstan_types::history::Entry).

/// Marks and recognises the forms of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealer {
    mark: String,
}

impl Sealer {
    /// For the provider of that name in its dialect.
    pub(crate) fn new(wire: crate::provider::WireApi, provider: &str) -> Self {
        Self { mark: format!("{wire}@{provider}#") }
    }

    /// The form with its mark.
    pub(crate) fn close(&self, form: &str) -> String {
        format!("{}{form}", self.mark)
    }

    /// The form, if this provider made it.
    pub(crate) fn open<'a>(&self, sealed: &'a str) -> Option<&'a str> {
        sealed.strip_prefix(self.mark.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::WireApi;
    use proptest::prelude::*;

    #[test]
    fn another_provider_cannot_open_it() {
        let sealed = Sealer::new(WireApi::Responses, "openai").close("gAAA");
        assert_eq!(Sealer::new(WireApi::Responses, "openai").open(&sealed), Some("gAAA"));
        assert_eq!(Sealer::new(WireApi::Responses, "azure").open(&sealed), None);
        assert_eq!(Sealer::new(WireApi::Anthropic, "openai").open(&sealed), None);
        assert_eq!(Sealer::new(WireApi::Responses, "openai").open("gAAA"), None);
    }

    proptest! {
        #[test]
        fn a_form_survives(form in ".{0,80}") {
            let sealer = Sealer::new(WireApi::Gemini, "gemini");
            let sealed = sealer.close(&form);
            prop_assert_eq!(sealer.open(&sealed), Some(form.as_str()));
        }
    }
}
