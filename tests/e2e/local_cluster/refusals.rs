//! What stands in the way is told in a sentence, and nothing is left.

use super::Local;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// A directory with programs of these names, which say something and fail.
fn programs(local: &Local, names: &[&str]) -> String {
    let dir = local.home.root().join("programs");
    fs::create_dir(&dir).expect("a directory can be made");
    for name in names {
        let path = dir.join(name);
        fs::write(&path, "#!/bin/sh\necho 'the disk is on fire' >&2\nexit 7\n").expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode can be set");
    }
    dir.display().to_string()
}

#[test]
fn a_machine_without_etcd_is_told_how_to_get_it() {
    let local = Local::new();
    let up = local.cluster(&["up"]).env("PATH", "/nonexistent").run();
    up.assert_code(2);
    assert!(up.stderr.contains("the program `etcd` is not in PATH") && up.stderr.contains("etcd-server"), "{up}");
    local.assert_gone(&[]);
}

#[test]
fn a_member_that_does_not_come_up_is_told_with_its_last_words() {
    let local = Local::new();
    let path = programs(&local, &["etcd"]);
    let up = local.cluster(&["up", "--ports"]).env("PATH", &path).run();
    up.assert_code(1);
    assert!(up.stderr.contains("etcd ended with exit status: 7") && up.stderr.contains("the disk is on fire"), "{up}");
    local.assert_gone(&[]);
}

#[test]
fn namespaces_that_cannot_be_made_are_told_or_done_without() {
    let local = Local::new();
    let path = programs(&local, &["etcd", "ip", "nsenter"]);
    let up = local.cluster(&["up", "--netns"]).env("PATH", &path).run();
    up.assert_code(2);
    assert!(up.stderr.contains("--ports"), "{up}");
    let up = local.cluster(&["up"]).env("PATH", &path).run();
    // It goes on without them, to the etcd that fails.
    assert!(up.stderr.contains("on ports of this machine: ") && up.stderr.contains("etcd ended"), "{up}");
    let up = local.cluster(&["up", "--netns", "--ports"]).run();
    up.assert_code(2);
    local.assert_gone(&[]);
}

#[test]
fn a_script_that_is_not_there_is_told_before_anything_is_made() {
    let local = Local::new();
    let up = local.up(&["--ports", "--script", "/no/such/script.json"]);
    up.assert_code(2);
    assert!(up.stderr.contains("/no/such/script.json") && !up.stderr.contains("ready"), "{up}");
    assert!(!local.dir().exists(), "{up}");
}

#[test]
fn directories_that_cannot_be_used_are_named() {
    let local = Local::new();
    let long = format!("/var/tmp/{}", "x".repeat(80));
    let other = local.home.root().join("other");
    fs::create_dir(&other).expect("a directory can be made");
    fs::write(other.join("mine"), "").expect("a file can be written");
    for (dir, words) in [(long.as_str(), "is too long"), (&other.display().to_string(), "is not empty")] {
        let up = local.up(&["--ports", "--dir", dir]);
        up.assert_code(2);
        assert!(up.stderr.contains(words), "{up}");
    }
    assert!(other.join("mine").exists());
    for command in ["down", "status"] {
        let none = local.cluster(&[command]).run();
        none.assert_code(2);
        assert!(none.stderr.contains("there is no cluster in ") && none.stderr.contains("capstan cluster up"), "{none}");
    }
}
