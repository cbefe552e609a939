use super::*;
use crate::thread::fixture::{facts, path, settings};
use capstan_types::limits::SessionLimits;
use capstan_types::policy::{Network, PermissionProfile, SandboxMode};
use capstan_types::time::Millis;

#[test]
fn the_model_is_told_where_it_works_and_what_it_may_do() {
    let facts = WorkspaceFacts { git: true, ..facts() };
    let policy = SandboxPolicy::workspace_write(vec![path("/w"), path("/tmp")]);
    let Entry::Developer { text } = environment(&settings(), &facts, &policy) else { panic!("not for the developer") };
    insta::assert_snapshot!(text, @r"
    <environment>
    <node>n1</node>
    <cwd>/w</cwd> (a git work tree)
    <shell>bash</shell>
    </environment>
    <permissions>
    Sandbox: workspace-write. Files can be written only below /w and /tmp; .git/hooks, .git/config, .capstan, .codex and .agents are read-only wherever they occur there; network: the session's own loopback only. Each command may use 3 GiB of memory, 1024 processes, files of 4 GiB, 16384 open files.
    Approval policy: never. Nobody can be asked: what the sandbox refuses stays refused, so find another way or report it.
    </permissions>
    ");
}

#[test]
fn the_model_is_told_what_a_profile_lets_it_read_and_use() {
    let profile = PermissionProfile {
        readable: vec!["/data".parse().unwrap()],
        hidden: vec![":workspace/.env".parse().unwrap()],
        network: Network::Hosts(vec!["*.crates.io".parse().unwrap()]),
        limits: SessionLimits { total: Some(Millis(600_000)), memory: Some(1 << 30), ..SessionLimits::WIDEST },
        ..PermissionProfile::extending("mine", SandboxMode::ReadOnly)
    };
    let settings = ThreadSettings { profile: Some(Box::new(profile)), ..settings() };
    let policy = crate::thread::workspace::policy(&settings, &facts());
    let Entry::Developer { text } = environment(&settings, &facts(), &policy) else { panic!("not for the developer") };
    let sandbox = text.lines().find(|line| line.starts_with("Sandbox: ")).unwrap();
    assert_eq!(
        sandbox,
        "Sandbox: read-only. Files can be read, not written; hidden, not to be read: /w/.env; network: its own loopback, and through the \
         proxy that the environment names *.crates.io. Besides the system's files these can be read: /w, /data. Each command may use 10 min \
         in all, 1 GiB of memory."
    );
    let open = ThreadSettings { profile: PermissionProfile::built_in(":danger-full-access").map(Box::new), ..settings };
    let policy = crate::thread::workspace::policy(&open, &facts());
    let Entry::Developer { text } = environment(&open, &facts(), &policy) else { panic!("not for the developer") };
    assert!(text.contains("Sandbox: danger-full-access. Commands run without a sandbox. Each command may use 3 GiB"), "{text}");
}

#[test]
fn added_instructions_follow_the_base_ones() {
    let added = ThreadSettings { instructions: Some("Answer in French.".into()), ..settings() };
    let text = instructions(&added);
    assert!(text.starts_with(BASE) && text.ends_with("Answer in French.\n"), "{text}");
}
