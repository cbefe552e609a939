//! Clears away checkpoints whose time is over, and packs that none of the others needs.

use super::retention;
use super::shelf::{Shelf, ShelfError};
use capstan_types::saved::record::{CheckpointRecord, pack_blob};
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};
use tokio::time::MissedTickBehavior;

/// How often the store is swept.
const EVERY: Duration = Duration::from_secs(6 * 3600);

/// What was being carried when its coordinator died is removed after this time.
const FORGOTTEN: Duration = Duration::from_secs(3600);

impl Shelf {
    /// Sweeps now and every few hours. Dropping the future ends that.
    pub async fn keep_swept(self) {
        let mut times = tokio::time::interval(EVERY);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            times.tick().await;
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "checkpoints could not be swept; it is tried again in a few hours");
            }
        }
    }

    /// Sweeps once. Of a record that cannot be read nobody knows what it names, so no pack is removed then.
    ///
    /// # Errors
    /// The store cannot be used, or a record not be read.
    pub async fn sweep(&self) -> Result<(), ShelfError> {
        self.clear_scratch();
        let now = SystemTime::now();
        // Listed before the records: whatever comes after this is young.
        let packs = self.blobs.list_with_times("packs").await?;
        let mut named = BTreeSet::new();
        for (name, at) in self.blobs.list_with_times("checkpoints").await? {
            if retention::is_over(at, self.rules(), now) {
                self.blobs.remove(&name).await?;
                continue;
            }
            let record = CheckpointRecord::parse(&self.blobs.get(&name).await?);
            named.extend(record.map_err(ShelfError::Record)?.packs.iter().map(|pack| pack_blob(pack)));
        }
        for pack in retention::unnamed(packs, &named, now) {
            self.blobs.remove(&pack).await?;
        }
        Ok(())
    }

    fn clear_scratch(&self) {
        let entries = std::fs::read_dir(&self.rules().scratch).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".tmp"));
        let old = |entry: &std::fs::DirEntry| {
            let changed = entry.metadata().and_then(|facts| facts.modified());
            changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > FORGOTTEN))
        };
        for entry in ours.filter(old) {
            // What stays is looked at again.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
