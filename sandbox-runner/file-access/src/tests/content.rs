//! What is read.

use super::asked::{ask, ask_with, path, read_of};
use crate::hash::sha256_of;
use capstan_types::files::document::{FilesQuery, ReadQuery};
use capstan_types::files::report::Why;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

#[test]
fn a_part_of_a_file_is_read_and_its_whole_hash_told() {
    let top = tempfile::tempdir().unwrap();
    fs::write(top.path().join("a"), b"0123456789").unwrap();
    let query = ReadQuery { path: path("a"), offset: 3, length: 4, hash: true };
    let answered = ask(top.path(), FilesQuery::Read(query.clone()));
    assert_eq!(answered.data, b"3456");
    assert_eq!((answered.facts().size, answered.facts().hash), (10, Some(sha256_of(b"0123456789"))));
    for (offset, length, data) in [(8, 10, &b"89"[..]), (10, 1, b""), (u64::MAX, 5, b""), (0, 0, b"")] {
        let query = FilesQuery::Read(ReadQuery { offset, length, ..query.clone() });
        assert_eq!(ask(top.path(), query).data, data, "{offset} {length}");
    }
}

#[test]
fn what_is_no_regular_file_is_refused_by_what_it_is_and_never_waited_for() {
    let top = tempfile::tempdir().unwrap();
    let at = |name: &str| top.path().join(name);
    // Nobody ever writes into it.
    mknodat(CWD, at("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    symlink("pipe", at("link")).unwrap();
    for (name, called) in
        [("pipe", "a named pipe"), ("link", "a named pipe"), ("socket", "a socket"), ("directory", "a directory")]
    {
        let refused = ask(top.path(), read_of(name)).refused();
        assert_eq!(refused.said, format!("`{name}` is {called}; only regular files are read"));
        assert_eq!(refused.why, Why::Kind);
    }
    assert_eq!(ask(top.path(), read_of("nothing")).refused().why, Why::Missing);
    assert_eq!(ask(top.path(), read_of("directory/a/b")).refused().why, Why::Missing);
}

#[test]
fn a_file_with_a_hole_of_a_tebibyte_is_read_where_it_is_asked_for() {
    let top = tempfile::tempdir().unwrap();
    let file = File::create(top.path().join("sparse")).unwrap();
    // The largest that the file system takes, up to a tebibyte.
    let size = [1_u64 << 40, 1 << 36].into_iter().find(|size| file.set_len(*size).is_ok()).unwrap();
    std::os::unix::fs::FileExt::write_at(&file, b"end", size - 3).unwrap();
    let read = |offset, hash| ask(top.path(), FilesQuery::Read(ReadQuery { path: path("sparse"), offset, length: 8, hash }));
    assert_eq!(read(size - 5, false).data, b"\0\0end");
    assert_eq!(read(5, false).data, [0; 8]);
    let facts = read(0, false).facts();
    assert!(facts.size == size && facts.allocated < 1 << 20, "{facts:?}");
    assert_eq!(read(0, true).refused().why, Why::TooMuch, "a hash is not worth reading a tebibyte");
}

#[test]
fn names_are_bytes() {
    let top = tempfile::tempdir().unwrap();
    for name in [&b"new\nline"[..], b"not \xff utf-8", b" ", b"-rf", b"\x1b[31m"] {
        fs::write(top.path().join(OsStr::from_bytes(name)), name).unwrap();
        assert_eq!(ask(top.path(), read_of(name)).data, name);
    }
}

#[test]
fn what_is_hidden_is_not_there() {
    let top = tempfile::tempdir().unwrap();
    fs::create_dir_all(top.path().join("secrets/deep")).unwrap();
    fs::write(top.path().join("secrets/deep/key"), "k").unwrap();
    let refused = ask_with(top.path(), read_of("secrets/deep/key"), &["secrets"], b"").refused();
    assert_eq!(refused.why, Why::Missing);
}
