//! What goes wrong with blobs. For the operator, and for whoever waits for one.

use std::path::PathBuf;

/// Why a blob could not be written, read or listed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is none of that name.
    #[error("there is no `{name}` in {place}; it was never finished, or its time was over")]
    Missing {
        /// Which.
        name: String,
        /// Where.
        place: String,
    },
    /// The store said no, or could not be reached.
    #[error("{place} cannot be used for `{name}`: {reason}; see that it can be reached, and that its keys are right")]
    Store {
        /// Which blob.
        name: String,
        /// Where.
        place: String,
        /// What was said.
        reason: String,
    },
    /// It took too long.
    #[error("{place} did not answer for `{name}` within {seconds} s; see that it can be reached")]
    Late {
        /// Which blob.
        name: String,
        /// Where.
        place: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The file on this host.
    #[error("the file `{}` cannot be used: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// Why a text names no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// It is neither of the forms.
    #[error(
        "`{0}` names no store for blobs; write an absolute directory, as /srv/capstan/blobs, or a bucket, as s3://NAME/PREFIX"
    )]
    Form(String),
    /// A bucket's variables make no sense.
    #[error("the bucket `{0}` cannot be used: {1}; see AWS_ENDPOINT, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    Bucket(String, String),
    /// The directory cannot be made.
    #[error("the directory `{0}` for blobs cannot be used: {1}; make it, or name another")]
    Directory(String, String),
}
