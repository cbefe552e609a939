//! The command line itself.

use super::{Case, told};

#[test]
fn flags_that_cannot_be_are_told() {
    let all = told(&[
        Case::of("script and record", "exec --script ok.json --record r.json hi"),
        Case::of("script and oss", "exec --script ok.json --oss hi"),
        Case::of("a sandbox and none", "exec -s workspace-write --dangerously-bypass-approvals-and-sandbox hi"),
        Case::of("a profile and no user configuration", "exec -p fast --ignore-user-config hi"),
        Case::of("oss and a hosted model", "exec --oss -m gemini-3-pro hi"),
        Case::of("oss and another provider", "exec --oss -c model_provider=openai hi"),
        Case::of("a local provider without oss", "exec --local-provider ollama hi"),
        Case::of("a token without a node", "exec --node-token-file t hi"),
        Case::of("a flag that is not known", "exec --modle x hi"),
        Case::of("a sandbox that is not known", "exec -s open hi"),
        Case::of("a colour that is none", "exec --color pink hi"),
        Case::of("a flag without its value", "exec hi --model"),
        Case::of("a command that is not known", "exce hi"),
        Case::of("a command that is not in this release", "exec review"),
        Case::of("a resume of nothing", "exec resume"),
        Case::of("the last one without a resume", "exec --last hi"),
        Case::of("a turn where none can be", "exec resume 0198 --at 0198 hi"),
        Case::of("threads to be deleted and nobody to ask", "threads delete 0198"),
        Case::of("the sandbox behind a flag", "--color sandbox"),
        Case::of("nobody to listen to", "node"),
        Case::of("an address that is none", "node --listen nonsense"),
        Case::of("an address for all", "node --listen 0.0.0.0:0"),
        Case::of("another host's address", "exec --node 10.0.0.1:80 hi"),
        Case::of("a node's name that is none", "node --listen 127.0.0.1:0 --name N_1"),
        Case::of("a label that is none", "node --listen 127.0.0.1:0 --label x"),
        Case::of("room for nothing", "node --listen 127.0.0.1:0 --sessions 0"),
        Case::of("an amount of nothing", "node --listen 127.0.0.1:0 --resource gpu"),
        Case::of("something that is held without a name", "node --listen 127.0.0.1:0 --holds ''"),
        Case::of("an amount that is none", "exec --resource gpu=many hi"),
        Case::of("a disk that has no size", "exec --disk much hi"),
        Case::of("near to nothing", "exec --near '' hi"),
        Case::of("hosts that are none", "exec --hosts a,,b hi"),
        Case::of("a host twice", "exec --hosts a,b,a hi"),
    ]);
    insta::assert_snapshot!(all);
}

#[test]
fn without_a_command_the_help_is_shown_with_exit_code_2() {
    let home = capstan_tests::capstan::Home::new();
    let run = capstan_tests::capstan::Capstan::new(&home).run();
    run.assert_code(2);
    assert!(run.stderr.contains("Usage: capstan <COMMAND>") && run.stdout.is_empty(), "{run}");
}
