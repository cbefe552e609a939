//! Taints keep work off a node, tolerations let it there all the same, as in Kubernetes.

use crate::label::{LabelError, LabelKey, LabelValue};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a node is not for everybody: `key=value:NoSchedule`, or `key:NoSchedule`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Taint {
    /// Its name.
    pub key: LabelKey,
    /// Its value; empty when none was given.
    pub value: LabelValue,
    /// What it does to whoever does not tolerate it.
    pub effect: Effect,
}

/// What a taint does to whoever does not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Other nodes are tried first.
    PreferNoSchedule,
    /// Nothing new is placed here. What is here stays.
    NoSchedule,
    /// Nothing new is placed here, and what is here is to go. Whoever places does the first; the second is done by a drain.
    NoExecute,
}

/// A taint, or a family of them, that is put up with: `key=value:Effect`, `key:Effect` for any value, `key=value` or `key` for any effect,
/// and `*` for every taint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Toleration {
    /// The taint's name; `None` means every taint.
    key: Option<LabelKey>,
    /// The taint's value; `None` means any.
    value: Option<LabelValue>,
    /// The taint's effect; `None` means any.
    effect: Option<Effect>,
}

/// A text that is neither. For whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaintError {
    /// The effect is missing or unknown.
    #[error("`{0}` has no effect; write KEY=VALUE:NoSchedule, KEY:PreferNoSchedule or KEY:NoExecute")]
    Effect(String),
    /// The key or the value is none.
    #[error(transparent)]
    Label(#[from] LabelError),
}

impl Effect {
    /// All of them, from the mildest.
    pub const ALL: [Self; 3] = [Self::PreferNoSchedule, Self::NoSchedule, Self::NoExecute];

    /// The effect as Kubernetes writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoSchedule => "NoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }

    /// Whether it only makes other nodes come first.
    #[must_use]
    pub const fn is_soft(self) -> bool {
        matches!(self, Self::PreferNoSchedule)
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.as_str() == text)
    }
}

impl FromStr for Effect {
    type Err = TaintError;

    fn from_str(text: &str) -> Result<Self, TaintError> {
        Self::named(text).ok_or_else(|| no_effect(text))
    }
}

impl Toleration {
    /// Whether the taint is put up with.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.key.as_ref().is_none_or(|key| *key == taint.key)
            && self.value.as_ref().is_none_or(|value| *value == taint.value)
            && self.effect.is_none_or(|effect| effect == taint.effect)
    }
}

/// `key=value` or `key`.
fn pair(text: &str) -> Result<(LabelKey, Option<LabelValue>), LabelError> {
    match text.split_once('=') {
        Some((key, value)) => Ok((key.parse()?, Some(value.parse()?))),
        None => Ok((text.parse()?, None)),
    }
}

fn no_effect(text: &str) -> TaintError {
    TaintError::Effect(text.chars().take(160).collect())
}

impl FromStr for Taint {
    type Err = TaintError;

    fn from_str(text: &str) -> Result<Self, TaintError> {
        let (what, effect) = text.rsplit_once(':').ok_or_else(|| no_effect(text))?;
        let effect = Effect::named(effect).ok_or_else(|| no_effect(text))?;
        let (key, value) = pair(what)?;
        Ok(Self { key, value: value.unwrap_or_default(), effect })
    }
}

impl FromStr for Toleration {
    type Err = TaintError;

    fn from_str(text: &str) -> Result<Self, TaintError> {
        let (what, effect) = match text.rsplit_once(':') {
            Some((what, effect)) => (what, Some(Effect::named(effect).ok_or_else(|| no_effect(text))?)),
            None => (text, None),
        };
        if what == "*" {
            return Ok(Self { key: None, value: None, effect });
        }
        let (key, value) = pair(what)?;
        Ok(Self { key: Some(key), value, effect })
    }
}

impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.as_str().is_empty() { "" } else { "=" };
        write!(f, "{}{equals}{}:{}", self.key, self.value, self.effect.as_str())
    }
}

impl fmt::Display for Toleration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key.as_ref().map_or("*", LabelKey::as_str))?;
        self.value.iter().try_for_each(|value| write!(f, "={value}"))?;
        self.effect.iter().try_for_each(|effect| write!(f, ":{}", effect.as_str()))
    }
}

macro_rules! by_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = TaintError;

            fn try_from(text: String) -> Result<Self, TaintError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

by_text!(Taint);
by_text!(Toleration);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tolerates(toleration: &str, taint: &str) -> bool {
        toleration.parse::<Toleration>().unwrap().tolerates(&taint.parse().unwrap())
    }

    #[test]
    fn a_toleration_says_as_much_as_it_says() {
        for toleration in ["gpu=a100:NoSchedule", "gpu=a100", "gpu:NoSchedule", "gpu", "*", "*:NoSchedule"] {
            assert!(tolerates(toleration, "gpu=a100:NoSchedule"), "{toleration}");
        }
        for toleration in ["gpu=h100:NoSchedule", "gpu=", "gpu:NoExecute", "disk", "*:NoExecute"] {
            assert!(!tolerates(toleration, "gpu=a100:NoSchedule"), "{toleration}");
        }
        assert!(tolerates("gpu=", "gpu:NoExecute"), "no value is the empty value");
    }

    #[test]
    fn what_is_no_taint_is_refused_with_the_form() {
        let refused = |text: &str| text.parse::<Taint>().unwrap_err().to_string();
        assert_eq!(
            refused("gpu=a100"),
            "`gpu=a100` has no effect; write KEY=VALUE:NoSchedule, KEY:PreferNoSchedule or KEY:NoExecute"
        );
        assert!(refused("gpu:Never").contains("has no effect"));
        assert!(refused("g pu:NoSchedule").contains("not a label's key"));
        assert!("gpu:Never".parse::<Toleration>().unwrap_err().to_string().contains("has no effect"));
    }

    proptest! {
        #[test]
        fn both_are_read_as_they_are_written(text in "([a-z/*]{1,4}(=[a-z]{0,3})?(:(NoSchedule|PreferNoSchedule|NoExecute))?)|\\PC{0,20}") {
            if let Ok(taint) = text.parse::<Taint>() {
                prop_assert_eq!(taint.to_string().parse::<Taint>(), Ok(taint));
            }
            if let Ok(toleration) = text.parse::<Toleration>() {
                prop_assert_eq!(toleration.to_string().parse::<Toleration>(), Ok(toleration));
            }
        }
    }
}
