//! Random histories, taken on one side and put back on another.

mod history;
mod image;

use crate::{Content, Places, Store, Taken, Times, compare, put, take};
use capstan_types::tree_document::{Bounds, Differing, Leave, StatePut};
use history::steps;
use image::{Image, image};
use proptest::prelude::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A tree, the packs of its states, and what was seen.
struct House(TempDir);

impl House {
    fn new() -> Self {
        let house = Self(tempfile::tempdir().unwrap());
        ["tree", "packs"].iter().for_each(|dir| fs::create_dir(house.0.path().join(dir)).unwrap());
        house
    }

    fn tree(&self) -> PathBuf {
        self.0.path().join("tree")
    }

    fn packs(&self) -> PathBuf {
        self.0.path().join("packs")
    }

    fn taken(&self, leave: &Leave) -> Taken {
        self.try_take(leave, Bounds::default()).unwrap()
    }

    fn try_take(&self, leave: &Leave, bounds: Bounds) -> Result<Taken, crate::TreeError> {
        let (tree, packs, seen) = (self.tree(), self.packs(), self.0.path().join("seen"));
        take(Places { top: &tree, store: &packs, out: &packs, seen: &seen }, leave, bounds)
    }

    fn store(&self) -> Store {
        Store::open(&self.packs()).unwrap()
    }

    fn put(&self, state: &Taken, leave: &Leave, times: Times) -> StatePut {
        put(&self.tree(), (&state.root, state.mode), &self.store(), leave, times, &self.0.path().join("seen")).unwrap()
    }
}

