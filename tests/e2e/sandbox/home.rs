//! What of the user's a command sees: harmless variables, and nothing of Capstan's home.

use super::Scene;
use capstan_tests::capstan::Capstan;
use std::fs;

const SECRET: &str = "a whole conversation";

fn scene() -> (Scene, String) {
    let scene = Scene::new();
    let store = scene.home.path().join("capstan.db");
    fs::write(&store, SECRET).expect("a file can be written");
    (scene, store.display().to_string())
}

#[test]
fn a_command_cannot_read_the_home_wherever_it_lies() {
    let (scene, store) = scene();
    let root = scene.home.root().display().to_string();
    for flags in [
        &[][..],
        &["-s", "read-only"],
        &["-s", "workspace-write"],
        &["run", "-s", "read-only"],
        &["-s", "workspace-write", "-w", &root],
        &["-s", "workspace-write", "-C", &root],
        &["-P", ":workspace", "-C", &root],
    ] {
        let run = scene.run(flags, &["sh", "-c", "cat \"$0\"; echo \"code $?\"", &store]);
        run.assert_code(0);
        assert_eq!(run.stdout, "code 1\n", "{flags:?}: {run}");
    }
    let run = scene.run(&["-s", "danger-full-access"], &["cat", &store]);
    assert_eq!(run.stdout, SECRET, "{run}");
}

#[test]
fn without_namespaces_a_directory_to_write_that_holds_the_home_is_refused_in_one_sentence() {
    let (scene, _) = scene();
    let root = scene.home.root().display().to_string();
    let run = scene.run(&["--at-most", "landlock", "-s", "workspace-write", "--writable", &root], &["true"]);
    run.assert_code(125);
    let hidden = scene.home.path().display().to_string();
    let expected = format!("the writable directory `{root}` holds `{hidden}`, which must stay hidden (CAPSTAN_HOME is");
    assert!(run.stderr.contains(&expected) && run.stderr.lines().count() == 1, "{run}");
}

#[test]
fn the_home_below_the_users_directory_is_hidden_as_well() {
    let (scene, _) = scene();
    let below = scene.home.user_dir().join(".capstan");
    fs::create_dir_all(&below).unwrap();
    fs::write(below.join("capstan.db"), SECRET).unwrap();
    let store = below.join("capstan.db").display().to_string();
    let run = Capstan::new(&scene.home).args(["sandbox", "--", "cat", &store]).env("CAPSTAN_HOME", "").run();
    run.assert_code(1);
    assert_eq!(run.stdout, "", "{run}");
}

#[test]
fn a_home_that_does_not_exist_yet_is_no_hindrance() {
    let (scene, _) = scene();
    for flags in [&[][..], &["-P", ":read-only"]] {
        scene.sandbox(flags, &["true"]).env("CAPSTAN_HOME", "/no/such/home").run().assert_code(0);
    }
}

#[test]
fn a_command_gets_harmless_variables_and_those_that_were_asked_for() {
    let (scene, _) = scene();
    let seen = |flags: &[&str]| {
        let command = ["sh", "-c", "echo $LANG,$CARGO_TERM_COLOR,$MY_API_KEY,$ODD,$SET"];
        let run =
            scene.sandbox(flags, &command).env("CARGO_TERM_COLOR", "never").env("MY_API_KEY", "sk-1").env("ODD", "odd").run();
        run.assert_code(0);
        run.stdout
    };
    assert_eq!(seen(&[]), "C.UTF-8,never,,,\n");
    assert_eq!(seen(&["-e", "ODD", "--env", "SET=1"]), "C.UTF-8,never,,odd,1\n");
    assert_eq!(seen(&["-s", "danger-full-access"]), "C.UTF-8,never,sk-1,odd,\n");
}
