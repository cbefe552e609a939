//! `strsim`: a new function, found missing by a compiler, with its documentation and its test.

use super::Project;
use crate::scripted::{command, contains, exited, matches, patch, says, step};

const TEST: &str = r#"*** Begin Patch
*** Update File: tests/lib.rs
@@
 use strsim::{
     damerau_levenshtein, hamming, jaro, jaro_winkler, levenshtein, normalized_damerau_levenshtein,
-    normalized_levenshtein, osa_distance,
+    normalized_hamming, normalized_levenshtein, osa_distance,
 };
@@
 #[test]
 fn jaro_winkler_works() {
     assert_delta!(0.866, jaro_winkler("cheeseburger", "cheese fries"), 0.001);
 }
+
+#[test]
+fn normalized_hamming_works() {
+    assert_delta!(0.5, normalized_hamming("h香mm", "hamü").unwrap());
+    assert_delta!(1.0, normalized_hamming("", "").unwrap());
+    assert!(normalized_hamming("ham", "hamming").is_err());
+}
*** End of File
*** End Patch"#;

const CODE: &str = r#"*** Begin Patch
*** Update File: src/lib.rs
@@ pub fn hamming(a: &str, b: &str) -> HammingResult {
     generic_hamming(a.chars(), b.chars())
 }
 
+/// Calculates a normalized score of the hamming distance between 0.0 and 1.0
+/// (inclusive), where 1.0 means the strings are the same.
+pub fn normalized_hamming(a: &str, b: &str) -> Result<f64, StrSimError> {
+    let distance = hamming(a, b)?;
+    if distance == 0 {
+        return Ok(1.0);
+    }
+    Ok(1.0 - (distance as f64) / (a.chars().count() as f64))
+}
+
*** Add File: docs/normalized hamming.md
+# Normalized Hamming
+
+One minus the share of characters that differ.
*** End Patch"#;

#[test]
fn a_function_is_added_to_strsim_with_its_test() {
    let project = Project::unpacked("strsim");
    let steps = [
        step([], [command("list", "ls; cat Cargo.toml | head -20"), command("grep", "grep -n 'pub fn hamming' -A 3 src/*.rs")]),
        step(
            [contains("list", "CHANGELOG.md"), matches("grep", r"84:pub fn hamming\(a: &str, b: &str\)")],
            [patch("test", TEST)],
        ),
        step(
            [contains("test", "Success. Updated the following files:\nM tests/lib.rs")],
            [command("red", "cargo test --offline --test lib 2>&1")],
        ),
        step([exited("red", 101), contains("red", "unresolved import `strsim::normalized_hamming`")], [patch("code", CODE)]),
        step(
            [contains("code", "M src/lib.rs\nA docs/normalized hamming.md")],
            [command("green", "cargo test --offline --test lib 2>&1 && git status --porcelain")],
        ),
        step(
            [
                exited("green", 0),
                contains("green", "test normalized_hamming_works ... ok"),
                contains("green", " M src/lib.rs\n M tests/lib.rs\n?? docs/"),
            ],
            [says("There is a normalized Hamming distance now.")],
        ),
    ];
    let tree = project.tree();
    let (code, test) = (tree.text("src/lib.rs"), tree.text("tests/lib.rs"));
    let below = "    generic_hamming(a.chars(), b.chars())\n}\n\n";
    assert_eq!(code.matches(below).count(), 1);
    let (function, added_test) = (added(CODE, 0, 10), added(TEST, 1, 8));
    let test = test.replace(
        "    normalized_levenshtein, osa_distance,\n",
        "    normalized_hamming, normalized_levenshtein, osa_distance,\n",
    );
    let expected = tree
        .with("src/lib.rs", &code.replace(below, &format!("{below}{function}")))
        .with("tests/lib.rs", &format!("{test}{added_test}"))
        .with("docs/normalized hamming.md", "# Normalized Hamming\n\nOne minus the share of characters that differ.\n");
    project.play(&steps, &expected);
}

/// Some of the lines that a patch adds.
fn added(patch: &str, skip: usize, count: usize) -> String {
    patch.lines().filter_map(|line| line.strip_prefix('+')).skip(skip).take(count).map(|line| format!("{line}\n")).collect()
}
