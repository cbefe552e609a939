//! Threads as rows, and as JSON.

use crate::render::text;
use capstan_types::money::MicroDollars;
use capstan_types::thread::ThreadRecord;
use capstan_types::thread::listing::ThreadPage;
use serde_json::{Value, json};

/// The fewest characters of an id that are shown: those of the moment it was made, which tell most ids apart.
const SHORTEST: usize = 13;

/// The heads of the columns.
const HEADS: [&str; 6] = ["THREAD", "CHANGED", "MODEL", "COST", "DIRECTORY", "NAME OR FIRST WORDS"];

/// A line for each thread, below the heads; what is last is cut where the line is full.
pub(super) fn table(page: &ThreadPage, now_ms: u64, width: usize) -> Vec<String> {
    let ids: Vec<String> = page.threads.iter().map(|thread| thread.id.to_string()).collect();
    let length = shortest(&ids);
    let rows: Vec<[String; 6]> = page.threads.iter().zip(&ids).map(|(thread, id)| row(thread, id, length, now_ms)).collect();
    let mut widths = HEADS.map(|head| head.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; 6]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect::<Vec<_>>().join("  ");
        text::clipped(&padded, width).trim_end().to_owned()
    };
    std::iter::once(line(&HEADS.map(str::to_owned))).chain(rows.iter().map(line)).collect()
}

fn row(thread: &ThreadRecord, id: &str, length: usize, now_ms: u64) -> [String; 6] {
    let put_away = if thread.archived_at.is_some() { "[put away] " } else { "" };
    let words = match &thread.name {
        Some(name) => format!("\u{201c}{}\u{201d}", text::line(name)),
        None => text::line(&thread.preview),
    };
    [
        id.chars().take(length).collect(),
        age(now_ms.saturating_sub(thread.updated_at.0)),
        text::line(&thread.settings.model),
        cost(thread.spent.micro_usd),
        text::line(thread.settings.cwd.as_str()),
        format!("{put_away}{words}"),
    ]
}

fn cost(micro_usd: u64) -> String {
    if micro_usd == 0 { "-".to_owned() } else { format!("${}", MicroDollars(micro_usd)) }
}

/// How long ago: its largest unit.
fn age(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3600 => format!("{}m ago", seconds / 60),
        3600..86_400 => format!("{}h ago", seconds / 3600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// As many characters as tell all of these apart.
fn shortest(ids: &[String]) -> usize {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    let common = |pair: &[String]| match pair {
        [one, other] => one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count() + 1,
        _ => 0,
    };
    sorted.windows(2).map(common).max().unwrap_or(0).max(SHORTEST)
}

/// A page for programs.
pub(super) fn json(page: &ThreadPage) -> Value {
    let threads: Vec<Value> = page.threads.iter().map(thread).collect();
    json!({ "threads": threads, "next_cursor": page.next.map(|next| next.to_string()) })
}

fn thread(thread: &ThreadRecord) -> Value {
    let parent = thread.parent.map(|parent| json!({ "thread": parent.thread.to_string(), "seq": parent.seq.0 }));
    json!({
        "thread": thread.id.to_string(), "name": thread.name, "preview": thread.preview, "cwd": thread.settings.cwd.as_str(),
        "model": thread.settings.model, "provider": thread.settings.provider, "sandbox": thread.settings.sandbox,
        "created_at_ms": thread.created_at.0, "updated_at_ms": thread.updated_at.0,
        "archived_at_ms": thread.archived_at.map(|at| at.0), "forked_from": parent, "owner": thread.owner,
        "usage": thread.spent.usage, "micro_usd": thread.spent.micro_usd,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use capstan_types::history::Usage;
    use capstan_types::id::{EventSeq, ThreadId};
    use capstan_types::thread::{Parent, ThreadCost};
    use capstan_types::time::UnixMillis;

    fn page() -> ThreadPage {
        let base = 0x0198_c5f0_7d6e_7000_u128 << 64;
        let begun = |id: u128, preview: &str| ThreadRecord {
            preview: preview.to_owned(),
            ..ThreadRecord::begun(
                ThreadId::from_u128(base + (id << 60)),
                "exec-1-2".into(),
                fixture::settings(),
                UnixMillis(1_000),
            )
        };
        let parent = Parent { thread: ThreadId::from_u128(7), seq: EventSeq(4), turn: None };
        let usage = Usage { input_tokens: 120, output_tokens: 7, ..Usage::default() };
        let threads = vec![
            ThreadRecord { name: Some("the parser".into()), ..begun(1, "Mend the parser.") },
            ThreadRecord { spent: ThreadCost { usage, micro_usd: 12_300 }, ..begun(60, "Two\nlines \u{1b}]0;evil\u{7}") },
            ThreadRecord { archived_at: Some(UnixMillis(5)), parent: Some(parent), ..begun(300, "Old things.") },
        ];
        ThreadPage { threads, next: None }
    }

    #[test]
    fn a_list_for_people() {
        insta::assert_snapshot!(table(&page(), 90_000_000, usize::MAX).join("\n"));
    }

    #[test]
    fn a_list_on_a_narrow_terminal_is_cut() {
        let lines = table(&page(), 90_000_000, 60);
        assert!(lines.iter().all(|line| line.chars().count() <= 60), "{lines:#?}");
    }

    #[test]
    fn a_list_for_programs() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&json(&page())).unwrap());
    }
}
