use super::*;
use crate::thread::fixture::path;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn content(bytes: &[u8]) -> FileRead {
    FileRead::Content { bytes: bytes.to_vec(), size: bytes.len() as u64 }
}

/// What counts in a tree in which these files exist.
fn found(top: Option<&str>, cwd: &str, docs: &ProjectDocs, files: &[(&str, FileRead)]) -> Vec<Part> {
    let files: BTreeMap<_, _> = files.iter().cloned().collect();
    let names = names(docs);
    let candidates = candidates(&directories(top.map(path).as_ref(), &path(cwd)), &names);
    let read: Vec<_> = candidates.iter().map(|path| files.get(path.as_str()).cloned().unwrap_or(FileRead::Missing)).collect();
    chosen(&candidates, &read, names.len(), docs.max_bytes)
}

fn sources(parts: &[Part]) -> Vec<&str> {
    parts.iter().map(|part| part.source.as_str()).collect()
}

fn docs(fallback_names: &[&str], max_bytes: u32) -> ProjectDocs {
    ProjectDocs { fallback_names: fallback_names.iter().map(|name| (*name).to_owned()).collect(), max_bytes, global: None }
}

#[test]
fn each_directory_gives_its_first_file_and_the_nearest_comes_last() {
    let files = [
        ("/AGENTS.md", content(b"above the repository")),
        ("/r/AGENTS.md", content(b"top")),
        ("/r/a/AGENTS.md", content(b"hidden by the override")),
        ("/r/a/AGENTS.override.md", content(b"a")),
        ("/r/a/b/CLAUDE.md", content(b"b")),
        ("/r/a/b/NOTES.md", content(b"hidden by the name before it")),
        ("/r/other/AGENTS.md", content(b"beside")),
    ];
    let docs = docs(&["CLAUDE.md", "NOTES.md", "AGENTS.md"], 1000);
    let parts = found(Some("/r"), "/r/a/b", &docs, &files);
    assert_eq!(sources(&parts), ["/r/AGENTS.md", "/r/a/AGENTS.override.md", "/r/a/b/CLAUDE.md"]);
    assert_eq!(parts[1].text, "a");
    assert!(parts.iter().all(|part| part.fault.is_none() && part.keeper == Keeper::Project));
    assert_eq!(sources(&found(None, "/r/a/b", &docs, &files)), ["/r/a/b/CLAUDE.md"], "outside of a repository");
    assert_eq!(sources(&found(Some("/x"), "/r", &docs, &files)), ["/r/AGENTS.md"], "a top that is not above");
}

#[test]
fn what_cannot_be_used_is_said() {
    let link = FileRead::Refused { reason: "is a link that leads out of the workspace".into() };
    let large = FileRead::Content { bytes: "é".repeat(50).into_bytes(), size: 5000 };
    let files = [
        ("/AGENTS.md", link),
        ("/a/AGENTS.md", content(b"\x7fELF\0")),
        ("/a/b/AGENTS.md", content(b"caf\xe9 au lait")),
        ("/a/b/c/AGENTS.md", content(b" \n")),
        ("/a/b/c/d/AGENTS.md", large),
        ("/a/b/c/d/e/AGENTS.md", content(b"too late")),
    ];
    let parts = found(Some("/"), "/a/b/c/d/e", &docs(&[], 41), &files);
    let said: Vec<_> = parts.iter().map(|part| (part.text.as_str(), part.fault.as_deref().unwrap_or_default())).collect();
    let cut = "é".repeat(13);
    let expected = [
        ("", "not read: it is a link that leads out of the workspace"),
        ("", "not read: it is binary"),
        ("caf\u{fffd} au lait", "it is not UTF-8, and what is none was replaced"),
        (cut.as_str(), "cut after 26 of its 5000 bytes, since 41 is the most of all files"),
        ("too", "cut after 1"),
    ];
    assert_eq!(said[..4], expected[..4]);
    assert!(said[4].1.starts_with("cut after 1 of its 8 bytes"), "{said:?}");
}

#[test]
fn a_file_for_which_nothing_is_left_is_named() {
    let files = [("/AGENTS.md", content(b"12345")), ("/a/AGENTS.md", content(b"6"))];
    let parts = found(Some("/"), "/a", &docs(&[], 5), &files);
    assert_eq!(parts[1].fault.as_deref(), Some("left out: the files before it take all 5 bytes"));
}

fn file() -> impl Strategy<Value = FileRead> {
    let bytes = prop_oneof![".{0,40}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..40)];
    prop_oneof![
        3 => Just(FileRead::Missing),
        1 => Just(FileRead::Refused { reason: "is not a regular file".into() }),
        4 => (bytes, 0_u64..3).prop_map(|(bytes, more)| FileRead::Content { size: bytes.len() as u64 + more, bytes }),
    ]
}

proptest! {
    #[test]
    fn whatever_the_files_are_the_cap_and_the_order_hold(
        depth in 0_usize..70,
        top in 0_usize..70,
        max in 0_u32..120,
        fallbacks in proptest::collection::vec("[a-z]{1,5}", 0..10),
        files in proptest::collection::vec(file(), 700),
    ) {
        let docs = ProjectDocs { fallback_names: fallbacks, max_bytes: max, global: None };
        let at = |depth: usize| path(&format!("/{}", "d/".repeat(depth)));
        let (cwd, top) = (at(depth), at(top));
        let names = names(&docs);
        let directories = directories(Some(&top), &cwd);
        // From the outside in, each below the one before, and the last is where the turn works.
        prop_assert!(directories.windows(2).all(|pair| pair[1].is_within(&pair[0]) && pair[0] != pair[1]));
        prop_assert_eq!(directories.last(), Some(&cwd));
        prop_assert!(directories.iter().all(|one| one.is_within(&top)) || !cwd.is_within(&top));
        let candidates = candidates(&directories, &names);
        prop_assert!(candidates.len() <= MOST_PATHS);
        let read = &files[..candidates.len()];
        let parts = chosen(&candidates, read, names.len(), max);
        prop_assert!(parts.iter().map(|part| part.text.len()).sum::<usize>() <= max as usize);
        // One part of a directory at most, in the order of the directories; each is its directory's first file that exists.
        let places: Vec<_> = parts.iter().map(|part| candidates.iter().position(|path| path.as_str() == part.source).unwrap()).collect();
        prop_assert!(places.windows(2).all(|pair| pair[0] / names.len() < pair[1] / names.len()));
        for (part, place) in parts.iter().zip(places) {
            let first = place - place % names.len();
            prop_assert!(read[first..place].iter().all(|read| *read == FileRead::Missing));
            let whole = FileRead::Content { bytes: part.text.clone().into_bytes(), size: part.text.len() as u64 };
            prop_assert!(part.fault.is_some() || read[place] == whole);
        }
    }
}
