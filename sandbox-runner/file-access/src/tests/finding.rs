//! What is found.

use super::asked::{Answered, ask, ask_with, path};
use capstan_types::files::document::{Case, FilesQuery, LeaveOut, SearchQuery, Tell};
use capstan_types::files::report::{FilesReport, SearchHit, Stopped, Why};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;

fn query(pattern: &str) -> SearchQuery {
    SearchQuery {
        path: path(""),
        pattern: pattern.to_owned(),
        fixed: false,
        case: Case::Sensitive,
        globs: Vec::new(),
        leave: LeaveOut::Ignored,
        tell: Tell::Lines,
        before: 0,
        after: 0,
        limit: 1000,
        file_bytes: 1 << 20,
        time_ms: 60_000,
    }
}

fn hits(answered: &Answered) -> Vec<SearchHit> {
    let lists = answered.reports.iter().filter_map(|report| if let FilesReport::Hits(list) = report { Some(list) } else { None });
    lists.flatten().cloned().collect()
}

/// Each hit as `path:line:text`, with a dash for lines around.
fn lines(answered: &Answered) -> Vec<String> {
    let line = |hit: &SearchHit| {
        let mark = if hit.around { '-' } else { ':' };
        format!("{}{mark}{}{mark}{}", hit.path, hit.line, String::from_utf8_lossy(&hit.text.0))
    };
    hits(answered).iter().map(line).collect()
}

fn place() -> tempfile::TempDir {
    let top = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let at = top.path().join(name);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, content).unwrap();
    };
    write("a.rs", b"fn one() {}\nfn two() {}\r\nstruct Three;\n");
    write("src/b.rs", b"// one\nlet x = 1;\n");
    write("src/c.txt", b"one more, without an end");
    write("binary", b"one\0two\n");
    write("target/d.rs", b"one\n");
    write(".gitignore", b"target\n");
    mknodat(CWD, top.path().join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    top
}

#[test]
fn lines_are_found_and_what_is_no_text_is_passed_over() {
    let top = place();
    let answered = ask(top.path(), FilesQuery::Search(query("one")));
    assert_eq!(lines(&answered), ["a.rs:1:fn one() {}", "src/b.rs:1:// one", "src/c.txt:1:one more, without an end"]);
    let done = answered.done();
    assert_eq!((done.told, done.passed_over, done.stopped), (3, 1, None));
    let around = ask(top.path(), FilesQuery::Search(SearchQuery { before: 1, after: 1, ..query("two") }));
    assert_eq!(lines(&around), ["a.rs-1-fn one() {}", "a.rs:2:fn two() {}", "a.rs-3-struct Three;"]);
    let all = ask(top.path(), FilesQuery::Search(SearchQuery { leave: LeaveOut::Nothing, path: path("target"), ..query("one") }));
    assert_eq!(lines(&all), ["target/d.rs:1:one"]);
    let named = ask(top.path(), FilesQuery::Search(SearchQuery { path: path("target/d.rs"), ..query("one") }));
    assert_eq!(lines(&named), ["target/d.rs:1:one"], "a file that is named is searched although it is ignored");
}

#[test]
fn globs_case_fixed_texts_files_and_counts() {
    let top = place();
    let with = |change: &dyn Fn(&mut SearchQuery), pattern| {
        let mut query = query(pattern);
        change(&mut query);
        ask(top.path(), FilesQuery::Search(query))
    };
    let globs = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(&with(&|query| query.globs = globs(&["*.rs"]), "one")).len(), 2);
    assert_eq!(lines(&with(&|query| query.globs = globs(&["!src/**"]), "one")), ["a.rs:1:fn one() {}"]);
    assert_eq!(lines(&with(&|query| query.case = Case::Insensitive, "THREE")).len(), 1);
    assert_eq!(lines(&with(&|query| query.case = Case::Smart, "Three")).len(), 1);
    assert_eq!(lines(&with(&|query| query.fixed = true, "one() {")), ["a.rs:1:fn one() {}"]);
    let files: Vec<_> = hits(&with(&|query| query.tell = Tell::Files, "fn|one")).iter().map(|hit| hit.path.to_string()).collect();
    assert_eq!(files, ["a.rs", "src/b.rs", "src/c.txt"]);
    assert_eq!(hits(&with(&|query| query.tell = Tell::Counts, "fn"))[0].count, 2);
    for (bad, globs_) in [("(", vec![]), ("one", globs(&["[z-a"]))] {
        let refused = with(&|query| query.globs.clone_from(&globs_), bad).refused();
        assert_eq!(refused.why, Why::Question, "{refused:?}");
    }
}

#[test]
fn answers_are_bounded_in_hits_in_lines_in_bytes_and_in_time() {
    let top = tempfile::tempdir().unwrap();
    let write = |name: &str, content: Vec<u8>| fs::write(top.path().join(name), content).unwrap();
    write("long", [vec![b'x'; 100_000], b"\n".to_vec()].concat());
    write("many", b"y\n".repeat(5000));
    write("huge", vec![b'z'; 2 << 20]);
    let long = ask(top.path(), FilesQuery::Search(query("x")));
    assert_eq!((hits(&long)[0].text.0.len(), hits(&long)[0].cut), (2048, 97_952));
    assert_eq!(long.done().passed_over, 1, "a file that is too long");
    let many = ask(top.path(), FilesQuery::Search(SearchQuery { limit: 10, ..query("y") }));
    assert_eq!((hits(&many).len(), many.done().stopped), (10, Some(Stopped::Limit)));
    let exact = ask(top.path(), FilesQuery::Search(SearchQuery { limit: 5000, ..query("y") }));
    assert_eq!((hits(&exact).len(), exact.done().stopped), (5000, None));
    let none = ask(top.path(), FilesQuery::Search(SearchQuery { time_ms: 0, ..query("y") }));
    assert_eq!((hits(&none).len(), none.done().stopped), (0, Some(Stopped::Time)));
    write("wide", [vec![b'w'; 2047], b"\n".to_vec()].concat().repeat(9000));
    let wide = ask(top.path(), FilesQuery::Search(SearchQuery { limit: 100_000, file_bytes: 1 << 30, ..query("w") }));
    assert_eq!(wide.done().stopped, Some(Stopped::Bytes));
}

#[test]
fn what_is_hidden_is_not_found() {
    let top = place();
    let answered = ask_with(top.path(), FilesQuery::Search(query("one")), &["src", "a.rs"], b"");
    assert_eq!(lines(&answered), Vec::<String>::new());
    let named = SearchQuery { path: path("src/b.rs"), ..query("one") };
    assert_eq!(ask_with(top.path(), FilesQuery::Search(named), &["src"], b"").refused().why, Why::Missing);
}
