use super::*;
use clap::CommandFactory;

fn parsed(line: &str) -> Result<ExecArgs, clap::Error> {
    let words = ["capstan", "exec"].into_iter().chain(line.split_whitespace());
    Cli::try_parse_from(words).map(|cli| match cli.command {
        Command::Exec(exec) => *exec,
        other => panic!("{other:?}"),
    })
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn what_an_sdk_sends_is_understood() {
    let line = "--experimental-json --config openai_base_url=\"http://h/v1\" --model gpt-5.5 --thread-source sdk --sandbox workspace-write \
                --cd /w --add-dir /a --add-dir /b --skip-git-repo-check --output-schema /s.json --cyber-access-program x \
                --config model_reasoning_effort=\"high\" --config approval_policy=\"never\" --image a.png --image b.png";
    let args = parsed(line).unwrap();
    assert!(args.json && args.skip_git_repo_check && args.prompt.is_empty());
    assert_eq!((args.config.len(), args.add_dir.len(), args.image.len()), (3, 2, 2));
    assert_eq!(args.sandbox, Some(SandboxArg::WorkspaceWrite));
}

#[test]
fn flags_that_exclude_each_other_are_refused() {
    for line in [
        "--script a --record b x",
        "--script a --oss x",
        "--yolo -s read-only x",
        "--dangerously-bypass-approvals-and-sandbox -s danger-full-access x",
        "--local-provider ollama x",
        "--node-token-file f x",
        "--ignore-user-config -p deep x",
        "-s none x",
        "--on * --upload x",
        "--on a=b --selector c=d x",
        "--on * --git https://h.example/r.git x",
        "--upload --empty x",
        "--git https://h.example/r.git --empty x",
        "--rev main x",
        "--history 3 x",
        "--git https://h.example/r.git --history 0 x",
        "--git https://u:p@h.example/r.git x",
        "--git ext::sh x",
        "--no-apply x",
        "--apply x",
    ] {
        assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn to_run_elsewhere_is_to_upload_and_to_apply_what_changed() {
    let on = parsed("--on zone=b x").unwrap().source;
    assert!(on.uploads() && on.applies() && on.on.is_some_and(|selector| !selector.is_empty()));
    let anywhere = parsed("--on * --no-apply x").unwrap().source;
    assert!(anywhere.uploads() && !anywhere.applies() && anywhere.on.is_some_and(|selector| selector.is_empty()));
    let upload = parsed("--upload x").unwrap().source;
    assert!(upload.makes() && upload.uploads() && !upload.applies());
    assert!(!parsed("x").unwrap().source.makes());
    let git = parsed("--git git@h.example:o/r --rev v1 --history blobless --lfs x").unwrap().source;
    assert!(git.makes() && !git.uploads() && git.lfs && git.history == Some(capstan_types::source::History::Blobless));
}
