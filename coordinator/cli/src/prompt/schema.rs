//! The schema that a final message must satisfy.

use crate::failure::Failure;
use crate::given_file;
use serde_json::Value;
use std::path::Path;

/// The longest schema, in bytes: 1 MiB.
const LONGEST: u64 = 1 << 20;

/// Reads a JSON Schema.
///
/// # Errors
/// It is no regular file, has more than 1 MiB, cannot be read, is not JSON, or is no object.
pub fn schema(path: &Path) -> Result<Value, Failure> {
    let refused = |reason: String| Failure::bad_input(format!("the output schema {} cannot be used: {reason}", path.display()));
    let text = given_file::text(path, LONGEST).map_err(|error| refused(error.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| refused(format!("it is not JSON: {error}")))?;
    if value.is_object() { Ok(value) } else { Err(refused("a JSON Schema is an object".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        schema(file.path()).map_err(|failure| failure.sentence)
    }

    #[test]
    fn a_schema_is_an_object() {
        assert!(read(r#"{"type": "object"}"#).is_ok());
        assert!(read("[1]").unwrap_err().ends_with("a JSON Schema is an object"));
        assert!(read("{\n\"type\": }").unwrap_err().contains("it is not JSON: expected value at line 2"));
        assert!(schema(Path::new("/no/such")).unwrap_err().sentence.contains("cannot be used"));
    }
}
