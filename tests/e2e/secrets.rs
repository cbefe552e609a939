//! The provider's key is at the provider and nowhere else, and sessions know nothing of the environment but the documented list.

use crate::stage::Stage;
use capstan_tests::capstan::{Capstan, Home, Run};
use capstan_tests::responses_server::{Answer, Script, Step};
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A key that no other run on this machine knows, so that what is found was found here.
fn canary(stage: &Stage) -> String {
    let unique = stage.home.root().file_name().expect("a temporary directory has a name").to_string_lossy();
    format!("sk-canary-{unique}")
}

/// What the model tries to find a key: its own environment, that of every process, the home directory, open files. Only keys that it
/// finds are printed, so that no clamp can hide them.
fn search(home: &Path) -> String {
    let home = home.display();
    format!(
        "env; {{ cat /proc/*/environ /proc/*/task/*/environ /proc/*/cmdline; cat {home}/auth.json {home}/config.toml {home}/capstan.db; \
         cat /proc/*/root{home}/auth.json /proc/*/cwd/../home/auth.json; cat /proc/[0-9]*/mem; grep -aRsD skip sk-canary {home} /proc/*/fd; \
         }} 2>&1 | grep -ao 'sk-canary[-0-9A-Za-z]*' | sort -u; cat {home}/auth.json; echo searched"
    )
}

/// Searches in this sandbox, after `place` has put the key where it belongs.
fn searching(sandbox: &str, place: impl Fn(&Stage, &str, Capstan) -> Capstan) {
    let home = Arc::new(Mutex::new(PathBuf::new()));
    let known = Arc::clone(&home);
    let first = Step::decided(move |_| {
        let command = search(&known.lock().expect("no thread panics with the path"));
        Answer::calling("c1", "exec_command", &json!({"cmd": command, "yield_time_ms": 30_000}))
    });
    let stage = Stage::playing(Script::new().then(first).then(Answer::saying("done")));
    *home.lock().expect("no thread panics with the path") = stage.home.path();
    let key = canary(&stage);
    let capstan = Capstan::exec(&stage.home, "Find the key.").in_dir(&stage.workspace()).args(["-s", sandbox]);
    let run = stage.run(place(&stage, &key, capstan));
    run.assert_code(0);
    stage.server.assert_played();
    let found = run.items_of("command_execution").remove(0)["aggregated_output"].to_string();
    assert!(found.contains("CAPSTAN_CALL_ID=") && found.contains("auth.json: ") && found.contains("searched"), "{run}");
    assert_nowhere_else(&stage, &run, &key);
}

/// The key is in one header of each request, and in no byte that the run wrote anywhere.
fn assert_nowhere_else(stage: &Stage, run: &Run, key: &str) {
    for request in stage.server.requests() {
        assert_eq!(request.header("authorization"), Some(format!("Bearer {key}").as_str()));
        assert!(!request.body.to_string().contains(key) && !request.path.contains(key));
        assert_eq!(request.headers.iter().filter(|(_, value)| value.contains(key)).count(), 1);
    }
    assert!(!run.stdout.contains(key) && !run.stderr.contains(key), "{run}");
    let mut files = Vec::new();
    files_below(stage.home.root(), &mut files);
    assert!(files.iter().any(|(path, _)| path.ends_with("capstan.db")), "the store was looked at");
    for (path, content) in files {
        let holds = content.windows(key.len()).any(|window| window == key.as_bytes());
        assert!(!holds || path.ends_with("auth.json"), "{path} holds the key");
    }
}

fn files_below(dir: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(dir).expect("the directory can be listed").map(|entry| entry.expect("the entry can be read")) {
        match entry.file_type().expect("the entry can be looked at") {
            kind if kind.is_dir() => files_below(&entry.path(), files),
            kind if kind.is_file() => {
                files.push((entry.path().display().to_string(), fs::read(entry.path()).expect("the file can be read")));
            }
            _ => {}
        }
    }
}

#[test]
fn a_key_in_the_environment_is_at_the_provider_and_nowhere_else() {
    for sandbox in ["read-only", "workspace-write"] {
        searching(sandbox, |_, key, capstan| capstan.env(Home::KEY_VARIABLE, key).env("OPENAI_API_KEY", key));
    }
}

#[test]
fn a_key_in_auth_json_is_at_the_provider_and_nowhere_else() {
    for sandbox in ["read-only", "workspace-write"] {
        searching(sandbox, |stage, key, capstan| {
            let auth = stage.home.path().join("auth.json");
            fs::write(&auth, json!({Home::KEY_VARIABLE: key}).to_string()).unwrap();
            fs::set_permissions(&auth, fs::Permissions::from_mode(0o600)).unwrap();
            capstan
        });
    }
}

