//! Programs of ours that sessions find by their names: links to the runner, which is whichever it is called.

use capstan_types::path::AbsPath;
use capstan_types::policy::{SandboxMode, SandboxPolicy};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;

/// The names.
const NAMES: [&str; 2] = ["apply_patch", "applypatch"];

/// The directory of the links, and what they lead to.
#[derive(Debug)]
pub(crate) struct Programs {
    places: Option<(AbsPath, AbsPath)>,
}

impl Programs {
    /// Makes the links in the node's directory. Without them sessions run as well, and lack the programs.
    pub(crate) fn make(root: &AbsPath, runner: &Path) -> Self {
        let dir = root.as_path().join("bin");
        let made = make_links(&dir, runner).and_then(|()| Ok((AbsPath::new(&dir), AbsPath::new(runner.canonicalize()?))));
        match made {
            Ok((Ok(dir), Ok(runner))) => Self { places: Some((dir, runner)) },
            Ok(_) => Self { places: None },
            Err(error) => {
                tracing::warn!(dir = %dir.display(), %error, "sessions find no apply_patch, because its links cannot be made");
                Self { places: None }
            }
        }
    }

    /// Lets a session find them: last on its PATH, which is `path` unless `env` names one, which is then left as it is; and as functions for
    /// login shells of bash, whose profiles set a PATH of their own.
    pub(crate) fn offer(&self, path: Option<&str>, env: &mut BTreeMap<String, String>, policy: &mut SandboxPolicy) {
        let Some((dir, runner)) = &self.places else { return };
        if let Some(path) = path {
            env.entry("PATH".to_owned()).or_insert_with(|| format!("{path}:{dir}"));
        }
        for name in NAMES {
            let quoted = dir.as_str().replace('\'', r"'\''");
            let function = || format!("() {{ '{quoted}/{name}' \"$@\"\n}}");
            env.entry(format!("BASH_FUNC_{name}%%")).or_insert_with(function);
        }
        if policy.mode != SandboxMode::DangerFullAccess {
            policy.readable.extend([dir.clone(), runner.clone()]);
        }
    }
}

fn make_links(dir: &Path, runner: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(dir)?;
    for name in NAMES {
        let link = dir.join(name);
        if fs::read_link(&link).is_ok_and(|target| target == runner) {
            continue;
        }
        // An earlier life may have had another runner.
        let _ = fs::remove_file(&link);
        symlink(runner, &link)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_finds_them_last_and_nothing_is_shown_to_one_without_a_sandbox() {
        let dir = tempfile::tempdir().unwrap();
        let root = AbsPath::new(dir.path().canonicalize().unwrap()).unwrap();
        fs::create_dir(dir.path().join("bin")).unwrap();
        symlink("/no/longer", dir.path().join("bin/apply_patch")).unwrap();
        let programs = Programs::make(&root, Path::new("/bin/sh"));
        assert_eq!(fs::read_link(dir.path().join("bin/apply_patch")).unwrap(), Path::new("/bin/sh"));
        let offered = |mut policy: SandboxPolicy| {
            let mut env = BTreeMap::new();
            programs.offer(Some("/usr/bin"), &mut env, &mut policy);
            (env, policy.readable)
        };
        let (env, readable) = offered(SandboxPolicy::read_only());
        assert_eq!(env["PATH"], format!("/usr/bin:{root}/bin"));
        assert_eq!(env["BASH_FUNC_apply_patch%%"], format!("() {{ '{root}/bin/apply_patch' \"$@\"\n}}"));
        assert_eq!(readable[0], root.join("bin").unwrap());
        assert_eq!(offered(SandboxPolicy::full_access()).1, []);
    }
}
