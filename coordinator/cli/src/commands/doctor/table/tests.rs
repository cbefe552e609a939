use super::*;
use crate::commands::doctor::findings::RunnerFound;

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
    findings.programs[0].path = None;
    findings.home.problem = Some("it belongs to another".into());
    assert!(!findings.ready());
    insta::assert_snapshot!(lines(&findings, Ink::Plain).join("\n"));
}

#[test]
fn the_findings_as_json() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&good()).unwrap());
}

#[test]
fn each_thing_that_exec_needs_is_asked_for() {
    assert!(good().ready());
    let broken: [fn(&mut Findings); 6] = [
        |findings| findings.host = None,
        |findings| findings.host.as_mut().unwrap().landlock_abi = Some(2),
        |findings| findings.host.as_mut().unwrap().seccomp = false,
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