/// The documented list: what sessions know of the environment that the node was started in, and what Capstan sets.
const INHERITED: [&str; 6] = ["HOME", "LOGNAME", "PATH", "SHELL", "TZ", "USER"];
const SET: [(&str, &str); 10] = [
    ("CAPSTAN", "1"),
    ("TERM", "dumb"),
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("LC_CTYPE", "C.UTF-8"),
    ("NO_COLOR", "1"),
    ("COLORTERM", ""),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    ("GH_PAGER", "cat"),
];
const FUNCTIONS: [&str; 2] = ["BASH_FUNC_apply_patch%%", "BASH_FUNC_applypatch%%"];
const IDENTITY: [&str; 2] = ["CAPSTAN_THREAD_ID", "CAPSTAN_CALL_ID"];

#[test]
fn the_environment_of_a_session_is_the_documented_list_and_nothing_else() {
    // What the session's first process was started with, before its shell adds anything.
    let arguments = json!({"cmd": "tr '\\0' '\\n' < /proc/$$/environ", "login": false});
    for sandbox in ["read-only", "workspace-write", "danger-full-access"] {
        let stage =
            Stage::playing(Script::new().then(Answer::calling("c1", "exec_command", &arguments)).then(Answer::saying("done")));
        let given = [("LOGNAME", "somebody"), ("SHELL", "/bin/sh"), ("TZ", "Europe/Vienna"), ("USER", "somebody")];
        let stray = [
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("LC_TIME", "de_AT.UTF-8"),
            ("EDITOR", "vi"),
            ("LD_LIBRARY_PATH", "/lib"),
            ("BASH_ENV", "/x"),
        ];
        let capstan =
            given.into_iter().chain(stray).fold(stage.exec_with(sandbox), |capstan, (name, value)| capstan.env(name, value));
        let run = stage.run(capstan.env("LANG", "de_AT.UTF-8"));
        run.assert_code(0);
        let item = run.items_of("command_execution").remove(0);
        let output = item["aggregated_output"].as_str().unwrap();
        // Functions of the shell, each in two lines.
        let (functions, variables): (Vec<&str>, Vec<&str>) =
            output.lines().filter(|line| *line != "}").partition(|line| line.starts_with("BASH_FUNC_"));
        let named: Vec<&str> = functions.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
        assert_eq!(named, FUNCTIONS, "{run}");
        let mut env: BTreeMap<&str, &str> = variables.into_iter().map(|line| line.split_once('=').expect("a variable")).collect();
        for name in IDENTITY {
            assert!(env.remove(name).is_some_and(|id| id.len() == 36), "{name}: {run}");
        }
        let home = stage.home.user_dir().display().to_string();
        assert_eq!(env.remove("HOME"), Some(home.as_str()));
        assert!(env.remove("PATH").is_some_and(|path| path.contains("/usr/bin")));
        let expected: BTreeMap<&str, &str> = given.into_iter().chain(SET).collect();
        assert_eq!(env, expected, "{run}");
    }
}

#[test]
fn the_documentation_names_the_same_list() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let start = readme.find("What a tool's process sees of your environment").expect("the README tells of the environment");
    let paragraph = readme[start..].split("\n\n").next().unwrap();
    let named = paragraph.split('`').skip(1).step_by(2);
    let mut named: Vec<&str> = named.collect();
    let mut list: Vec<&str> = INHERITED.into_iter().chain(IDENTITY).chain(FUNCTIONS).chain(SET.map(|(name, _)| name)).collect();
    named.sort_unstable();
    list.sort_unstable();
    assert_eq!(named, list);
}

#[test]
fn a_home_in_the_workspace_is_hidden_from_the_sessions_that_work_there() {
    let cmd = json!({"cmd": "ls -A home; cat home/config.toml; echo over", "login": false});
    let stage = Stage::playing(Script::new().then(Answer::calling("c1", "exec_command", &cmd)).then(Answer::saying("done")));
    let inside = stage.file("home");
    fs::create_dir(&inside).expect("a directory can be made");
    fs::write(inside.join("config.toml"), Home::configuration(&stage.server)).expect("a file can be written");
    let run = stage.run(stage.exec().env("CAPSTAN_HOME", &inside.display().to_string()));
    run.assert_code(0);
    let output = run.items_of("command_execution")[0]["aggregated_output"].as_str().unwrap_or_default().to_owned();
    assert!(output.ends_with("over\n") && !output.contains("scripted") && !output.contains("capstan.db"), "{run}");
}
