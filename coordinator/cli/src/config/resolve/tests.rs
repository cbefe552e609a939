use super::super::read::{Inputs, UserConfig, read};
use super::*;
use std::path::Path;

const CWD: &str = "/desk/project";

fn layers(config: &str, overrides: &[&str]) -> Layers {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("config.toml"), config).unwrap();
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let inputs = Inputs { home: dir.path(), user: UserConfig::Read, profile: None, overrides: &overrides };
    read(inputs).unwrap().0
}

fn flags() -> Flags {
    Flags {
        model: None,
        answerer: Answerer::Configured,
        sandbox: Sandboxing::Configured,
        cwd: AbsPath::new(CWD).unwrap(),
        add_dirs: Vec::new(),
        user_home: AbsPath::new("/home/me").ok(),
        global_doc: None,
        placement: Box::default(),
    }
}

fn resolved(config: &str, overrides: &[&str], flags: &Flags) -> Resolved {
    resolve(&layers(config, overrides), flags).unwrap()
}

fn said(config: &str, flags: &Flags) -> String {
    let said = resolve(&layers(config, &[]), flags).unwrap_err().to_string();
    // Where the file is differs from run to run.
    said.split_once("config.toml: ").map_or_else(|| said.clone(), |(_, rest)| rest.to_owned())
}

#[test]
fn the_model_and_its_provider_are_chosen_by_the_strongest_who_says() {
    let own = "[model_providers.own]\nbase_url = 'http://h/v1'\n";
    let local = |chosen: Option<&str>| Answerer::Local(chosen.map(str::to_owned));
    let rows = [
        ("", None, Answerer::Configured, ("gpt-5.5", "openai")),
        ("model = 'o3'", None, Answerer::Configured, ("o3", "openai")),
        ("model = 'o3'", Some("gpt-4.1"), Answerer::Configured, ("gpt-4.1", "openai")),
        ("model = 'claude-x'", None, Answerer::Configured, ("claude-x", "anthropic")),
        ("", Some("gemini-x"), Answerer::Configured, ("gemini-x", "gemini")),
        ("model = 'claude-x'\nmodel_provider = 'openai'", None, Answerer::Configured, ("claude-x", "openai")),
        ("model = 'm'\nmodel_provider = 'own'", None, Answerer::Configured, ("m", "own")),
        ("model = 'o3'", None, local(None), ("gpt-oss:20b", "ollama")),
        ("model = 'o3'", Some("qwen3"), local(None), ("qwen3", "ollama")),
        ("oss_provider = 'lmstudio'", None, local(None), ("openai/gpt-oss-20b", "lmstudio")),
        ("oss_provider = 'lmstudio'", None, local(Some("ollama")), ("gpt-oss:20b", "ollama")),
        ("model = 'o3'", None, Answerer::Scripted, ("o3", "script")),
        ("", None, Answerer::Scripted, ("scripted", "script")),
    ];
    for (config, model, answerer, expected) in rows {
        let flags = Flags { model: model.map(str::to_owned), answerer: answerer.clone(), ..flags() };
        let settings = resolved(&format!("{config}\n{own}"), &[], &flags).settings;
        assert_eq!((settings.model.as_str(), settings.provider.as_str()), expected, "{config} {model:?} {answerer:?}");
    }
}

