//! Takes a key for a process, and gives it back: reads what is there, decides, and writes only if that is still there.

use super::client::Client;
use super::value::{self, Value};
use super::wire::compare::{CompareResult, CompareTarget, TargetUnion};
use super::wire::kv_client::KvClient;
use super::wire::request_op::Request as Op;
use super::wire::{Compare, DeleteRangeRequest, KeyValue, PutRequest, RangeRequest, RequestOp, TxnRequest};
use crate::error::EtcdError;
use capstan_types::id::Generation;

/// How often a claim is begun anew because somebody else wrote between its reading and its writing.
pub(super) const RACES: usize = 16;

/// What to do about what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// Nothing is there: make it.
    Create,
    /// An older life is there: replace exactly this one.
    Replace { revision: i64 },
    /// It is ours and as it should be.
    Kept { revision: i64 },
    /// A life that is as new or newer is there.
    Refused(Generation),
}

/// How a claim ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claimed {
    /// It is ours since this revision.
    Held(i64),
    /// Of this generation is who has it.
    Refused(Generation),
}

/// What is there, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Present {
    generation: Generation,
    lease: i64,
    revision: i64,
    same: bool,
}

fn decide(present: Option<Present>, mine: Generation, lease: i64) -> Decision {
    match present {
        None => Decision::Create,
        // An answer was lost on the way: it was written.
        Some(there) if there.lease == lease && there.same => Decision::Kept { revision: there.revision },
        // Our own earlier word, such as a goodbye that somebody took back.
        Some(there) if there.lease == lease && there.generation <= mine => Decision::Replace { revision: there.revision },
        Some(there) if there.generation < mine => Decision::Replace { revision: there.revision },
        Some(there) => Decision::Refused(there.generation),
    }
}

/// Puts a record under the lease, unless a life that is as new has the key.
pub(super) async fn claim(
    client: &Client,
    (key, lease): (&str, i64),
    mine: Generation,
    value: &Value,
) -> Result<Claimed, EtcdError> {
    for _ in 0..RACES {
        let present = match read(client, key).await? {
            None => None,
            Some(found) => Some(Present {
                generation: value::generation(&found.value)
                    .map_err(|reason| EtcdError::Foreign { key: key.to_owned(), reason })?,
                lease: found.lease,
                revision: found.mod_revision,
                same: found.value == value.record,
            }),
        };
        let still = match decide(present, mine, lease) {
            Decision::Kept { revision } => return Ok(Claimed::Held(revision)),
            Decision::Refused(generation) => return Ok(Claimed::Refused(generation)),
            Decision::Create => compare(key, CompareTarget::Create, TargetUnion::CreateRevision(0)),
            Decision::Replace { revision } => compare(key, CompareTarget::Mod, TargetUnion::ModRevision(revision)),
        };
        if let Some(revision) = write(client, key, still, put(key, &value.record, lease)).await? {
            return Ok(Claimed::Held(revision));
        }
    }
    Err(EtcdError::Refused(format!("{key} is written to by others all the time")))
}

/// Says goodbye and removes the key, if it is still held by this lease. Returns since which revision it is gone, if it was here that
/// it was removed.
pub(super) async fn give_back(client: &Client, key: &str, lease: i64, value: &Value) -> Result<Option<i64>, EtcdError> {
    let held = || compare(key, CompareTarget::Lease, TargetUnion::Lease(lease));
    // Those who watch see that it goes by its own will, and take it for no loss.
    write(client, key, held(), put(key, &value.goodbye, lease)).await?;
    write(client, key, held(), Op::RequestDeleteRange(DeleteRangeRequest { key: key.into() })).await
}

pub(super) async fn read(client: &Client, key: &str) -> Result<Option<KeyValue>, EtcdError> {
    let request = RangeRequest { key: key.into(), ..RangeRequest::default() };
    let doing = format!("read {key}");
    let answer = client.ask(&doing, request, async |channel, request| KvClient::new(channel).range(request).await).await?;
    Ok(answer.kvs.into_iter().next())
}

pub(super) async fn write(client: &Client, key: &str, still: Compare, op: Op) -> Result<Option<i64>, EtcdError> {
    let request = TxnRequest { compare: vec![still], success: vec![RequestOp { request: Some(op) }], failure: Vec::new() };
    let doing = format!("write {key}");
    let answer = client.ask(&doing, request, async |channel, request| KvClient::new(channel).txn(request).await).await?;
    Ok(answer.succeeded.then(|| answer.header.map_or(0, |header| header.revision)))
}

pub(super) fn put(key: &str, value: &[u8], lease: i64) -> Op {
    Op::RequestPut(PutRequest { key: key.into(), value: value.to_vec(), lease })
}

pub(super) fn compare(key: &str, target: CompareTarget, union: TargetUnion) -> Compare {
    Compare { result: CompareResult::Equal.into(), target: target.into(), key: key.into(), target_union: Some(union) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(generation: u64, lease: i64, same: bool) -> Option<Present> {
        Some(Present { generation: Generation(generation), lease, revision: 9, same })
    }

    #[test]
    fn only_a_newer_life_replaces_another_and_ones_own_word_is_known_again() {
        let mine = Generation(5);
        assert_eq!(decide(None, mine, 1), Decision::Create);
        assert_eq!(decide(there(4, 2, false), mine, 1), Decision::Replace { revision: 9 });
        assert_eq!(decide(there(5, 2, true), mine, 1), Decision::Refused(Generation(5)));
        assert_eq!(decide(there(6, 2, false), mine, 1), Decision::Refused(Generation(6)));
        assert_eq!(decide(there(5, 1, true), mine, 1), Decision::Kept { revision: 9 });
        assert_eq!(decide(there(5, 1, false), mine, 1), Decision::Replace { revision: 9 });
        assert_eq!(decide(there(6, 1, false), mine, 1), Decision::Refused(Generation(6)));
    }
}
