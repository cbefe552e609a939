//! What is to be executed, in the form that the kernel wants, made before the fork.

use crate::launch::LaunchError;
use capstan_types::launch::{LaunchSpec, Refusal};
use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// Where a program is looked for when the environment has no PATH.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A program, its arguments, its environment and its working directory.
#[derive(Debug)]
pub(crate) struct Image {
    argv: Vec<CString>,
    env: Vec<CString>,
    cwd: CString,
    candidates: Vec<CString>,
}

impl Image {
    /// The image that a launch document asks for.
    pub(crate) fn of(spec: &LaunchSpec) -> Result<Self, LaunchError> {
        let argv = spec.argv.iter().map(OsString::from).collect();
        let env = spec.env.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Self::new(argv, env, spec.cwd.as_path())
    }

    /// An image from its parts.
    pub(crate) fn new(
        argv: Vec<OsString>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
        cwd: &Path,
    ) -> Result<Self, LaunchError> {
        let mut variables = Vec::new();
        let mut path = OsString::from(DEFAULT_PATH);
        for (name, value) in env {
            if name.is_empty() || name.as_bytes().contains(&b'=') {
                return Err(document(format!("`{}` cannot be the name of a variable", name.display())));
            }
            if name == "PATH" {
                path.clone_from(&value);
            }
            let mut variable = name;
            variable.push("=");
            variable.push(value);
            variables.push(text("the environment", variable)?);
        }
        let Some(program) = argv.first().filter(|program| !program.is_empty()) else {
            return Err(document("it names no program to run".to_owned()));
        };
        Ok(Self {
            candidates: candidates(program, &path)?,
            argv: argv.into_iter().map(|argument| text("an argument", argument)).collect::<Result<_, _>>()?,
            env: variables,
            cwd: text("the working directory", cwd.as_os_str().to_owned())?,
        })
    }

    /// The program as it was asked for.
    pub(crate) fn program(&self) -> String {
        self.argv.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The working directory.
    pub(crate) fn cwd(&self) -> &CStr {
        &self.cwd
    }

    /// The files to try, in this order.
    pub(crate) fn candidates(&self) -> &[CString] {
        &self.candidates
    }

    /// The arguments as a list that ends in null; valid as long as the image.
    pub(crate) fn argv_pointers(&self) -> Vec<*const libc::c_char> {
        pointers(&self.argv)
    }

    /// The environment as a list that ends in null; valid as long as the image.
    pub(crate) fn env_pointers(&self) -> Vec<*const libc::c_char> {
        pointers(&self.env)
    }
}

fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

fn document(reason: String) -> LaunchError {
    Refusal::Document { reason }.into()
}

fn text(what: &str, text: OsString) -> Result<CString, LaunchError> {
    CString::new(text.into_vec()).map_err(|_| document(format!("{what} holds a NUL byte")))
}

fn candidates(program: &OsStr, path: &OsStr) -> Result<Vec<CString>, LaunchError> {
    if program.as_bytes().contains(&b'/') {
        return Ok(vec![text("the program", program.to_owned())?]);
    }
    // An empty element of PATH means the working directory, to which the bare name is relative.
    let places = path.as_bytes().split(|byte| *byte == b':').map(|place| Path::new(OsStr::from_bytes(place)).join(program));
    places.map(|place| text("PATH", place.into_os_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(argv: &[&str], env: &[(&str, &str)]) -> Result<Image, LaunchError> {
        let env = env.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Image::new(argv.iter().map(OsString::from).collect(), env, Path::new("/"))
    }

    fn places(argv: &[&str], env: &[(&str, &str)]) -> Vec<String> {
        image(argv, env).unwrap().candidates().iter().map(|place| place.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_bare_name_is_looked_up_in_the_path_of_the_session() {
        assert_eq!(places(&["ls"], &[("PATH", "/a::/b")]), ["/a/ls", "ls", "/b/ls"]);
        assert_eq!(places(&["ls"], &[]), ["/usr/local/bin/ls", "/usr/bin/ls", "/bin/ls"]);
        assert_eq!(places(&["./ls"], &[("PATH", "/a")]), ["./ls"]);
    }

    #[test]
    fn what_the_kernel_would_misread_is_refused() {
        assert!(image(&[], &[]).is_err());
        assert!(image(&[""], &[]).is_err());
        assert!(image(&["a\0b"], &[]).is_err());
        assert!(image(&["a"], &[("A=B", "c")]).is_err());
        assert!(image(&["a"], &[("", "c")]).is_err());
        assert!(image(&["a"], &[("A", "c\0d")]).is_err());
    }
}
