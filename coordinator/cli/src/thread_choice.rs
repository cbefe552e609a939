//! Which thread a person means: by its id, the beginning of its id, its name, or as the last one.

use crate::client::{Client, ClientError};
use crate::failure::Failure;
use crate::refusal::refused;
use capstan_types::id::ThreadId;
use capstan_types::path::AbsPath;
use capstan_types::thread::ThreadRecord;
use capstan_types::thread::listing::{Kept, Newest, ThreadFilter};

/// Pages of threads that are looked through, of [`ThreadFilter::MOST`] each.
const PAGES: usize = 100;

/// Threads that are named when several are meant.
const TOLD: usize = 8;

/// What to do when it is not clear.
const LIST: &str = "`capstan threads list` shows those in use, and with --all those put away too";

/// The thread that is meant.
///
/// # Errors
/// There is none, or there are several; or the coordinator fails.
pub async fn named(client: &mut Client, given: &str) -> Result<ThreadRecord, Failure> {
    if let Ok(thread) = given.parse::<ThreadId>() {
        return match client.thread(thread).await {
            Err(ClientError::Refused(status)) if status.code() == tonic::Code::NotFound => Err(none(given)),
            answered => answered.map_err(refused),
        };
    }
    let mut found = Vec::new();
    let mut filter = ThreadFilter::all(ThreadFilter::MOST);
    for _ in 0..PAGES {
        let page = client.threads(filter.clone()).await.map_err(refused)?;
        found.extend(page.threads.into_iter().filter(|thread| is_meant(thread, given)));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    only(given, found)
}

/// The thread in which something was stored last, of those in use in this directory, or of all.
///
/// # Errors
/// There is none, or the coordinator fails.
pub async fn last(client: &mut Client, cwd: Option<AbsPath>) -> Result<ThreadRecord, Failure> {
    let place = cwd.as_ref().map(|cwd| format!(" in {cwd}")).unwrap_or_default();
    let filter = ThreadFilter { kept: Kept::Active, cwd, newest: Newest::Updated, limit: 1, ..ThreadFilter::default() };
    let found = client.threads(filter).await.map_err(refused)?.threads.pop();
    found.ok_or_else(|| {
        let hint = if place.is_empty() { LIST } else { "--all looks at the threads of every directory" };
        Failure::bad_input(format!("there is no thread{place} to go on with")).hint(hint)
    })
}

fn is_meant(thread: &ThreadRecord, given: &str) -> bool {
    thread.name.as_deref() == Some(given) || begins(thread.id, given)
}

/// Whether an id begins so; dashes mean nothing.
fn begins(id: ThreadId, given: &str) -> bool {
    let digits = given.replace('-', "").to_ascii_lowercase();
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && id.to_string().replace('-', "").starts_with(&digits)
}

fn only(given: &str, mut found: Vec<ThreadRecord>) -> Result<ThreadRecord, Failure> {
    // A name goes before the beginning of an id.
    if found.iter().any(|thread| thread.name.as_deref() == Some(given)) {
        found.retain(|thread| thread.name.as_deref() == Some(given));
    }
    match found.pop() {
        None => Err(none(given)),
        Some(thread) if found.is_empty() => Ok(thread),
        Some(thread) => {
            found.push(thread);
            let more = found.len().saturating_sub(TOLD);
            let mut told: Vec<String> = found.iter().take(TOLD).map(|thread| thread.id.to_string()).collect();
            told.extend((more > 0).then(|| format!("{more} more")));
            let sentence = format!("`{given}` means {} threads: {}", found.len(), told.join(", "));
            Err(Failure::bad_input(sentence).hint("give more of the id"))
        }
    }
}

fn none(given: &str) -> Failure {
    let given: String = given.chars().take(80).collect();
    Failure::bad_input(format!("there is no thread `{given}`, by id, by the beginning of an id, or by name")).hint(LIST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use capstan_types::time::UnixMillis;

    fn thread(id: u128, name: Option<&str>) -> ThreadRecord {
        let record = ThreadRecord::begun(ThreadId::from_u128(id), "c".into(), fixture::settings(), UnixMillis(0));
        ThreadRecord { name: name.map(str::to_owned), ..record }
    }

    fn chosen(given: &str) -> Result<u128, Failure> {
        let all =
            [thread(0x0001_98aa << 104, None), thread(0x0001_98ab << 104, Some("parser")), thread(0x77 << 120, Some("0198"))];
        let found = all.into_iter().filter(|thread| is_meant(thread, given)).collect();
        only(given, found).map(|thread| u128::from_str_radix(&thread.id.to_string().replace('-', ""), 16).unwrap())
    }

    #[test]
    fn a_thread_is_meant_by_its_name_or_the_beginning_of_its_id() {
        assert_eq!(chosen("0198aa").unwrap(), 0x0001_98aa << 104);
        assert_eq!(chosen("0198-AB").unwrap(), 0x0001_98ab << 104);
        assert_eq!(chosen("parser").unwrap(), 0x0001_98ab << 104);
        assert_eq!(chosen("0198").unwrap(), 0x77 << 120, "a name goes first");
    }

    #[test]
    fn what_means_none_or_several_is_bad_input() {
        let several = chosen("0198a").unwrap_err();
        assert!(several.sentence.starts_with("`0198a` means 2 threads: "), "{several:?}");
        assert_eq!((several.exit.code(), chosen("nothing").unwrap_err().exit.code()), (2, 2));
        assert!(chosen("").is_err() && chosen("--").is_err());
    }
}
