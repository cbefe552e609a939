//! Where the sandbox runner is: a program of its own beside this one, or this one in its role.

use crate::failure::Failure;
use crate::programs::runs;
use crate::surroundings::Surroundings;
use capstan_agent_node::RunnerPath;
use std::path::{Path, PathBuf};

/// The runner's file name.
const PROGRAM: &str = "capstan-sandbox";

/// The argument that makes this program play the runner.
const ROLE: &str = "sandbox";

/// Finds the runner: `CAPSTAN_RUNNER`, else the one beside this program, else this program.
///
/// # Errors
/// `CAPSTAN_RUNNER` names no program, or this program cannot be found.
pub fn find(surroundings: &Surroundings) -> Result<RunnerPath, Failure> {
    if let Some(named) = surroundings.variable("CAPSTAN_RUNNER") {
        let path = surroundings.absolute(Path::new(named))?.as_path().to_owned();
        let refused = || {
            let sentence = format!("CAPSTAN_RUNNER names {}, which is no program", path.display());
            Failure::bad_input(sentence).hint("unset it, or set it to the path of capstan-sandbox")
        };
        return if runs(&path) { Ok(RunnerPath::program(path)) } else { Err(refused()) };
    }
    let own = std::env::current_exe()
        .map_err(|error| Failure::bad_input(format!("this program cannot find itself: {error}")).hint("set CAPSTAN_RUNNER"))?;
    Ok(beside(own))
}

fn beside(own: PathBuf) -> RunnerPath {
    let runner = own.with_file_name(PROGRAM);
    if runs(&runner) { RunnerPath::program(runner) } else { RunnerPath { program: own, args: vec![ROLE.to_owned()] } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capstan_types::path::AbsPath;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_runner_beside_the_program_goes_before_the_program_itself() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("capstan");
        let alone = RunnerPath { program: own.clone(), args: vec!["sandbox".into()] };
        assert_eq!(beside(own.clone()), alone);
        let runner = dir.path().join("capstan-sandbox");
        fs::write(&runner, "").unwrap();
        fs::set_permissions(&runner, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(beside(own.clone()), alone, "a file that cannot be executed is no runner");
        fs::set_permissions(&runner, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(beside(own), RunnerPath::program(runner));
    }

    #[test]
    fn a_named_runner_must_be_one() {
        let named = |path: &str| {
            let variables = [("CAPSTAN_RUNNER".to_owned(), path.to_owned())].into();
            find(&Surroundings::new(variables, AbsPath::new("/").unwrap()))
        };
        assert_eq!(named("bin/sh").unwrap(), RunnerPath::program("/bin/sh".into()));
        assert_eq!(named("/etc").unwrap_err().sentence, "CAPSTAN_RUNNER names /etc, which is no program");
    }
}
