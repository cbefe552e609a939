//! Patches as models write them, against real files: what comes of each, or what is said.

use super::{Place, text, wrapped};
use std::collections::BTreeMap;

/// What comes of a patch.
enum Then {
    /// The files are these; nothing else is there. Directories are not compared.
    Files(&'static [(&'static str, &'static str)]),
    /// It is refused with a sentence that contains this, and nothing has changed.
    Refused(&'static str),
}
use Then::{Files, Refused};

struct Scenario {
    name: &'static str,
    before: &'static [(&'static str, &'static str)],
    body: &'static str,
    then: Then,
}

const fn scenario(
    name: &'static str,
    before: &'static [(&'static str, &'static str)],
    body: &'static str,
    then: Then,
) -> Scenario {
    Scenario { name, before, body, then }
}

const TWICE: &str = "fn a() {\n    x();\n}\n\nfn b() {\n    x();\n}\n";

const SCENARIOS: &[Scenario] = &[
    // Whole files.
    scenario("add", &[], "*** Add File: a\n+one\n+two", Files(&[("a", "one\ntwo\n")])),
    scenario("add an empty file", &[], "*** Add File: a", Files(&[("a", "")])),
    scenario("add below new directories", &[], "*** Add File: x/y/z\n+1", Files(&[("x/y/z", "1\n")])),
    scenario("add blank lines", &[], "*** Add File: a\n+\n+\n+x", Files(&[("a", "\n\nx\n")])),
    scenario("add lines that look like signs", &[], "*** Add File: a\n++x\n+-y\n+ z", Files(&[("a", "+x\n-y\n z\n")])),
    scenario(
        "add over a file",
        &[("a", "mine\n")],
        "*** Add File: a\n+x",
        Refused("exists already; change it with `*** Update File:`"),
    ),
    scenario("add below a file", &[("a", "x\n")], "*** Add File: a/b\n+x", Refused("`a/b` cannot be made")),
    scenario("add where a directory is", &[("d/x", "1\n")], "*** Add File: d\n+x", Refused("exists already")),
    scenario("add a name with blanks", &[], "*** Add File: a b c.txt\n+x", Files(&[("a b c.txt", "x\n")])),
    scenario("add a name that is not ASCII", &[], "*** Add File: größe/日本.txt\n+語", Files(&[("größe/日本.txt", "語\n")])),
    scenario("delete", &[("a", "x\n"), ("b", "y\n")], "*** Delete File: a", Files(&[("b", "y\n")])),
    scenario("delete a binary", &[("a", "\0\u{1}")], "*** Delete File: a", Files(&[])),
    scenario("delete what is not there", &[], "*** Delete File: a", Refused("`a` does not exist in `")),
    scenario("delete a directory", &[("d/x", "1\n")], "*** Delete File: d", Refused("only files can be deleted by a patch")),
    // Moves.
    scenario("move", &[("a", "x\n")], "*** Update File: a\n*** Move to: b", Files(&[("b", "x\n")])),
    scenario(
        "move and change",
        &[("a", "x\ny\n")],
        "*** Update File: a\n*** Move to: d/b\n x\n-y\n+z",
        Files(&[("d/b", "x\nz\n")]),
    ),
    scenario(
        "move over a file",
        &[("a", "x\n"), ("b", "y\n")],
        "*** Update File: a\n*** Move to: b",
        Refused("`b` exists already; move to another name"),
    ),
    scenario("move onto itself", &[("a", "x\n")], "*** Update File: a\n*** Move to: a", Refused("names `a` twice")),
    scenario("move what is not there", &[], "*** Update File: a\n*** Move to: b", Refused("`a` does not exist")),
    scenario(
        "move into the place of a deleted one",
        &[("a", "x\n"), ("b", "y\n")],
        "*** Delete File: b\n*** Update File: a\n*** Move to: b",
        Refused("names `b` twice"),
    ),
    scenario("move without a final newline", &[("a", "x")], "*** Update File: a\n*** Move to: b", Files(&[("b", "x")])),
    // Lines.
    scenario("replace", &[("a", "1\n2\n3\n")], "*** Update File: a\n@@\n 1\n-2\n+two\n 3", Files(&[("a", "1\ntwo\n3\n")])),
    scenario("replace the only line", &[("a", "1\n")], "*** Update File: a\n-1\n+one", Files(&[("a", "one\n")])),
    scenario(
        "replace the first and the last",
        &[("a", "1\n2\n3\n")],
        "*** Update File: a\n@@\n-1\n+one\n@@\n-3\n+three",
        Files(&[("a", "one\n2\nthree\n")]),
    ),
    scenario("remove a line", &[("a", "1\n2\n3\n")], "*** Update File: a\n-2", Files(&[("a", "1\n3\n")])),
    scenario("remove everything", &[("a", "1\n2\n")], "*** Update File: a\n-1\n-2", Files(&[("a", "")])),
    scenario("insert before", &[("a", "1\n")], "*** Update File: a\n+0\n 1", Files(&[("a", "0\n1\n")])),
    scenario("insert after", &[("a", "1\n")], "*** Update File: a\n 1\n+2", Files(&[("a", "1\n2\n")])),
    scenario("append to the end", &[("a", "1\n")], "*** Update File: a\n@@\n+2", Files(&[("a", "1\n2\n")])),
    scenario("append to an empty file", &[("a", "")], "*** Update File: a\n@@\n+2", Files(&[("a", "2\n")])),
    scenario(
        "change many files",
        &[("a", "1\n"), ("b", "1\n")],
        "*** Update File: a\n-1\n+2\n*** Update File: b\n-1\n+3",
        Files(&[("a", "2\n"), ("b", "3\n")]),
    ),
    scenario(
        "touch neighbouring lines in two chunks",
        &[("a", "1\n2\n")],
        "*** Update File: a\n@@\n-1\n+a\n@@\n-2\n+b",
        Files(&[("a", "a\nb\n")]),
    ),
    scenario(
        "chunks out of order",
        &[("a", "1\n2\n")],
        "*** Update File: a\n@@\n-2\n+b\n@@\n-1\n+a",
        Refused("above those of the chunk before"),
    ),
    scenario("lines that are not there", &[("a", "1\n")], "*** Update File: a\n-9\n+8", Refused("were not found in `a`")),
    scenario(
        "lines that are there twice",
        &[("a", TWICE)],
        "*** Update File: a\n-    x();\n+    y();",
        Refused("more than once (at lines 2, 6)"),
    ),
    scenario("no change", &[("a", "1\n")], "*** Update File: a", Refused("but no change below it")),
    // Contexts.
    scenario(
        "a context line",
        &[("a", TWICE)],
        "*** Update File: a\n@@ fn b() {\n-    x();\n+    y();",
        Files(&[("a", "fn a() {\n    x();\n}\n\nfn b() {\n    y();\n}\n")]),
    ),
    scenario(
        "a context line that is there twice",
        &[("a", TWICE)],
        "*** Update File: a\n@@     x();\n+    y();",
        Refused("more than once"),
    ),
    scenario(
        "stacked contexts",
        &[("a", TWICE)],
        "*** Update File: a\n@@ fn b() {\n@@     x();\n+    y();",
        Files(&[("a", "fn a() {\n    x();\n}\n\nfn b() {\n    x();\n    y();\n}\n")]),
    ),
    scenario(
        "a context that is nowhere",
        &[("a", "1\n")],
        "*** Update File: a\n@@ fn q\n-1\n+2",
        Refused("were not found in `a`"),
    ),
    scenario("the end of the file", &[("a", "}\n}\n")], "*** Update File: a\n-}\n+]\n*** End of File", Files(&[("a", "}\n]\n")])),
    scenario(
        "an insertion at the end of the file",
        &[("a", "1\n2\n")],
        "*** Update File: a\n+3\n*** End of File",
        Files(&[("a", "1\n2\n3\n")]),
    ),
    scenario(
        "line numbers of a unified diff",
        &[("a", "1\n2\n")],
        "*** Update File: a\n@@ -1,2 +1,2 @@\n 1\n-2\n+3",
        Files(&[("a", "1\n3\n")]),
    ),
    scenario(
        "a blank line without its blank",
        &[("a", "1\n\n2\n")],
        "*** Update File: a\n 1\n\n-2\n+3",
        Files(&[("a", "1\n\n3\n")]),
    ),
    // Line ends.
    scenario(
        "Windows line ends",
        &[("a", "1\r\n2\r\n")],
        "*** Update File: a\n 1\n-2\n+two\n+3",
        Files(&[("a", "1\r\ntwo\r\n3\r\n")]),
    ),
    scenario(
        "Windows line ends in the patch too",
        &[("a", "1\r\n2\r\n")],
        "*** Update File: a\n 1\r\n-2\r\n+two\r",
        Files(&[("a", "1\r\ntwo\r\n")]),
    ),
    scenario(
        "mixed line ends",
        &[("a", "1\r\n2\n3\r\n")],
        "*** Update File: a\n-3\n+three",
        Files(&[("a", "1\r\n2\nthree\r\n")]),
    ),
    scenario("no final newline stays", &[("a", "1\n2")], "*** Update File: a\n-2\n+two", Files(&[("a", "1\ntwo")])),
    scenario("no final newline after an insertion", &[("a", "1")], "*** Update File: a\n 1\n+2", Files(&[("a", "1\n2")])),
    scenario("an old Mac's line ends are text", &[("a", "1\r2\r")], "*** Update File: a\n-1\r2\r\n+3", Files(&[("a", "3")])),
    // Likeness.
    scenario("blanks at the end of lines", &[("a", "1  \n2\t\n")], "*** Update File: a\n 1\n-2\n+3", Files(&[("a", "1  \n3\n")])),
    scenario("another indentation", &[("a", "\t1\n\t2\n")], "*** Update File: a\n 1\n-2\n+\t3", Files(&[("a", "\t1\n\t3\n")])),
    scenario(
        "typographic quotes",
        &[("a", "say “hi” — it’s\nx\n")],
        "*** Update File: a\n say \"hi\" - it's\n-x\n+y",
        Files(&[("a", "say “hi” — it’s\ny\n")]),
    ),
    scenario(
        "blanks that do not break",
        &[("a", "a\u{a0}b\u{202f}c\nx\n")],
        "*** Update File: a\n a b c\n-x\n+y",
        Files(&[("a", "a\u{a0}b\u{202f}c\ny\n")]),
    ),
    scenario(
        "a composed letter for a decomposed one",
        &[("a", "cafe\u{301}\nx\n")],
        "*** Update File: a\n caf\u{e9}\n-x\n+y",
        Files(&[("a", "cafe\u{301}\ny\n")]),
    ),
    scenario(
        "a decomposed letter for a composed one",
        &[("a", "caf\u{e9}\nx\n")],
        "*** Update File: a\n cafe\u{301}\n-x\n+y",
        Files(&[("a", "caf\u{e9}\ny\n")]),
    ),
    scenario(
        "an exact line before a similar one",
        &[("a", "  x\nx\n")],
        "*** Update File: a\n-x\n+y",
        Files(&[("a", "  x\ny\n")]),
    ),
    scenario("an astral character", &[("a", "🦀\nx\n")], "*** Update File: a\n 🦀\n-x\n+🚀", Files(&[("a", "🦀\n🚀\n")])),
    // What is refused.
    scenario(
        "a binary file",
        &[("a", "1\n\0\n")],
        "*** Update File: a\n-1\n+2",
        Refused("`a` is a binary file, so it cannot be patched"),
    ),
    scenario("a directory", &[("d/x", "1\n")], "*** Update File: d\n-1\n+2", Refused("`d` is no regular file")),
    scenario("what is not there", &[], "*** Update File: a\n-1\n+2", Refused("`a` does not exist in `")),
    scenario("no file", &[], "", Refused("the patch names no file")),
    scenario("a header without a path", &[], "*** Add File:\n+x", Refused("line 2 of the patch names no usable path")),
    scenario(
        "a word that is no header",
        &[],
        "*** Rename File: a",
        Refused("line 2 of the patch is `*** Rename File: a`, where"),
    ),
    scenario(
        "content without its sign",
        &[],
        "*** Add File: a\nx",
        Refused("line 3 of the patch is `x`, where a line that starts with `+`"),
    ),
    scenario(
        "one file twice",
        &[("a", "1\n2\n")],
        "*** Update File: a\n-1\n+x\n*** Update File: ./a\n-2\n+y",
        Refused("names `./a` twice"),
    ),
    scenario(
        "the last of three does not fit",
        &[("a", "1\n"), ("b", "1\n")],
        "*** Update File: a\n-1\n+2\n*** Delete File: b\n*** Add File: d/c\n+x\n*** Update File: e\n-1\n+2",
        Refused("`e` does not exist"),
    ),
    scenario("a path to elsewhere", &[], "*** Add File: /capstan-test-elsewhere\n+x", Refused("is outside of `")),
    scenario("a path upwards", &[], "*** Add File: ../x\n+x", Refused("is outside of `")),
    scenario("a path upwards and back", &[("a", "1\n")], "*** Update File: ../tree/a\n-1\n+2", Files(&[("a", "2\n")])),
];

#[test]
fn every_scenario_comes_to_its_end() {
    assert!(SCENARIOS.len() >= 60, "{}", SCENARIOS.len());
    let mut wrong = Vec::new();
    for Scenario { name, before, body, then } in SCENARIOS {
        let place = Place::new(before);
        let found = place.files();
        let done = place.patched(&wrapped(body));
        let said = text(&done.stderr);
        let files = || place.files().into_iter().filter(|(name, _)| !name.ends_with('/')).collect::<BTreeMap<_, _>>();
        match then {
            Files(expected) => {
                let expected = expected.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect();
                if files() != expected || !done.status.success() {
                    wrong.push(format!("{name}: {:?}, {said}", files()));
                }
            }
            Refused(part) if place.files() == found && done.status.code() == Some(1) && said.contains(part) => {}
            Refused(_) => wrong.push(format!("{name}: {:?}, {said}", files())),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
