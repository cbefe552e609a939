//! What clients upload: checkpoints of their repositories, put on the coordinator's shelf as those of threads are.

use crate::checkpoints::shelf::{Incoming, Shelf, ShelfError};
use capstan_types::saved::record::{CheckpointRecord, is_pack_name};

/// The most packs of one upload.
const MOST_PACKS: usize = 20_000;
/// The name of an upload among the checkpoints of its thread.
const NAME: &str = "upload";

/// Where uploads are kept. Clones are the same place.
#[derive(Debug, Clone)]
pub struct Uploads(Option<Shelf>);

/// Why an upload is not kept. For the client.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// There is no place for it.
    #[error(
        "this coordinator keeps no uploads; name a store for them in its config.toml: [blobs] url = \"/a/directory\" or \"s3://BUCKET/PREFIX\""
    )]
    NoStore,
    /// What was said makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// Something is missing.
    #[error("{0} packs of the upload are not here; send them, and try again")]
    Lacks(usize),
    /// The thread has one.
    #[error("the thread has another upload already; choose another id")]
    Another,
    /// The shelf.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

impl Uploads {
    /// On this shelf.
    #[must_use]
    pub const fn on(shelf: Option<Shelf>) -> Self {
        Self(shelf)
    }

    fn shelf(&self) -> Result<&Shelf, NotKept> {
        self.0.as_ref().ok_or(NotKept::NoStore)
    }

    /// Those of these packs that are not here.
    ///
    /// # Errors
    /// They are no names of packs or too many, or the store cannot be used.
    pub async fn lacks(&self, packs: &[String]) -> Result<Vec<String>, NotKept> {
        let shelf = self.shelf()?;
        if packs.len() > MOST_PACKS {
            return Err(NotKept::Malformed(format!("{} packs were named, and at most {MOST_PACKS} may be", packs.len())));
        }
        if !packs.iter().all(|pack| is_pack_name(pack)) {
            return Err(NotKept::Malformed("the name of a pack has 64 hexadecimal digits".to_owned()));
        }
        Ok(shelf.lacking(packs).await.map_err(ShelfError::from)?)
    }

    /// Begins to take a pack.
    ///
    /// # Errors
    /// It has no name of a pack, or there is no room.
    pub fn begin(&self, pack: &str) -> Result<Incoming, NotKept> {
        Ok(self.shelf()?.begin(pack)?)
    }

    /// Has a pack count.
    ///
    /// # Errors
    /// It is not what it is called, or the store cannot be used.
    pub async fn end(&self, incoming: Incoming) -> Result<(), NotKept> {
        Ok(self.shelf()?.end(incoming).await?)
    }

