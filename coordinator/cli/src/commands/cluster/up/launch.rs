//! With which words and in which environment each member is started. Pure.

use super::bridge::{Tools, place};
use super::layout::{Member, Part};
use super::process::Start;
use crate::surroundings::Surroundings;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What all members have in common.
#[derive(Debug)]
pub(super) struct Common {
    /// The cluster's directory.
    pub(super) dir: PathBuf,
    /// This program.
    pub(super) capstan: PathBuf,
    /// etcd.
    pub(super) etcd: PathBuf,
    /// What starts a program in a network namespace, if any is used.
    pub(super) tools: Option<Tools>,
    /// Where etcd serves.
    pub(super) registry: String,
    /// What answers instead of models.
    pub(super) script: Option<PathBuf>,
    /// This command's environment.
    pub(super) surroundings: Surroundings,
}

/// By what a member joins: a token, and the address of the coordinator with the authority.
pub(super) type Join = (String, String);

/// What of this environment is for this command alone, or would lead a member elsewhere.
const NOT_PASSED_ON: [&str; 7] = [
    "CAPSTAN_COORDINATOR",
    "CAPSTAN_COORDINATOR_TOKEN",
    "CAPSTAN_HOME",
    "CAPSTAN_REGISTRY",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// What a program needs that knows no secret.
const PLAIN: [&str; 9] = ["CAPSTAN_RUNNER", "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TMPDIR", "TZ", "USER"];

/// How a member is started.
pub(super) fn start(member: &Member, common: &Common, join: Option<&Join>) -> Start {
    let (program, arguments) = match member.part {
        Part::Etcd => (&common.etcd, etcd(member, &common.dir)),
        Part::Coordinator => (&common.capstan, coordinator(member, common, join)),
        Part::Node => (&common.capstan, node(member, common, join)),
    };
    let (program, arguments) = match (&member.namespace, &common.tools) {
        (Some(namespace), Some(tools)) => {
            let mut net = OsString::from("--net=");
            net.push(place(&namespace.name));
            (&tools.enter, [net, "--".into(), program.into()].into_iter().chain(arguments).collect())
        }
        (_, _) => (program, arguments),
    };
    Start {
        program: program.clone(),
        arguments,
        environment: environment(member, common),
        home: member.home(&common.dir),
        log: member.log(&common.dir),
    }
}

fn etcd(member: &Member, dir: &Path) -> Vec<OsString> {
    let (clients, peers) = (format!("http://{}", member.address), format!("http://{}", member.second));
    let mut words: Vec<OsString> = vec!["--data-dir".into(), member.home(dir).join("data").into()];
    words.extend(["--name", "etcd", "--logger", "zap", "--initial-cluster"].map(OsString::from));
    words.push(format!("etcd={peers}").into());
    for (flag, url) in [
        ("--listen-client-urls", &clients),
        ("--advertise-client-urls", &clients),
        ("--listen-peer-urls", &peers),
        ("--initial-advertise-peer-urls", &peers),
    ] {
        words.extend([OsString::from(flag), url.into()]);
    }
    words
}

fn coordinator(member: &Member, common: &Common, join: Option<&Join>) -> Vec<OsString> {
    let mut words = daemon("coordinator", member, common, join);
    words.extend(common.script.iter().flat_map(|script| [OsString::from("--script"), script.into()]));
    words
}

fn node(member: &Member, common: &Common, join: Option<&Join>) -> Vec<OsString> {
    let mut words = daemon("node", member, common, join);
    // One file system, many nodes: what differs between them is their names.
    words.extend(["--label".into(), format!("up={}", member.name).into()]);
    words
}

fn daemon(command: &str, member: &Member, common: &Common, join: Option<&Join>) -> Vec<OsString> {
    let (listen, monitor) = (member.url(), member.second.to_string());
    let words = [command, "--name", &member.name, "--listen", &listen, "--monitor", &monitor, "--registry", &common.registry];
    let join = join.into_iter().flat_map(|(token, address)| ["--join", token, address]);
    words.into_iter().chain(join).map(OsString::from).collect()
}

fn environment(member: &Member, common: &Common) -> BTreeMap<String, String> {
    let passed = common.surroundings.variables().iter().filter(|(name, _)| match member.part {
        Part::Coordinator => !NOT_PASSED_ON.contains(&name.as_str()),
        Part::Etcd | Part::Node => PLAIN.contains(&name.as_str()),
    });
    let mut environment: BTreeMap<_, _> = passed.map(|(name, value)| (name.clone(), value.clone())).collect();
    if member.part != Part::Etcd {
        environment.insert("CAPSTAN_HOME".to_owned(), member.home(&common.dir).display().to_string());
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::cluster::up::layout::{Network, members};
    use capstan_types::path::AbsPath;

    fn common() -> Common {
        let variables = [("HOME", "/root"), ("OPENAI_API_KEY", "sk"), ("CAPSTAN_REGISTRY", "etcd://x"), ("PATH", "/bin")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Common {
            dir: "/up".into(),
            capstan: "/bin/capstan".into(),
            etcd: "/bin/etcd".into(),
            tools: None,
            registry: "etcd://127.0.0.1:1".to_owned(),
            script: Some("/s.json".into()),
            surroundings: Surroundings::new(variables, AbsPath::new("/").unwrap()),
        }
    }

    fn told(start: &Start) -> String {
        let words: Vec<_> = start.arguments.iter().map(|word| word.to_string_lossy()).collect();
        let environment: Vec<_> = start.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {} {}", environment.join(" "), start.program.display(), words.join(" "))
    }

    #[test]
    fn keys_go_to_coordinators_alone_and_everybody_has_a_home_of_its_own() {
        let (common, join) = (common(), ("T".to_owned(), "127.0.0.1:3".to_owned()));
        let all = members(&Network::Ports, 1, 1, &[1, 2, 3, 4, 5, 6]);
        let lines: Vec<_> =
            all.iter().map(|member| told(&start(member, &common, (member.part == Part::Node).then_some(&join)))).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        HOME=/root PATH=/bin /bin/etcd --data-dir /up/members/etcd/data --name etcd --logger zap --initial-cluster etcd=http://127.0.0.1:2 --listen-client-urls http://127.0.0.1:1 --advertise-client-urls http://127.0.0.1:1 --listen-peer-urls http://127.0.0.1:2 --initial-advertise-peer-urls http://127.0.0.1:2
        CAPSTAN_HOME=/up/members/coordinator-1 HOME=/root OPENAI_API_KEY=sk PATH=/bin /bin/capstan coordinator --name coordinator-1 --listen https://127.0.0.1:3 --monitor 127.0.0.1:4 --registry etcd://127.0.0.1:1 --script /s.json
        CAPSTAN_HOME=/up/members/node-1 HOME=/root PATH=/bin /bin/capstan node --name node-1 --listen https://127.0.0.1:5 --monitor 127.0.0.1:6 --registry etcd://127.0.0.1:1 --join T 127.0.0.1:3 --label up=node-1
        ");
    }
}
