//! Finds the one place in a file that a chunk means, or says why there is none.

use super::error::{listing, places, shorten};
use super::lines::Line;
use super::{Chunk, PatchError, seek};

/// A chunk whose place is known.
#[derive(Debug)]
pub(super) struct Edit<'c> {
    /// The first line it replaces, or the line it is put before.
    pub(super) at: usize,
    /// The lines it replaces.
    pub(super) old: &'c [String],
    /// The lines it puts there.
    pub(super) new: &'c [String],
}

/// Where the search for a chunk begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct From {
    /// The first line that no earlier chunk has.
    pub(super) line: usize,
    /// Whether a chunk that only names a position led here, so that the next fitting place is the one that is meant.
    pub(super) anchored: bool,
}

/// A file's text, with its name for errors.
#[derive(Debug)]
pub(super) struct File<'t> {
    /// The file.
    pub(super) path: &'t str,
    /// Its lines.
    pub(super) lines: &'t [Line<'t>],
}

/// A place of a chunk's context, and the lines that are nearer to it than to its next place.
#[derive(Debug, Clone, Copy)]
struct Section {
    context: usize,
    end: usize,
}

impl Section {
    /// The context line itself counts, because models repeat it as the chunk's first line.
    fn holds(self, at: usize) -> bool {
        (self.context..self.end).contains(&at)
    }
}

impl File<'_> {
    /// The line below the context of a chunk that only names a position.
    pub(super) fn position(&self, chunk: &Chunk, from: From) -> Result<usize, PatchError> {
        match &self.sections(chunk, from)?[..] {
            [] => Ok(from.line),
            [one] => Ok(from.line.max(one.context + 1)),
            several => Err(self.ambiguous(&context_of(chunk), several.iter().map(|section| section.context))),
        }
    }

    /// Where a chunk goes.
    pub(super) fn edit<'c>(&self, chunk: &'c Chunk, from: From) -> Result<Edit<'c>, PatchError> {
        let (old, new) = (&chunk.old[..], &chunk.new[..]);
        if old.is_empty() {
            return Ok(Edit { at: self.insertion(chunk, from)?, old, new });
        }
        if let Some(at) = self.at_end(chunk, from) {
            return Ok(Edit { at, old, new });
        }
        let sections = self.sections(chunk, from)?;
        if let Some(at) = self.find(old, from, &sections)? {
            return Ok(Edit { at, old, new });
        }
        // A blank line at a chunk's end may be no more than the gap before the next one.
        if let ([old @ .., last_old], [new @ .., last_new]) = (old, new)
            && last_old.is_empty()
            && last_new.is_empty()
            && !old.is_empty()
            && let Some(at) = self.find(old, from, &sections)?
        {
            return Ok(Edit { at, old, new });
        }
        Err(self.not_found(&texts(&chunk.old), from))
    }

    fn at_end(&self, chunk: &Chunk, from: From) -> Option<usize> {
        let at = self.lines.len().checked_sub(chunk.old.len()).filter(|at| chunk.at_end_of_file && *at >= from.line)?;
        seek::stands_at(self.lines, &texts(&chunk.old), at).then_some(at)
    }

    fn insertion(&self, chunk: &Chunk, from: From) -> Result<usize, PatchError> {
        if chunk.at_end_of_file {
            return Ok(self.lines.len());
        }
        let sections = self.sections(chunk, from)?;
        let Some(last) = sections.last() else {
            return Ok(if from.anchored { from.line } else { self.lines.len() });
        };
        let open: Vec<usize> =
            sections.iter().map(|section| section.context).filter(|context| *context + 1 >= from.line).collect();
        match &open[..] {
            [one] => Ok(one + 1),
            [] => Err(self.out_of_order(&context_of(chunk), last.context)),
            several => Err(self.ambiguous(&context_of(chunk), several.iter().copied())),
        }
    }

    /// The sections of the chunk's context that are not wholly above `from`; none when the chunk has no context.
    fn sections(&self, chunk: &Chunk, from: From) -> Result<Vec<Section>, PatchError> {
        let Some(context) = &chunk.context else {
            return Ok(Vec::new());
        };
        let found = seek::all(self.lines, &[context], |_| true);
        let Some(&first) = found.first() else {
            return Err(self.not_found(&[context], from));
        };
        let ends = found.iter().skip(1).copied().chain([self.lines.len()]);
        let sections = found.iter().zip(ends).map(|(context, end)| Section { context: *context, end });
        let sections: Vec<Section> = if from.anchored {
            sections.filter(|section| section.context >= from.line).take(1).collect()
        } else {
            sections.filter(|section| section.end > from.line || section.context + 1 >= from.line).collect()
        };
        if sections.is_empty() { Err(self.out_of_order(&[context], first)) } else { Ok(sections) }
    }

    /// The one place of `old` that is meant, if there is any: the only one, or the first one in the only section that has any.
    fn find(&self, old: &[String], from: From, sections: &[Section]) -> Result<Option<usize>, PatchError> {
        let pattern = texts(old);
        let in_section = |at: usize| sections.is_empty() || sections.iter().any(|section| section.holds(at));
        let found = seek::all(self.lines, &pattern, |at| at >= from.line && in_section(at));
        let meant: Vec<usize> = match sections {
            [] => found,
            sections => sections.iter().filter_map(|section| first_in(&found, *section)).collect(),
        };
        match &meant[..] {
            [] => Ok(None),
            [first, ..] if from.anchored => Ok(Some(*first)),
            [one] => Ok(Some(*one)),
            several => Err(self.ambiguous(&pattern, several.iter().copied())),
        }
    }

    fn not_found(&self, pattern: &[&str], from: From) -> PatchError {
        let above = seek::all(self.lines, pattern, |at| at < from.line);
        match above.first() {
            Some(at) => self.out_of_order(pattern, *at),
            None => PatchError::NotFound {
                path: self.path.to_owned(),
                lines: listing(pattern.iter().copied()),
                hint: self.hint(pattern).unwrap_or_default(),
            },
        }
    }

    /// Where the file and the patch part, if they go together for a while.
    fn hint(&self, pattern: &[&str]) -> Option<String> {
        let (at, agreed) = seek::closest(self.lines, pattern)?;
        let wanted = shorten(pattern.get(agreed)?);
        if pattern[..agreed].iter().all(|line| line.trim().is_empty()) {
            return None;
        }
        let first = at + 1;
        Some(match self.lines.get(at + agreed) {
            Some(line) => format!(
                "The closest place is at line {first}, but line {} there is `{}`, not `{wanted}`.\n",
                first + agreed,
                shorten(line.text)
            ),
            None => format!("The closest place is at line {first}, but the file ends there before `{wanted}`.\n"),
        })
    }

    fn ambiguous(&self, pattern: &[&str], at: impl Iterator<Item = usize>) -> PatchError {
        let at: Vec<usize> = at.collect();
        PatchError::Ambiguous { path: self.path.to_owned(), lines: listing(pattern.iter().copied()), places: places(&at) }
    }

    fn out_of_order(&self, pattern: &[&str], at: usize) -> PatchError {
        PatchError::OutOfOrder { path: self.path.to_owned(), lines: listing(pattern.iter().copied()), found: at + 1 }
    }
}

fn texts(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

fn context_of(chunk: &Chunk) -> Vec<&str> {
    chunk.context.iter().map(String::as_str).collect()
}

/// The first place below the section's context, or else the context line itself.
fn first_in(found: &[usize], section: Section) -> Option<usize> {
    let mine = || found.iter().copied().filter(|at| section.holds(*at));
    mine().find(|at| *at > section.context).or_else(|| mine().next())
}
