//! Lists of threads.

use super::connection::{Ask, Row, Value};
use super::fault::Fault;
use super::read::{thread_columns, thread_of};
use super::said;
use crate::rows::signed;
use capstan_types::thread::ThreadRecord;
use capstan_types::thread::listing::{Kept, Newest, ThreadCursor, ThreadFilter, ThreadPage};
use std::fmt::Write;

/// The longest word that is searched for, in bytes.
const LONGEST_WORD: usize = 256;

pub(crate) async fn threads(sql: &mut impl Ask, filter: &ThreadFilter) -> Result<ThreadPage, Fault> {
    let limit = filter.limit.min(ThreadFilter::MOST);
    let words = patterns(&filter.search);
    let cursor = filter.after.map(|after| Ok::<_, Fault>((signed("the cursor", after.at.0)?, after.thread.to_string())));
    let cursor = cursor.transpose()?;
    let (statement, values) = statement(filter, cursor.as_ref(), &words, i64::from(limit) + 1);
    let rows = sql.rows(&statement, &values).await?;
    let shown = rows.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
    let (page, rest) = rows.split_at(shown);
    let threads = page.iter().map(thread_of).collect::<Result<Vec<_>, _>>()?;
    Ok(ThreadPage { next: next(filter.newest, &threads, rest), threads })
}

/// The statement's text is made of constants alone; what a user wrote is in its values.
fn statement<'a>(
    filter: &'a ThreadFilter,
    cursor: Option<&'a (i64, String)>,
    words: &'a [String],
    limit: i64,
) -> (String, Vec<Value<'a>>) {
    let newest = match filter.newest {
        Newest::Created => "created_at",
        Newest::Updated => "updated_at",
    };
    let mut text = String::from(concat!("SELECT ", thread_columns!(), " FROM threads WHERE "));
    text.push_str(match filter.kept {
        Kept::Active => "archived_at IS NULL",
        Kept::Archived => "archived_at IS NOT NULL",
        Kept::All => "1 = 1",
    });
    let mut values = Vec::new();
    // Writing into a string cannot fail.
    if let Some(cwd) = &filter.cwd {
        values.push(Value::Text(cwd.as_str()));
        let _ = write!(text, " AND cwd = ${}", values.len());
    }
    if let Some((at, thread)) = cursor {
        values.extend([Value::Number(*at), Value::Text(thread)]);
        let _ = write!(text, " AND ({newest}, id) < (${}, ${})", values.len() - 1, values.len());
    }
    for word in words {
        values.push(Value::Text(word));
        let found = "SELECT 1 FROM said WHERE said.thread = threads.id AND said.words LIKE";
        let _ = write!(text, " AND EXISTS ({found} ${} ESCAPE '~')", values.len());
    }
    values.push(Value::Number(limit));
    let _ = write!(text, " ORDER BY {newest} DESC, id DESC LIMIT ${}", values.len());
    (text, values)
}

/// Each word as a pattern that matches it anywhere.
fn patterns(search: &str) -> Vec<String> {
    let pattern = |word: &str| {
        let word = said::folded(&word[..word.floor_char_boundary(LONGEST_WORD)]);
        format!("%{}%", word.replace('~', "~~").replace('%', "~%").replace('_', "~_"))
    };
    // NUL is no space to `split_whitespace`, but it is one in what is stored.
    search.replace('\0', " ").split_whitespace().take(ThreadFilter::MOST_WORDS).map(pattern).collect()
}

fn next(newest: Newest, threads: &[ThreadRecord], rest: &[Row]) -> Option<ThreadCursor> {
    let last = threads.last().filter(|_| !rest.is_empty())?;
    let at = match newest {
        Newest::Created => last.created_at,
        Newest::Updated => last.updated_at,
    };
    Some(ThreadCursor { at, thread: last.id })
}
