//! What `capstan doctor` says is true.

use capstan_tests::capstan::{Capstan, Home, Run, binary};
use capstan_tests::process::command;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn doctor(home: &Home, prepare: impl FnOnce(Capstan) -> Capstan) -> (Run, Value) {
    let run = prepare(Capstan::new(home).args(["doctor", "--json"])).run();
    let findings = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("not JSON: {error}\n{run}"));
    (run, findings)
}

fn named<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    let found = list.as_array().and_then(|list| list.iter().find(|entry| entry[key] == name));
    found.unwrap_or_else(|| panic!("there is no {name} in {list:#}"))
}

#[test]
fn what_the_doctor_finds_on_this_host_is_true() {
    let home = Home::new();
    let (run, findings) = doctor(&home, |capstan| capstan.env("OPENAI_API_KEY", "sk-canary-1"));
    run.assert_code(0);
    assert!(!run.stdout.contains("sk-canary-1"), "{run}");
    assert_eq!(findings["runner"]["command"], binary("capstan-sandbox").display().to_string());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel has a name");
    assert_eq!(findings["host"]["kernel"], kernel.trim());
    assert_eq!(findings["host"]["arch"], std::env::consts::ARCH);
    for program in findings["programs"].as_array().expect("programs are listed") {
        let found = command("sh").args(["-c", &format!("command -v {}", program["name"])]).env("PATH", path()).output();
        let found = found.expect("sh can be started").status.success();
        assert_eq!(program["path"].as_str().is_some_and(runs), found, "{program}");
    }
    assert_eq!(named(&findings["providers"], "id", "openai")["key"], true);
    assert_eq!(named(&findings["providers"], "id", "anthropic")["key"], false);
    assert_eq!(findings["home"]["path"], home.path().display().to_string());
    assert_eq!((&findings["home"]["problem"], &findings["config"]["problem"]), (&Value::Null, &Value::Null));
}

fn path() -> String {
    format!("{}:{}", capstan_tests::capstan::toolchain_bin().display(), std::env::var("PATH").unwrap_or_default())
}

fn runs(path: &str) -> bool {
    Path::new(path).metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[test]
fn what_is_missing_or_broken_is_found() {
    let home = Home::new();
    home.configure("modle = 7\n[model_providers.acme]\nbase_url = \"nonsense\"\n");
    let empty = home.root().join("empty");
    fs::create_dir(&empty).expect("a directory can be made");
    let (run, findings) = doctor(&home, |capstan| capstan.env("PATH", &empty.display().to_string()));
    run.assert_code(1);
    assert_eq!(named(&findings["programs"], "name", "sh")["path"], Value::Null);
    assert_eq!(named(&findings["programs"], "name", "cc")["path"], Value::Null);
    assert!(named(&findings["providers"], "id", "acme")["problem"].is_string(), "{findings:#}");
    assert!(findings["config"]["warnings"][0].as_str().is_some_and(|said| said.contains("`modle` is not known")), "{findings:#}");
}

#[test]
fn a_home_that_is_a_file_and_a_runner_that_is_none_are_problems() {
    let home = Home::new();
    let file = home.root().join("file");
    fs::write(&file, "").expect("a file can be written");
    let file = file.display().to_string();
    let (run, findings) = doctor(&home, |capstan| capstan.env("CAPSTAN_HOME", &file).env("CAPSTAN_RUNNER", "/bin/true"));
    run.assert_code(1);
    assert!(findings["home"]["problem"].as_str().is_some_and(|said| said.contains("not a directory")), "{findings:#}");
    assert!(findings["runner"]["problem"].is_string() && findings["host"].is_null(), "{findings:#}");
}

#[test]
fn the_table_says_the_same_as_the_json() {
    let home = Home::new();
    let run = Capstan::new(&home).arg("doctor").run();
    run.assert_code(0);
    let (_, findings) = doctor(&home, |capstan| capstan);
    assert!(run.stdout.contains(&format!("ABI {}", findings["host"]["landlock_abi"])), "{run}");
    let enforced = &findings["session"]["enforced"];
    assert_ne!(enforced["level"], "none", "{findings:#}");
    for shown in [&enforced["level"]].into_iter().chain(enforced["missing"].as_array().expect("what is missing is listed")) {
        let shown = shown.as_str().expect("it is text");
        assert!(run.stdout.contains(shown), "{shown}: {run}");
    }
    for program in findings["programs"].as_array().expect("programs are listed") {
        let shown = program["path"].as_str().unwrap_or("missing");
        let name = program["name"].as_str().expect("a program has a name");
        let line = run.stdout.lines().find(|line| line.split_whitespace().nth(1) == Some(name));
        assert!(line.is_some_and(|line| line.contains(shown)), "{name}: {run}");
    }
    assert!(run.stdout.ends_with("capstan exec can work here\n"), "{run}");
}
