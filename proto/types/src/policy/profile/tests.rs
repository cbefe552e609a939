use super::*;
use crate::time::Millis;

fn places(texts: &[&str]) -> Vec<Place> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn paths(texts: &[&str]) -> Vec<AbsPath> {
    texts.iter().map(|text| AbsPath::new(text).unwrap()).collect()
}

fn profile(base: SandboxMode) -> PermissionProfile {
    PermissionProfile::extending("mine", base)
}

fn policy(profile: &PermissionProfile) -> SandboxPolicy {
    profile.policy(&AbsPath::new("/w").unwrap(), &paths(&["/tmp"]))
}

fn said(profile: PermissionProfile) -> String {
    profile.checked().map_or_else(|error| error.to_string(), |_| "in order".to_owned())
}

#[test]
fn a_built_in_profile_is_its_mode_in_the_workspace() {
    let built_in = |name| policy(&PermissionProfile::built_in(name).unwrap().checked().unwrap());
    let read_only = SandboxPolicy { readable: paths(&["/w"]), ..SandboxPolicy::read_only() };
    assert_eq!(built_in(":read-only"), read_only);
    assert_eq!(built_in(":workspace"), SandboxPolicy::workspace_write(paths(&["/w", "/tmp"])));
    assert_eq!(built_in(":workspace-write"), built_in(":workspace"));
    assert_eq!(built_in(":danger-full-access"), SandboxPolicy::full_access());
    assert_eq!(PermissionProfile::built_in("workspace"), None);
}

#[test]
fn a_profile_adds_places_to_its_base() {
    let profile = PermissionProfile {
        writable: places(&["/cache"]),
        readable: places(&["/data"]),
        hidden: places(&[":workspace/.env"]),
        protected: vec!["Cargo.lock".to_owned()],
        network: Network::Hosts(vec!["crates.io".parse().unwrap()]),
        level: Level::Namespaces,
        ..profile(SandboxMode::WorkspaceWrite)
    };
    let expected = SandboxPolicy {
        mode: SandboxMode::WorkspaceWrite,
        writable: paths(&["/w", "/cache", "/tmp"]),
        readable: paths(&["/data"]),
        hidden: paths(&["/w/.env"]),
        protected: vec!["Cargo.lock".to_owned()],
        unprotected: false,
        network: profile.network.clone(),
        level: Level::Namespaces,
    };
    assert_eq!(policy(&profile), expected);
    let stored = serde_json::to_string(&profile).unwrap();
    assert_eq!(serde_json::from_str::<PermissionProfile>(&stored).unwrap().checked(), Ok(profile));
}

#[test]
fn what_a_read_only_profile_lets_be_written_does_not_make_the_workspace_writable() {
    let profile = PermissionProfile { writable: places(&[":workspace/out"]), ..profile(SandboxMode::ReadOnly) };
    let policy = policy(&profile);
    assert_eq!((policy.mode, profile.mode()), (SandboxMode::WorkspaceWrite, SandboxMode::WorkspaceWrite));
    assert_eq!((policy.writable, policy.readable), (paths(&["/w/out"]), paths(&["/w"])));
}

#[test]
fn a_profile_that_contradicts_itself_is_told_in_a_sentence() {
    let write = || profile(SandboxMode::WorkspaceWrite);
    let open = || profile(SandboxMode::DangerFullAccess);
    let no_sandbox = "there is no sandbox under :danger-full-access to hold it; extend another profile";
    let relative = "must be a relative path without `.`, `..` and empty parts; it holds wherever it occurs";
    let rows = [
        (
            PermissionProfile { writable: places(&["/a/b"]), hidden: places(&["/a"]), ..write() },
            "`writable`: `/a/b` is writable, and `/a` is hidden; leave out one of the two".to_owned(),
        ),
        (
            PermissionProfile { readable: places(&["./a"]), hidden: places(&["./a"]), ..write() },
            "`readable`: `:workspace/a` is readable, and `:workspace/a` is hidden; leave out one of the two".to_owned(),
        ),
        (PermissionProfile { writable: places(&["/a"]), hidden: places(&["/a/b"]), ..write() }, "in order".to_owned()),
        (
            PermissionProfile { writable: places(&["/"]), ..write() },
            "`writable`: `/` is everything; extend :danger-full-access, or name directories".to_owned(),
        ),
        (
            PermissionProfile { hidden: places(&["."]), ..write() },
            "`hidden`: neither `/` nor the whole workspace can be hidden from the sessions that work there".to_owned(),
        ),
        (
            PermissionProfile { writable: places(&["./sub/.git"]), ..profile(SandboxMode::ReadOnly) },
            "`writable`: `:workspace/sub/.git` is, or leads to, what is read-only in every sandbox; make the workspace writable instead"
                .to_owned(),
        ),
        (
            PermissionProfile { writable: places(&["./.codex/x"]), ..write() },
            "`writable`: `:workspace/.codex/x` is, or leads to, what is read-only in every sandbox; make the workspace writable instead"
                .to_owned(),
        ),
        (PermissionProfile { protected: vec!["/etc".into()], ..write() }, format!("`protected`: `/etc` {relative}")),
        (PermissionProfile { protected: vec!["a/../b".into()], ..write() }, format!("`protected`: `a/../b` {relative}")),
        (PermissionProfile { protected: vec![String::new()], ..write() }, format!("`protected`: `` {relative}")),
        (
            PermissionProfile { level: Level::None, ..write() },
            "`level`: it is `none`, which no sandbox is; extend :danger-full-access for that".to_owned(),
        ),
        (
            PermissionProfile { limits: SessionLimits { total: Some(Millis(0)), ..SessionLimits::default() }, ..write() },
            "`limits`: the total time limit (ms) is 0; it must be from 1 to 2592000000".to_owned(),
        ),
        (PermissionProfile { hidden: places(&["/a"]), ..open() }, format!("`hidden`: {no_sandbox}")),
        (PermissionProfile { network: Network::None, ..open() }, format!("`network`: {no_sandbox}")),
        (PermissionProfile { level: Level::Full, ..open() }, format!("`level`: {no_sandbox}")),
    ];
    for (profile, expected) in rows {
        assert_eq!(said(profile), expected);
    }
}
