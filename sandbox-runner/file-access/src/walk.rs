//! Goes through the names below a directory, into directories and over no link.
//!
//! It keeps one open directory for each level, and of a sorted one some of its names: what it takes of memory does not grow with what it finds.

use crate::beneath::{self, Last, Top};
use crate::facts;
use crate::names::Names;
use crate::refusal::{Answer, refusal, refused};
use capstan_tree_files::Left;
use capstan_types::files::document::{LeaveOut, Order};
use capstan_types::files::path::FilePath;
use capstan_types::files::report::{FileFacts, FileKind, Why};
use capstan_types::tree_document::{Leave, Skipped};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;

/// How to go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) leave: LeaveOut,
    pub(crate) hidden: &'a [FilePath],
    pub(crate) order: Order,
    /// 1 is what is in the directory itself.
    pub(crate) depth: u16,
    /// Where an earlier walk stopped: what comes behind it follows.
    pub(crate) after: Option<&'a FilePath>,
}

/// A walk.
pub(crate) struct Walk<'a> {
    way: Way<'a>,
    left: Left,
    levels: Vec<Level>,
    /// What is gone into before the next name is looked for.
    entering: Option<Entering>,
    /// Whether there was a directory that was not gone into because of the depth.
    pub(crate) cut: bool,
    /// What could not be looked at.
    pub(crate) skipped: Skipped,
}

/// A directory that is being gone through.
struct Level {
    directory: OwnedFd,
    path: FilePath,
    names: Names,
    /// How many lists of patterns there were before its own.
    patterns: usize,
    /// Where an earlier walk was: the name in this directory, and the steps below it.
    resumed: Option<(Vec<u8>, Vec<Vec<u8>>)>,
}

struct Entering {
    name: CString,
    path: FilePath,
    /// The steps of an earlier walk below it.
    steps: Vec<Vec<u8>>,
}

/// A name that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) name: CString,
    /// From the workspace's top.
    pub(crate) path: FilePath,
    pub(crate) facts: FileFacts,
}

