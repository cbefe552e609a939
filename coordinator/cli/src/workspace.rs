//! The directory that a thread works in: it must exist, and by default lie in a git repository, so that what a model does to it can be
//! seen and taken back.

use crate::failure::{Exit, Failure};
use capstan_types::path::AbsPath;
use std::path::Path;

/// Whether a directory outside of a git repository will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitCheck {
    /// It will not.
    Required,
    /// It will.
    Skipped,
}

/// Checks a directory of this host, and gives it with its symbolic links resolved.
///
/// # Errors
/// It is missing, no directory, or not in a git repository.
pub fn local(path: &AbsPath, check: GitCheck) -> Result<AbsPath, Failure> {
    let refused = |reason: String| {
        Failure::bad_input(format!("the workspace {path} cannot be used: {reason}"))
            .hint("name an existing directory with -C DIR")
    };
    let resolved = path.as_path().canonicalize().map_err(|error| refused(error.to_string()))?;
    if !resolved.is_dir() {
        return Err(refused("it is not a directory".to_owned()));
    }
    match check {
        GitCheck::Required if !in_repository(&resolved) => Err(Failure {
            sentence: format!("{path} is not a trusted directory: it is in no git repository"),
            hint: Some("run inside a repository, or pass --skip-git-repo-check".to_owned()),
            exit: Exit::Failed,
        }),
        GitCheck::Required | GitCheck::Skipped => AbsPath::new(resolved).map_err(|error| refused(error.to_string())),
    }
}

/// Checks a directory that is to be writable besides the workspace.
///
/// # Errors
/// It is missing or no directory.
pub fn writable(path: &AbsPath) -> Result<AbsPath, Failure> {
    let refused = |reason: String| {
        Failure::bad_input(format!("the directory {path} cannot be added: {reason}"))
            .hint("name an existing directory with --add-dir")
    };
    let resolved = path.as_path().canonicalize().map_err(|error| refused(error.to_string()))?;
    if !resolved.is_dir() {
        return Err(refused("it is not a directory".to_owned()));
    }
    AbsPath::new(resolved).map_err(|error| refused(error.to_string()))
}

fn in_repository(directory: &Path) -> bool {
    directory.ancestors().any(|above| above.join(".git").exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_directory_is_trusted_below_a_repository_or_when_asked_not_to_care() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let inner = AbsPath::new(&inner).unwrap();
        let failure = local(&inner, GitCheck::Required).unwrap_err();
        assert_eq!((failure.exit.code(), failure.hint.is_some()), (1, true));
        assert!(local(&inner, GitCheck::Skipped).is_ok());
        // A work tree has a file there, and a plain repository a directory.
        fs::write(dir.path().join("a/.git"), "gitdir: /elsewhere").unwrap();
        assert!(local(&inner, GitCheck::Required).is_ok());
    }

    #[test]
    fn a_directory_that_is_missing_or_none_is_bad_input() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path(), Path::new("/no/such/dir")] {
            let failure = local(&AbsPath::new(path).unwrap(), GitCheck::Skipped).unwrap_err();
            assert_eq!(failure.exit.code(), 2);
            assert!(writable(&AbsPath::new(path).unwrap()).unwrap_err().sentence.contains("cannot be added"));
        }
    }
}
