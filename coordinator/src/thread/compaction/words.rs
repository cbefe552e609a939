//! What a model is told when a conversation is shortened: what it is asked for, and what it is shown afterwards. Pure.

use capstan_model::size::BYTES_A_TOKEN;
use capstan_tools::sessions::ListedSession;
use capstan_types::clamp::clamp_tokens;
use capstan_types::history::Entry;
use serde_json::Value;
use std::fmt::Write as _;

/// How a summary is asked for.
pub const INSTRUCTIONS: &str = include_str!("words/summary.md");

/// What a summary begins with in the conversation.
const HEADING: &str = "<summary_of_earlier_work>";

/// The most tokens of one part in the text that is summed up, before all parts are cut further.
const MOST_OF_ONE: u64 = 4_000;

/// The least that cutting leaves of a part.
const LEAST_OF_ONE: u64 = 50;

/// The most steps that are told when there is no summary.
const LAST_STEPS: usize = 12;

/// The most tokens of each of them.
const OF_EACH: u64 = 200;

/// Whether a text of the conversation is such a summary.
#[must_use]
pub fn is_summary(text: &str) -> bool {
    text.starts_with(HEADING)
}

/// What is to be summed up, as one text of at most about `most` tokens: its parts are cut evenly, and then the oldest are left out.
#[must_use]
pub fn transcript(dropped: &[Entry], most: u64) -> String {
    let mut each = MOST_OF_ONE;
    loop {
        let parts: Vec<String> = dropped.iter().filter_map(|entry| part(entry, each)).collect();
        let whole: u64 = parts.iter().map(|part| (part.len() / BYTES_A_TOKEN) as u64).sum();
        if whole <= most {
            return parts.concat();
        }
        if each <= LEAST_OF_ONE {
            return newest(&parts, most);
        }
        each = (each / 2).max(LEAST_OF_ONE);
    }
}

fn newest(parts: &[String], most: u64) -> String {
    let mut left = usize::try_from(most).unwrap_or(usize::MAX).saturating_mul(BYTES_A_TOKEN);
    let fits = |part: &&String| {
        let fits = part.len() <= left;
        left = left.saturating_sub(part.len());
        fits
    };
    let kept = parts.iter().rev().take_while(fits).count();
    let left_out = parts.len() - kept;
    let rest = parts.get(left_out..).unwrap_or_default().concat();
    format!("[{left_out} earlier parts are left out]\n\n{rest}")
}

fn part(entry: &Entry, most: u64) -> Option<String> {
    let cut = |text: &str| clamp_tokens(text, most).text;
    match entry {
        Entry::User { text, images } => {
            let pictures = if images.is_empty() { String::new() } else { format!(" (with {} pictures)", images.len()) };
            Some(format!("### user{pictures}\n{}\n\n", cut(text)))
        }
        Entry::Developer { text } => Some(format!("### note of the host\n{}\n\n", cut(text))),
        Entry::Assistant { text } => Some(format!("### assistant\n{}\n\n", cut(text))),
        Entry::Call { tool, arguments, .. } => Some(format!("### the assistant called {tool}\n{}\n\n", cut(arguments))),
        Entry::CallOutput { output, .. } => Some(format!("### output\n{}\n\n", cut(output))),
        Entry::Picture { .. } => Some("### a picture was shown\n\n".to_owned()),
        // Thoughts led to what follows them; sealed ones cannot be read.
        Entry::Reasoning { .. } | Entry::Compacted { .. } => None,
    }
}

/// The summary as the conversation holds it, with what else must not be forgotten.
#[must_use]
pub fn summary(text: &str, dropped: &[Entry], sessions: &[ListedSession]) -> Entry {
    let mut told = format!(
        "{HEADING}\nThe conversation became too long, and its older part was replaced by this. What the user said in it stands above, as far as \
         there was room. Files and sessions are as they were left; look at them instead of guessing.\n\n{}\n",
        text.trim()
    );
    if let Some(plan) = plan(dropped) {
        let _ = write!(told, "\nYour plan, as you showed it last:\n{plan}");
    }
    if !sessions.is_empty() {
        told.push_str("\nSessions that you started (write_stdin reads and writes them, `sessions` ends them):\n");
        for session in sessions {
            let state = if session.ended { "ended" } else { "runs" };
            let _ = writeln!(told, "- session {}: {} ({state})", session.number, clamp_tokens(&session.command, OF_EACH).text);
        }
    }
    told.push_str("</summary_of_earlier_work>");
    Entry::User { text: told, images: Vec::new() }
}

/// The plan of the last call that showed one.
fn plan(dropped: &[Entry]) -> Option<String> {
    let shown = dropped.iter().rev().find_map(|entry| match entry {
        Entry::Call { tool, arguments, .. } if tool == "update_plan" => serde_json::from_str::<Value>(arguments).ok(),
        _ => None,
    })?;
    let step = |step: &Value| Some(format!("- [{}] {}\n", step.get("status")?.as_str()?, step.get("step")?.as_str()?));
    let steps: String = shown.get("plan")?.as_array()?.iter().filter_map(step).collect();
    (!steps.is_empty()).then_some(steps)
}

/// What stands for a summary that could not be had: the last of what was done, in its own words.
#[must_use]
pub fn without_model(dropped: &[Entry]) -> String {
    let earlier = dropped.iter().rev().find_map(|entry| match entry {
        Entry::User { text, .. } if is_summary(text) => Some(clamp_tokens(text, MOST_OF_ONE).text),
        _ => None,
    });
    let done = dropped.iter().filter(|entry| !matches!(entry, Entry::User { .. } | Entry::Developer { .. }));
    let parts: Vec<String> = done.filter_map(|entry| part(entry, OF_EACH)).collect();
    let last = parts.get(parts.len().saturating_sub(2 * LAST_STEPS)..).unwrap_or_default().concat();
    let earlier = earlier.map(|text| format!("{text}\n\n")).unwrap_or_default();
    format!("No summary could be made. {earlier}This is the last of what was done, with long parts cut:\n\n{last}")
}

#[cfg(test)]
mod tests;
