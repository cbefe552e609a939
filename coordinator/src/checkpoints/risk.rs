//! Which commands may destroy what cannot be had back otherwise. Pure, and a guess: what is overlooked is still in the checkpoint of the turn
//! before, and what is taken for a risk costs the time of a checkpoint.

/// Programs that remove or overwrite.
const PROGRAMS: &[&str] = &["rm", "rmdir", "shred", "dd", "truncate", "unlink", "srm", "wipefs"];

/// Words of git that throw away what was not committed, or rewrite what was.
const OF_GIT: &[&str] = &[
    "reset",
    "clean",
    "checkout",
    "restore",
    "rebase",
    "stash",
    "switch",
    "filter-branch",
    "filter-repo",
    "gc",
    "rm",
    "worktree",
];

/// What stands before a program and runs it.
const WRAPPERS: &[&str] = &["sudo", "env", "xargs", "nice", "nohup", "time", "command", "exec", "then", "do", "else"];

/// Whether a command in the words of a shell may destroy something.
#[must_use]
pub fn is_risky(command: &str) -> bool {
    let parts = command.split([';', '|', '&', '\n', '(', ')', '`', '{', '}']);
    parts.map(|part| part.split_whitespace().map(bare).collect::<Vec<_>>()).any(|words| is_risky_part(&words))
}

fn is_risky_part(words: &[&str]) -> bool {
    let is_before = |word: &&&str| WRAPPERS.contains(*word) || word.contains('=') || word.starts_with('-');
    let mut words = words.iter().skip_while(|word| is_before(word));
    let Some(program) = words.next().map(|path| path.rsplit('/').next().unwrap_or(path)) else { return false };
    match program {
        "git" => words.any(|word| OF_GIT.contains(word)),
        "find" => words.any(|word| *word == "-delete" || PROGRAMS.contains(word)),
        // A script in an argument.
        "sh" | "bash" | "zsh" | "dash" => words.any(|word| PROGRAMS.contains(word) || *word == "git"),
        "rsync" => words.any(|word| word.starts_with("--delete")),
        program => PROGRAMS.contains(&program),
    }
}

/// A word without its quotes.
fn bare(word: &str) -> &str {
    word.trim_matches(|letter| matches!(letter, '\'' | '"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_removes_or_rewrites_is_a_risk_and_what_reads_or_builds_is_none() {
        for command in [
            "rm -rf build",
            "cd a && rm x",
            "ls; /bin/rm x",
            "git reset --hard",
            "git -C dir clean -fdx",
            "FORCE=1 sudo -E rm x",
            "find . -name '*.o' -delete",
            "find . -exec rm {} +",
            "cat list | xargs -0 rm",
            "bash -c 'rm -r x'",
            "for f in *; do rm $f; done",
            "dd if=/dev/zero of=x",
        ] {
            assert!(is_risky(command), "{command}");
        }
        for command in [
            "",
            "ls",
            "cargo build",
            "git status",
            "git log -- rm.txt",
            "grep -r rm .",
            "echo rm",
            "find . -name rm_me",
            "=",
            "; ;",
            "sudo",
        ] {
            assert!(!is_risky(command), "{command}");
        }
    }
}
