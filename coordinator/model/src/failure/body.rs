//! Reads what a provider says about an error: each has a shape of its own, and proxies answer with pages.

use serde_json::Value;

/// The longest message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 600;

/// What an error says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The provider's word for it, or nothing.
    pub(crate) code: String,
    /// Its message, on one line and not too long.
    pub(crate) message: String,
}

/// Reads the body of an error answer.
pub(crate) fn read(body: &str) -> Said {
    let parsed: Option<Value> = serde_json::from_str(body).ok();
    // Gemini wraps its errors in a list when it streams.
    let object = match &parsed {
        Some(Value::Array(list)) => list.first(),
        other => other.as_ref(),
    };
    object.and_then(error_of).unwrap_or_else(|| Said { code: String::new(), message: shorten(&without_tags(body)) })
}

/// The error that an object carries, if it does: `{"error": …}` in one of its shapes, or the error itself.
pub(crate) fn error_of(object: &Value) -> Option<Said> {
    match object.get("error") {
        Some(Value::String(message)) => return Some(Said { code: word(object, &["code", "type"]), message: shorten(message) }),
        Some(error @ Value::Object(_)) => return Some(error_object(error)),
        _ => {}
    }
    let message = ["message", "detail"].iter().find_map(|name| object.get(name).and_then(Value::as_str))?;
    Some(Said { code: word(object, &["code"]), message: shorten(message) })
}

fn error_object(error: &Value) -> Said {
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    // Gemini's code is the HTTP status; its word is in `status`. Anthropic has a type only.
    Said { code: word(error, &["code", "status", "type"]), message: shorten(message) }
}

fn word(object: &Value, names: &[&str]) -> String {
    let found = names.iter().find_map(|name| object.get(name).and_then(Value::as_str));
    found.unwrap_or_default().to_owned()
}

fn without_tags(page: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in page.chars().take(8 * LONGEST_MESSAGE) {
        match letter {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(letter),
            _ => {}
        }
    }
    text
}

/// One line of at most [`LONGEST_MESSAGE`] characters.
pub(crate) fn shorten(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(code: &str, message: &str) -> Said {
        Said { code: code.to_owned(), message: message.to_owned() }
    }

    #[test]
    fn every_providers_shape_is_read() {
        let openai =
            r#"{"error":{"message":"No\n such model","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#;
        assert_eq!(read(openai), said("model_not_found", "No such model"));
        let anthropic = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(read(anthropic), said("overloaded_error", "Overloaded"));
        let gemini = r#"[{"error":{"code":400,"message":"Bad key","status":"INVALID_ARGUMENT"}}]"#;
        assert_eq!(read(gemini), said("INVALID_ARGUMENT", "Bad key"));
        assert_eq!(read(r#"{"error":"model not found"}"#), said("", "model not found"));
        assert_eq!(read(r#"{"detail":"Not Found"}"#), said("", "Not Found"));
    }

    #[test]
    fn a_page_is_reduced_to_its_words() {
        assert_eq!(read("<html><h1>502 Bad Gateway</h1>\n<hr>nginx</html>"), said("", "502 Bad Gateway nginx"));
        assert_eq!(read(""), said("", ""));
    }

    #[test]
    fn an_ordinary_event_carries_no_error() {
        let event = serde_json::json!({"type": "response.created", "error": null, "response": {"error": null}});
        assert_eq!(error_of(&event), None);
    }

    proptest! {
        #[test]
        fn any_body_becomes_one_short_line(body in ".{0,3000}") {
            let said = read(&body);
            prop_assert!(said.message.chars().count() <= LONGEST_MESSAGE + 1);
            prop_assert!(!said.message.contains('\n'));
        }
    }
}
