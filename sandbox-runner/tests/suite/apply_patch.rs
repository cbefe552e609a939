//! `apply_patch` as a program of its own: what it does to files, in scenarios; and what is left when it is killed or the disk is full.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

mod scenarios;

/// A workspace, and beside it the program under its name.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("tree")).unwrap();
        symlink(env!("CARGO_BIN_EXE_capstan-sandbox"), dir.path().join("apply_patch")).unwrap();
        symlink(env!("CARGO_BIN_EXE_capstan-sandbox"), dir.path().join("applypatch")).unwrap();
        let place = Self { dir };
        for (name, content) in files {
            fs::create_dir_all(place.at(name).parent().unwrap()).unwrap();
            fs::write(place.at(name), content).unwrap();
        }
        place
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("tree").join(name)
    }

    fn command(&self, name: &str) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the program under test is started by its test")]
        let mut command = Command::new(self.dir.path().join(name));
        command.current_dir(self.at("")).env_remove("CAPSTAN_CALL_ID");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn patched(&self, patch: &str) -> Output {
        fed(self.command("apply_patch"), patch).wait_with_output().unwrap()
    }

    /// Every file with its content; directories end in a slash.
    fn files(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        walk(&self.at(""), &self.at(""), &mut found);
        found
    }
}

fn walk(top: &Path, dir: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(top).unwrap().display().to_string();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            found.insert(format!("{name}/"), String::new());
            walk(top, &path, found);
        } else {
            found.insert(name, String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned());
        }
    }
}

fn fed(mut command: Command, patch: &str) -> Child {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // One that refuses may not read all of it.
    let _ = child.stdin.take().unwrap().write_all(patch.as_bytes());
    child
}

fn wrapped(body: &str) -> String {
    format!("*** Begin Patch\n{body}\n*** End Patch\n")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn it_takes_its_patch_as_an_argument_or_on_standard_input_under_either_name() {
    let place = Place::new(&[("a", "one\n")]);
    let swap = |from: &str, to: &str| wrapped(&format!("*** Update File: a\n-{from}\n+{to}"));
    let done = place.command("apply_patch").arg(swap("one", "two")).output().unwrap();
    assert_eq!((done.status.code(), text(&done.stdout).as_str()), (Some(0), "Success. Updated the following files:\nM a\n"));
    let done = fed(place.command("applypatch"), &swap("two", "three")).wait_with_output().unwrap();
    assert_eq!((done.status.code(), text(&done.stderr).as_str()), (Some(0), ""));
    assert_eq!(place.files()["a"], "three\n");
    let all = wrapped("*** Add File: new\n+x\n*** Update File: a\n*** Move to: b\n*** Add File: gone\n+x");
    assert_eq!(text(&place.patched(&all).stdout), "Success. Updated the following files:\nA new\nM a -> b\nA gone\n");
}

#[test]
fn a_mistake_on_the_command_line_is_told_in_a_sentence_with_exit_code_2() {
    let place = Place::new(&[]);
    let done = place.command("apply_patch").args(["one", "two"]).output().unwrap();
    let said = "apply_patch: give the patch as one argument (quote it), or on standard input\n";
    assert_eq!((done.status.code(), text(&done.stderr).as_str()), (Some(2), said));
    let help = place.command("apply_patch").arg("--help").output().unwrap();
    assert!(help.status.success() && text(&help.stdout).contains("Usage: apply_patch PATCH"));
    let refused = place.patched("nonsense");
    let said = "apply_patch: a patch starts with the line `*** Begin Patch`, but this one starts with `nonsense`\n";
    assert_eq!((refused.status.code(), text(&refused.stderr).as_str()), (Some(1), said));
}

#[test]
fn outside_of_a_session_no_file_beyond_the_work_tree_is_changed_also_behind_links() {
    let place = Place::new(&[("in/a", "one\n")]);
    fs::write(place.dir.path().join("theirs"), "one\n").unwrap();
    symlink("../theirs", place.at("link")).unwrap();
    symlink("..", place.at("up")).unwrap();
    for body in [
        "*** Update File: ../theirs\n-one\n+2",
        "*** Update File: link\n-one\n+2",
        "*** Update File: up/theirs\n-one\n+2",
        "*** Add File: up/new\n+x",
        "*** Add File: missing/../../new\n+x",
        "*** Add File: up/deep/new\n+x",
        "*** Delete File: ../theirs",
        "*** Update File: in/a\n*** Move to: ../b\n-one\n+2",
    ] {
        let done = place.patched(&wrapped(body));
        assert_eq!(done.status.code(), Some(1), "{body}: {}", text(&done.stdout));
        assert!(text(&done.stderr).contains("is outside of `"), "{body}: {}", text(&done.stderr));
    }
    assert_eq!(fs::read_to_string(place.dir.path().join("theirs")).unwrap(), "one\n");
    assert!(!place.dir.path().join("new").exists() && !place.dir.path().join("deep").exists());
    // In a repository everything below its top is the same work.
    fs::create_dir(place.at(".git")).unwrap();
    let mut command = place.command("apply_patch");
    command.current_dir(place.at("in"));
    assert!(fed(command, &wrapped("*** Add File: ../above\n+x")).wait_with_output().unwrap().status.success());
    assert_eq!(place.files()["above"], "x\n");
}

#[test]
fn permission_bits_stay_with_the_file_and_its_moves() {
    let place = Place::new(&[("tool", "old\n"), ("moved", "old\n")]);
    for name in ["tool", "moved"] {
        fs::set_permissions(place.at(name), fs::Permissions::from_mode(0o751)).unwrap();
    }
    let done = place.patched(&wrapped("*** Update File: tool\n-old\n+new\n*** Update File: moved\n*** Move to: d/m\n-old\n+new"));
    assert!(done.status.success(), "{}", text(&done.stderr));
    for name in ["tool", "d/m"] {
        assert_eq!(fs::metadata(place.at(name)).unwrap().permissions().mode() & 0o7777, 0o751, "{name}");
    }
}

/// Files enough that a kill finds the program in the middle.
const MANY: usize = 60;

fn many() -> (Vec<(String, String)>, String) {
    let files = (0..MANY).map(|number| (format!("f{number}"), format!("old {number}\n"))).collect();
    let hunk = |number: usize| match number % 4 {
        0 => format!("*** Delete File: f{number}\n"),
        1 => format!("*** Update File: f{number}\n*** Move to: moved/deep/g{number}\n-old {number}\n+new {number}\n"),
        2 => format!("*** Update File: f{number}\n-old {number}\n+new {number}\n*** Add File: made/{number}/n\n+made\n"),
        _ => format!("*** Update File: f{number}\n-old {number}\n+{}\n", "new ".repeat(500)),
    };
    (files, wrapped((0..MANY).map(hunk).collect::<String>().trim_end()))
}

#[test]
fn one_that_is_killed_in_the_middle_is_undone_by_the_next_whole_or_not_at_all() {
    let (files, patch) = many();
    let named: Vec<(&str, &str)> = files.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    let place = Place::new(&named);
    let before = place.files();
    assert!(place.patched(&patch).status.success());
    let after = place.files();
    let (mut undone, mut found) = (0, 0);
    for round in 0..60 {
        let place = Place::new(&named);
        let mut child = fed(place.command("apply_patch"), &patch);
        // Not by the clock: as soon as so many of its files are to be seen.
        let seen = |place: &Place| {
            fs::read_dir(place.at(""))
                .unwrap()
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(".capstan"))
                .count()
        };
        while child.try_wait().unwrap().is_none() && seen(&place) < round {}
        child.kill().unwrap();
        child.wait().unwrap();
        found += usize::from(seen(&place) > 0);
        // The next patch does not fit, and still puts everything back first.
        assert!(!place.patched(&wrapped("*** Update File: nothing\n-x\n+y")).status.success());
        let left = place.files();
        assert!(left == before || left == after, "round {round}: {:?}", left.keys().collect::<Vec<_>>());
        undone += usize::from(left == before);
    }
    assert!(undone > 5 && found > 5, "{undone} undone, {found} found in the middle: no round met the middle");
}

