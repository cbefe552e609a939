//! A permission profile in place of a mode.

use super::Scene;
use std::fs;

const CONFIG: &str = "[permissions.tests]\nextends = \":read-only\"\nwritable = [\":workspace/target\"]\nhidden = [\":workspace/.env\"]\n\
                      limits = { memory = \"1GiB\", open_files = 64 }\n\
                      [permissions.torn]\nextends = \":workspace\"\nreadable = [\"/opt\"]\nhidden = [\"/opt\"]\n";

fn scene() -> Scene {
    let scene = Scene::new();
    scene.home.configure(CONFIG);
    fs::create_dir(scene.work().join("target")).expect("a directory can be made");
    fs::write(scene.work().join(".env"), "TOKEN=1").expect("a file can be written");
    fs::write(scene.work().join("plain"), "plain\n").expect("a file can be written");
    scene
}

#[test]
fn a_profile_says_what_is_written_hidden_and_used() {
    let scene = scene();
    let script = "cat plain; cat .env; echo x > target/made; echo x > made; echo x > /tmp/made; ulimit -n";
    let (run, proof) = scene.proven(&["-P", "tests"], &["sh", "-c", script]);
    run.assert_code(0);
    assert_eq!(run.stdout, "plain\n64\n", "{run}");
    assert!(scene.work().join("target/made").exists() && !scene.work().join("made").exists(), "{run}");
    let limits = proof["enforced"]["limits"].to_string();
    assert!(limits.contains("memory=1073741824 (") && limits.contains("open_files=64 ("), "{limits}");
}

#[test]
fn built_in_profiles_are_the_modes() {
    let scene = scene();
    for (profile, written) in [(":read-only", false), (":workspace", true), (":danger-full-access", true)] {
        scene.run(&["-P", profile], &["sh", "-c", "echo x > made"]);
        assert_eq!(fs::remove_file(scene.work().join("made")).is_ok(), written, "{profile}");
    }
}

#[test]
fn a_flag_beside_a_profile_takes_away_and_never_adds() {
    let scene = scene();
    let run = scene
        .run(&["-P", "tests", "--hide", "plain", "-l", "open_files=32", "-n", "none"], &["sh", "-c", "cat plain; ulimit -n"]);
    assert_eq!(run.stdout, "32\n", "{run}");
    for flags in [&["-w", "/var/tmp"][..], &["-l", "open_files=128"], &["-n", "full"]] {
        let run = scene.run(&[&["-P", "tests"], flags].concat(), &["touch", "target/ran"]);
        run.assert_code(2);
        assert!(run.stderr.contains("would allow more than the permission profile `tests` does"), "{run}");
        assert!(!scene.work().join("target/ran").exists());
    }
}

#[test]
fn a_profile_that_contradicts_itself_is_refused_with_the_reason() {
    let run = scene().run(&["-P", "torn"], &["true"]);
    run.assert_code(2);
    assert!(run.stderr.contains("`/opt` is readable, and `/opt` is hidden; leave out one of the two"), "{run}");
}
