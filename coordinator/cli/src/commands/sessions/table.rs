//! Sessions as rows.

use super::ended;
use crate::render::{amount, text};
use capstan_types::launch::Stdio;
use capstan_types::operator::Seen;
use capstan_types::session::ListedState;
use serde_json::{Value, json};

#[cfg(test)]
pub(super) mod fixture;

/// The fewest characters of an id that are shown: those of the moment it was made, which tell most ids apart.
const SHORTEST: usize = 13;

/// The heads of the columns.
const HEADS: [&str; 7] = ["SESSION", "THREAD", "NO", "NODE", "STATE", "AGE", "COMMAND"];
const WIDE_HEADS: [&str; 11] =
    ["SESSION", "THREAD", "NO", "NODE", "STATE", "AGE", "CALL", "STREAMS", "OUTPUT", "DIRECTORY", "COMMAND"];

/// A line for each session, below the heads; commands are cut where the line is full.
pub(super) fn table(sessions: &[Seen], now_ms: u64, width: usize) -> Vec<String> {
    let session = shortest(sessions.iter().map(|seen| seen.listed.session.to_string()).collect());
    let thread = shortest(sessions.iter().map(|seen| seen.listed.thread.to_string()).collect());
    let row = |seen: &Seen| {
        [
            cut(&seen.listed.session.to_string(), session),
            cut(&seen.listed.thread.to_string(), thread),
            number(seen),
            seen.node.to_string(),
            state(&seen.listed.state),
            age(now_ms.saturating_sub(seen.listed.started_at_ms)),
            command(&seen.listed.argv),
        ]
    };
    let lines = aligned(HEADS, sessions.iter().map(row).collect());
    lines.iter().map(|line| text::clipped(line, width).trim_end().to_owned()).collect()
}

/// The same with whole ids and everything that is known; nothing is cut.
pub(super) fn wide(sessions: &[Seen], now_ms: u64) -> Vec<String> {
    let row = |seen: &Seen| {
        let listed = &seen.listed;
        [
            listed.session.to_string(),
            listed.thread.to_string(),
            number(seen),
            seen.node.to_string(),
            state(&listed.state),
            age(now_ms.saturating_sub(listed.started_at_ms)),
            format!("{} try {}", listed.call, listed.attempt),
            streams(listed.stdio),
            amount::count(listed.output_bytes),
            text::line(listed.cwd.as_str()),
            command(&listed.argv),
        ]
    };
    aligned(WIDE_HEADS, sessions.iter().map(row).collect())
}

/// A session for programs.
pub(super) fn json(seen: &Seen) -> Value {
    let listed = &seen.listed;
    let (state, end) = match &listed.state {
        ListedState::Starting => ("starting", Value::Null),
        ListedState::Running => ("running", Value::Null),
        ListedState::Ended(end) => ("ended", json!({"how": ended::how(end), "exit_code": end.shell_code()})),
    };
    let size = match listed.stdio {
        Stdio::Terminal(size) => json!({"rows": size.rows, "cols": size.cols}),
        Stdio::Pipes | Stdio::PipesNoInput => Value::Null,
    };
    json!({
        "session": listed.session.to_string(), "thread": listed.thread.to_string(), "number": seen.number, "node": seen.node.to_string(),
        "call": listed.call.to_string(), "attempt": listed.attempt.0, "state": state, "end": end,
        "started_at_ms": listed.started_at_ms, "argv": listed.argv, "cwd": listed.cwd.as_str(),
        "terminal": size, "input": listed.stdio != Stdio::PipesNoInput,
        "output_bytes": listed.output_bytes, "adopted": listed.adopted,
    })
}

