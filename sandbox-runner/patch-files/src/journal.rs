//! What a patch program has begun, written down before it is done, so that another can undo it when this one is killed.
//!
//! One line of JSON for each step, in a file beside the targets. The file is locked for as long as its writer lives: whoever gets the lock
//! has found the journal of a dead one. It is not synced, so it says what the death of processes leaves, and nothing of a loss of power.

use crate::steps::{self, PREFIX, Step};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the names of journals end with.
const SUFFIX: &str = ".journal";
/// The longest journal that is read, in bytes. One is written of a patch of at most 64 MiB, a few hundred bytes for each file.
const LONGEST: u64 = 256 << 20;

/// How often a journal is begun that others take away.
const TRIES: u32 = 8;

/// A line of the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    /// The step is about to be taken.
    Begun(Step),
    /// Every step is taken: nothing is to be undone any more.
    Over,
}

/// The journal of this program, and the steps in it.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    name: String,
    steps: Vec<Step>,
}

impl Journal {
    /// Begins one in `directory`.
    pub(crate) fn begin(directory: &Path) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            let name = unique();
            let path = directory.join(format!("{PREFIX}{name}{SUFFIX}"));
            let file = File::options().append(true).create_new(true).open(&path)?;
            let locked = flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(io::Error::from);
            // Whoever looks for the dead may have taken it for one of theirs before it was locked: it is empty, and is removed then.
            if locked.is_ok() && fs::metadata(&path).is_ok_and(|found| file.metadata().is_ok_and(|own| own.ino() == found.ino()))
            {
                return Ok(Self { path, file, name, steps: Vec::new() });
            }
            tries += 1;
            if tries == TRIES {
                let _ = fs::remove_file(&path);
                return Err(locked.err().unwrap_or_else(|| io::ErrorKind::NotFound.into()));
            }
        }
    }

    /// A name in the target's directory that is nobody's. It does not grow with the target's name, which may be as long as names can be.
    pub(crate) fn beside(&self, target: &Path) -> PathBuf {
        target.with_file_name(format!("{PREFIX}{}-{}", self.name, self.steps.len()))
    }

    /// Notes a step that is about to be taken.
    pub(crate) fn begin_step(&mut self, step: Step) -> io::Result<()> {
        self.write(&Line::Begun(step.clone()))?;
        self.steps.push(step);
        Ok(())
    }

    /// Notes that all is done, and takes away what was kept for undoing. An error leaves everything to be undone.
    pub(crate) fn over(mut self) -> Result<(), (Self, io::Error)> {
        if let Err(error) = self.write(&Line::Over) {
            return Err((self, error));
        }
        steps::forget(&self.steps);
        let _ = fs::remove_file(&self.path);
        Ok(())
    }

    /// Undoes every step; gives the ends of sentences about what could not be.
    pub(crate) fn undo(self) -> Vec<String> {
        let lost = steps::undo(&self.steps);
        let _ = fs::remove_file(&self.path);
        lost
    }

    /// One write for each line: what is cut off by death is the last line, which then never began.
    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}

/// Undoes what the dead have left half done in `directory`. Gives sentences about what could not be undone.
pub(crate) fn recover(directory: &Path) -> Vec<String> {
    let mut lost = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if name.ends_with(SUFFIX) {
            lost.extend(recover_one(&entry.path()).unwrap_or_default());
        }
    }
    lost
}

fn recover_one(path: &Path) -> io::Result<Vec<String>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(Vec::new());
    }
    let file = File::open(path)?;
    // A living program holds it, and looks after itself.
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    let mut text = String::new();
    (&file).take(LONGEST).read_to_string(&mut text)?;
    let directory = path.parent().unwrap_or(path);
    let mut steps = Vec::new();
    for line in text.lines() {
        match serde_json::from_str(line) {
            // What a stranger wrote could name any file: a step of ours keeps beside its target, under a name of ours.
            Ok(Line::Begun(step)) if step.is_ours() => steps.push(step),
            Ok(Line::Over) => {
                steps::forget(&steps);
                fs::remove_file(path)?;
                return Ok(Vec::new());
            }
            Ok(Line::Begun(_)) | Err(_) => break,
        }
    }
    let lost = steps::undo(&steps);
    let _ = fs::remove_file(path);
    Ok(lost.into_iter().map(|lost| format!("an earlier patch in `{}` was undone{lost}", directory.display())).collect())
}

/// A name that no other program uses: processes in different namespaces may have one number.
fn unique() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{:x}", std::process::id(), now.as_nanos())
}
