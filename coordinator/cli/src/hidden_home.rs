//! Whether the home directory is kept from the sessions of an embedded node.
//!
//! In a session with a root of its own nothing lies where the home is, even below a directory that it may write. Landlock alone cannot
//! take a place out of a directory that was given, so there the runner would refuse every command.

use crate::embedded::check_home;
use crate::failure::Failure;
use crate::home::Home;
use crate::level;
use crate::runtime;
use capstan_agent_node::RunnerPath;
use capstan_types::path::AbsPath;
use capstan_types::policy::Level;
use capstan_types::thread::ThreadSettings;

/// Checks that the home is hidden. A session is run to see how strong the sandbox is, when that decides.
///
/// # Errors
/// It is not, and what to do.
pub fn check(home: &Home, settings: &ThreadSettings, runner: &RunnerPath) -> Result<(), Failure> {
    let Err(refused) = check_home(home, settings) else { return Ok(()) };
    if is_given(home, settings) {
        return Err(refused);
    }
    let tried = runtime::block_on(async { Ok(level::tried(runner).await) })?;
    match tried {
        Ok(enforced) if enforced.level >= Level::Namespaces => Ok(()),
        Ok(_) | Err(_) => Err(refused),
    }
}

/// Whether the home itself is one of the directories to be written: what is given by name is not hidden.
fn is_given(home: &Home, settings: &ThreadSettings) -> bool {
    let real = |path: &AbsPath| path.as_path().canonicalize().unwrap_or_else(|_| path.as_path().to_owned());
    let named = settings.profile.as_ref().map(|profile| profile.policy(&settings.cwd, &[]).writable).unwrap_or_default();
    let mut roots = named.iter().chain(&settings.writable_roots).chain([&settings.cwd]);
    roots.any(|root| real(root) == real(home.path()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use crate::surroundings::Surroundings;
    use std::path::Path;

    /// A runner that cannot be started, so that nothing but landlock can be relied on.
    fn checked(home: &Home, cwd: &Path) -> Result<(), Failure> {
        let settings = ThreadSettings { cwd: AbsPath::new(cwd).unwrap(), exclude_slash_tmp: true, ..fixture::settings() };
        check(home, &settings, &RunnerPath::program("/no/such/runner".into()))
    }

    #[test]
    fn a_home_below_a_writable_directory_is_refused_where_no_namespaces_can_be_had() {
        let dir = tempfile::tempdir().unwrap();
        let variables = [("CAPSTAN_HOME".to_owned(), dir.path().join("inner/home").to_str().unwrap().to_owned())].into();
        let home = Home::open(&Surroundings::new(variables, AbsPath::new("/").unwrap())).unwrap();
        assert_eq!(checked(&home, &dir.path().join("beside")), Ok(()));
        for cwd in [dir.path(), &dir.path().join("inner/home")] {
            assert!(checked(&home, cwd).unwrap_err().sentence.contains("which holds CAPSTAN_HOME"), "{}", cwd.display());
        }
        let own = ThreadSettings { cwd: home.path().clone(), ..fixture::settings() };
        assert!(is_given(&home, &own) && !is_given(&home, &fixture::settings()));
    }
}
