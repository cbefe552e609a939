//! Recognises a patch that the model wrote as a shell command: `apply_patch <<'EOF' … EOF`, alone or behind `cd DIR &&`.
//!
//! Such a command runs as a patch, so that a person sees a file change, and the files are checked before any is touched. Invariant: only
//! a command that is nothing but this is taken; anything more is left to the shell.

/// A patch found in a shell command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShellPatch {
    /// The directory that the command went to first.
    pub(crate) dir: Option<String>,
    /// The patch.
    pub(crate) patch: String,
}

/// The patch that `command` is, if it is one.
pub(crate) fn recognise(command: &str) -> Option<ShellPatch> {
    let (dir, rest) = leading_cd(command.trim());
    let rest = ["apply_patch", "applypatch"].iter().find_map(|name| rest.strip_prefix(name))?;
    let rest = rest.trim_start_matches([' ', '\t']).strip_prefix("<<")?;
    let (rest, strips_tabs) = rest.strip_prefix('-').map_or((rest, false), |rest| (rest, true));
    let (first, body) = rest.split_once('\n')?;
    let word = delimiter(first.trim())?;
    let lines: Vec<&str> = body.lines().map(|line| if strips_tabs { line.trim_start_matches('\t') } else { line }).collect();
    // The here-document ends at the first such line; the command is only a patch if that is also its last line.
    let (end, patch) = lines.split_last()?;
    let is_end = |line: &str| line == word;
    if !is_end(end) || patch.iter().any(|line| is_end(line)) {
        return None;
    }
    Some(ShellPatch { dir, patch: patch.join("\n") })
}

fn leading_cd(command: &str) -> (Option<String>, &str) {
    let found = command.strip_prefix("cd ").and_then(|rest| rest.split_once("&&"));
    match found.and_then(|(dir, rest)| Some((plain_word(dir.trim())?, rest.trim_start()))) {
        Some((dir, rest)) => (Some(dir), rest),
        None => (None, command),
    }
}

/// A directory that means the same to us as to a shell.
fn plain_word(word: &str) -> Option<String> {
    let special = |c: char| c.is_whitespace() || "'\"\\$`;&|<>()*?[]{}#!".contains(c);
    let inner = |quote: char| word.strip_prefix(quote)?.strip_suffix(quote).filter(|_| word.len() > 1);
    let text = match (inner('\''), inner('"')) {
        (Some(text), _) if !text.contains('\'') => text,
        (_, Some(text)) if !text.contains(['"', '\\', '$', '`', '!']) => text,
        _ if word.starts_with(['~', '-']) || word.contains(special) => return None,
        _ => word,
    };
    (!text.is_empty()).then(|| text.to_owned())
}

fn delimiter(word: &str) -> Option<&str> {
    let bare = ['\'', '"'].iter().find_map(|quote| word.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(word);
    let plain = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain.then_some(bare)
}
