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
    ] {
        assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
    }
}