impl<'a> Walk<'a> {
    /// A walk below the directory `path`.
    pub(crate) fn below(top: &Top, path: &FilePath, way: Way<'a>) -> Answer<Self> {
        let failed = |error: io::Error| refused(path, "read", &error);
        let place = top.follow(path, Last::Followed).map_err(failed)?;
        let directory = beneath::open_directory(&*place.directory, &place.name).map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory => refusal(Why::Kind, format!("`{path}` is not a directory")),
            _ => failed(error),
        })?;
        let left = left_above(top, path);
        let steps = match way.after {
            None => Vec::new(),
            Some(after) => steps_below(path, after).ok_or_else(|| {
                refusal(Why::Question, format!("`{after}` is not below `{path}`; go on from the last name of the list"))
            })?,
        };
        let mut walk = Self { way, left, levels: Vec::new(), entering: None, cut: false, skipped: Skipped::default() };
        walk.enter(directory, path.clone(), steps).map_err(failed)?;
        Ok(walk)
    }

    /// The next name; a directory before what is in it.
    pub(crate) fn next(&mut self) -> Option<Found> {
        loop {
            if let Some(Entering { name, path, steps }) = self.entering.take() {
                self.go_into(&name, path, steps);
            }
            let level = self.levels.last_mut()?;
            let name = match level.names.next(&level.directory) {
                None => {
                    self.left.leave(level.patterns);
                    self.levels.pop();
                    continue;
                }
                Some(Ok(name)) => name,
                Some(Err(error)) => {
                    let path = level.path.to_string();
                    self.left.leave(level.patterns);
                    self.levels.pop();
                    self.skipped.note(path, error.to_string());
                    continue;
                }
            };
            if let Some(found) = self.look(name) {
                return Some(found);
            }
        }
    }

    /// The directory that the last name was found in.
    pub(crate) fn directory(&self) -> Option<&OwnedFd> {
        self.levels.last().map(|level| &level.directory)
    }

    fn look(&mut self, name: CString) -> Option<Found> {
        let level = self.levels.last_mut()?;
        let path = level.path.within(name.to_bytes());
        if path.as_bytes().len() > FilePath::MOST {
            self.skipped.note(level.path.to_string(), "what is in it has names that are too long");
            return None;
        }
        let facts = match facts::facts(&level.directory, &name) {
            Ok(facts) => facts,
            // It went away since it was found.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                self.skipped.note(path.to_string(), error.to_string());
                return None;
            }
        };
        let is_directory = facts.kind == FileKind::Directory;
        let left = self.way.leave == LeaveOut::Ignored && self.left.is_left(path.as_bytes(), is_directory);
        if left || is_hidden(self.way.hidden, &path) {
            return None;
        }
        let resumed = level.resumed.take();
        let steps = resumed.filter(|(at, _)| at == name.to_bytes()).map(|(_, steps)| steps);
        let told = steps.is_none();
        if is_directory {
            if self.levels.len() < usize::from(self.way.depth) {
                self.entering = Some(Entering { name: name.clone(), path: path.clone(), steps: steps.unwrap_or_default() });
            } else {
                self.cut = true;
            }
        }
        told.then_some(Found { name, path, facts })
    }

    fn go_into(&mut self, name: &CStr, path: FilePath, steps: Vec<Vec<u8>>) {
        let Some(level) = self.levels.last() else { return };
        let shown = path.to_string();
        let entered = beneath::open_directory(&level.directory, name).and_then(|directory| self.enter(directory, path, steps));
        match entered {
            Ok(()) => {}
            // It went away, or something else took its place.
            Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => {}
            Err(error) => self.skipped.note(shown, error.to_string()),
        }
    }

    fn enter(&mut self, directory: OwnedFd, path: FilePath, steps: Vec<Vec<u8>>) -> io::Result<()> {
        let mut steps = steps.into_iter();
        let resumed = steps.next().map(|step| (step, steps.collect()));
        let from = resumed.as_ref().map(|(step, _): &(Vec<u8>, Vec<_>)| &step[..]);
        let names = Names::of(&directory, self.way.order, from)?;
        let patterns = match self.way.leave {
            LeaveOut::Ignored => self.left.enter(&directory, &as_prefix(&path)),
            LeaveOut::Nothing => 0,
        };
        self.levels.push(Level { directory, path, names, patterns, resumed });
        Ok(())
    }
}

/// Whether it is one of those that are hidden, or below one.
pub(crate) fn is_hidden(hidden: &[FilePath], path: &FilePath) -> bool {
    hidden.iter().any(|hidden| steps_below(hidden, path).is_some())
}

/// The steps from `above` to `path`; `None` when it does not lie there.
fn steps_below(above: &FilePath, path: &FilePath) -> Option<Vec<Vec<u8>>> {
    let mut steps = path.steps();
    for step in above.steps() {
        if steps.next() != Some(step) {
            return None;
        }
    }
    Some(steps.map(<[u8]>::to_vec).collect())
}

/// What the directories above `path` leave out.
pub(crate) fn left_above(top: &Top, path: &FilePath) -> Left {
    let mut left = Left::new(&Leave { git: true, ignored: true, ..Leave::default() });
    let steps: Vec<&[u8]> = path.steps().collect();
    for count in 0..steps.len() {
        let Ok(above) = FilePath::new(&steps[..count].join(&b'/')) else { break };
        let Ok(place) = top.follow(&above, Last::Followed) else { break };
        let Ok(directory) = beneath::open_directory(&*place.directory, &place.name) else { break };
        left.enter(&directory, &as_prefix(&above));
    }
    left
}

/// The directory that a path is in; of the top, the top.
pub(crate) fn parent(path: &FilePath) -> FilePath {
    let above = path.as_bytes().iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |slash| &path.as_bytes()[..slash]);
    FilePath::new(above).unwrap_or_default()
}

/// A path with a slash behind it; of the top, nothing.
fn as_prefix(path: &FilePath) -> Vec<u8> {
    if path.is_top() { Vec::new() } else { [path.as_bytes(), b"/"].concat() }
}
