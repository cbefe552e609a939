//! Takes secrets out of texts that come from outside: a provider may quote the very header that was sent to it.

use crate::credentials::{REDACTED, Secret};

/// The shortest value that is taken out. A shorter one would tear ordinary words apart, and is no secret worth the name.
const SHORTEST: usize = 6;

/// Knows the values that must not be shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redactor {
    /// Longest first, so that a value which holds another goes as a whole.
    values: Vec<Secret>,
}

impl Redactor {
    pub(crate) fn of(values: impl IntoIterator<Item = Secret>) -> Self {
        let mut values: Vec<Secret> = values.into_iter().filter(|value| value.reveal().len() >= SHORTEST).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.reveal().len()));
        Self { values }
    }

    /// The text without those values.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for value in &self.values {
            text = text.replace(value.reveal(), REDACTED);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_taken_out_wherever_they_stand() {
        let redactor = Redactor::of(["sk-canary", "sk-canary-longer", "on"].map(Secret::new));
        assert_eq!(redactor.clean("a sk-canary-longer, sk-canarysk-canary on"), "a [redacted], [redacted][redacted] on");
        assert!(!format!("{redactor:?}").contains("canary"));
    }

    proptest! {
        #[test]
        fn no_secret_is_left(before in ".{0,40}", secret in "[a-zA-Z0-9_-]{6,40}", after in ".{0,40}") {
            prop_assume!(!REDACTED.contains(&secret));
            let clean = Redactor::of([Secret::new(secret.clone())]).clean(&format!("{before}{secret}{after}"));
            prop_assert!(!clean.contains(&secret));
        }
    }
}
