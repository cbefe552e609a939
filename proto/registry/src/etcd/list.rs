//! Lists what lies below a prefix: in pages, all of one revision.

use super::client::{Client, LARGEST_ANSWER};
use super::entry::{node_id, readable};
use super::keys::end_of;
use super::value::Found;
use super::wire::kv_client::KvClient;
use super::wire::{KeyValue, RangeRequest};
use crate::error::EtcdError;
use capstan_types::id::NodeId;
use capstan_types::node::NodeRecord;

/// Keys in a page.
const PAGE: i64 = 500;

/// What is there, as of one revision.
type Listed<T> = (i64, Vec<T>);

/// The nodes whose keys begin so. One whose record cannot be read is listed without it.
pub(super) async fn listed(client: &Client, beginning: &str) -> Result<Listed<(NodeId, Option<Found<NodeRecord>>)>, EtcdError> {
    let (revision, all) = entries(client, beginning).await?;
    let node = |entry: KeyValue| {
        let id = node_id(beginning, &entry.key)?;
        let found = readable(&id, &entry.value);
        Some((id, found))
    };
    Ok((revision, all.into_iter().filter_map(node).collect()))
}

/// Everything whose key begins so.
pub(super) async fn entries(client: &Client, beginning: &str) -> Result<Listed<KeyValue>, EtcdError> {
    let (end, mut from, mut revision, mut all) = (end_of(beginning), beginning.as_bytes().to_vec(), 0, Vec::new());
    let doing = format!("read what is below {beginning}");
    loop {
        let request = RangeRequest { key: from, range_end: end.clone(), limit: PAGE, revision };
        let range =
            async |channel, request| KvClient::new(channel).max_decoding_message_size(LARGEST_ANSWER).range(request).await;
        let page = client.ask(&doing, request, range).await?;
        if revision == 0 {
            // The later pages are read as they were with the first.
            revision = page.header.map_or(0, |header| header.revision);
        }
        let last = page.kvs.last().map(|entry| entry.key.clone());
        all.extend(page.kvs);
        match (page.more, last) {
            (true, Some(last)) => from = [last, vec![0]].concat(),
            (_, _) => return Ok((revision, all)),
        }
    }
}
