//! A store of blobs.

use crate::error::{BlobError, LocationError};
use crate::location::Location;
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Name;
use object_store::prefix::PrefixStore;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt, WriteMultipart};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a store may take to answer, or to take or give the next part.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much is handed to a store at once, in bytes. Buckets want parts of 5 MiB at least.
const PART: usize = 8 << 20;
/// How many parts travel at once. The next one waits.
const PARTS_AT_ONCE: usize = 4;
/// The largest blob that is read whole, in bytes.
const MOST_WHOLE: u64 = 16 << 20;

/// A store of blobs. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    place: Arc<str>,
    /// Where its files lie, if they do.
    directory: Option<Arc<Path>>,
}

impl Blobs {
    /// Opens the store at a location. A directory is made if needed; a bucket is not asked anything yet.
    ///
    /// # Errors
    /// When the directory cannot be made, or the environment says nonsense about the bucket.
    pub fn open(location: &Location) -> Result<Self, LocationError> {
        let place = location.to_string();
        let store: Arc<dyn ObjectStore> = match location {
            Location::Directory(path) => {
                let unusable = |reason: String| LocationError::Directory(path.display().to_string(), reason);
                std::fs::create_dir_all(path).map_err(|error| unusable(error.to_string()))?;
                let store = LocalFileSystem::new_with_prefix(path).map_err(|error| unusable(error.to_string()))?;
                // What was written is there after a loss of power, or was never there.
                Arc::new(store.with_automatic_cleanup(true).with_fsync(true))
            }
            Location::Bucket { name, prefix } => {
                let built = AmazonS3Builder::from_env().with_bucket_name(name).build();
                let bucket = built.map_err(|error| LocationError::Bucket(place.clone(), error.to_string()))?;
                Arc::new(PrefixStore::new(bucket, prefix.as_str()))
            }
        };
        let directory = match location {
            Location::Directory(path) => Some(Arc::from(path.as_path())),
            Location::Bucket { .. } => None,
        };
        Ok(Self { store, place: place.into(), directory })
    }