fn elsewhere(house: &House, state: &Taken) -> (TempDir, Image) {
    let other = tempfile::tempdir().unwrap();
    let done =
        put(other.path(), (&state.root, state.mode), &house.store(), &Leave::default(), Times::Kept, Path::new("/nowhere"));
    assert_eq!(done.unwrap().skipped.count, 0);
    let image = image(other.path());
    (other, image)
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(60, |text| text.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn a_state_that_is_put_back_elsewhere_is_equal_and_every_earlier_one_can_be_had_again(
        history in prop::collection::vec(steps(), 1..6)
    ) {
        let house = House::new();
        let mut states = Vec::new();
        for steps in history {
            steps.iter().for_each(|step| step.take(&house.tree()));
            let now = image(&house.tree());
            let taken = house.taken(&Leave::default());
            prop_assert_eq!(taken.skipped.count, 0);
            let (_dir, there) = elsewhere(&house, &taken);
            prop_assert_eq!(&there, &now);
            states.push((taken, now));
        }
        for (state, then) in states.iter().rev() {
            house.put(state, &Leave::default(), Times::Kept);
            let now = image(&house.tree());
            prop_assert_eq!(&now, then);
            let again = house.taken(&Leave::default());
            prop_assert_eq!(&again.root, &state.root, "the same tree has the same name");
            prop_assert_eq!(again.new_packs.len(), 0, "and nothing is stored twice");
        }
    }

    #[test]
    fn what_differs_is_what_is_named(one in steps(), other in steps()) {
        let house = House::new();
        one.iter().for_each(|step| step.take(&house.tree()));
        let (first, before) = (house.taken(&Leave::default()), image(&house.tree()));
        other.iter().for_each(|step| step.take(&house.tree()));
        let (second, after) = (house.taken(&Leave::default()), image(&house.tree()));
        let named: Vec<_> = compare(&house.store(), &first.root, &second.root, 10_000).unwrap();
        prop_assert_eq!(named.into_iter().map(|found| (found.path, found.differing)).collect::<Vec<_>>(), before.differs(&after));
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn what_did_not_change_is_neither_read_nor_stored_again() {
    let house = House::new();
    for number in 0..50 {
        write(&house.tree().join(format!("d{}/f{number}", number % 5)), &format!("content {number}"));
    }
    std::thread::sleep(std::time::Duration::from_millis(40));
    let first = house.taken(&Leave::default());
    assert_eq!((first.files, first.new_packs.len()), (50, 1));
    // A file that cannot be read any more shows that it is not read.
    fs::set_permissions(house.tree().join("d0/f0"), fs::Permissions::from_mode(0o600)).unwrap();
    write(&house.tree().join("d1/f1"), "another");
    let second = house.taken(&Leave::default());
    let named: Vec<_> = compare(&house.store(), &first.root, &second.root, 9).unwrap();
    let named: Vec<_> = named.iter().map(|found| (found.path.as_str(), found.differing)).collect();
    assert_eq!(named, [("d0/f0", Differing::Mode), ("d1/f1", Differing::Changed)]);
    assert!(second.new_bytes < 3000, "two lists, the top's, and one file: {}", second.new_bytes);
}

#[test]
fn what_is_to_be_left_alone_is_neither_taken_nor_touched() {
    let house = House::new();
    let tree = house.tree();
    for (path, text) in [
        (".gitignore", "*.log\n/build/\n!keep.log\n"),
        (".git/HEAD", "ref"),
        (".git/info/exclude", "private\n"),
        ("a.log", "noise"),
        ("keep.log", "kept"),
        ("build/out", "made"),
        ("sub/.gitignore", "local\n"),
        ("sub/local", "mine"),
        ("sub/.git/HEAD", "ref"),
        ("sub/code", "code"),
        ("private", "mine"),
        ("tracked/x.log", "tracked"),
    ] {
        write(&tree.join(path), text);
    }
    let leave = Leave { git: true, ignored: true, tracked: b"tracked/x.log\0".to_vec(), ..Leave::default() };
    let state = house.taken(&leave);
    let (dir, _) = elsewhere(&house, &state);
    let files = image(dir.path()).files();
    assert_eq!(files, [".gitignore", "keep.log", "sub/.gitignore", "sub/code", "tracked/x.log"]);
    write(&tree.join("new/file"), "new");
    write(&tree.join("new/b.log"), "noise");
    fs::remove_file(tree.join("sub/code")).unwrap();
    let put = house.put(&state, &leave, Times::Now);
    assert_eq!((put.skipped.count, put.named), (0, vec!["new".to_owned(), "sub/code".to_owned()]));
    assert!(tree.join("new/b.log").exists() && !tree.join("new/file").exists());
    for left in [".git/HEAD", "a.log", "build/out", "sub/local", "sub/.git/HEAD", "private"] {
        assert!(tree.join(left).exists(), "{left}");
    }
}

#[test]
fn a_link_is_a_link_wherever_it_leads() {
    let house = House::new();
    let outside = tempfile::tempdir().unwrap();
    write(&outside.path().join("secret"), "secret");
    symlink(outside.path(), house.tree().join("dir")).unwrap();
    symlink("/etc/passwd", house.tree().join("file")).unwrap();
    symlink("loop", house.tree().join("loop")).unwrap();
    let state = house.taken(&Leave::default());
    assert_eq!(state.files, 0);
    // A directory that has become a link out of the tree is replaced, and not gone through.
    fs::create_dir(house.tree().join("d")).unwrap();
    write(&house.tree().join("d/x"), "x");
    let state = house.taken(&Leave::default());
    fs::remove_dir_all(house.tree().join("d")).unwrap();
    symlink(outside.path(), house.tree().join("d")).unwrap();
    house.put(&state, &Leave::default(), Times::Now);
    assert_eq!(fs::read_to_string(house.tree().join("d/x")).unwrap(), "x");
    assert!(!outside.path().join("x").exists() && outside.path().join("secret").exists());
}

#[test]
fn a_pack_that_was_changed_or_cut_gives_an_error_and_never_other_bytes() {
    let house = House::new();
    write(&house.tree().join("a"), &"some text ".repeat(300));
    write(&house.tree().join("b"), "short");
    let state = house.taken(&Leave::default());
    let pack = fs::read_dir(house.packs()).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&pack).unwrap();
    let then = image(&house.tree());
    let outcome = |bytes: &[u8]| {
        fs::write(&pack, bytes).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let done =
            put(dir.path(), (&state.root, state.mode), &house.store(), &Leave::default(), Times::Kept, Path::new("/nowhere"));
        (done.map(|done| done.skipped.count), image(dir.path()))
    };
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x20;
        if let (Ok(skipped), now) = outcome(&broken) {
            assert!(skipped == 0 && now == then, "byte {at}");
        }
        assert!(outcome(&whole[..at]).0.is_err(), "{at} bytes");
    }
    // A damaged pack does not keep the state from being taken again.
    fs::write(&pack, &whole[..100]).unwrap();
    let again = house.taken(&Leave::default());
    assert_eq!((again.root == state.root, again.new_packs.len()), (true, 1));
    assert_eq!(elsewhere(&house, &again).1, then);
}

#[test]
fn too_much_is_refused_and_a_file_that_is_too_long_is_named() {
    let house = House::new();
    for number in 0..10 {
        write(&house.tree().join(format!("f{number}")), &number.to_string().repeat(1000));
    }
    let bounded = |bounds| house.try_take(&Leave::default(), bounds).map_err(|error| error.to_string());
    let top = house.tree().display().to_string();
    let few = bounded(Bounds { files: 9, ..Bounds::default() });
    assert_eq!(few.unwrap_err(), format!("there are more than 9 files in `{top}`; leave some out, or raise the bound"));
    let little = bounded(Bounds { new_bytes: 5000, ..Bounds::default() });
    assert!(little.unwrap_err().contains("more than 5000 bytes that are new"));
    write(&house.tree().join("long"), &"x".repeat(2000));
    let short = bounded(Bounds { file_bytes: 1500, ..Bounds::default() }).unwrap();
    assert_eq!(short.skipped.named, [("long".to_owned(), "is longer than 1500 bytes".to_owned())]);
    assert_eq!(short.files, 11);
}

#[test]
fn a_sparse_file_stays_sparse_and_a_large_one_is_whole() {
    use std::os::unix::fs::MetadataExt;
    let house = House::new();
    let file = fs::File::create(house.tree().join("sparse")).unwrap();
    file.set_len(40 << 20).unwrap();
    let large: Vec<u8> =
        (0..6_000_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).take(9 << 20).collect();
    fs::write(house.tree().join("large"), &large).unwrap();
    let state = house.taken(&Leave::default());
    let (dir, _) = elsewhere(&house, &state);
    let sparse = fs::metadata(dir.path().join("sparse")).unwrap();
    assert_eq!((sparse.len(), sparse.blocks() < 1000), (40 << 20, true));
    assert!(fs::read(dir.path().join("large")).unwrap() == large);
}

#[test]
fn an_empty_tree_is_a_state() {
    let house = House::new();
    let state = house.taken(&Leave::default());
    write(&house.tree().join("x"), "x");
    house.put(&state, &Leave::default(), Times::Now);
    assert_eq!(image(&house.tree()).files(), Vec::<String>::new());
    let nothing = Content::default();
    let done = put(&house.tree(), (&nothing, 0o755), &house.store(), &Leave::default(), Times::Now, Path::new("/nowhere"));
    assert!(done.unwrap_err().to_string().contains("is not a directory"), "no list at all is not an empty list");
}

#[test]
fn modes_that_keep_everybody_out_are_put_back_too() {
    let house = House::new();
    write(&house.tree().join("closed/inner/file"), "x");
    let close = |closed: &str, mode| fs::set_permissions(house.tree().join(closed), fs::Permissions::from_mode(mode)).unwrap();
    close("closed/inner/file", 0o4511);
    close("closed/inner", 0o1555);
    close("closed", 0o500);
    let (state, then) = (house.taken(&Leave::default()), image(&house.tree()));
    assert_eq!(elsewhere(&house, &state).1, then);
    close("closed", 0o700);
    close("closed/inner", 0o700);
    fs::remove_dir_all(house.tree().join("closed/inner")).unwrap();
    close("closed", 0o500);
    house.put(&state, &Leave::default(), Times::Kept);
    assert_eq!(image(&house.tree()), then);
}

#[test]
fn of_an_upload_only_what_is_named_is_taken_and_another_directory_stands_for_its_git() {
    let (house, staged) = (House::new(), tempfile::tempdir().unwrap());
    for name in ["a", "dir/b", "dir/left", "empty/x", "secret", ".git/config", "dir/.git/config"] {
        let path = house.tree().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    fs::create_dir(staged.path().join("refs")).unwrap();
    fs::write(staged.path().join("HEAD"), "ref: refs/heads/x\n").unwrap();
    let repository = Some(capstan_types::path::AbsPath::new(staged.path()).unwrap());
    let leave = Leave { tracked: b"a\0dir/b\0gone\0".to_vec(), unnamed: true, repository, ..Leave::default() };
    let state = house.taken(&leave);
    let (other, _) = elsewhere(&house, &state);
    let read = |name: &str| fs::read_to_string(other.path().join(name)).ok();
    assert_eq!(read("a").zip(read("dir/b")), Some(("a".into(), "dir/b".into())));
    assert_eq!(read(".git/HEAD"), Some("ref: refs/heads/x\n".into()));
    assert!(other.path().join(".git/refs").is_dir());
    for absent in ["dir/left", "empty", "secret", ".git/config", "dir/.git"] {
        assert!(!other.path().join(absent).exists(), "{absent}");
    }
    // What did not change is neither read nor stored again.
    assert!(house.taken(&leave).new_packs.is_empty());
}
