//! How long prompts may become: `model_context_window` and `model_auto_compact_token_limit`.

use super::error::ConfigError;
use super::layers::{Layers, bad_value, wrong_type};
use capstan_types::window::WindowSettings;
use toml::Value;

/// Less than this holds no instructions and tools, let alone a conversation.
const LEAST: u64 = 1_000;

/// What is configured.
///
/// # Errors
/// A value that is no number, or too small to work with.
pub(super) fn window(layers: &Layers) -> Result<WindowSettings, ConfigError> {
    Ok(WindowSettings {
        context: tokens(layers, "model_context_window")?,
        compact_at: tokens(layers, "model_auto_compact_token_limit")?,
    })
}

fn tokens(layers: &Layers, key: &str) -> Result<Option<u64>, ConfigError> {
    match layers.find(key)? {
        None => Ok(None),
        Some((place, Value::Integer(tokens))) => match u64::try_from(*tokens).ok().filter(|tokens| *tokens >= LEAST) {
            Some(tokens) => Ok(Some(tokens)),
            None => Err(bad_value(place, key, format!("{tokens} is too few tokens to work with; give at least {LEAST}"))),
        },
        Some((place, other)) => Err(wrong_type(place, key, "a whole number", other)),
    }
}