    /// Writes a small blob. One that is there already is left as it is.
    ///
    /// # Errors
    /// When the store cannot be used, or does not answer.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<(), BlobError> {
        if self.has(name).await? {
            return Ok(());
        }
        self.asked(name, self.store.put(&Name::from(name), bytes.into())).await.map(drop)
    }

    /// Writes a file as a blob. One that is there already is left as it is, and the file is not read.
    ///
    /// # Errors
    /// When the file cannot be read, or the store cannot be used or does not answer. Nothing of the name is seen then.
    pub async fn put_file(&self, name: &str, path: &Path) -> Result<(), BlobError> {
        if self.linked(name, path).await || self.has(name).await? {
            return Ok(());
        }
        let failed = |error: std::io::Error| BlobError::File { path: path.to_owned(), reason: error.to_string() };
        let mut file = tokio::fs::File::open(path).await.map_err(failed)?;
        let length = file.metadata().await.map_err(failed)?.len();
        if length <= PART as u64 {
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(PART));
            file.read_to_end(&mut bytes).await.map_err(failed)?;
            return self.asked(name, self.store.put(&Name::from(name), bytes.into())).await.map(drop);
        }
        let upload = self.asked(name, self.store.put_multipart(&Name::from(name))).await?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
        let mut part = vec![0; 1 << 20];
        loop {
            let read = file.read(&mut part).await.map_err(failed)?;
            if read == 0 {
                break;
            }
            self.asked(name, upload.wait_for_capacity(PARTS_AT_ONCE)).await?;
            upload.write(&part[..read]);
        }
        self.asked(name, upload.finish()).await.map(drop)
    }

    /// Whether a file of the same file system is a blob now without a byte being copied: what is written is never changed, so both may be
    /// one file. It must be on the disk already.
    async fn linked(&self, name: &str, path: &Path) -> bool {
        let Some(at) = self.file_of(name) else { return false };
        let path = path.to_owned();
        let linked = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
            let above = at.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
            std::fs::create_dir_all(above)?;
            std::fs::File::open(&path)?.sync_all()?;
            match std::fs::hard_link(&path, &at) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                linked => linked?,
            }
            // Whoever clears away what is old and not named yet must see that it is wanted now.
            std::fs::File::options().write(true).open(&at)?.set_modified(SystemTime::now())?;
            std::fs::File::open(above)?.sync_all()
        });
        matches!(linked.await, Ok(Ok(())))
    }

    /// Where a blob lies in a directory, under a name that is spelt there as it is here.
    fn file_of(&self, name: &str) -> Option<PathBuf> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
        let steps = || name.split('/').all(|step| !matches!(step, "" | "." | ".."));
        self.directory.as_ref().filter(|_| name.bytes().all(plain) && steps()).map(|directory| directory.join(name))
    }

    /// A small blob.
    ///
    /// # Errors
    /// When there is none, it is longer than 16 MiB, or the store cannot be used or does not answer.
    pub async fn get(&self, name: &str) -> Result<Bytes, BlobError> {
        let found = self.asked(name, self.store.get(&Name::from(name))).await?;
        if found.meta.size > MOST_WHOLE {
            return Err(self.failed(name, format!("it has {} bytes, which is more than is read at once", found.meta.size)));
        }
        self.asked(name, found.bytes()).await
    }

    /// Writes a blob into a file, which is whole when it has its name: it is written under another one first.
    ///
    /// # Errors
    /// When there is none, the store cannot be used or does not answer, or the file cannot be written.
    pub async fn get_file(&self, name: &str, path: &Path) -> Result<(), BlobError> {
        if let Some(at) = self.file_of(name)
            && tokio::fs::hard_link(at, path).await.is_ok()
        {
            return Ok(());
        }
        let found = self.asked(name, self.store.get(&Name::from(name))).await?;
        let unfinished = path.with_extension("fetched");
        let failed = |error: std::io::Error| BlobError::File { path: path.to_owned(), reason: error.to_string() };
        let mut file = tokio::fs::File::create(&unfinished).await.map_err(failed)?;
        let mut parts = found.into_stream();
        while let Some(part) = self.asked(name, async { parts.next().await.transpose() }).await? {
            file.write_all(&part).await.map_err(failed)?;
        }
        file.sync_all().await.map_err(failed)?;
        tokio::fs::rename(&unfinished, path).await.map_err(failed)
    }

    /// Whether there is a blob of that name.
    ///
    /// # Errors
    /// When the store cannot be used, or does not answer.
    pub async fn has(&self, name: &str) -> Result<bool, BlobError> {
        match self.asked(name, self.store.head(&Name::from(name))).await {
            Ok(_) => Ok(true),
            Err(BlobError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The bytes of a blob, in pieces.
    ///
    /// # Errors
    /// When there is none, or the store cannot be used or does not answer; each piece may fail likewise.
    pub async fn read(&self, name: &str) -> Result<impl Stream<Item = Result<Bytes, BlobError>> + Send + use<>, BlobError> {
        let found = self.asked(name, self.store.get(&Name::from(name))).await?;
        let (blobs, name) = (self.clone(), name.to_owned());
        Ok(futures::stream::unfold(Some(found.into_stream()), move |parts| {
            let (blobs, name) = (blobs.clone(), name.clone());
            async move {
                let mut parts = parts?;
                match blobs.asked(&name, async { parts.next().await.transpose() }).await {
                    Ok(Some(part)) => Some((Ok(part), Some(parts))),
                    Ok(None) => None,
                    Err(error) => Some((Err(error), None)),
                }
            }
        }))
    }

    /// The names that begin with the steps of `prefix`, each with the time when it was written, sorted.
    ///
    /// # Errors
    /// When the store cannot be used, or does not answer.
    pub async fn list_with_times(&self, prefix: &str) -> Result<Vec<(String, SystemTime)>, BlobError> {
        let at = Name::from(prefix);
        let told = |found: ObjectMeta| (found.location.to_string(), SystemTime::from(found.last_modified));
        let names = self.store.list(Some(&at)).map_ok(told).try_collect::<Vec<_>>();
        let mut names = self.asked(prefix, names).await?;
        names.sort_unstable();
        Ok(names)
    }

    /// The names that begin with the steps of `prefix`, sorted.
    ///
    /// # Errors
    /// When the store cannot be used, or does not answer.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, BlobError> {
        let at = Name::from(prefix);
        let names = self.store.list(Some(&at)).map_ok(|found| found.location.to_string()).try_collect::<Vec<_>>();
        let mut names = self.asked(prefix, names).await?;
        names.sort_unstable();
        Ok(names)
    }

    /// Removes a blob. One that is not there is removed already.
    ///
    /// # Errors
    /// When the store cannot be used, or does not answer.
    pub async fn remove(&self, name: &str) -> Result<(), BlobError> {
        match self.asked(name, self.store.delete(&Name::from(name))).await {
            Err(BlobError::Missing { .. }) => Ok(()),
            done => done,
        }
    }

    async fn asked<T>(&self, name: &str, answer: impl Future<Output = Result<T, Error>>) -> Result<T, BlobError> {
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Error::NotFound { .. })) => Err(BlobError::Missing { name: name.to_owned(), place: self.place.to_string() }),
            Ok(Err(error)) => Err(self.failed(name, error.to_string())),
            Err(_) => {
                let (name, place) = (name.to_owned(), self.place.to_string());
                Err(BlobError::Late { name, place, seconds: PATIENCE.as_secs() })
            }
        }
    }

    fn failed(&self, name: &str, reason: String) -> BlobError {
        BlobError::Store { name: name.to_owned(), place: self.place.to_string(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house() -> (tempfile::TempDir, Blobs) {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&Location::Directory(dir.path().join("blobs"))).unwrap();
        (dir, blobs)
    }

    #[tokio::test]
    async fn what_is_written_is_read_back_and_never_written_over() {
        let (_dir, blobs) = house();
        blobs.put("states/a/1", Bytes::from_static(b"one")).await.unwrap();
        blobs.put("states/a/1", Bytes::from_static(b"other")).await.unwrap();
        blobs.put("states/a/2", Bytes::from_static(b"two")).await.unwrap();
        blobs.put("states/ab/1", Bytes::from_static(b"three")).await.unwrap();
        assert_eq!(blobs.get("states/a/1").await.unwrap(), "one");
        assert_eq!(blobs.list("states/a").await.unwrap(), ["states/a/1", "states/a/2"]);
        blobs.remove("states/a/1").await.unwrap();
        blobs.remove("states/a/1").await.unwrap();
        let gone = blobs.get("states/a/1").await.unwrap_err();
        assert!(matches!(&gone, BlobError::Missing { .. }) && gone.to_string().contains("there is no `states/a/1`"), "{gone}");
    }

    #[tokio::test]
    async fn a_file_of_many_parts_arrives_whole() {
        let (dir, blobs) = house();
        let bytes: Vec<u8> = (0..(PART * 2 + 12345)).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        for length in [0, 1, PART, bytes.len()] {
            std::fs::write(&from, &bytes[..length]).unwrap();
            let name = format!("packs/{length}");
            assert!(!blobs.has(&name).await.unwrap());
            blobs.put_file(&name, &from).await.unwrap();
            blobs.get_file(&name, &to).await.unwrap();
            assert!(std::fs::read(&to).unwrap() == bytes[..length] && blobs.has(&name).await.unwrap(), "{length}");
        }
        let nothing = blobs.put_file("packs/x", &dir.path().join("none")).await.unwrap_err();
        assert!(matches!(nothing, BlobError::File { .. }));
        assert_eq!(std::fs::read_dir(dir.path().join("blobs/packs")).unwrap().count(), 4, "nothing unfinished is left");
    }

    #[tokio::test]
    async fn on_one_file_system_a_file_is_no_second_one() {
        let (dir, blobs) = house();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        std::fs::write(&from, "bytes").unwrap();
        let then = SystemTime::now() - Duration::from_secs(10_000);
        std::fs::File::options().write(true).open(&from).unwrap().set_modified(then).unwrap();
        for _ in 0..2 {
            blobs.put_file("packs/one.pack", &from).await.unwrap();
        }
        blobs.get_file("packs/one.pack", &to).await.unwrap();
        let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).unwrap());
        assert_eq!((inode(&from), inode(&to)), (inode(&dir.path().join("blobs/packs/one.pack")), inode(&from)));
        let listed = blobs.list_with_times("packs").await.unwrap();
        assert!(listed[0].1 > then + Duration::from_secs(5000), "it is wanted now: {listed:?}");
        let read: Vec<Bytes> = blobs.read("packs/one.pack").await.unwrap().try_collect().await.unwrap();
        assert_eq!(read.concat(), b"bytes");
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_said_at_once() {
        let (dir, _blobs) = house();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let error = Blobs::open(&Location::Directory(dir.path().join("file/blobs"))).unwrap_err();
        assert!(error.to_string().contains("make it, or name another"), "{error}");
    }
}
