//! A command: its line, the end of its output, how it ended and where.

use super::page::{Detail, Page};
use crate::render::amount;
use crate::render::ink::Role;
use crate::render::text;
use capstan_types::item::{CommandExecution, ItemStatus};
use capstan_types::launch::{Denial, SessionEnd};
use capstan_types::path::AbsPath;

/// Lines of a command line that are shown.
const CALL_LINES: usize = 6;

/// Lines of output that are shown to a person who watches.
const TAIL_FULL: usize = 12;

/// Denials that are shown.
const DENIALS: usize = 5;

/// Lines of output that a log holds of a command that failed; one that did not has none there.
const TAIL_BRIEF: usize = 5;

/// The command line.
pub(super) fn call(page: &Page, command: &CommandExecution) -> Vec<String> {
    let (shown, hidden) = text::head(&command.command, CALL_LINES);
    let more = (hidden > 0).then(|| page.indented(Some(Role::Faint), &format!("… {} more", text::counted(hidden, "line"))));
    let line = |(place, line): (usize, String)| match place {
        0 => format!("$ {}", page.ink.paint(Role::Command, &text::clipped(&line, page.width.saturating_sub(2)))),
        _ => page.indented(Some(Role::Command), &line),
    };
    shown.into_iter().enumerate().map(line).chain(more).collect()
}

/// The end of the output, and the end of the command.
pub(super) fn result(page: &Page, command: &CommandExecution, workspace: Option<&AbsPath>) -> Vec<String> {
    let count = match page.detail {
        Detail::Full => TAIL_FULL,
        Detail::Brief if command.status == ItemStatus::Completed => 0,
        Detail::Brief => TAIL_BRIEF,
    };
    let tail = text::tail(&command.output, count);
    let hidden = (tail.hidden > 0 && count > 0)
        .then(|| page.indented(Some(Role::Faint), &format!("… {} above", text::counted(tail.hidden, "line"))));
    let output = tail.lines.iter().map(|line| page.indented(None, line));
    hidden.into_iter().chain(output).chain(denials(page, command)).chain([verdict(page, command, workspace)]).collect()
}

/// What the sandbox refused: the last few.
fn denials(page: &Page, command: &CommandExecution) -> Vec<String> {
    let earlier = command.denials.len().saturating_sub(DENIALS);
    let more = (earlier > 0).then(|| page.indented(Some(Role::Faint), &format!("… {} above", text::counted(earlier, "denial"))));
    let line = |denial: &Denial| {
        let told = text::clipped(&text::line(&denial.to_string()), page.width.saturating_sub(4));
        format!("  {}", page.ink.paint(Role::Warning, &format!("⊘ {told}")))
    };
    more.into_iter().chain(command.denials.iter().skip(earlier).map(line)).collect()
}

fn verdict(page: &Page, command: &CommandExecution, workspace: Option<&AbsPath>) -> String {
    let (sign, role) = match command.status {
        ItemStatus::Completed => ("✓", Role::Good),
        ItemStatus::Failed => ("✗", Role::Bad),
        ItemStatus::Declined => ("⊘", Role::Warning),
        ItemStatus::InProgress => ("…", Role::Faint),
    };
    let how = page.ink.paint(role, &text::clipped(&format!("{sign} {}", how(command)), page.width.saturating_sub(2)));
    if command.end.is_none() && command.status != ItemStatus::InProgress {
        // Nothing ran, so there is no time and no place.
        return format!("  {how}");
    }
    let took = command.duration.map(|span| format!(" in {}", amount::span(span))).unwrap_or_default();
    format!("  {how}{}", page.ink.paint(Role::Faint, &format!("{took}{}", place(command, workspace))))
}

fn how(command: &CommandExecution) -> String {
    let because = command.reason.as_ref().map(|reason| format!(": {}", text::line(reason))).unwrap_or_default();
    match (&command.end, command.status) {
        (_, ItemStatus::Declined) => format!("declined{because}"),
        (Some(SessionEnd::Exited { code }), _) => format!("exit {code}{because}"),
        // These ends say all that a reason would say again.
        (Some(SessionEnd::Signalled { signal }), _) => format!("ended by signal {signal}"),
        (Some(SessionEnd::Limit(limit)), _) => format!("ended: its {} ran out", limit.as_str()),
        (Some(SessionEnd::Killed { by }), _) => format!("killed by {}", text::line(by)),
        (Some(SessionEnd::Unknown { reason }), _) => format!("its end is not known: {}", text::line(reason)),
        (None, ItemStatus::InProgress) => format!("still running{because}"),
        (None, _) if command.session.is_some() => format!("left running{because}"),
        (None, _) => format!("not started{because}"),
    }
}

/// Where it ran. The directory is told only when it is not the workspace itself, which the header names.
fn place(command: &CommandExecution, workspace: Option<&AbsPath>) -> String {
    let relative = workspace.and_then(|workspace| command.cwd.below(workspace));
    let directory = match relative {
        Some(below) if below.as_os_str().is_empty() => String::new(),
        Some(below) => format!(" in {}", text::line(&below.to_string_lossy())),
        None => format!(" in {}", text::line(command.cwd.as_str())),
    };
    format!(" on {}{directory}", command.node)
}

/// A call of a tool without an item of its own.
pub(super) fn tool(page: &Page, tool: &str, output: &str, status: ItemStatus) -> String {
    let (sign, role) = match status {
        ItemStatus::Completed | ItemStatus::InProgress => ("·", Role::Faint),
        ItemStatus::Failed | ItemStatus::Declined => ("✗", Role::Bad),
    };
    let said = text::lines(output).into_iter().find(|line| !line.trim().is_empty());
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    page.ink.paint(role, &text::clipped(&format!("{sign} {}{said}", text::line(tool)), page.width))
}
