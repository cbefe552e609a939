//! `percent-encoding`: a module is renamed by a patch in a shell's here-document, and the compiler is asked directly.

use super::Project;
use crate::scripted::{command, contains, exited, matches, says, step};

const MOVE: &str = r#"apply_patch <<'EOF'
*** Begin Patch
*** Update File: src/ascii_set.rs
*** Move to: src/set/ascii.rs
@@ use core::{mem, ops};
 
-/// Represents a set of characters or bytes in the ASCII range.
+/// A set of characters or bytes in the ASCII range.
 ///
*** End Patch
EOF"#;

const USE: &str = r#"cd src && apply_patch <<'EOF'
*** Begin Patch
*** Update File: lib.rs
@@
-pub use self::ascii_set::{AsciiSet, CONTROLS, NON_ALPHANUMERIC};
+pub use self::set::ascii::{AsciiSet, CONTROLS, NON_ALPHANUMERIC};
 
-mod ascii_set;
+mod set;
*** Add File: set/mod.rs
+pub(crate) mod ascii;
*** End Patch
EOF"#;

#[test]
fn a_module_of_percent_encoding_is_moved_and_compiles_again() {
    let project = Project::unpacked("percent-encoding");
    let compile = "mkdir -p target && rustc --edition 2018 --crate-type lib --cfg 'feature=\"std\"' --cfg 'feature=\"alloc\"' \
                   --out-dir target src/lib.rs 2>&1";
    let steps = [
        step([], [command("list", "find src -name '*.rs' | sort"), command("grep", "grep -n ascii_set src/lib.rs")]),
        step([contains("list", "src/ascii_set.rs\nsrc/lib.rs\n"), matches("grep", "58:mod ascii_set;")], [command("move", MOVE)]),
        step([contains("move", "M src/ascii_set.rs -> src/set/ascii.rs")], [command("red", compile)]),
        step([exited("red", 1), contains("red", "file not found for module `ascii_set`")], [command("use", USE)]),
        step([contains("use", "M lib.rs\nA set/mod.rs")], [command("compile", compile)]),
        step(
            [exited("compile", 0)],
            [command("test", "cargo test --offline --lib 2>&1"), command("made", "ls target/*.rlib; git diff --stat")],
        ),
        step(
            [
                exited("test", 0),
                matches("test", "test result: ok. [1-9][0-9]* passed; 0 failed"),
                contains("made", "target/liblib.rlib"),
            ],
            [says("The set has a module of its own.")],
        ),
    ];
    let tree = project.tree();
    let (set, lib) = (tree.text("src/ascii_set.rs"), tree.text("src/lib.rs"));
    let lib =
        lib.replace("pub use self::ascii_set::", "pub use self::set::ascii::").replace("\nmod ascii_set;\n", "\nmod set;\n");
    let expected = tree
        .without("src/ascii_set.rs")
        .with("src/set/ascii.rs", &set.replacen("/// Represents a set of", "/// A set of", 1))
        .with("src/set/mod.rs", "pub(crate) mod ascii;\n")
        .with("src/lib.rs", &lib);
    project.play(&steps, &expected);
}
