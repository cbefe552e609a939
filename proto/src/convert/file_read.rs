//! Small files that are read through a node.

use super::exec::{authority, policy};
use super::{Malformed, nonempty, parse};
use crate::wire::node as wire;
use capstan_types::file_read::{FileRead, FilesRead, MOST_BYTES, MOST_PATHS, ReadFiles};

/// The most bytes of a file when the request names none: 32 KiB.
const DEFAULT_BYTES: u64 = 32 << 10;

impl From<&ReadFiles> for wire::ReadFilesRequest {
    fn from(read: &ReadFiles) -> Self {
        Self {
            authority: Some((&read.authority).into()),
            cwd: read.cwd.to_string(),
            paths: read.paths.iter().map(ToString::to_string).collect(),
            root: read.root.as_ref().map(ToString::to_string).unwrap_or_default(),
            max_bytes: read.max_bytes,
            policy: Some((&read.policy).into()),
            seen: read.seen.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::ReadFilesRequest> for ReadFiles {
    type Error = Malformed;

    fn try_from(wire: wire::ReadFilesRequest) -> Result<Self, Malformed> {
        if wire.paths.len() > MOST_PATHS {
            return Err(Malformed::new("paths", format!("there are {}; at most {MOST_PATHS} are taken", wire.paths.len())));
        }
        let max_bytes = if wire.max_bytes == 0 { DEFAULT_BYTES } else { wire.max_bytes.min(MOST_BYTES) };
        Ok(Self {
            authority: authority(wire.authority)?,
            cwd: parse("cwd", &wire.cwd)?,
            paths: wire.paths.iter().map(|path| parse("paths", path)).collect::<Result<_, _>>()?,
            root: nonempty(wire.root).map(|root| parse("root", &root)).transpose()?,
            max_bytes,
            policy: policy(wire.policy)?,
            seen: nonempty(wire.seen),
        })
    }
}

impl From<FilesRead> for wire::ReadFilesResponse {
    fn from(read: FilesRead) -> Self {
        match read {
            FilesRead::Unchanged => Self { unchanged: true, ..Self::default() },
            FilesRead::Now { stamp, files } => {
                Self { stamp: stamp.unwrap_or_default(), unchanged: false, files: files.into_iter().map(Into::into).collect() }
            }
        }
    }
}

impl TryFrom<wire::ReadFilesResponse> for FilesRead {
    type Error = Malformed;

    fn try_from(wire: wire::ReadFilesResponse) -> Result<Self, Malformed> {
        if wire.unchanged {
            return Ok(Self::Unchanged);
        }
        let files = wire.files.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok(Self::Now { stamp: nonempty(wire.stamp), files })
    }
}

impl From<FileRead> for wire::FileRead {
    fn from(read: FileRead) -> Self {
        use wire::file_read::Read;
        let read = match read {
            FileRead::Missing => Read::Missing(wire::FileMissing {}),
            FileRead::Refused { reason } => Read::Refused(reason),
            FileRead::Content { bytes, size } => Read::Content(wire::FileContent { data: bytes.into(), size }),
        };
        Self { read: Some(read) }
    }
}

impl TryFrom<wire::FileRead> for FileRead {
    type Error = Malformed;

    fn try_from(wire: wire::FileRead) -> Result<Self, Malformed> {
        use wire::file_read::Read;
        Ok(match wire.read.ok_or_else(|| Malformed::missing("read"))? {
            Read::Missing(wire::FileMissing {}) => Self::Missing,
            Read::Refused(reason) => Self::Refused { reason },
            Read::Content(content) => Self::Content { bytes: content.data.into(), size: content.size },
        })
    }
}
