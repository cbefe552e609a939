//! Tests of the configuration.

use super::*;
use crate::state::CheckpointDir;
use capstan_types::policy::SandboxPolicy;
use capstan_types::stock::Stock;

fn config() -> NodeConfig {
    NodeConfig {
        id: "n1".parse().unwrap(),
        state_dir: StateDir::Own("/s".into()),
        checkpoints: CheckpointDir::WithState,
        runner: RunnerPath::program("/bin/capstan-sandbox".into()),
        prepared: 1,
        listen: vec![],
        token: None,
        advertise: None,
        dial_out: Vec::new(),
        dial_out_token: None,
        membership: None,
        capacity: Capacity { sessions: 1, cpus: 1, memory_bytes: 1 },
        stock: Stock::default(),
        watermarks: Watermarks::default(),
        labels: BTreeMap::new(),
        base_env: BTreeMap::new(),
        hidden: vec![],
        ceiling: default_ceiling(),
        root_allowed: false,
        blobs: None,
        strongest: Level::Full,
        journal: JournalSync::On,
    }
}

#[test]
fn the_base_environment_is_an_allow_list() {
    let daemon = |name: &str| match name {
        "HOME" => Some("/home/me".to_owned()),
        "PATH" => Some("/bin".to_owned()),
        "OPENAI_API_KEY" | "LD_PRELOAD" | "SSH_AUTH_SOCK" | "TMPDIR" => Some("leak".to_owned()),
        _ => None,
    };
    let env = base_environment(daemon);
    assert_eq!(env, BTreeMap::from([("HOME".to_owned(), "/home/me".to_owned()), ("PATH".to_owned(), "/bin".to_owned())]));
    let everything = base_environment(|name| Some(name.to_owned()));
    assert_eq!(everything.into_keys().collect::<Vec<_>>(), ALLOWED);
}

#[test]
fn a_session_has_a_path_even_when_the_daemon_has_none() {
    assert_eq!(base_environment(|_| None), BTreeMap::from([("PATH".to_owned(), DEFAULT_PATH.to_owned())]));
}

#[test]
fn tcp_without_a_token_is_refused_in_words() {
    let open = NodeConfig { listen: vec!["127.0.0.1:0".parse().unwrap()], ..config() };
    let said = open.check().unwrap_err().to_string();
    assert_eq!(
        said,
        "listening at http://127.0.0.1:0 needs a token, because every user of this host can connect to it; name a token file"
    );
    let token = Token::parse("0123456789abcdef").ok();
    assert_eq!(NodeConfig { token, ..open }.check(), Ok(()));
    assert_eq!(NodeConfig { listen: vec!["unix:///s".parse().unwrap()], ..config() }.check(), Ok(()));
}

#[test]
fn a_node_that_could_run_nothing_is_refused() {
    let mut none = config();
    none.capacity.sessions = 0;
    assert_eq!(none.check(), Err(ConfigError::NoRoom));
    assert_eq!(NodeConfig { prepared: 65, ..config() }.check(), Err(ConfigError::Prepared(65)));
    let relative = NodeConfig { runner: RunnerPath::program("capstan-sandbox".into()), ..config() };
    assert!(matches!(relative.check(), Err(ConfigError::RelativeRunner(_))));
}

#[test]
fn without_a_ceiling_of_the_operators_every_policy_is_allowed_and_limits_are_within_reason() {
    let ceiling = default_ceiling();
    assert_eq!(ceiling.exceeded_by(&SandboxPolicy::full_access()), None);
    let asked = SessionLimits { ownerless: Millis(1 << 40), head: ByteCap::mebibytes(1024), ..SessionLimits::default() };
    let got = asked.narrow(&ceiling.limits);
    assert_eq!((got.ownerless, got.head, got.total), (Millis(3_600_000), ByteCap::mebibytes(64), asked.total));
    assert!(ceiling.limits.checked().is_ok());
}
