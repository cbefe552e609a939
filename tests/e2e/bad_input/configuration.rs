//! `config.toml`, profiles, `-c`, keys and variables.

use super::case::lay_out;
use super::{Case, told};
use capstan_tests::capstan::{Capstan, Home};

#[test]
fn a_configuration_that_cannot_be_used_is_told() {
    let all = told(&[
        Case::config("an unknown key, strictly", "modle = \"x\"\n").arguments("exec --strict-config --script ok.json hi"),
        Case::config("no TOML", "model = \n"),
        Case::config("a key twice", "model = \"a\"\nmodel = \"b\"\n"),
        Case::config("a number for a text", "model = 7\n"),
        Case::config("a text for a list", "[sandbox_workspace_write]\nwritable_roots = \"/x\"\n"),
        Case::config("a value for a table", "sandbox_workspace_write = true\n"),
        Case::config("an approval policy that is none", "approval_policy = \"sometimes\"\n"),
        Case::config("a sandbox mode that is none", "sandbox_mode = \"open\"\n"),
        Case::config("a relative root", "[sandbox_workspace_write]\nwritable_roots = [\"x\"]\n"),
        Case::config("a time that is too short", "ownerless_timeout_ms = 1\n"),
        Case::config("hosts that are none", "hosts = \"a,,b\"\n"),
        Case::config("less than none of something", "[node.resources]\ngpu = -1\n").arguments("node --listen 127.0.0.1:0"),
        Case::config("what is held as one text", "[node]\nholds = \"repo\"\n").arguments("node --listen 127.0.0.1:0"),
        Case::config("a provider that is not known", "model_provider = \"acme\"\n").arguments("exec hi"),
        Case::config("a provider without an address", "model_provider = \"acme\"\n[model_providers.acme]\nname = \"Acme\"\n")
            .arguments("exec -m m hi"),
        Case::config("a provider's misspelt address", "model_provider = \"acme\"\n[model_providers.acme]\nbase_url = \"acme\"\n")
            .arguments("exec -m m hi"),
        Case::config(
            "a provider's wire that is none",
            "model_provider = \"acme\"\n[model_providers.acme]\nbase_url = \"http://127.0.0.1:1/v1\"\nwire_api = \"morse\"\n",
        )
        .arguments("exec -m m hi"),
        Case::of("no key for the model", "exec hi"),
        Case::of("no key for another model", "exec -m claude-sonnet-5 hi"),
        Case::of("a profile that is missing", "exec -p gone hi"),
        Case::of("a profile that leads elsewhere", "exec -p ../x hi"),
        Case::of("-c without a value", "exec -c model --script ok.json hi"),
        Case::of("-c without a key", "exec -c =x --script ok.json hi"),
        Case::of("a home that is no directory", "exec hi").variable("CAPSTAN_HOME", "[ROOT]/repo/ok.json"),
        Case::of("a home below a file", "exec hi").variable("CAPSTAN_HOME", "[ROOT]/repo/ok.json/home"),
        Case::of("a relative home", "exec hi").variable("CAPSTAN_HOME", "home"),
        Case::of("no home at all", "exec hi").variable("CAPSTAN_HOME", "").variable("HOME", ""),
        Case::of("a home that is the workspace", "exec -s workspace-write --script ok.json hi")
            .variable("CAPSTAN_HOME", "[ROOT]/repo"),
        Case::of("a runner that is none", "exec --script ok.json hi").variable("CAPSTAN_RUNNER", "/no/such"),
        Case::of("a collector that is none", "exec --script ok.json hi").variable("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense"),
    ]);
    insta::assert_snapshot!(all);
}

#[test]
fn an_unknown_key_is_a_warning() {
    let home = Home::new();
    lay_out(&home, &home.root().join("repo"), &[]);
    home.configure("modle = \"x\"\n[tui]\ntheme = \"dark\"\n");
    let exec = Capstan::new(&home).args(["exec", "--json", "--script", "ok.json", "hi"]).in_dir(&home.root().join("repo"));
    let run = exec.run();
    run.assert_code(0);
    let config = home.path().join("config.toml");
    assert_eq!(run.stderr, format!("warning: {}: the key `modle` is not known and has no effect\n", config.display()));
    assert_eq!(run.final_message().as_deref(), Some("done"));
}
