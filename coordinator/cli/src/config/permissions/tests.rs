use super::*;
use crate::config::{Inputs, UserConfig, read};
use capstan_types::policy::{Level, Network};
use capstan_types::time::Millis;

fn layers(config: &str, overrides: &[&str]) -> Layers {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let inputs = Inputs { home: dir.path(), user: UserConfig::Read, profile: None, overrides: &overrides };
    let (layers, unknown) = read(inputs).unwrap();
    assert_eq!(unknown, []);
    layers
}

fn named(config: &str, overrides: &[&str], name: &str) -> Result<PermissionProfile, String> {
    let home = AbsPath::new("/home/me").unwrap();
    profile(&layers(config, overrides), name, Some(&home)).map_err(|error| {
        let said = error.to_string();
        // Where the file is differs from run to run.
        said.split_once("config.toml: ").map_or_else(|| said.clone(), |(_, rest)| rest.to_owned())
    })
}

fn mine(config: &str) -> PermissionProfile {
    named(config, &[], "mine").unwrap()
}

fn said(config: &str) -> String {
    named(config, &[], "mine").unwrap_err()
}

fn texts(places: &[Place]) -> Vec<String> {
    places.iter().map(ToString::to_string).collect()
}

fn hosts(list: &[&str]) -> Network {
    Network::Hosts(list.iter().map(|text| text.parse().unwrap()).collect())
}

#[test]
fn our_own_keys_say_all_that_a_profile_has() {
    let profile = mine(
        "[permissions.mine]
        extends = ':workspace'
        description = 'For the build.'
        writable = ['~/.cache/build', '/var/cache/x']
        readable = ['~/data']
        hidden = ['~/data/private', './.env']
        protected = ['Cargo.lock']
        network = ['crates.io', '*.github.com:443']
        level = 'namespaces'
        [permissions.mine.limits]
        memory = '512MiB'
        processes = 64
        cpu = 1.5
        total_time = '15m'",
    );
    assert_eq!((profile.base, profile.temp, profile.level), (SandboxMode::WorkspaceWrite, true, Level::Namespaces));
    assert_eq!(texts(&profile.writable), ["/home/me/.cache/build", "/var/cache/x"]);
    assert_eq!(texts(&profile.readable), ["/home/me/data"]);
    assert_eq!(texts(&profile.hidden), ["/home/me/data/private", ":workspace/.env"]);
    assert_eq!((profile.protected, profile.network), (vec!["Cargo.lock".to_owned()], hosts(&["crates.io", "*.github.com:443"])));
    let limits = SessionLimits {
        memory: Some(512 << 20),
        processes: Some(64),
        cpu_millis: Some(1500),
        total: Some(Millis(900_000)),
        ..SessionLimits::default()
    };
    assert_eq!(profile.limits, limits);
}

#[test]
fn a_profile_of_codex_is_read_as_it_is() {
    let profile = mine(
        "[permissions.mine.filesystem]
        ':root' = 'deny'
        ':minimal' = 'read'
        ':tmpdir' = 'write'
        '~/.cargo' = 'write'
        '/srv/data' = 'read'
        '/srv/data/keys' = 'none'
        glob_scan_max_depth = 3
        [permissions.mine.filesystem.':workspace_roots']
        '.' = 'write'
        '.git' = 'write'
        'secrets/' = 'deny'
        [permissions.mine.network]
        enabled = true
        allow_local_binding = true
        [permissions.mine.network.domains]
        'crates.io' = 'allow'
        '**.github.com' = 'allow'
        'evil.com' = 'deny'",
    );
    assert_eq!((profile.base, profile.temp, profile.level), (SandboxMode::WorkspaceWrite, true, Level::Namespaces));
    assert_eq!(texts(&profile.writable), ["/home/me/.cargo"]);
    assert_eq!(texts(&profile.readable), ["/srv/data"]);
    assert_eq!(texts(&profile.hidden), ["/srv/data/keys", ":workspace/secrets"]);
    assert_eq!(profile.network, hosts(&["github.com", "*.github.com", "crates.io"]));
}

