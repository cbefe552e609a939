//! Patches as models write them, well and badly.

use crate::item::{FileChange, FileChangeKind};
use crate::patch::{Chunk, FileHunk, Patch, PatchError, apply, parse};

fn patch(body: &str) -> Patch {
    parse(&format!("*** Begin Patch\n{body}\n*** End Patch")).unwrap()
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// Applies the body of one `*** Update File: f`.
fn update(original: &str, body: &str) -> Result<String, PatchError> {
    match &patch(&format!("*** Update File: f\n{body}")).hunks[..] {
        [FileHunk::Update { path, chunks, .. }] => apply(path, original, chunks),
        other => panic!("{other:?}"),
    }
}

fn lines(of: &[&str]) -> Vec<String> {
    of.iter().map(|line| (*line).to_owned()).collect()
}

const FUNCTIONS: &str = "def a():\n    x = 1\n    return x\n\ndef b():\n    x = 1\n    return x\n";

#[test]
fn every_kind_of_hunk_is_read_in_order() {
    let body = "*** Add File: a\n+one\n+\n*** Delete File: b\n*** Update File: c\n*** Move to: d\n@@ fn x\n keep\n-old\n+new\n*** End of File";
    let chunk =
        Chunk { context: Some("fn x".into()), old: lines(&["keep", "old"]), new: lines(&["keep", "new"]), at_end_of_file: true };
    let hunks = vec![
        FileHunk::Add { path: "a".into(), content: "one\n\n".into() },
        FileHunk::Delete { path: "b".into() },
        FileHunk::Update { path: "c".into(), moved_to: Some("d".into()), chunks: vec![chunk] },
    ];
    assert_eq!(patch(body), Patch { hunks: hunks.clone() });
    let change = |path: &str, kind| FileChange { path: path.into(), kind };
    let told = [
        change("a", FileChangeKind::Add),
        change("b", FileChangeKind::Delete),
        change("c", FileChangeKind::Update { moved_to: Some("d".into()) }),
    ];
    assert_eq!(hunks.iter().map(FileHunk::change).collect::<Vec<_>>(), told);
    assert_eq!(hunks.iter().flat_map(FileHunk::paths).collect::<Vec<_>>(), ["a", "b", "c", "d"]);
}

#[test]
fn blanks_around_the_markers_do_not_matter() {
    let text = "\n \n  *** Begin Patch  \n  *** Add File:   a b.txt  \n+x\n\n*** End Patch\t\n\n";
    assert_eq!(parse(text).unwrap().hunks, [FileHunk::Add { path: "a b.txt".into(), content: "x\n".into() }]);
}

#[test]
fn a_here_document_around_the_patch_is_taken_off() {
    let inner = "*** Begin Patch\n*** Delete File: a\n*** End Patch";
    for (head, tail) in
        [("<<'EOF'", "EOF"), ("<<EOF", "EOF"), ("<<\"X\"", "X"), ("apply_patch <<'EOF'", "EOF\n"), ("<<-'E'", "  E  ")]
    {
        assert_eq!(parse(&format!("{head}\n{inner}\n{tail}")), parse(inner), "{head}");
    }
    assert!(parse(&format!("<<'EOF'\n{inner}\nOTHER")).is_err());
}

#[test]
fn an_empty_file_can_be_added() {
    assert_eq!(patch("*** Add File: a").hunks, [FileHunk::Add { path: "a".into(), content: String::new() }]);
}

#[test]
fn a_mere_move_needs_no_change() {
    let expected = FileHunk::Update { path: "a".into(), moved_to: Some("b".into()), chunks: Vec::new() };
    assert_eq!(patch("*** Update File: a\n*** Move to: b").hunks, [expected]);
    assert_eq!(apply("a", "text", &[]), Ok("text".into()));
}

#[test]
fn a_patch_with_windows_line_ends_means_the_same() {
    let unix = "*** Begin Patch\n*** Update File: a\n@@\n-x\n+y\n\n*** Add File: b\n+z\n*** End Patch\n";
    assert_eq!(parse(&unix.replace('\n', "\r\n")), parse(unix));
}

#[test]
fn what_is_not_a_patch_is_told_what_a_patch_is() {
    assert_eq!(refusal(""), "a patch starts with the line `*** Begin Patch`, but this one starts with ``");
    assert_eq!(refusal("--- a/x\n+++ b/x"), "a patch starts with the line `*** Begin Patch`, but this one starts with `--- a/x`");
    assert!(refusal("*** Begin Patch\n*** Add File: a\n+x").contains("but this one ends with `+x`; send the whole patch again"));
    assert!(refusal("*** Begin Patch").contains("a patch ends with the line `*** End Patch`"));
    assert!(refusal("*** Begin Patch\n\n*** End Patch").starts_with("the patch names no file"));
}

#[test]
fn a_line_that_cannot_stand_where_it_stands_is_named_with_its_number() {
    let said = |body: &str| refusal(&format!("*** Begin Patch\n{body}\n*** End Patch"));
    assert!(said("hello").starts_with("line 2 of the patch is `hello`, where `*** Add File: PATH`"), "{}", said("hello"));
    assert!(said("*** Add File: a\n+x\ny").starts_with("line 4 of the patch is `y`, where a line that starts with `+`"));
    assert!(
        said("*** Update File: a\n@@\n-x\nboom")
            .starts_with("line 5 of the patch is `boom`, where a line that starts with a space")
    );
    assert!(said("*** Update File: a\n-x\n*** End of File\n-y").starts_with("line 5 of the patch is `-y`, where a `@@` line"));
    assert!(said("*** Delete File: a\n+x").starts_with("line 3 of the patch is `+x`"));
    assert!(said("*** Add File: ").starts_with("line 2 of the patch names no usable path"));
    assert!(said("*** Add File: a\0b").starts_with("line 2 of the patch names no usable path"));
    assert!(said("*** Environment ID: x\n*** Delete File: a").starts_with("line 2"));
}

#[test]
fn an_update_that_changes_nothing_is_refused() {
    for body in ["*** Update File: a", "*** Update File: a\n@@ fn x", "*** Update File: a\n@@\n-x\n@@ fn x\n*** Delete File: b"] {
        let said = refusal(&format!("*** Begin Patch\n{body}\n*** End Patch"));
        assert!(said.starts_with("the patch has `*** Update File: a` but no change below it"), "{said}");
    }
}

#[test]
fn a_file_that_is_named_twice_is_refused_however_it_is_spelled() {
    for other in ["a/b", "./a/b", "a//b", "a/./b", "a/c/../b"] {
        let text = format!("*** Begin Patch\n*** Delete File: a/b\n*** Add File: {other}\n+x\n*** End Patch");
        assert_eq!(parse(&text), Err(PatchError::Duplicate { path: other.into() }));
    }
    let moved = "*** Begin Patch\n*** Delete File: b\n*** Update File: a\n*** Move to: b\n*** End Patch";
    assert_eq!(parse(moved), Err(PatchError::Duplicate { path: "b".into() }));
    assert!(parse("*** Begin Patch\n*** Delete File: /a\n*** Delete File: a\n*** Delete File: ../a\n*** End Patch").is_ok());
}

#[test]
fn a_line_is_replaced_between_its_neighbours() {
    assert_eq!(update("a\nb\nc\n", "@@\n a\n-b\n+B\n c").unwrap(), "a\nB\nc\n");
    assert_eq!(update("a\nb\nc\n", " a\n-b\n+B\n c").unwrap(), "a\nB\nc\n", "the first `@@` may be left out");
}

#[test]
fn several_chunks_are_applied_from_top_to_bottom() {
    let original = "1\n2\n3\n4\n5\n6\n";
    assert_eq!(update(original, "@@\n-2\n+two\n@@\n-4\n-5\n@@\n 6\n+7").unwrap(), "1\ntwo\n3\n6\n7\n");
    assert_eq!(update(original, "@@\n-1\n+one\n@@\n-2\n+two").unwrap(), "one\ntwo\n3\n4\n5\n6\n", "chunks may touch");
}

#[test]
fn chunks_out_of_order_are_told_so() {
    let said = update("1\n2\n3\n", "@@\n-3\n@@\n-1").unwrap_err();
    assert_eq!(said, PatchError::OutOfOrder { path: "f".into(), lines: "    1".into(), found: 1 });
    assert!(matches!(update("1\n2\n3\n", "@@\n-3\n@@ 1\n+x"), Err(PatchError::OutOfOrder { found: 1, .. })));
}

#[test]
fn a_context_line_tells_equal_places_apart() {
    let changed = update(FUNCTIONS, "@@ def b():\n-    x = 1\n+    x = 2").unwrap();
    assert_eq!(changed, "def a():\n    x = 1\n    return x\n\ndef b():\n    x = 2\n    return x\n");
    let first = update(FUNCTIONS, "@@ def a():\n-    x = 1\n+    x = 2").unwrap();
    assert_eq!(first, "def a():\n    x = 2\n    return x\n\ndef b():\n    x = 1\n    return x\n");
    let repeated = update(FUNCTIONS, "@@ def b():\n def b():\n-    x = 1\n+    x = 2").unwrap();
    assert_eq!(repeated, changed, "the context may be repeated as a line of the chunk");
}

#[test]
fn a_context_above_an_earlier_chunk_still_holds() {
    let body = "@@ def a():\n-    x = 1\n+    x = 2\n@@ def a():\n-    return x\n+    return -x";
    assert_eq!(update(FUNCTIONS, body).unwrap(), "def a():\n    x = 2\n    return -x\n\ndef b():\n    x = 1\n    return x\n");
}

#[test]
fn stacked_contexts_lead_to_a_place_step_by_step() {
    let original = "class A:\n  def f():\n    1\nclass B:\n  def f():\n    1\nclass C:\n  def f():\n    1\n";
    let expected = "class A:\n  def f():\n    1\nclass B:\n  def f():\n    2\nclass C:\n  def f():\n    1\n";
    assert_eq!(update(original, "@@ class B:\n@@   def f():\n-    1\n+    2").unwrap(), expected);
    assert_eq!(update(original, "@@ class B:\n@@\n-    1\n+    2").unwrap(), expected);
    assert_eq!(update(original, "@@ class C:\n@@\n+  # new").unwrap(), original.replace("class C:\n", "class C:\n  # new\n"));
}

#[test]
fn lines_that_are_there_twice_are_not_guessed_at() {
    let said = update(FUNCTIONS, "@@\n-    x = 1\n+    x = 2").unwrap_err().to_string();
    assert_eq!(
        said,
        "these lines of the patch are in `f` more than once (at lines 2, 6):\n        x = 1\nAdd more lines around them, or put `@@ ` and \
         the first line of the enclosing function or class above the chunk."
    );
    assert!(
        matches!(update("x\ny\nx\ny\n", "@@ x\n-y\n+z"), Err(PatchError::Ambiguous { places, .. }) if places == "at lines 2, 4")
    );
    let unique = update("x\ny\nx\nz\n", "@@ x\n-z\n+Z").unwrap();
    assert_eq!(unique, "x\ny\nx\nZ\n", "of two contexts only one has the line");
    assert!(matches!(update("x\nx\n", "@@ x\n+new"), Err(PatchError::Ambiguous { places, .. }) if places == "at lines 1, 2"));
    let many = "x\n".repeat(9);
    assert!(
        matches!(update(&many, "-x"), Err(PatchError::Ambiguous { places, .. }) if places == "at lines 1, 2, 3, 4, 5 and 4 more")
    );
}

#[test]
fn lines_that_are_not_there_are_told_with_the_closest_place() {
    let said =
        update("fn a() {\n    one();\n    two();\n}\n", "@@\n fn a() {\n     one();\n-    too();\n }").unwrap_err().to_string();
    let expected = "these lines of the patch were not found in `f`:\n    fn a() {\n        one();\n        too();\n    }\nThe closest place \
                    is at line 1, but line 3 there is `    two();`, not `    too();`.\nRead the file again, and send a patch whose context \
                    and `-` lines are exactly those of the file.";
    assert_eq!(said, expected);
    let said = update("a\nb\n", "@@\n b\n-c").unwrap_err().to_string();
    assert!(said.contains("The closest place is at line 2, but the file ends there before `c`."), "{said}");
    let said = update("a\n", "@@ fn nowhere\n-a").unwrap_err().to_string();
    assert!(said.starts_with("these lines of the patch were not found in `f`:\n    fn nowhere\nRead the file again"), "{said}");
    let long = format!("-{}\n{}", "y".repeat(5000), "-z\n".repeat(300));
    let said = update("a\n", &long).unwrap_err().to_string();
    assert!(said.len() < 1000 && said.contains("… and 281 more lines"), "{said}");
}

#[test]
fn blanks_at_the_end_of_a_line_do_not_hide_it_and_stay_where_they_are() {
    assert_eq!(update("a  \nb\t\nc\n", "@@\n a\n-b\n+B\n c").unwrap(), "a  \nB\nc\n");
    assert_eq!(update("a\nb  \nc\n", "@@\n-a\n+A\n b\n-c\n+C").unwrap(), "A\nb  \nC\n", "also between two changes");
}

#[test]
fn a_different_indentation_is_found_when_nothing_closer_is() {
    assert_eq!(update("    a\n    b\n", "@@\n a\n-b\n+    B").unwrap(), "    a\n    B\n");
    assert_eq!(update("  b\nb\n", "@@\n-b\n+B").unwrap(), "  b\nB\n", "an exact line is never ambiguous with a similar one");
}

#[test]
fn typographic_characters_are_taken_for_their_plain_kin() {
    let original = "say(“it’s — done”);\u{a0}// ok\nnext\n";
    assert_eq!(
        update(original, "@@\n say(\"it's - done\"); // ok\n-next\n+last").unwrap(),
        "say(“it’s — done”);\u{a0}// ok\nlast\n"
    );
}

#[test]
fn windows_line_ends_stay_and_new_lines_get_them_too() {
    assert_eq!(update("a\r\nb\r\nc\r\n", "@@\n a\n-b\n+B\n+B2\n c\n+d").unwrap(), "a\r\nB\r\nB2\r\nc\r\nd\r\n");
    assert_eq!(update("a\r\nb\r\n", "@@\n a\r\n-b\r\n+B\r").unwrap(), "a\r\nB\r\n", "no second carriage return");
    assert_eq!(update("a\r\nb\nc\r\n", "@@\n-b\n+B").unwrap(), "a\r\nB\nc\r\n", "a mixed file stays mixed");
}

#[test]
fn a_file_without_a_final_newline_stays_without_one() {
    assert_eq!(update("a\nb", "@@\n-b\n+B").unwrap(), "a\nB");
    assert_eq!(update("a\nb", "@@\n b\n+c").unwrap(), "a\nb\nc");
    assert_eq!(update("a\r\nb", "@@\n b\n+c").unwrap(), "a\r\nb\r\nc");
    assert_eq!(update("a\nb", "@@\n a\n-b").unwrap(), "a");
    assert_eq!(update("a", "@@\n-a").unwrap(), "");
    assert_eq!(update("a\n", "@@\n-a\n+b").unwrap(), "b\n");
}

#[test]
fn an_insertion_goes_below_its_context_or_to_the_end() {
    assert_eq!(update("a\nb\nc\n", "@@ a\n+x").unwrap(), "a\nx\nb\nc\n");
    assert_eq!(update("a\nb\n", "@@\n+x\n+y").unwrap(), "a\nb\nx\ny\n");
    assert_eq!(update("a\nb\n", "@@ a\n+x\n*** End of File").unwrap(), "a\nb\nx\n");
    assert_eq!(update("", "@@\n+x").unwrap(), "x\n");
    assert_eq!(update("a\nb\n\nc\n", "@@ a\n+x\n\n@@\n-c\n\n").unwrap(), "a\nx\nb\n\n", "a gap is not a line of the file");
}

#[test]
fn the_end_of_the_file_tells_equal_places_apart() {
    assert_eq!(update("x\n}\nx\n}\n", "@@\n-x\n+y\n }\n*** End of File").unwrap(), "x\n}\ny\n}\n");
    let wrong = update("x\ny\nz\n", "@@\n-x\n*** End of File").unwrap();
    assert_eq!(wrong, "y\nz\n", "a wrong claim does not hide the only place there is");
}

#[test]
fn an_empty_line_may_lose_its_blank() {
    assert_eq!(update("a\n\nb\n", "@@\n a\n\n-b\n+B").unwrap(), "a\n\nB\n");
    assert!(update("a\nb\n", "@@\n a\n\n-b\n+B").is_err(), "inside a chunk it counts");
}

#[test]
fn an_empty_line_before_the_next_chunk_is_no_context_if_it_cannot_be() {
    assert_eq!(update("a\nb\nc\n", "@@\n-a\n+A\n \n@@\n-c\n+C\n").unwrap(), "A\nb\nC\n");
}

#[test]
fn the_line_numbers_of_a_unified_diff_are_passed_over() {
    assert_eq!(update("a\nb\n", "@@ -7,2 +7,2 @@ fn x()\n a\n-b\n+B").unwrap(), "a\nB\n");
}

#[test]
fn marker_lines_behind_a_blank_are_lines_of_the_file() {
    assert_eq!(
        update("*** End Patch\nx\n", "@@\n *** End Patch\n-x\n+*** Add File: y").unwrap(),
        "*** End Patch\n*** Add File: y\n"
    );
}

#[test]
fn a_huge_chunk_is_replaced_as_a_whole() {
    let (old, new): (Vec<String>, Vec<String>) = (0..2000).map(|n| (format!("a{n}"), format!("b{n}"))).unzip();
    let chunk = Chunk { old: old.clone(), new: new.clone(), ..Chunk::default() };
    assert_eq!(apply("f", &(old.join("\n") + "\n"), &[chunk]).unwrap(), new.join("\n") + "\n");
}
