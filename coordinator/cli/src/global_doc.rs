//! The user's own instructions for all projects: `AGENTS.override.md` or `AGENTS.md` in the home directory.
//!
//! They are read where the user is, and go with the thread; the project's own are read on its node.

use crate::failure::Failure;
use crate::home::Home;
use capstan_types::docs::GlobalDoc;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Names that are looked for, the first before the second.
const NAMES: [&str; 2] = ["AGENTS.override.md", "AGENTS.md"];

/// The most bytes of it: 32 KiB.
const LONGEST: u64 = 32 << 10;

/// Reads them; gives with them what is to be warned of. An empty file is none, and hides the one after it.
///
/// # Errors
/// There is such a file, and it cannot be read.
pub(crate) fn read(home: &Home) -> Result<(Option<GlobalDoc>, Option<String>), Failure> {
    for name in NAMES {
        let path = home.path().as_path().join(name);
        match crate::given_file::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(refused(&path, &error)),
            Ok(file) => {
                let mut bytes = Vec::new();
                file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| refused(&path, &error))?;
                return Ok(taken(&path, &bytes));
            }
        }
    }
    Ok((None, None))
}

fn refused(path: &Path, error: &std::io::Error) -> Failure {
    let sentence = format!("your instructions in {} cannot be read: {error}", path.display());
    Failure::bad_input(sentence).hint("make it a file that you may read, or move it away")
}

fn taken(path: &Path, bytes: &[u8]) -> (Option<GlobalDoc>, Option<String>) {
    let is_cut = bytes.len() as u64 > LONGEST;
    let kept = bytes.utf8_chunks().map(|chunk| (chunk.valid(), chunk.invalid()));
    let (mut text, mut replaced) = (String::new(), false);
    for (valid, invalid) in kept {
        text.push_str(valid);
        if !invalid.is_empty() {
            replaced = true;
            text.push('\u{fffd}');
        }
    }
    text.truncate(text.floor_char_boundary(usize::try_from(LONGEST).unwrap_or(usize::MAX)));
    if text.trim().is_empty() {
        return (None, None);
    }
    let place = path.display();
    let warning = match (is_cut, replaced) {
        (true, _) => Some(format!("{place} has more than 32 KiB; the model is told the beginning")),
        (false, true) => Some(format!("{place} is not UTF-8; what is none was replaced")),
        (false, false) => None,
    };
    (Some(GlobalDoc { source: place.to_string(), text }), warning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surroundings::Surroundings;
    use capstan_types::path::AbsPath;
    use std::fs;

    fn home(dir: &tempfile::TempDir) -> Home {
        let variables = [("CAPSTAN_HOME".to_owned(), dir.path().to_str().unwrap().to_owned())].into();
        Home::open(&Surroundings::new(variables, AbsPath::new("/").unwrap())).unwrap()
    }

    #[test]
    fn the_override_goes_before_the_file_and_an_empty_one_hides_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(&dir);
        let text = || read(&home).unwrap().0.map(|doc| doc.text);
        assert_eq!(text(), None);
        fs::write(dir.path().join("AGENTS.md"), "mine").unwrap();
        assert_eq!(text().as_deref(), Some("mine"));
        fs::write(dir.path().join("AGENTS.override.md"), "other").unwrap();
        assert_eq!(text().as_deref(), Some("other"));
        fs::write(dir.path().join("AGENTS.override.md"), " \n").unwrap();
        assert_eq!(text(), None);
    }

    #[test]
    fn what_is_too_long_no_text_or_no_file_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(&dir);
        fs::write(dir.path().join("AGENTS.md"), "é".repeat(20_000)).unwrap();
        let (doc, warning) = read(&home).unwrap();
        assert!(
            doc.unwrap().text.len() <= 32 << 10
                && warning.unwrap().ends_with("has more than 32 KiB; the model is told the beginning")
        );
        fs::write(dir.path().join("AGENTS.md"), b"caf\xe9").unwrap();
        let (doc, warning) = read(&home).unwrap();
        assert_eq!((doc.unwrap().text.as_str(), warning.is_some()), ("caf\u{fffd}", true));
        fs::remove_file(dir.path().join("AGENTS.md")).unwrap();
        fs::create_dir(dir.path().join("AGENTS.md")).unwrap();
        assert!(read(&home).unwrap_err().sentence.ends_with("cannot be read: it is not a regular file"));
    }
}
