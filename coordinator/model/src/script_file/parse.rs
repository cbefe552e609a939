//! Reads the two forms of a script, and says where one is wrong.

use super::{Deserialize, ScriptError, ScriptStep};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// The version of the form that is read and written.
pub(super) const VERSION: u64 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `version` and `steps`")]
struct File {
    version: u64,
    steps: Vec<ScriptStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u64,
}

pub(super) fn steps(text: &str, name: &str) -> Result<Vec<ScriptStep>, ScriptError> {
    let lines: Vec<(usize, &str)> = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    if let Some(((_, first), rest)) = lines.split_first()
        && let Ok(header) = serde_json::from_str::<Header>(first)
    {
        check_version(header.version, name)?;
        return rest.iter().map(|(place, line)| read(line, *place, name)).collect();
    }
    let file: File = read(text, 0, name)?;
    check_version(file.version, name)?;
    Ok(file.steps)
}

fn read<T: DeserializeOwned>(text: &str, lines_before: usize, name: &str) -> Result<T, ScriptError> {
    serde_json::from_str(text).map_err(|error| {
        // The parser puts the place behind its message; here it stands in front.
        let message = error.to_string();
        let said = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
        let reason = if error.classify() == Category::Eof { "it ends before it is complete" } else { said };
        ScriptError::Malformed {
            path: name.to_owned(),
            line: lines_before + error.line(),
            column: error.column().max(1),
            reason: format!("{reason}; expected {{\"version\": 1, \"steps\": [{{\"answer\": [...]}}, ...]}}"),
        }
    })
}

fn check_version(version: u64, name: &str) -> Result<(), ScriptError> {
    if version == VERSION {
        return Ok(());
    }
    let reason = format!("its version is {version}, and only version {VERSION} is understood");
    Err(ScriptError::Malformed { path: name.to_owned(), line: 1, column: 1, reason })
}
