//! Entries of the history as items of the Responses API.

use capstan_types::history::{Entry, Image};
use serde_json::{Value, json};

pub(super) fn of(entry: &Entry) -> Value {
    match entry {
        Entry::Developer { text } => message("developer", vec![input(text)]),
        Entry::User { text, images } => message("user", std::iter::once(input(text)).chain(images.iter().map(picture)).collect()),
        Entry::Assistant { text } => message("assistant", vec![json!({ "type": "output_text", "text": text })]),
        Entry::Reasoning { text, signature } => json!({
            "type": "reasoning", "summary": [{ "type": "summary_text", "text": text }], "encrypted_content": signature,
        }),
        Entry::Call { model_call_id, tool, arguments } => {
            json!({ "type": "function_call", "call_id": model_call_id, "name": tool, "arguments": arguments })
        }
        Entry::CallOutput { model_call_id, output } => {
            json!({ "type": "function_call_output", "call_id": model_call_id, "output": output })
        }
        Entry::Picture { model_call_id, image } => {
            json!({ "type": "message", "role": "user", "content": [picture(image)], "call_id": model_call_id })
        }
        Entry::Compacted { history } => {
            json!({ "type": "compacted", "replacement_history": history.iter().map(of).collect::<Vec<_>>() })
        }
    }
}

fn message(role: &str, content: Vec<Value>) -> Value {
    json!({ "type": "message", "role": role, "content": content })
}

fn input(text: &str) -> Value {
    json!({ "type": "input_text", "text": text })
}

fn picture(image: &Image) -> Value {
    json!({ "type": "input_image", "image_url": format!("data:{};base64,{}", image.media_type, image.base64) })
}
