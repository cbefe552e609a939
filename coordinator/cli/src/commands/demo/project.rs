//! The project that the demo works on: a C library of one function, wrong in a way that its test shows.

use crate::failure::Failure;
use capstan_types::path::AbsPath;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const FILES: [(&str, &str); 5] = [
    ("words.h", include_str!("../../../demo/words.h")),
    ("words.c", include_str!("../../../demo/words.c")),
    ("test_words.c", include_str!("../../../demo/test_words.c")),
    ("test.sh", include_str!("../../../demo/test.sh")),
    (".gitignore", "/test_words\n"),
];

/// The project's directory. It is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Project(TempDir);

impl Project {
    /// Writes the project.
    pub(super) fn make() -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("capstan-demo-").tempdir();
        directory.and_then(|directory| write(directory.path()).map(|()| Self(directory))).map_err(|error| {
            Failure::bad_input(format!("the demo's project cannot be written: {error}"))
                .hint("set TMPDIR to a directory with room")
        })
    }

    pub(super) fn path(&self) -> Result<AbsPath, Failure> {
        AbsPath::new(self.0.path()).map_err(Failure::bad_input)
    }

    /// Leaves the project where it is, and says where.
    pub(super) fn keep(self) {
        // Beside the results, which may be JSON lines.
        let _ = writeln!(io::stderr(), "the project is kept in {}", self.0.keep().display());
    }
}

fn write(directory: &Path) -> io::Result<()> {
    for (name, content) in FILES {
        fs::write(directory.join(name), content)?;
    }
    fs::set_permissions(directory.join("test.sh"), Permissions::from_mode(0o755))
}
