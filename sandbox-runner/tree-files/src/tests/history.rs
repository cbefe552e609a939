//! Random changes of a tree.

use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// One change. What it cannot do, because something else is there, it leaves.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Write(Name, Vec<u8>),
    Append(Name, u8),
    MakeDirectory(Name),
    Remove(Name),
    Rename(Name, Name),
    Mode(Name, u32),
    Link(Name, Vec<u8>),
    Pipe(Name),
    /// A repository within: a directory called `.git` with files.
    Repository(Name),
}

/// A path of up to three steps, from few names, so that steps meet.
#[derive(Debug, Clone)]
pub(super) struct Name(Vec<&'static [u8]>);

const NAMES: [&[u8]; 9] =
    [b"a", b"b", b"dir", b"\xff\xfe odd", b" blank ", b"new\nline", "Ünïcode".as_bytes(), b"-rf", b".capstan-unfinished"];

impl Name {
    fn within(&self, top: &Path) -> PathBuf {
        self.0.iter().fold(top.to_owned(), |path, step| path.join(OsStr::from_bytes(step)))
    }
}

fn names() -> impl Strategy<Value = Name> {
    prop::collection::vec(prop::sample::select(NAMES.to_vec()), 1..4).prop_map(Name)
}

fn contents() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0_usize..20_000).prop_map(|(byte, length)| vec![byte; length]),
        1 => (any::<u32>(), 500_000_usize..1_500_000).prop_map(|(seed, length)| noise(seed, length)),
    ]
}

fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut step = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    (0..length).map(|_| step()).collect()
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (names(), contents()).prop_map(|(name, bytes)| Step::Write(name, bytes)),
        2 => (names(), any::<u8>()).prop_map(|(name, byte)| Step::Append(name, byte)),
        2 => names().prop_map(Step::MakeDirectory),
        2 => names().prop_map(Step::Remove),
        2 => (names(), names()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => (names(), 0_u32..0o10000).prop_map(|(name, mode)| Step::Mode(name, mode)),
        1 => (names(), prop::collection::vec(1_u8.., 1..30)).prop_map(|(name, target)| Step::Link(name, target)),
        1 => names().prop_map(Step::Pipe),
        1 => names().prop_map(Step::Repository),
    ];
    prop::collection::vec(step, 0..12)
}

impl Step {
    pub(super) fn take(&self, top: &Path) {
        let made = |path: PathBuf| {
            let _ = fs::create_dir_all(path.parent().unwrap());
            path
        };
        let _ = match self {
            Self::Write(name, bytes) => replace(&made(name.within(top)), bytes),
            Self::Append(name, byte) => append(&name.within(top), *byte),
            Self::MakeDirectory(name) => fs::create_dir_all(name.within(top)),
            Self::Remove(name) => remove(&name.within(top)),
            Self::Rename(from, to) => fs::rename(from.within(top), made(to.within(top))),
            Self::Mode(name, mode) => chmod(&name.within(top), *mode),
            Self::Link(name, target) => symlink(OsStr::from_bytes(target), made(name.within(top))),
            Self::Pipe(name) => {
                let mode = Mode::from_raw_mode(0o640);
                mknodat(CWD, made(name.within(top)), FileType::Fifo, mode, 0).map_err(std::io::Error::from)
            }
            Self::Repository(name) => {
                let inner = name.within(top).join(".git");
                fs::create_dir_all(&inner).and_then(|()| fs::write(inner.join("HEAD"), "ref: refs/heads/main\n"))
            }
        };
    }
}

/// Never through a link, which may lead out of the tree, nor into a pipe, which waits for ever.
fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|facts| facts.is_file())
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if !is_file(path) && fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    fs::write(path, bytes)
}

fn append(path: &Path, byte: u8) -> std::io::Result<()> {
    if !is_file(path) {
        return Ok(());
    }
    use std::io::Write;
    fs::OpenOptions::new().append(true).open(path)?.write_all(&[byte])
}

fn remove(path: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

fn chmod(path: &Path, mode: u32) -> std::io::Result<()> {
    if fs::symlink_metadata(path)?.is_symlink() {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