#[test]
fn a_network_of_codex_is_read_as_what_it_allows() {
    let network =
        |text: &str| mine(&format!("[permissions.mine]\nextends = ':read-only'\n[permissions.mine.network]\n{text}")).network;
    assert_eq!(network("enabled = false"), Network::Loopback);
    assert_eq!(network(""), Network::Loopback);
    assert_eq!(network("enabled = true\nmode = 'full'"), Network::Full);
    assert_eq!(network("enabled = true\ndomains = { '*' = 'allow' }"), Network::Full);
    assert_eq!(network("enabled = true\ndomains = { '*' = 'deny', 'a.io' = 'allow' }"), hosts(&["a.io"]));
    assert_eq!(network("enabled = true\ndomains = {}\nunix_sockets = { '/x' = 'none' }"), hosts(&[]));
}

#[test]
fn a_profile_extends_another_and_overrides_set_single_keys() {
    let config = "
        [permissions.base]
        extends = ':read-only'
        network = 'none'
        limits = { memory = '1GiB', processes = 9 }
        [permissions.mine]
        extends = 'base'
        readable = ['/data']
        limits = { memory = '2GiB' }";
    let profile = named(config, &["permissions.mine.level=full", "permissions.base.limits.idle_time='5m'"], "mine").unwrap();
    assert_eq!((profile.name.as_str(), profile.base, profile.network), ("mine", SandboxMode::ReadOnly, Network::None));
    assert_eq!((profile.limits.memory, profile.limits.processes), (Some(2 << 30), Some(9)));
    assert_eq!((profile.level, profile.limits.idle), (Level::Full, Some(Millis(300_000))));
}

#[test]
fn what_cannot_be_held_is_refused_with_a_sentence() {
    let no_extends = "`permissions.mine.extends`: it is missing; name :read-only, :workspace, :danger-full-access or a profile, or say under \
                      filesystem.\":workspace_roots\" what \".\" is";
    let rows = [
        (
            "",
            "there is no permission profile `mine` (known are :read-only, :workspace, :workspace-write, :danger-full-access); choose one of \
              them, or describe it under [permissions.mine]",
        ),
        ("[permissions.mine]", no_extends),
        ("permissions.mine = 3", "`permissions.mine` must be a table, not a number"),
        (
            "[permissions.mine]\nextends = 'mine'",
            "`permissions.mine.extends`: more than 8 profiles extend one another, or in a circle",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nwriteable = ['/x']",
            "`permissions.mine.writeable`: the key is not known; a profile has \
              description, extends, filesystem, workspace_roots, writable, readable, hidden, protected, network, level and limits",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nwritable = '/x'",
            "`permissions.mine.writable` must be a list of texts, not text",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nwritable = ['x']",
            "`permissions.mine.writable`: `x` is not a place: begin it with `/`, `~/` or `:workspace/`",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nwritable = ['/']",
            "`permissions.mine.writable`: `/` is everything; extend :danger-full-access, or name directories",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nwritable = ['/a/b']\nhidden = ['/a']",
            "`permissions.mine.writable`: `/a/b` is writable, and `/a` is hidden; leave out one of the two",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nprotected = ['../x']",
            "`permissions.mine.protected`: `../x` must be a relative path without `.`, `..` and empty parts; it holds wherever it occurs",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nlevel = 'strong'",
            "`permissions.mine.level`: `strong` is not a sandbox level; use landlock, namespaces or full",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nlimits = { memory = '1' }",
            "`permissions.mine.limits`: the memory limit (bytes) is 1; it must be from 4194304 to 1125899906842624",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nlimits = { memory = true }",
            "`permissions.mine.limits.memory` must be a number or a text, not true or false",
        ),
        (
            "[permissions.mine]\nextends = ':workspace'\nlimits = { ram = 1 }",
            "`permissions.mine.limits`: `ram` is not a limit; there are memory, processes, cpu, cpu_time, disk_written, open_files, file_size, output, total_time, idle_time, keep_all",
        ),
        (
            "[permissions.mine]\nextends = ':danger-full-access'\nhidden = ['/x']",
            "`permissions.mine.hidden`: there is no sandbox under :danger-full-access to hold it; extend another profile",
        ),
        (
            "[permissions.mine]\nextends = ':danger-full-access'\nnetwork = 'none'",
            "`permissions.mine.network`: there is no sandbox under :danger-full-access to hold it; extend another profile",
        ),
    ];
    for (config, expected) in rows {
        assert_eq!(said(config), expected, "{config}");
    }
}

