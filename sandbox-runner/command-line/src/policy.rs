//! What was asked, as a policy for the directories and variables that there are.

use crate::asked::Asked;
use crate::environment;
use capstan_types::path::AbsPath;
use capstan_types::policy::{Level, SandboxMode, SandboxPolicy};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

impl Asked {
    /// The policy of the command.
    ///
    /// # Errors
    /// A directory that was named, or the one that we are in, has no absolute path.
    pub fn policy(&self) -> Result<SandboxPolicy, String> {
        let all = |places: &[PathBuf]| places.iter().map(|place| absolute(place)).collect::<Result<Vec<_>, _>>();
        let directory = self.directory()?;
        let (mut writable, mut readable) = (all(&self.writable)?, all(&self.readable)?);
        match self.mode {
            _ if self.exact => {}
            SandboxMode::WorkspaceWrite => {
                let temporary = ["/tmp".into(), std::env::temp_dir()].into_iter().filter(|place: &PathBuf| place.is_dir());
                writable.insert(0, directory);
                writable.extend(all(&temporary.collect::<Vec<_>>())?);
            }
            SandboxMode::ReadOnly if directory.as_path() != Path::new("/") => readable.push(directory),
            SandboxMode::ReadOnly | SandboxMode::DangerFullAccess => {}
        }
        Ok(SandboxPolicy {
            mode: self.mode,
            readable,
            hidden: all(&self.hidden)?,
            protected: self.protected.clone(),
            network: self.network.clone(),
            level: if self.mode == SandboxMode::DangerFullAccess { Level::None } else { self.level },
            ..SandboxPolicy::workspace_write(writable)
        })
    }

    /// Whether there is the directory that was named to run in. What may not be looked at is left to the launch.
    ///
    /// # Errors
    /// A sentence for whoever wrote the line.
    pub fn check_directory(&self) -> Result<(), String> {
        let refused = |reason: &str| Err(format!("the directory `{}` of -C cannot be used: {reason}", self.working.display()));
        match std::fs::metadata(&self.working) {
            Ok(found) if !found.is_dir() => refused("it is not a directory"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => refused("there is none"),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The directory that the command runs in.
    ///
    /// # Errors
    /// It has no absolute path.
    pub fn directory(&self) -> Result<AbsPath, String> {
        absolute(&self.working)
    }

    /// The command's variables, of `all` that there are.
    pub fn variables(&self, all: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
        match self.mode {
            SandboxMode::DangerFullAccess => all.collect(),
            SandboxMode::ReadOnly | SandboxMode::WorkspaceWrite => environment::of(all, &self.passed),
        }
    }
}

fn absolute(place: &Path) -> Result<AbsPath, String> {
    // Resolved before `..` is folded away: behind a symbolic link the two differ.
    let full = place.canonicalize().or_else(|_| std::path::absolute(place)).map_err(|error| error.to_string())?;
    AbsPath::new(full).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Asked {
        Asked::parse(line.split_whitespace().map(OsString::from).collect()).unwrap()
    }

    #[test]
    fn the_workspace_is_read_or_written_as_the_mode_says() {
        let (read, write) =
            (asked("-C /usr -- ls").policy().unwrap(), asked("-s workspace-write -C /usr -- ls").policy().unwrap());
        assert!(read.writable.is_empty() && read.readable.iter().any(|place| place.as_path() == Path::new("/usr")));
        assert_eq!(write.writable.first().map(AbsPath::as_path), Some(Path::new("/usr")));
        assert!(write.writable.iter().any(|place| place.as_path() == Path::new("/tmp")));
    }

    #[test]
    fn a_directory_that_is_none_is_told() {
        let said = |line: &str| asked(line).check_directory();
        assert_eq!((said("-- ls"), said("-C /usr -- ls")), (Ok(()), Ok(())));
        assert_eq!(said("-C /no/such -- ls"), Err("the directory `/no/such` of -C cannot be used: there is none".to_owned()));
        assert_eq!(
            said("-C /etc/passwd -- ls"),
            Err("the directory `/etc/passwd` of -C cannot be used: it is not a directory".to_owned())
        );
    }

    #[test]
    fn a_command_without_a_sandbox_gets_every_variable() {
        let all = || [(OsString::from("MY_TOKEN"), OsString::from("s"))].into_iter();
        assert!(asked("-- ls").variables(all()).is_empty());
        let open = asked("-s danger-full-access -- ls");
        assert_eq!(open.variables(all()).len(), 1);
        assert_eq!(open.policy().unwrap().level, Level::None);
    }
}
