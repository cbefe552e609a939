//! `httpdate`: a message that names the wrong year is mended in a file that may be executed, and a file is deleted.

use super::Project;
use crate::scripted::{command, contains, exited, matches, patch, says, step};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

const TEST: &str = r#"*** Begin Patch
*** Update File: src/lib.rs
@@     fn test_parse_bad_date() {
         let parsed = "Sun, 07 Nov 1994 08:48:37 GMT".parse::<HttpDate>();
         assert!(parsed.is_err())
     }
+
+    #[test]
+    #[should_panic(expected = "date must be before year 10000")]
+    fn test_first_date_that_is_too_late() {
+        fmt_http_date(UNIX_EPOCH + Duration::from_secs(253402300800));
+    }
 }
*** End Patch"#;

const CODE: &str = r#"*** Begin Patch
*** Update File: src/date.rs
@@         if secs_since_epoch >= 253402300800 {
-            // year 9999
-            panic!("date must be before year 9999");
+            // year 10000
+            panic!("date must be before year 10000");
         }
*** Delete File: .github/workflows/ci.yml
*** End Patch"#;

#[test]
fn a_wrong_message_of_httpdate_is_mended_and_a_file_deleted() {
    let project = Project::unpacked("httpdate");
    // So that a patch which loses a file's mode is seen.
    let date = project.repository.dir().join("src/date.rs");
    fs::set_permissions(&date, Permissions::from_mode(0o755)).expect("the file is ours");
    project.repository.commit_all("a mode");
    let run_tests = "cargo test --offline --lib 2>&1";
    let steps = [
        step([], [command("grep", "grep -rn 'before year' src"), command("read", "sed -n '50,58p' src/date.rs")]),
        step(
            [contains("grep", "src/date.rs:56:"), contains("read", "if secs_since_epoch >= 253402300800 {")],
            [patch("test", TEST)],
        ),
        step([contains("test", "M src/lib.rs")], [command("red", run_tests)]),
        step(
            [exited("red", 101), contains("red", "test_first_date_that_is_too_late - should panic ... FAILED")],
            [patch("code", CODE)],
        ),
        step([contains("code", "M src/date.rs\nD .github/workflows/ci.yml")], [command("green", run_tests)]),
        step(
            [exited("green", 0), matches("green", "test result: ok. [0-9]+ passed; 0 failed")],
            [command("mode", "test -x src/date.rs && ! test -e .github/workflows/ci.yml && echo kept")],
        ),
        step([contains("mode", "kept\n")], [says("The message names the right year.")]),
    ];
    let tree = project.tree();
    let (code, test) = (tree.text("src/date.rs"), tree.text("src/lib.rs"));
    let added: String = TEST.lines().filter_map(|line| line.strip_prefix('+')).map(|line| format!("{line}\n")).collect();
    let test = test.strip_suffix("}\n").expect("the file ends with its tests").to_owned();
    let expected = tree
        .with("src/date.rs", &code.replace("year 9999\n", "year 10000\n").replace("year 9999\");", "year 10000\");"))
        .with("src/lib.rs", &format!("{test}{added}}}\n"))
        .without(".github/workflows/ci.yml");
    project.play(&steps, &expected);
}
