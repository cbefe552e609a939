//! Where keys come from: the environment before `auth.json`. They go to the model client and nowhere else.

use crate::failure::Failure;
use crate::given_file;
use crate::home::Home;
use crate::surroundings::Surroundings;
use capstan_coordinator::models::{AuthFile, Lookup};
use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;

/// Variables that are looked at before the one that is asked for. Codex's SDKs hand on an OpenAI key by a name of their own.
const STAND_INS: [(&str, &str); 1] = [("OPENAI_API_KEY", "CODEX_API_KEY")];

/// The longest `auth.json`, in bytes: 1 MiB.
const LONGEST: u64 = 1 << 20;

/// Keys by the names of their variables.
pub struct KeyRing {
    surroundings: Surroundings,
    file: AuthFile,
}

impl KeyRing {
    /// The keys of the environment and of `auth.json`, and a warning when others can read that file.
    ///
    /// # Errors
    /// `auth.json` is there and is no regular file, has more than 1 MiB, cannot be read, or is not JSON.
    pub fn open(home: &Home, surroundings: &Surroundings) -> Result<(Self, Option<String>), Failure> {
        let path = home.auth();
        let unreadable = |reason: String| Failure::bad_input(format!("{} cannot be used: {reason}", path.display()));
        let text = match given_file::text(&path, LONGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Self { surroundings: surroundings.clone(), file: AuthFile::default() }, None));
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        let file = AuthFile::parse(&text).map_err(|error| unreadable(error.to_string()))?;
        let mode = std::fs::metadata(&path).map_or(0, |metadata| metadata.permissions().mode());
        let warning = (mode & 0o077 != 0).then(|| format!("other users may read {0}: run `chmod 600 {0}`", path.display()));
        Ok((Self { surroundings: surroundings.clone(), file }, warning))
    }
}

impl Lookup for KeyRing {
    fn find(&self, name: &str) -> Option<String> {
        let stand_in = STAND_INS.iter().find(|(wanted, _)| *wanted == name).map(|(_, stand_in)| *stand_in);
        let in_environment = |name: &str| self.surroundings.variable(name).map(str::to_owned);
        stand_in.and_then(in_environment).or_else(|| in_environment(name)).or_else(|| self.file.find(name))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::path::AbsPath;
    use std::fs::{self, Permissions};
    use std::path::Path;

    fn ring(dir: &Path, more: &[(&str, &str)]) -> Result<(KeyRing, Option<String>), Failure> {
        let home = ("CAPSTAN_HOME", dir.to_str().unwrap());
        let variables = more.iter().chain([&home]).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let surroundings = Surroundings::new(variables.collect(), AbsPath::new("/").unwrap());
        KeyRing::open(&Home::open(&surroundings)?, &surroundings)
    }

    #[test]
    fn the_environment_goes_before_the_file_and_an_sdk_before_both() {
        let dir = tempfile::tempdir().unwrap();
        let auth = dir.path().join("auth.json");
        fs::write(&auth, r#"{"OPENAI_API_KEY": "file"}"#).unwrap();
        fs::set_permissions(&auth, Permissions::from_mode(0o600)).unwrap();
        let found = |more: &[(&str, &str)]| {
            let (ring, warning) = ring(dir.path(), more).unwrap();
            assert_eq!(warning, None);
            ring.find("OPENAI_API_KEY")
        };
        assert_eq!(found(&[]).as_deref(), Some("file"));
        assert_eq!(found(&[("OPENAI_API_KEY", "")]).as_deref(), Some("file"));
        assert_eq!(found(&[("OPENAI_API_KEY", "variable")]).as_deref(), Some("variable"));
        assert_eq!(found(&[("OPENAI_API_KEY", "variable"), ("CODEX_API_KEY", "sdk")]).as_deref(), Some("sdk"));
    }

    #[test]
    fn a_file_that_others_can_read_is_warned_of() {
        let dir = tempfile::tempdir().unwrap();
        let auth = dir.path().join("auth.json");
        fs::write(&auth, "{}").unwrap();
        fs::set_permissions(&auth, Permissions::from_mode(0o644)).unwrap();
        let warning = ring(dir.path(), &[]).unwrap().1.unwrap();
        assert!(warning.contains("chmod 600"), "{warning}");
    }

    #[test]
    fn a_broken_file_is_refused_without_being_quoted() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("auth.json"), "{\"K\": sk-canary").unwrap();
        let failure = ring(dir.path(), &[]).unwrap_err();
        assert!(failure.sentence.contains("auth.json") && !failure.sentence.contains("canary"), "{failure:?}");
        assert_eq!(failure.exit.code(), 2);
    }
}
