//! The parts of a step, as they are written.

use super::{Deserialize, Entry, Regex, Serialize, Value};

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Part {
    /// What the model says.
    Message {
        /// The text.
        text: String,
    },
    /// What the model thinks.
    Reasoning {
        /// The text.
        text: String,
    },
    /// A call that the model makes.
    Call {
        /// Its name, unlike that of any other call of the script.
        id: String,
        /// The tool.
        tool: String,
        /// The arguments: an object, or text that is handed over as it is.
        #[serde(with = "arguments")]
        arguments: String,
    },
}

impl Part {
    pub(super) fn entry(&self) -> Entry {
        match self.clone() {
            Self::Message { text } => Entry::Assistant { text },
            Self::Reasoning { text } => Entry::Reasoning { text, signature: None },
            Self::Call { id, tool, arguments } => Entry::Call { model_call_id: id, tool, arguments },
        }
    }

    /// The part of an answer that an entry is, if it is one.
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        match entry.clone() {
            Entry::Assistant { text } => Some(Self::Message { text }),
            // What is sealed means nothing to a script.
            Entry::Reasoning { text, .. } => Some(Self::Reasoning { text }),
            Entry::Call { model_call_id, tool, arguments } => Some(Self::Call { id: model_call_id, tool, arguments }),
            Entry::Developer { .. }
            | Entry::User { .. }
            | Entry::CallOutput { .. }
            | Entry::Picture { .. }
            | Entry::Compacted { .. } => None,
        }
    }
}

/// Arguments stand as an object where that gives back the same text, so that people can read them.
mod arguments {
    use super::{Deserialize, Serialize, Value};
    use serde::{Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
        let object = serde_json::from_str(text).ok().filter(Value::is_object);
        let again = object.as_ref().map(Value::to_string);
        match object {
            Some(object) if again.as_deref() == Some(text) => object.serialize(to),
            _ => to.serialize_str(text),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        match Value::deserialize(from)? {
            Value::String(text) => Ok(text),
            object @ Value::Object(_) => Ok(object.to_string()),
            _ => Err(D::Error::custom("`arguments` must be an object, or text to be handed over as it is")),
        }
    }
}

/// What the output of an earlier call must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Expectation {
    /// The call.
    pub output_of: String,
    /// What its output must be.
    pub matcher: Matcher,
}

/// What an output must be.
#[derive(Debug, Clone)]
pub enum Matcher {
    /// Anything, so long as there is one.
    Anything,
    /// Exactly this.
    Equals(String),
    /// Something with this in it.
    Contains(String),
    /// Something in which this is found.
    Matches(Regex),
}

impl Matcher {
    /// Whether an output is as it must be.
    #[must_use]
    pub fn accepts(&self, output: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Equals(text) => output == text,
            Self::Contains(text) => output.contains(text.as_str()),
            Self::Matches(pattern) => pattern.is_match(output),
        }
    }

    const fn word(&self) -> &'static str {
        match self {
            Self::Anything => "",
            Self::Equals(_) => "equal",
            Self::Contains(_) => "contain",
            Self::Matches(_) => "match",
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Anything => "",
            Self::Equals(text) | Self::Contains(text) => text,
            Self::Matches(pattern) => pattern.as_str(),
        }
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (self.word(), self.text()) == (other.word(), other.text())
    }
}

impl Eq for Matcher {}

impl std::fmt::Display for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Anything => f.write_str("be there"),
            other => write!(f, "{} {:?}", other.word(), other.text()),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    output_of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    equals: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    matches: Option<String>,
}

impl TryFrom<Written> for Expectation {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let matcher = match (written.equals, written.contains, written.matches) {
            (None, None, None) => Matcher::Anything,
            (Some(text), None, None) => Matcher::Equals(text),
            (None, Some(text), None) => Matcher::Contains(text),
            (None, None, Some(pattern)) => {
                let compiled = Regex::new(&pattern);
                Matcher::Matches(compiled.map_err(|error| format!("`matches` is not a regular expression: {}", fault(&error)))?)
            }
            _ => return Err("an expectation takes one of `equals`, `contains` and `matches`".to_owned()),
        };
        Ok(Self { output_of: written.output_of, matcher })
    }
}

/// What is wrong with an expression, without the drawing of where, which takes several lines.
fn fault(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

impl From<Expectation> for Written {
    fn from(expectation: Expectation) -> Self {
        let bare = Self { output_of: expectation.output_of, ..Self::default() };
        match expectation.matcher {
            Matcher::Anything => bare,
            Matcher::Equals(text) => Self { equals: Some(text), ..bare },
            Matcher::Contains(text) => Self { contains: Some(text), ..bare },
            Matcher::Matches(pattern) => Self { matches: Some(pattern.as_str().to_owned()), ..bare },
        }
    }
}

/// Usage with every count optional.
pub(super) mod usage {
    use super::{Deserialize, Serialize};
    use capstan_types::history::Usage;
    use serde::{Deserializer, Serializer};

    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Counts {
        input_tokens: u64,
        cached_input_tokens: u64,
        cache_write_input_tokens: u64,
        output_tokens: u64,
        reasoning_output_tokens: u64,
    }

    pub(in super::super) fn is_none(usage: &Usage) -> bool {
        *usage == Usage::default()
    }

    pub(in super::super) fn serialize<S: Serializer>(usage: &Usage, to: S) -> Result<S::Ok, S::Error> {
        usage.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Usage, D::Error> {
        let counts = Counts::deserialize(from)?;
        Ok(Usage {
            input_tokens: counts.input_tokens,
            cached_input_tokens: counts.cached_input_tokens,
            cache_write_input_tokens: counts.cache_write_input_tokens,
            output_tokens: counts.output_tokens,
            reasoning_output_tokens: counts.reasoning_output_tokens,
        })
    }
}
