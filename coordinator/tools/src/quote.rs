//! Shows a command line so that it can be pasted into a shell.

/// The words of a command, quoted where a shell would read them otherwise.
pub(crate) fn command_line(argv: &[String]) -> String {
    argv.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(argv: &[&str]) -> String {
        command_line(&argv.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn only_words_that_a_shell_would_change_are_quoted() {
        assert_eq!(shown(&["/bin/bash", "-lc", "ls"]), "/bin/bash -lc ls");
        assert_eq!(shown(&["/bin/bash", "-lc", "echo hi | wc"]), "/bin/bash -lc 'echo hi | wc'");
        assert_eq!(shown(&["a", "", "it's", "$x", "ä"]), r"a '' 'it'\''s' '$x' 'ä'");
    }
}
