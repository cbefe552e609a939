//! What a node keeps free on its host before it refuses starts: `[node.watermarks]`.

use super::error::ConfigError;
use super::layers::Layers;
use super::permissions::reading::Reading;
use capstan_agent_node::Watermarks;
use capstan_types::limits::size;
use toml::Value;

const TABLE: &str = "node.watermarks";

const KEYS: &str = "memory, disk, workspace_disk, inodes, descriptors, processes and terminals";

/// The marks of a node.
///
/// # Errors
/// A key that is not known, or a value that is no number of at least 0.
pub fn watermarks(layers: &Layers) -> Result<Watermarks, ConfigError> {
    let mut marks = Watermarks::default();
    let reading = Reading::at(layers, TABLE.to_owned(), None)?;
    for (key, value) in &layers.table(TABLE)? {
        match key.as_str() {
            "memory" => marks.memory = bytes(&reading, key, value)?,
            "disk" => marks.disk = bytes(&reading, key, value)?,
            "workspace_disk" => marks.workspace_disk = bytes(&reading, key, value)?,
            "inodes" => marks.inodes = count(&reading, key, value)?,
            "descriptors" => marks.descriptors = count(&reading, key, value)?,
            "processes" => marks.processes = count(&reading, key, value)?,
            "terminals" => marks.terminals = count(&reading, key, value)?,
            _ => return Err(reading.wrong(key, format!("the key is not known; a node keeps {KEYS}"))),
        }
    }
    Ok(marks)
}

/// A size such as `512MiB`, or a number of bytes.
fn bytes(reading: &Reading<'_>, key: &str, value: &Value) -> Result<u64, ConfigError> {
    match value {
        Value::String(text) => {
            size(text).ok_or_else(|| reading.wrong(key, format!("`{text}` is no size; write one such as 512MiB")))
        }
        _ => count(reading, key, value),
    }
}

fn count(reading: &Reading<'_>, key: &str, value: &Value) -> Result<u64, ConfigError> {
    let number = value.as_integer().ok_or_else(|| reading.type_error(key, "a whole number", value))?;
    u64::try_from(number).map_err(|_| reading.wrong(key, format!("{number} is out of range; it is 0 or more")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Inputs, UserConfig, read};
    use std::path::Path;

    fn with(overrides: &[&str]) -> Result<Watermarks, String> {
        let overrides: Vec<String> = overrides.iter().map(|set| (*set).to_owned()).collect();
        let inputs = Inputs { home: Path::new("/"), user: UserConfig::Ignored, profile: None, overrides: &overrides };
        let (layers, unknown) = read(inputs).unwrap();
        assert_eq!(unknown, []);
        watermarks(&layers).map_err(|error| error.to_string())
    }

    #[test]
    fn marks_are_read_and_the_others_stay() {
        let marks =
            with(&["node.watermarks.disk=\"1GiB\"", "node.watermarks.terminals=0", "node.watermarks.workspace_disk=7"]).unwrap();
        assert_eq!(marks, Watermarks { disk: 1 << 30, workspace_disk: 7, terminals: 0, ..Watermarks::default() });
    }

    #[test]
    fn what_is_no_mark_is_refused_by_name() {
        let said = with(&["node.watermarks.heat=3"]).unwrap_err();
        assert!(said.contains("node.watermarks.heat") && said.ends_with(&format!("a node keeps {KEYS}")), "{said}");
        assert!(with(&["node.watermarks.inodes=-1"]).unwrap_err().ends_with("-1 is out of range; it is 0 or more"));
        assert!(with(&["node.watermarks.disk=true"]).unwrap_err().contains("must be a whole number"));
    }
}