#[test]
fn what_codex_can_say_and_no_sandbox_here_can_hold_is_refused() {
    let workspace = |rule: &str| format!("permissions.mine = {{ extends = ':workspace', filesystem = {{ {rule} }} }}");
    let network = |rule: &str| format!("permissions.mine = {{ extends = ':workspace', network = {{ {rule} }} }}");
    let rows = [
        (
            workspace("':workspace_roots' = { '**/*.env' = 'deny' }"),
            "a pattern cannot be held, because files that match it may come later",
        ),
        (
            workspace("':workspace_roots' = { 'docs' = 'read' }"),
            "`:workspace/docs`: one place in a writable workspace cannot be read-only",
        ),
        (workspace("':workspace_roots' = { '.codex/x' = 'write' }"), "`:workspace/.codex/x`: it is read-only in every sandbox"),
        (workspace("':workspace_roots' = { '../x' = 'write' }"), "it must stay in the workspace"),
        (workspace("':workspace_roots' = { '.' = 'deny' }"), "the workspace of a session cannot be hidden from it"),
        (workspace("':root' = 'write'"), "everything is only written by :danger-full-access"),
        (workspace("':minimal' = 'deny'"), "the system's own files can be read and never written"),
        (workspace("':home' = 'read'"), "`:home` is not a place"),
        (workspace("'/x' = 'rw'"), "`/x`: `rw` is no access; write read, write or deny"),
        (workspace("'/x' = 7"), "must be read, write or deny, not a number"),
        (network("enabled = false, domains = { 'a.io' = 'allow' }"), "hosts are listed, and it is not enabled"),
        (network("domains = { 'a.io' = 'allow' }"), "hosts are listed, and it is not enabled"),
        (network("enabled = true, mode = 'limited'"), "only `full` can be held"),
        (network("enabled = true, domains = { '*' = 'allow', 'evil.com' = 'deny' }"), "`evil.com` cannot be kept out"),
        (network("enabled = true, domains = { '*.a.io' = 'allow', 'x.a.io' = 'deny' }"), "`x.a.io` cannot be kept out"),
        (network("enabled = true, domains = { 'a b' = 'allow' }"), "`a b` is not a host name"),
        (network("enabled = true, unix_sockets = { '/run/docker.sock' = 'allow' }"), "sockets of the host are not let in"),
        (network("dangerously_allow_all_unix_sockets = true"), "sockets of the host are not let in"),
        (network("enable = true"), "`permissions.mine.network.enable`: the key is not known"),
    ];
    for (config, expected) in rows {
        let said = said(&config);
        assert!(said.contains(expected), "{config}: {said}");
    }
}

#[test]
fn a_name_that_no_profile_can_have_is_refused() {
    for name in ["", ":own", "a.b", "a b", "../x"] {
        let said = named("", &[], name).unwrap_err();
        assert!(said.contains("cannot be a permission profile's name"), "{said}");
    }
}

#[test]
fn the_strongest_layer_that_says_a_mode_or_a_profile_decides() {
    let chosen = |config: &str, overrides: &[&str]| chosen(&layers(config, overrides));
    let profile = |name: &str| Ok(Some(Chosen::Profile(name.to_owned())));
    assert_eq!(chosen("", &[]), Ok(None));
    assert_eq!(chosen("default_permissions = ':workspace'", &[]), profile(":workspace"));
    assert_eq!(chosen("default_permissions = 'mine'", &["sandbox_mode=read-only"]), Ok(Some(Chosen::Mode)));
    assert_eq!(chosen("sandbox_mode = 'read-only'", &["default_permissions=mine"]), profile("mine"));
    let both = chosen("sandbox_mode = 'read-only'\ndefault_permissions = 'mine'", &[]).unwrap_err().to_string();
    assert!(both.ends_with("`default_permissions`: `sandbox_mode` is set beside it; leave out one of the two"), "{both}");
    assert!(chosen("default_permissions = true", &[]).unwrap_err().to_string().ends_with("must be text, not true or false"));
}
