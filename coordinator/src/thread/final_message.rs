//! The final message of a turn that was given a schema: whether it satisfies it.
//!
//! Providers are asked to hold their models to the schema, but not all of them do; whoever parses the message must not find out first.

use capstan_types::history::Entry;
use jsonschema::Validator;
use serde_json::Value;

/// How much of what is wrong is told, in characters.
const SHOWN_CHARS: usize = 400;

/// A schema that a final message must satisfy.
#[derive(Debug)]
pub struct Demand(Validator);

/// A schema that is none. For the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the output schema cannot be used: {0}")]
pub struct BadSchema(String);

/// A message that is not as it should be. For the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the final message does not satisfy the output schema: {0}; try again, or use a model that keeps to schemas")]
pub struct Unsatisfied(String);

impl Demand {
    /// Reads a schema. What it refers to must be in it: nothing is fetched.
    ///
    /// # Errors
    /// It is no JSON Schema.
    pub fn new(schema: &Value) -> Result<Self, BadSchema> {
        if !schema.is_object() {
            return Err(BadSchema("a JSON Schema is an object".to_owned()));
        }
        jsonschema::validator_for(schema).map(Self).map_err(|error| BadSchema(short(&error.to_string())))
    }

    /// Checks the final message; `None` is none at all.
    ///
    /// # Errors
    /// What is wrong with it first.
    pub fn check(&self, message: Option<&str>) -> Result<(), Unsatisfied> {
        let message = message.ok_or_else(|| Unsatisfied("there is none".to_owned()))?;
        let value: Value = serde_json::from_str(message).map_err(|error| Unsatisfied(format!("it is not JSON ({error})")))?;
        self.0.validate(&value).map_err(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { String::new() } else { format!(" (at {place})") };
            Unsatisfied(format!("{}{place}", short(&error.to_string())))
        })
    }
}

fn short(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}

/// The message with which the model has answered without asking for anything more.
pub(super) fn of(entries: &[Entry]) -> Option<&str> {
    entries.iter().rev().take_while(|entry| !matches!(entry, Entry::User { .. } | Entry::CallOutput { .. })).find_map(|entry| {
        match entry {
            Entry::Assistant { text } => Some(text.as_str()),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_is_checked_against_its_schema() {
        let schema =
            json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
        let demand = Demand::new(&schema).unwrap();
        assert_eq!(demand.check(Some("{\"n\": 1}")), Ok(()));
        let said = |message| demand.check(message).unwrap_err().to_string();
        assert!(said(None).contains("there is none"));
        assert!(said(Some("Sure: {\"n\": 1}")).contains("it is not JSON (expected value at line 1 column 1)"));
        assert!(
            said(Some("{\"n\": \"1\"}")).contains("\"1\" is not of type \"integer\" (at /n)"),
            "{}",
            said(Some("{\"n\": \"1\"}"))
        );
        assert!(said(Some("{}")).contains("\"n\" is a required property"));
    }

    #[test]
    fn a_schema_that_is_none_is_refused_and_nothing_is_fetched() {
        let said = |schema: Value| Demand::new(&schema).unwrap_err().to_string();
        assert!(said(json!([])).ends_with("a JSON Schema is an object"));
        assert!(said(json!({"type": "nonsense"})).starts_with("the output schema cannot be used: "));
        assert!(Demand::new(&json!({"$ref": "http://127.0.0.1:1/schema.json"})).is_err());
        assert!(Demand::new(&json!({"$ref": "file:///etc/passwd"})).is_err());
        let inside = json!({"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n"});
        assert_eq!(Demand::new(&inside).unwrap().check(Some("4")), Ok(()));
    }
}
