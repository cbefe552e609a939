//! Which files a session can change, and which it can read. Every refusal is shown next to what is allowed.

use crate::acts::{playing, results};
use crate::session::{Launch, abs};
use capstan_types::launch::Refusal;
use capstan_types::path::AbsPath;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

/// A workspace with a file, and a directory outside of it with another.
struct Places {
    inside: TempDir,
    outside: TempDir,
}

impl Places {
    fn new() -> Self {
        let places = Self { inside: tempfile::tempdir().unwrap(), outside: tempfile::tempdir().unwrap() };
        fs::write(places.inside.path().join("mine"), "mine").unwrap();
        fs::write(places.outside.path().join("theirs"), "theirs").unwrap();
        places
    }

    fn out(&self) -> &str {
        self.outside.path().to_str().unwrap()
    }

    /// Runs `script` in the workspace, where `$O` is the directory outside, and gives its exit code.
    fn attempt(&self, script: &str) -> i32 {
        let seen = Launch::shell(script).writing(self.inside.path()).env("O", self.out()).seen();
        match seen.end {
            capstan_types::launch::SessionEnd::Exited { code } => code,
            other => panic!("{other:?}"),
        }
    }

    fn outside_is_untouched(&self) -> bool {
        let names: Vec<_> = fs::read_dir(self.outside.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names == ["theirs"] && fs::read_to_string(self.outside.path().join("theirs")).unwrap() == "theirs"
    }
}

#[test]
fn the_workspace_can_be_changed_in_every_way_that_builds_need() {
    let places = Places::new();
    for script in [
        "echo more >> mine",
        ": > mine",
        "mkdir -p a/b && echo x > a/b/c && mv a/b/c a/c && rmdir a/b && rm -r a",
        "ln -s mine link && cat link && rm link",
        "ln mine hard && rm hard",
        "mkfifo pipe && rm pipe",
        "truncate -s 9 mine",
        "chmod 600 mine && touch mine",
        "printf '#!/bin/sh\nexit 0\n' > tool && chmod +x tool && ./tool",
        "mkdir d1 d2 && echo x > d1/f && mv d1/f d2/f && mv d2 d3",
    ] {
        assert_eq!(places.attempt(script), 0, "{script}");
    }
}

#[test]
fn nothing_outside_the_workspace_can_be_changed_by_any_name() {
    let places = Places::new();
    let up = format!("..{}", "/..".repeat(20));
    symlink(places.outside.path(), places.inside.path().join("way")).unwrap();
    symlink(places.outside.path().join("theirs"), places.inside.path().join("file")).unwrap();
    for script in [
        "echo x > $O/new",
        "echo x >> $O/theirs",
        &format!("echo x >> {up}$O/theirs"),
        "echo x >> way/theirs",
        "echo x > way/new",
        "echo x >> file",
        "echo x >> /proc/self/root$O/theirs",
        "ln $O/theirs hard && echo x >> hard",
        "ln mine $O/hard",
        "mv mine $O/theirs",
        "mv $O/theirs stolen",
        "truncate -s 0 $O/theirs",
        ": > $O/theirs",
        "rm $O/theirs",
        "mkdir $O/dir",
        "ln -s x $O/link",
        "mkfifo $O/pipe",
        "rmdir $O",
    ] {
        assert_ne!(places.attempt(script), 0, "{script}");
        assert!(places.outside_is_untouched(), "{script}");
    }
    assert_eq!(places.attempt("cat $O/theirs"), 0);
}

#[test]
fn read_only_writes_nowhere_and_reads_everywhere() {
    let places = Places::new();
    let file = places.inside.path().join("mine");
    let file = file.to_str().unwrap();
    let code = |script: &str| {
        let policy =
            SandboxPolicy { mode: SandboxMode::ReadOnly, ..SandboxPolicy::workspace_write(vec![abs(places.inside.path())]) };
        Launch::shell(script).policy(policy).env("F", file).env("D", places.inside.path().to_str().unwrap()).seen().end
    };
    let exited = |code| capstan_types::launch::SessionEnd::Exited { code };
    assert_eq!(
        code("cat $F && ls $D && ls / && ls /dev && echo x > /dev/null && head -c 1 /dev/zero && head -c 1 /dev/urandom"),
        exited(0)
    );
    for script in ["echo x >> $F", "echo x > $D/new", "rm $F", "truncate -s 0 $F", "mkdir $D/d", "echo x > /dev/shm/x"] {
        assert_ne!(code(script), exited(0), "{script}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn read_only_changes_no_metadata_and_a_workspace_may() {
    let places = Places::new();
    let file = places.inside.path().join("mine");
    let act = format!("metadata {}", file.display());
    let read_only = results(&playing(&act).text());
    let writing = results(&playing(&act).writing(places.inside.path()).text());
    for call in ["chmod", "utime", "setxattr"] {
        assert_eq!(read_only[call], libc::EPERM.to_string(), "{call}");
    }
    for call in ["chmod", "utime"] {
        assert_eq!(writing[call], "ok", "{call}");
    }
}

fn hiding(paths: &[&Path]) -> SandboxPolicy {
    SandboxPolicy { hidden: paths.iter().map(|path| AbsPath::new(path).unwrap()).collect(), ..SandboxPolicy::read_only() }
}

#[test]
fn what_a_hidden_file_holds_cannot_be_read_and_its_neighbours_can() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("secret/deep")).unwrap();
    fs::create_dir_all(at("open/deep")).unwrap();
    for file in ["secret/key", "secret/deep/key", "open/key", "open/deep/key", "lone", "near"] {
        fs::write(at(file), "content").unwrap();
    }
    symlink(at("secret"), at("alias")).unwrap();
    symlink(at("near"), at("pointer")).unwrap();
    let reads = |file: &str, policy: &SandboxPolicy| {
        let seen = Launch::new(&["cat", at(file).to_str().unwrap()]).policy(policy.clone()).seen();
        seen.text() == "content"
    };
    for hidden in [hiding(&[&at("secret"), &at("lone")]), hiding(&[&at("alias"), &at("lone")])] {
        for file in ["secret/key", "secret/deep/key", "alias/key", "lone"] {
            assert!(!reads(file, &hidden), "{file}");
        }
        for file in ["open/key", "open/deep/key", "near", "pointer"] {
            assert!(reads(file, &hidden), "{file}");
        }
    }
    assert!(reads("secret/key", &SandboxPolicy::read_only()));
}

#[test]
fn what_is_hidden_cannot_be_reached_by_other_ways_either() {
    let dir = tempfile::tempdir().unwrap();
    let (secret, work) = (dir.path().join("secret"), dir.path().join("work"));
    fs::create_dir_all(&secret).unwrap();
    fs::create_dir_all(&work).unwrap();
    fs::write(secret.join("key"), "content").unwrap();
    let policy = SandboxPolicy { hidden: vec![abs(&secret)], ..SandboxPolicy::workspace_write(vec![abs(&work)]) };
    for script in [
        "cat $S/key",
        "cat /proc/self/root$S/key",
        "cd $S && cat key",
        "ln $S/key k && cat k",
        "mv $S s && cat s/key",
        "mv $S/key k && cat k",
        "ln -s $S s && cat s/key",
        "cp -r $S s && cat s/key",
    ] {
        let launch = Launch::shell(script).policy(policy.clone()).cwd(work.to_str().unwrap()).env("S", secret.to_str().unwrap());
        assert!(!launch.seen().text().contains("content"), "{script}");
    }
}

#[test]
fn a_hidden_path_that_appears_later_is_hidden() {
    let dir = tempfile::tempdir().unwrap();
    let (later, go) = (dir.path().join("later"), dir.path().join("go"));
    fs::create_dir(&go).unwrap();
    let script = "echo ready; while [ ! -e $G/now ]; do sleep 0.01; done; cat $G/now; cat $L || echo refused";
    let launch = Launch::shell(script).policy(hiding(&[&later]));
    let session = launch.env("G", go.to_str().unwrap()).env("L", later.to_str().unwrap()).start();
    let mut client = session.attach(0);
    client.until("ready\n");
    fs::write(&later, "content").unwrap();
    fs::write(go.join("now"), "now\n").unwrap();
    let text = client.read_to_end().text();
    assert!(text.starts_with("now\n") && text.ends_with("refused\n"), "{text}");
}

#[test]
fn a_workspace_inside_a_hidden_directory_is_open() {
    let home = tempfile::tempdir().unwrap();
    let work = home.path().join("work");
    fs::create_dir(&work).unwrap();
    fs::write(home.path().join("key"), "content").unwrap();
    let policy = SandboxPolicy { hidden: vec![abs(home.path())], ..SandboxPolicy::workspace_write(vec![abs(&work)]) };
    let text = Launch::shell("echo x > new && cat new; cat ../key 2>/dev/null || echo refused")
        .policy(policy)
        .cwd(work.to_str().unwrap())
        .text();
    assert_eq!(text, "x\nrefused\n");
}

#[test]
fn a_program_in_a_hidden_directory_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::copy("/bin/true", bin.join("tool")).unwrap();
    let tool = bin.join("tool");
    let launch = || Launch::new(&[tool.to_str().unwrap()]);
    assert_eq!(launch().text(), "");
    match launch().policy(hiding(&[&bin])).refused() {
        Refusal::Program { reason, .. } => assert!(reason.contains("sandbox hides it"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_policy_that_cannot_be_is_refused_and_says_which_path() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    symlink("/", dir.path().join("root")).unwrap();
    let writable = |path: &Path| Launch::new(&["true"]).policy(SandboxPolicy::workspace_write(vec![AbsPath::new(path).unwrap()]));
    for (path, said) in [
        (dir.path().join("missing"), "No such file"),
        (dir.path().join("file"), "not a directory"),
        (dir.path().join("root"), "is `/`"),
        ("/".into(), "is `/`"),
        ("/dev".into(), "the kernel's"),
        ("/proc/self".into(), "the kernel's"),
    ] {
        match writable(&path).refused() {
            Refusal::Policy { reason } => {
                assert!(reason.contains(said) && reason.contains(path.to_str().unwrap()), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(writable(dir.path()).text(), "");
    let conflict = SandboxPolicy { hidden: vec![abs(dir.path())], ..SandboxPolicy::workspace_write(vec![abs(dir.path())]) };
    assert!(matches!(Launch::new(&["true"]).policy(conflict).refused(), Refusal::Policy { .. }));
}

#[test]
fn devices_other_than_the_harmless_ones_are_closed() {
    let policy = || SandboxPolicy::workspace_write(Vec::new());
    let readable = |path: &Path, policy: SandboxPolicy| {
        Launch::new(&["head", "-c", "1", path.to_str().unwrap()]).policy(policy).seen().end
            == capstan_types::launch::SessionEnd::Exited { code: 0 }
    };
    assert!(readable(Path::new("/dev/zero"), policy()));
    for device in ["/dev/vda", "/dev/sda", "/dev/kmsg", "/dev/mem", "/dev/ptmx", "/dev/loop0"] {
        let device = Path::new(device);
        if device.exists() {
            assert!(!readable(device, policy()), "{}", device.display());
        }
    }
}
