//! The trusted base is small enough to be read whole, and what runs in it where no tool counts lines has a named test.

use crate::repository::{TextFile, assert_none, text_files};
use crate::rust_source::{split, without_test_items};
use regex::Regex;
use std::collections::BTreeSet;

/// What has to be trusted: the crate that enforces.
const BASE: &str = "sandbox-runner/src/";
/// The most lines of its code. It is lowered whenever the base has shrunk.
const MOST: usize = 7000;
/// Which test sees what a process does after a fork.
const TABLE: &str = "sandbox-runner/COVERAGE.md";

/// The code of the product in a file: without tests, comments, and what stands in literals.
fn product(file: &TextFile) -> String {
    without_test_items(&split(&file.text).code)
}

fn base(files: &[TextFile]) -> impl Iterator<Item = &TextFile> {
    files.iter().filter(|file| file.path.starts_with(BASE) && file.path.ends_with(".rs") && !file.is_for_tests())
}

fn code_lines(files: &[TextFile]) -> usize {
    base(files).map(|file| product(file).lines().filter(|line| !line.trim().is_empty()).count()).sum()
}

fn too_much(files: &[TextFile], most: usize) -> Option<String> {
    let lines = code_lines(files);
    (lines > most).then(|| {
        format!(
            "{BASE} has {lines} lines of code, more than {most}: take out what nobody has to trust, let a library do what is not ours, \
             or find what is said twice; raise `MOST` in tests/tidy only with a reason that a reviewer accepts"
        )
    })
}

/// A line of the table: what is tested, where the test is, and its name.
struct Row<'a> {
    tested: &'a str,
    place: &'a str,
    test: &'a str,
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let cells = |line| -> Vec<&str> { str::split(line, '|').map(|cell| cell.trim().trim_matches('`')).collect() };
    let rows = table.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.filter_map(|cells| Some(Row { tested: cells.get(1)?, place: cells.get(3)?, test: cells.get(4)? })).collect()
}

fn untested(files: &[TextFile]) -> Vec<String> {
    let table = files.iter().find(|file| file.path == TABLE).map_or("", |file| &file.text);
    let rows = rows(table);
    let has = |path: &str, text: &str| files.iter().any(|file| file.path == path && file.text.contains(text));
    let gone = rows.iter().filter(|row| !has(row.tested, "")).map(|row| format!("{TABLE}: there is no {}", row.tested));
    let lost = rows.iter().filter(|row| !has(row.place, &format!("fn {}(", row.test)));
    let lost = lost.map(|row| format!("{TABLE}: there is no test `{}` in {}", row.test, row.place));
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.tested).collect();
    let forks = Regex::new(r"\blibc::(fork|_exit|SYS_clone3?)\b|\bprocess::(fork|end)\(|\bbirth::start\(")
        .expect("the expression is valid");
    let silent = base(files).filter(|file| forks.is_match(&product(file)) && !listed.contains(file.path.as_str()));
    let silent = silent
        .map(|file| format!("{}: makes a process, or ends one; name in {TABLE} the test that sees what it does", file.path));
    gone.chain(lost).chain(silent).collect()
}

#[test]
fn only_the_products_code_is_counted() {
    let text = "//! Why.\n\nfn a() {\n    // Why.\n    b();\n}\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";
    let files = ["sandbox-runner/src/a.rs", "sandbox-runner/src/a/tests.rs", "sandbox-runner/egress/src/a.rs"];
    let files = files.map(|path| TextFile::example(path, text));
    assert_eq!(code_lines(&files), 3);
    assert!(too_much(&files, 3).is_none());
    assert!(too_much(&files, 2).is_some_and(|told| told.contains("3 lines of code, more than 2")));
}

#[test]
fn a_fork_that_no_test_is_named_for_and_a_test_that_is_not_there_are_found() {
    let code = TextFile::example("sandbox-runner/src/a.rs", "fn a() { process::fork(); }\n#[cfg(test)]\nmod tests { fn b() {} }");
    let table = |rows: &str| TextFile::example(TABLE, &format!("| File | What | Tests in | Test |\n|---|---|---|---|\n{rows}\n"));
    let row = |tested: &str, test: &str| format!("| `{tested}` | forks | `sandbox-runner/src/a.rs` | `{test}` |");
    let found = |rows: &str| {
        let code = TextFile::example(&code.path, &code.text);
        untested(&[code, table(rows)])
    };
    assert!(found(&row("sandbox-runner/src/a.rs", "b")).is_empty());
    assert!(found("")[0].contains("name in sandbox-runner/COVERAGE.md"));
    assert!(found(&row("sandbox-runner/src/a.rs", "c"))[0].contains("no test `c`"));
    assert!(
        found(&[row("sandbox-runner/src/a.rs", "b"), row("sandbox-runner/src/z.rs", "b")].join("\n"))[0].contains("there is no")
    );
}

#[test]
fn the_trusted_base_stays_small() {
    let files = text_files();
    assert!(code_lines(&files) > 1000, "the trusted base is not where it is looked for");
    assert_none(&too_much(&files, MOST).into_iter().collect::<Vec<_>>());
}

#[test]
fn what_runs_after_a_fork_has_a_named_test() {
    let files = text_files();
    assert!(files.iter().any(|file| file.path == TABLE), "{TABLE} is not there");
    assert_none(&untested(&files));
}
