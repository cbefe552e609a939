//! Finding keys that mean nothing, most often because they are misspelt.

use toml::{Table, Value};

/// The keys of `table` that no pattern of `known` covers, in order, written as `-c` takes them. Of a table that is unknown as a whole,
/// only its own key is named.
///
/// A pattern is a key's parts joined by dots: `*` stands for any one part, and a last `**` for everything below. A pattern covers the
/// tables on its way. In an array of tables, every element is looked at under the array's own key.
#[must_use]
pub fn unknown_keys(table: &Table, known: &[&str]) -> Vec<String> {
    let patterns: Vec<Vec<&str>> = known.iter().map(|pattern| pattern.split('.').collect()).collect();
    let mut unknown = Vec::new();
    look(table, &patterns.iter().map(Vec::as_slice).collect::<Vec<_>>(), "", &mut unknown);
    unknown
}

fn look(table: &Table, patterns: &[&[&str]], above: &str, unknown: &mut Vec<String>) {
    for (key, value) in table {
        let path = if above.is_empty() { quoted(key) } else { format!("{above}.{}", quoted(key)) };
        let matching: Vec<&[&str]> = patterns.iter().copied().filter(|pattern| covers(pattern, key)).collect();
        if matching.is_empty() {
            // The elements of an array may share a mistake.
            if !unknown.contains(&path) {
                unknown.push(path);
            }
            continue;
        }
        let deeper: Vec<&[&str]> =
            matching.iter().filter_map(|pattern| pattern.get(1..)).filter(|rest| !rest.is_empty()).collect();
        // A pattern that ends in a table's own key says that whatever is in it belongs to it.
        let open = matching.iter().any(|pattern| pattern.first() == Some(&"**")) || deeper.is_empty();
        if !open {
            tables(value).for_each(|inner| look(inner, &deeper, &path, unknown));
        }
    }
}

fn covers(pattern: &[&str], key: &str) -> bool {
    pattern.first().is_some_and(|head| *head == key || *head == "*" || *head == "**")
}

/// The value as a table, or the tables in it as an array.
fn tables(value: &Value) -> impl Iterator<Item = &Table> {
    let (own, elements) = match value {
        Value::Array(elements) => (None, elements.as_slice()),
        other => (other.as_table(), [].as_slice()),
    };
    own.into_iter().chain(elements.iter().filter_map(Value::as_table))
}

fn quoted(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.to_owned() } else { format!("\"{key}\"") }
}