    /// Has an upload count whose packs are all here.
    ///
    /// # Errors
    /// The record makes no sense, packs are not here, the thread has another upload, or the store cannot be used.
    pub async fn finish(&self, record: &[u8]) -> Result<(), NotKept> {
        let shelf = self.shelf()?;
        let record = CheckpointRecord::parse(record).map_err(NotKept::Malformed)?;
        if record.name.as_str() != NAME {
            return Err(NotKept::Malformed(format!("an upload is called `{NAME}`, and not `{}`", record.name)));
        }
        match self.lacks(&record.packs).await?.len() {
            0 => {}
            lacks => return Err(NotKept::Lacks(lacks)),
        }
        shelf.put(&record).await?;
        // One that is there is left as it is.
        if shelf.record(record.thread, &record.name).await?.as_ref() == Some(&record) { Ok(()) } else { Err(NotKept::Another) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoints::rules::CheckpointRules;
    use capstan_blobs::{Blobs, Location};
    use capstan_tree_files::{Places, take};
    use capstan_types::id::ThreadId;
    use capstan_types::path::AbsPath;
    use capstan_types::tree_document::{Bounds, Leave, StateTaken, TreeState};
    use std::fs;
    use tempfile::TempDir;

    struct House {
        dir: TempDir,
        uploads: Uploads,
        pack: String,
        bytes: Vec<u8>,
    }

    impl House {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let at = |name: &str| dir.path().join(name);
            ["tree", "packs"].iter().for_each(|name| fs::create_dir(at(name)).unwrap());
            fs::write(at("tree").join("file"), "text").unwrap();
            let (top, packs, seen) = (at("tree"), at("packs"), at("seen"));
            let places = Places { top: &top, store: &packs, out: &packs, seen: &seen };
            let taken = take(places, &Leave::default(), Bounds::default()).unwrap();
            let pack = String::from(taken.new_packs[0]);
            let bytes = fs::read(packs.join(format!("{pack}.pack"))).unwrap();
            let blobs = Blobs::open(&Location::Directory(at("blobs"))).unwrap();
            let rules = CheckpointRules { scratch: at("scratch"), ..CheckpointRules::default() };
            Self { uploads: Uploads::on(Some(Shelf::new(blobs, rules))), pack, bytes, dir }
        }

        async fn give(&self, pack: &str, bytes: &[u8]) -> Result<(), NotKept> {
            let mut incoming = self.uploads.begin(pack)?;
            incoming.add(bytes).await?;
            self.uploads.end(incoming).await
        }

        fn record(&self, packs: Vec<String>, files: u64) -> Vec<u8> {
            let state = TreeState { size: 1, objects: vec!["a".repeat(64)], mode: 0o755 };
            let (new_packs, skipped) = (Vec::new(), Default::default());
            let taken = StateTaken { state, packs, new_packs, files, bytes: 4, new_bytes: 4, skipped };
            let (thread, cwd) = (ThreadId::from_u128(7), AbsPath::new("/w").unwrap());
            CheckpointRecord::new(thread, NAME.parse().unwrap(), cwd, true, taken).text()
        }

        fn kept(&self) -> usize {
            fs::read_dir(self.dir.path().join("blobs/packs")).into_iter().flatten().count()
        }
    }

    #[tokio::test]
    async fn an_upload_counts_when_all_of_its_packs_are_here() {
        let house = House::new();
        let packs = vec![house.pack.clone()];
        assert_eq!(house.uploads.lacks(&packs).await.unwrap(), packs);
        let early = house.uploads.finish(&house.record(packs.clone(), 1)).await.unwrap_err();
        assert!(matches!(early, NotKept::Lacks(1)), "{early}");
        house.give(&house.pack, &house.bytes).await.unwrap();
        assert!(house.uploads.lacks(&packs).await.unwrap().is_empty());
        for _ in 0..2 {
            house.uploads.finish(&house.record(packs.clone(), 1)).await.unwrap();
        }
        let other = house.uploads.finish(&house.record(packs, 2)).await.unwrap_err();
        assert!(matches!(other, NotKept::Another), "{other}");
    }

    #[tokio::test]
    async fn what_is_not_what_it_is_called_is_not_kept_and_names_lead_nowhere() {
        let house = House::new();
        let mut damaged = house.bytes.clone();
        damaged[20] ^= 1;
        for (name, bytes) in [
            (house.pack.as_str(), &damaged[..]),
            (house.pack.as_str(), &house.bytes[..house.bytes.len() / 2]),
            (&"a".repeat(64), &house.bytes),
            ("../../../etc/x", &house.bytes),
            ("", &house.bytes),
        ] {
            let refused = house.give(name, bytes).await.unwrap_err();
            assert!(matches!(refused, NotKept::Shelf(ShelfError::Pack(_))), "{refused}");
        }
        assert_eq!(house.kept(), 0);
        let elsewhere = String::from_utf8(house.record(vec![house.pack.clone()], 1)).unwrap().replace(&house.pack, "../x");
        assert!(matches!(house.uploads.finish(elsewhere.as_bytes()).await, Err(NotKept::Malformed(_))));
        let named = String::from_utf8(house.record(vec![], 1)).unwrap().replace("\"upload\"", "\"turn-1\"");
        assert!(matches!(house.uploads.finish(named.as_bytes()).await, Err(NotKept::Malformed(_))));
        assert!(matches!(house.uploads.lacks(&["x".to_owned()]).await, Err(NotKept::Malformed(_))));
        assert!(matches!(Uploads::on(None).lacks(&[]).await, Err(NotKept::NoStore)));
    }
}