/// The number that the model of its thread knows it by.
fn number(seen: &Seen) -> String {
    seen.number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

/// How far it has come, in words.
fn state(state: &ListedState) -> String {
    match state {
        ListedState::Starting => "starting".to_owned(),
        ListedState::Running => "running".to_owned(),
        ListedState::Ended(end) => ended::how(end),
    }
}

fn streams(stdio: Stdio) -> String {
    match stdio {
        Stdio::Terminal(size) => format!("terminal {}x{}", size.cols, size.rows),
        Stdio::Pipes => "pipes".to_owned(),
        Stdio::PipesNoInput => "pipes, no input".to_owned(),
    }
}

/// The command as one clean line. Of a shell that was given a script, that is the script.
pub(super) fn command(argv: &[String]) -> String {
    let script = match argv {
        [_, flag, script] if matches!(flag.as_str(), "-c" | "-lc") => script.clone(),
        argv => argv.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" "),
    };
    text::line(&script)
}

fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%^".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

/// How long ago: its largest unit.
fn age(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How many characters tell these ids apart.
fn shortest(mut ids: Vec<String>) -> usize {
    ids.sort_unstable();
    ids.dedup();
    let common = |pair: &[String]| match pair {
        [a, b] => a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    ids.windows(2).map(|pair| common(pair) + 1).max().unwrap_or(0).max(SHORTEST)
}

fn cut(id: &str, length: usize) -> String {
    id.chars().take(length).collect::<String>().trim_end_matches('-').to_owned()
}

fn aligned<const N: usize>(heads: [&str; N], rows: Vec<[String; N]>) -> Vec<String> {
    let rows: Vec<[String; N]> = [heads.map(str::to_owned)].into_iter().chain(rows).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::fixture::seen;
    use super::*;
    use capstan_types::launch::{SessionEnd, TermSize};
    use capstan_types::operator::Seen;
    use capstan_types::session::Listed;

    fn some() -> Vec<Seen> {
        let base = 0x0198_c5f0_7d6e_7000_u128 << 64;
        let with = |id: u128, argv: &[&str], stdio, state| {
            let seen = seen(base + (id << 60));
            let argv = argv.iter().map(ToString::to_string).collect();
            Seen {
                listed: Listed { argv, stdio, state, started_at_ms: 1_000 * u64::try_from(id * id).unwrap(), ..seen.listed },
                number: (id < 300).then(|| 999 + u32::try_from(id).unwrap()),
                ..seen
            }
        };
        vec![
            with(1, &["/bin/bash", "-lc", "make -j8\n\u{1b}]0;evil\u{7}all"], Stdio::PipesNoInput, ListedState::Running),
            with(60, &["vim", "a file"], Stdio::Terminal(TermSize { rows: 24, cols: 80 }), ListedState::Starting),
            with(300, &["/bin/sh", "-c", "exit 3"], Stdio::Pipes, ListedState::Ended(SessionEnd::Exited { code: 3 })),
        ]
    }

    #[test]
    fn a_list_on_a_terminal() {
        insta::assert_snapshot!(table(&some(), 90_000_000, 90).join("\n"));
    }

    #[test]
    fn a_list_on_a_narrow_terminal_cuts_commands() {
        let lines = table(&some(), 90_000_000, 60);
        assert!(lines.iter().all(|line| line.chars().count() <= 60), "{lines:#?}");
    }

    #[test]
    fn a_wide_list() {
        insta::assert_snapshot!(wide(&some(), 90_000_000).join("\n"));
    }

    #[test]
    fn a_list_for_programs() {
        let list: Vec<Value> = some().iter().map(json).collect();
        insta::assert_snapshot!(serde_json::to_string_pretty(&list).unwrap());
    }

    #[test]
    fn ids_are_shown_as_long_as_they_must_be() {
        let ids = |texts: &[&str]| shortest(texts.iter().map(ToString::to_string).collect());
        assert_eq!(ids(&[]), SHORTEST);
        assert_eq!(ids(&["0198c5f0-7d6e-7000", "0198c5f0-7d6e-7001"]), 18);
        assert_eq!(ids(&["0198c5f0-7d6e-7000", "0198c5f0-7d6e-7000"]), SHORTEST);
    }
}
