use super::*;
use crate::commands::doctor::findings::{RunnerFound, SessionFound};
use capstan_types::launch::Enforced;
use capstan_types::policy::Level;

fn enforced() -> Enforced {
    Enforced {
        landlock_abi: Some(7),
        landlock_rights: "fs=0xffff net=0x3 scope=0x3".into(),
        uid: 1_879_048_193,
        level: Level::Full,
        namespaces: ["user", "mnt", "pid", "ipc", "uts", "net"].map(str::to_owned).into(),
        limits: ["memory=3221225472 (cgroup v2)", "processes=1024 (cgroup v2)", "file_bytes=4294967296 (rlimit)"]
            .map(str::to_owned)
            .into(),
        ..Enforced::default()
    }
}

fn good() -> Findings {
    let provider = |id: &str, env_key: Option<&str>, key| ProviderFound {
        id: id.into(),
        env_key: env_key.map(str::to_owned),
        key,
        problem: None,
    };
    let program = |name: &str, path: Option<&str>, required| ProgramFound {
        name: name.into(),
        path: path.map(Into::into),
        purpose: "does things".into(),
        required,
    };
    Findings {
        version: "0.1.0".into(),
        runner: RunnerFound { command: "/usr/bin/capstan-sandbox".into(), problem: None },
        host: Some(Fingerprint {
            landlock_abi: Some(7),
            seccomp: true,
            namespaces: vec!["mnt".into(), "pid".into()],
            cgroups: Vec::new(),
            kernel: "6.18.44".into(),
            arch: "x86_64".into(),
            root: false,
            ..Fingerprint::default()
        }),
        session: Some(SessionFound { place: "/tmp".into(), enforced: Some(enforced()), problem: None }),
        providers: vec![
            provider("anthropic", Some("ANTHROPIC_API_KEY"), false),
            provider("ollama", None, false),
            provider("openai", Some("OPENAI_API_KEY"), true),
            ProviderFound { problem: Some("model provider `own` has no base_url".into()), ..provider("own", None, false) },
        ],
        programs: vec![program("sh", Some("/bin/sh"), true), program("git", None, false)],
        home: Place { path: Some("/home/me/.capstan".into()), problem: None, warnings: Vec::new() },
        config: Place {
            path: Some("/home/me/.capstan/config.toml".into()),
            problem: None,
            warnings: vec!["the key `x` is not known".into()],
        },
    }
}

#[test]
fn a_host_on_which_all_works() {
    insta::assert_snapshot!(lines(&good(), Ink::Plain).join("\n"));
}

#[test]
fn a_host_on_which_nothing_works() {
    let mut findings = good();
    findings.runner.problem = Some("the runner cannot be asked".into());
    findings.host = findings.host.map(|host| Fingerprint {
        landlock_abi: Some(2),
        seccomp: false,
        namespaces: Vec::new(),
        root: true,
        ..host
    });
    findings.session = Some(SessionFound { place: "/tmp".into(), enforced: None, problem: Some("Landlock is too old".into()) });
    findings.programs[0].path = None;
    findings.home.problem = Some("it belongs to another".into());
    assert!(!findings.ready());
    insta::assert_snapshot!(lines(&findings, Ink::Plain).join("\n"));
}

#[test]
fn a_host_that_reaches_less_than_the_full_level_is_told_what_to_do() {
    let mut findings = good();
    let missing = [
        "own user: `/w` cannot be given to another user: Invalid argument (os error 22); the session runs as uid 0",
        "memory of the whole tree: no cgroup can be made here; each process is bounded, and the sum is watched every 250 ms to 1 s",
    ];
    let less = Enforced { uid: 0, level: Level::Namespaces, missing: missing.map(str::to_owned).into(), ..enforced() };
    findings.session = Some(SessionFound { place: "/tmp".into(), enforced: Some(less.clone()), problem: None });
    let namespaces = session::rows(&findings);
    let least = Enforced {
        level: Level::Landlock,
        namespaces: Vec::new(),
        missing: vec!["namespaces: not permitted; allow user namespaces".into()],
        ..less
    };
    findings.session = Some(SessionFound { place: "/tmp".into(), enforced: Some(least), problem: None });
    let landlock = session::rows(&findings);
    let all: Vec<String> = namespaces.iter().chain(&landlock).map(|row| line(row, Ink::Plain)).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn the_findings_as_json() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&good()).unwrap());
}

#[test]
fn each_thing_that_exec_needs_is_asked_for() {
    assert!(good().ready());
    let broken: [fn(&mut Findings); 5] = [
        |findings| findings.session = None,
        |findings| findings.session.as_mut().unwrap().enforced.as_mut().unwrap().level = Level::None,
        |findings| findings.programs[0].path = None,
        |findings| findings.config.problem = Some("not TOML".into()),
        |findings| findings.runner.problem = Some("gone".into()),
    ];
    for (place, breaks) in broken.iter().enumerate() {
        let mut findings = good();
        breaks(&mut findings);
        assert!(!findings.ready(), "{place}");
    }
}
