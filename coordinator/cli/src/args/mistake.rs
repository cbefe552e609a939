//! A command line that cannot be understood, told as everything else that goes wrong is: one sentence, and a hint.

use crate::failure::Failure;
use clap::error::ErrorKind;

/// What is wrong with the command line.
#[must_use]
pub fn mistake(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let said = paragraphs.next().unwrap_or_default();
    let sentence = one_line(said.strip_prefix("error: ").unwrap_or(said));
    let tip = paragraphs.find_map(|paragraph| paragraph.trim_start().strip_prefix("tip: ")).map(one_line);
    let advice = match error.kind() {
        ErrorKind::ArgumentConflict => Some("leave out one of them".to_owned()),
        ErrorKind::MissingRequiredArgument => Some("add what is missing".to_owned()),
        _ => tip,
    };
    let more = match command(&text) {
        Some(command) => format!("`{command} --help` shows what can be given"),
        None => "`--help` behind the command shows what can be given".to_owned(),
    };
    Failure::bad_input(sentence).hint(advice.map_or_else(|| more.clone(), |advice| format!("{advice}; {more}")))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The command that was meant: the words before the first argument in its usage, where that is shown.
fn command(text: &str) -> Option<String> {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "))?;
    let words = usage.split_whitespace().take_while(|word| !word.starts_with(['-', '[', '<']));
    Some(words.collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::Parser;

    fn told(line: &str) -> (String, String) {
        let failure = mistake(&Cli::try_parse_from(line.split_whitespace()).unwrap_err());
        assert_eq!(failure.exit.code(), 2);
        (failure.sentence, failure.hint.unwrap())
    }

    #[test]
    fn flags_that_exclude_each_other_are_named() {
        let (sentence, hint) = told("capstan exec --script a --record b hi");
        assert_eq!(sentence, "the argument '--script <FILE>' cannot be used with '--record <FILE>'");
        assert_eq!(hint, "leave out one of them; `capstan exec --help` shows what can be given");
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let (sentence, hint) = told("capstan node");
        assert_eq!(sentence, "the following required arguments were not provided: --listen <ADDR>");
        assert!(hint.starts_with("add what is missing; `capstan node --help`"), "{hint}");
        let (sentence, hint) = told("capstan exec --modle x hi");
        assert_eq!(sentence, "unexpected argument '--modle' found");
        assert!(hint.starts_with("a similar argument exists: '--model'; "), "{hint}");
        let (sentence, hint) = told("capstan exec -s open hi");
        assert_eq!(hint, "`--help` behind the command shows what can be given");
        assert_eq!(
            sentence,
            "invalid value 'open' for '--sandbox <MODE>' [possible values: read-only, workspace-write, danger-full-access]"
        );
    }
}