#[test]
fn a_journal_of_a_living_program_is_left_alone() {
    let place = Place::new(&[("a", "one\n")]);
    let journal = place.at(".capstan-patch-1-1.journal");
    let file = fs::File::create(&journal).unwrap();
    file.try_lock().unwrap();
    assert!(place.patched(&wrapped("*** Update File: a\n-one\n+two")).status.success());
    assert!(journal.exists());
    drop(file);
    assert!(place.patched(&wrapped("*** Update File: a\n-two\n+three")).status.success());
    assert!(!journal.exists());
}

#[test]
fn what_a_stranger_wrote_into_a_journal_touches_nothing_of_others() {
    let place = Place::new(&[("a", "one\n"), ("mine", "x\n"), (".capstan-patch-z", "evil\n")]);
    for line in [
        format!(r#"{{"begun":{{"written":"{}"}}}}"#, place.at("mine").display()),
        format!(r#"{{"begun":{{"placed":{{"target":"{0}","kept":"{0}","old":null,"new":null}}}}}}"#, place.at("mine").display()),
        "nonsense".to_owned(),
    ] {
        fs::write(place.at(".capstan-patch-9-9.journal"), line + "\n").unwrap();
        assert!(!place.patched(&wrapped("*** Update File: a\n-nothing\n+two")).status.success());
        assert_eq!((place.files()["mine"].as_str(), place.files()["a"].as_str()), ("x\n", "one\n"));
    }
}

#[test]
fn on_a_full_disk_nothing_is_changed() {
    // Mounting needs the host's root, or a namespace of one's own.
    let script = r#"mount -t tmpfs -o size=256k none "$0" && cd "$0" && mkdir d && echo one >a && echo two >b && echo three >d/c &&
        head -c 140000 /dev/zero >fill && "$1" <"$2"; echo "exit $?"; cat a b d/c; ls -A . d"#;
    let place = Place::new(&[]);
    let big = format!("*** Update File: b\n-two\n+{}\n", "2".repeat(90_000));
    let patch = wrapped(&format!(
        "*** Update File: a\n-one\n+1\n*** Delete File: d/c\n*** Add File: new/deep\n+x\n{big}*** Add File: more\n+{}",
        "y".repeat(90_000)
    ));
    fs::write(place.dir.path().join("patch"), patch).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the program under test is started by its test")]
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", script])
        .arg(place.at(""))
        .arg(place.dir.path().join("apply_patch"))
        .arg(place.dir.path().join("patch"));
    let done = command.output().unwrap();
    let said = text(&done.stdout);
    assert!(
        text(&done.stderr).contains("No space left") && text(&done.stderr).contains("Nothing was changed"),
        "{} {said}",
        text(&done.stderr)
    );
    assert_eq!(said, "exit 1\none\ntwo\nthree\n.:\na\nb\nd\nfill\n\nd:\nc\n");
}