#[test]
fn the_sandbox_and_the_approvals_are_chosen_by_the_strongest_who_says() {
    use ApprovalPolicy::{Never, OnRequest, Untrusted};
    use SandboxMode::{DangerFullAccess, ReadOnly, WorkspaceWrite};
    type Row = (&'static str, &'static [&'static str], Sandboxing, (SandboxMode, ApprovalPolicy));
    let rows: [Row; 11] = [
        ("", &[], Sandboxing::Configured, (ReadOnly, Never)),
        ("sandbox_mode = 'workspace-write'", &[], Sandboxing::Configured, (WorkspaceWrite, Never)),
        ("sandbox_mode = 'workspace-write'", &["sandbox_mode=read-only"], Sandboxing::Configured, (ReadOnly, Never)),
        ("", &[], Sandboxing::OwnWorkspace, (WorkspaceWrite, Never)),
        ("sandbox_mode = 'read-only'", &[], Sandboxing::OwnWorkspace, (ReadOnly, Never)),
        ("default_permissions = ':read-only'", &[], Sandboxing::OwnWorkspace, (ReadOnly, Never)),
        ("sandbox_mode = 'read-only'", &[], Sandboxing::Mode(WorkspaceWrite), (WorkspaceWrite, Never)),
        ("approval_policy = 'on-failure'", &[], Sandboxing::Configured, (ReadOnly, OnRequest)),
        ("approval_policy = 'on-request'", &["approval_policy=untrusted"], Sandboxing::Configured, (ReadOnly, Untrusted)),
        ("approval_policy = { granular = { rules = true } }", &[], Sandboxing::Configured, (ReadOnly, OnRequest)),
        ("approval_policy = 'untrusted'", &[], Sandboxing::Bypassed, (DangerFullAccess, Never)),
    ];
    for (config, overrides, sandbox, expected) in rows {
        let settings = resolved(config, overrides, &Flags { sandbox: sandbox.clone(), ..flags() }).settings;
        assert_eq!((settings.sandbox, settings.approval), expected, "{config} {overrides:?} {sandbox:?}");
    }
}

#[test]
fn a_profile_stands_in_place_of_the_older_keys_and_a_mode_on_the_command_line_before_it() {
    let config = "
        default_permissions = 'mine'
        [permissions.mine]
        extends = ':read-only'
        writable = [':workspace/out']
        [sandbox_workspace_write]
        network_access = true
        writable_roots = ['/cache']";
    let add_dirs = vec![AbsPath::new("/more").unwrap()];
    let with = |sandbox| resolved(config, &[], &Flags { sandbox, add_dirs: add_dirs.clone(), ..flags() }).settings;
    let mine = with(Sandboxing::Configured);
    let name = |settings: &ThreadSettings| settings.profile.as_ref().map(|profile| profile.name.clone());
    assert_eq!((name(&mine), mine.sandbox), (Some("mine".to_owned()), SandboxMode::WorkspaceWrite));
    assert_eq!((&mine.writable_roots, mine.network_access), (&add_dirs, false));
    let chosen = with(Sandboxing::Profile(":danger-full-access".into()));
    assert_eq!((name(&chosen), chosen.sandbox), (Some(":danger-full-access".to_owned()), SandboxMode::DangerFullAccess));
    let mode = with(Sandboxing::Mode(SandboxMode::WorkspaceWrite));
    assert_eq!((name(&mode), mode.sandbox, mode.network_access), (None, SandboxMode::WorkspaceWrite, true));
    assert_eq!(with(Sandboxing::Bypassed).profile, None);
}

#[test]
fn the_rest_of_the_settings_come_from_the_file() {
    let config = "
        model_reasoning_effort = 'high'
        instructions = 'First.'
        developer_instructions = 'Then.'
        [sandbox_workspace_write]
        network_access = true
        exclude_slash_tmp = true
        writable_roots = ['/data/../cache', '~/.cargo']
        [shell_environment_policy.set]
        CI = '1'
        [tools.update_plan]
        enabled = true
    ";
    let flags = Flags { add_dirs: vec![AbsPath::new("/more").unwrap()], ..flags() };
    let settings = resolved(config, &["shell_environment_policy.set.LANG='C'"], &flags).settings;
    let roots: Vec<&str> = settings.writable_roots.iter().map(AbsPath::as_str).collect();
    assert_eq!(roots, ["/cache", "/home/me/.cargo", "/more"]);
    assert_eq!(settings.effort.as_deref(), Some("high"));
    assert_eq!(settings.instructions.as_deref(), Some("First.\n\nThen."));
    assert!(settings.network_access && settings.exclude_slash_tmp && settings.plan_tool);
    assert_eq!(settings.environment, [("CI".to_owned(), "1".to_owned()), ("LANG".to_owned(), "C".to_owned())].into());
    assert_eq!(settings.cwd.as_path(), Path::new(CWD));
    assert_eq!(settings.node, None);
}

#[test]
fn the_plan_tool_has_a_short_form() {
    let plan = |config, overrides: &[&str]| resolved(config, overrides, &flags()).settings.plan_tool;
    assert!(plan("tools.update_plan = true", &[]));
    assert!(!plan("tools.update_plan = true", &["tools.update_plan=false"]));
    assert!(!plan("", &[]));
}

#[test]
fn an_address_of_ones_own_is_used_for_openai_alone() {
    let config = "openai_base_url = 'http://proxy/v1'";
    let url = |model: &str| {
        let flags = Flags { model: Some(model.to_owned()), ..flags() };
        resolved(config, &[], &flags).provider.unwrap().base_url.to_string()
    };
    assert_eq!(url("gpt-5.5"), "http://proxy/v1");
    assert_eq!(url("claude-x"), "https://api.anthropic.com/v1");
}

#[test]
fn what_cannot_be_used_is_told_in_a_sentence() {
    let local = Flags { answerer: Answerer::Local(None), ..flags() };
    let rows = [
        (
            "sandbox_mode = 'none'",
            flags(),
            "`sandbox_mode`: `none` is not a sandbox mode; use read-only, workspace-write or danger-full-access",
        ),
        ("approval_policy = true", flags(), "`approval_policy` must be text, not true or false"),
        (
            "sandbox_workspace_write.network_access = 'yes'",
            flags(),
            "`sandbox_workspace_write.network_access` must be true or false, not text",
        ),
        (
            "sandbox_workspace_write.writable_roots = ['x']",
            flags(),
            "`sandbox_workspace_write.writable_roots`: `x` is not an absolute path; start it with `/`",
        ),
        ("shell_environment_policy.set.X = 1", flags(), "`shell_environment_policy.set.X` must be text, not a number"),
        (
            "model_provider = 'gone'",
            flags(),
            "the model provider `gone` is not known (known are anthropic, gemini, lmstudio, ollama, openai, openai-chat); choose one of them, or describe it under [model_providers.gone]",
        ),
        (
            "model_provider = 'anthropic'",
            flags(),
            "no model is chosen for the provider `anthropic`; name one with -m, or with `model` in config.toml",
        ),
        (
            "model_provider = 'p'\n[model_providers.p]\nwire_api = 'soap'",
            flags(),
            "`model_providers.p`: `soap` is not a wire_api; use \"responses\", \"chat\", \"anthropic\", \"gemini\" or \"ollama\"",
        ),
        (
            "model_provider = 'p'\n[model_providers.p]\nname = 'P'",
            flags(),
            "model provider `p` has no base_url; set `base_url` under [model_providers.p]",
        ),
        ("model_provider = 'p'\nmodel_providers.p = 3", flags(), "`model_providers.p` must be a table, not a number"),
        ("oss_provider = 'openai'", local.clone(), "`openai` is not a local provider; use ollama or lmstudio with --oss"),
        (
            "",
            Flags { model: Some("claude-x".into()), ..local },
            "--oss asks a local model, and `claude-x` is one of anthropic; leave out one of the two",
        ),
    ];
    for (config, flags, expected) in rows {
        assert_eq!(said(config, &flags), expected);
    }
}
