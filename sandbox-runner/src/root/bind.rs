//! One place of the host, shown to the session at the same path.

use super::HOST;
use crate::kernel::mounts::Tree;
use crate::owners::{Owner, Owners};
use std::ffi::{CString, OsStr};
use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A place to be shown.
#[derive(Debug)]
pub(crate) struct Bind {
    target: PathBuf,
    /// Opened by the holder, with its attributes set; none when it is opened from inside, by the same user.
    opened: Option<Tree>,
    attributes: u64,
    is_directory: bool,
}

impl Bind {
    /// What was `found` at `target`, and is no symbolic link. Files of `owner` are to be the session's own.
    pub(crate) fn open(
        target: PathBuf,
        found: &Metadata,
        attributes: u64,
        owner: Option<Owner>,
        owners: &mut Owners,
    ) -> io::Result<Self> {
        let copied = owners.opens_directories().then(|| Tree::copy(&text(&target)?)).transpose();
        let opened = match copied {
            // A root that may not mount: from inside, as the same user, it may.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied && owners.opens_inside() => None,
            copied => copied?,
        };
        if let Some(tree) = &opened {
            let translation = owner.map_or(Ok(None), |owner| owners.translate(owner))?;
            tree.restrict(attributes, translation)?;
        }
        Ok(Self { target, opened, attributes, is_directory: found.is_dir() })
    }

    /// Where it is shown.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Shows it, from inside, making the place to show it at.
    pub(crate) fn attach(&self) -> io::Result<()> {
        if self.is_directory {
            directory(&self.target)?;
        } else {
            self.target.parent().map_or(Ok(()), directory)?;
            // One that is shown already, by a directory above it, is not opened: a program that runs just now may not be opened for writing.
            match File::options().write(true).create_new(true).open(&self.target) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let target = text(&self.target)?;
        match &self.opened {
            Some(tree) => tree.attach(&target),
            None => {
                let mut source = OsStr::new(HOST).to_owned();
                source.push(&self.target);
                let tree = Tree::copy(&text(source)?)?;
                tree.restrict(self.attributes, None)?;
                tree.attach(&target)
            }
        }
    }
}

/// Who owns a file.
pub(crate) fn owner(found: &Metadata) -> Owner {
    (found.uid(), found.gid())
}

/// Makes a directory and those above it; what is there already stays.
pub(crate) fn directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(path)
}

/// A path as the kernel takes it.
pub(crate) fn text(path: impl AsRef<OsStr>) -> io::Result<CString> {
    CString::new(path.as_ref().as_bytes()).map_err(io::Error::from)
}
