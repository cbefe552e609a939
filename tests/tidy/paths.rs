//! No file names a place that exists only on the machine of whoever wrote it.

use crate::repository::{TextFile, assert_none, text_files};

/// Put together at run time, so that this file does not hold what it forbids.
fn forbidden() -> String {
    ["/wor", "k/"].concat()
}

fn complaints(files: &[TextFile]) -> Vec<String> {
    let forbidden = forbidden();
    let mut found = Vec::new();
    for file in files {
        let lines = file.text.lines().enumerate().filter(|(_, line)| names(line, &forbidden));
        found.extend(lines.map(|(index, _)| format!("{}:{}: names a place below `{forbidden}`", file.path, index + 1)));
    }
    found
}

/// Whether the line holds the path from its root, not as the end of another: `framework/x` names no place.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-~}".contains(c)))
}

#[test]
fn a_place_on_somebody_s_machine_is_found() {
    let place = forbidden();
    for text in [format!("cd {place}main"), format!("\"{place}x\""), place.clone()] {
        assert_eq!(complaints(&[TextFile::example("README.md", &text)]).len(), 1, "{text}");
    }
    let good = format!("repo{place}src, ${{DIR}}{place} and ../..{place}");
    assert!(complaints(&[TextFile::example("README.md", &good)]).is_empty());
}

#[test]
fn no_file_names_a_place_on_somebody_s_machine() {
    assert_none(&complaints(&text_files()));
}
