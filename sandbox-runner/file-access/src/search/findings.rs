//! What was found, within its bounds.

use crate::out::Out;
use capstan_types::files::document::{MOST_HIT_BYTES, Tell};
use capstan_types::files::path::FilePath;
use capstan_types::files::raw_text::RawText;
use capstan_types::files::report::{Done, FilesReport, SearchHit, Stopped};
use grep_searcher::{Searcher, Sink, SinkContext, SinkFinish, SinkMatch};
use std::io;
use std::time::Instant;

/// How much of a line is told, in bytes.
const LINE: usize = 2048;

/// How much is gathered before it is told, in bytes as it is spelt at its longest.
const GATHERED: usize = 48 << 10;

/// What a hit takes besides its texts.
const HIT: usize = 150;

/// What was found so far.
pub(super) struct Findings {
    tell: Tell,
    limit: u64,
    until: Instant,
    gathered: Vec<SearchHit>,
    length: usize,
    bytes: u64,
    stopped: Option<Stopped>,
    told: u64,
    searched: u64,
    passed_over: u64,
}

impl Findings {
    pub(super) const fn new(tell: Tell, limit: u64, until: Instant) -> Self {
        let gathered = Vec::new();
        Self { tell, limit, until, gathered, length: 0, bytes: 0, stopped: None, told: 0, searched: 0, passed_over: 0 }
    }

    /// Whether no more is to be looked for.
    pub(super) fn are_over(&mut self) -> bool {
        if self.stopped.is_none() && Instant::now() >= self.until {
            self.stopped = Some(Stopped::Time);
        }
        self.stopped.is_some()
    }

    /// Counts a file that is not searched.
    pub(super) const fn pass_over(&mut self) {
        self.passed_over += 1;
    }

    pub(super) fn done(self) -> Done {
        let Self { stopped, told, searched, passed_over, .. } = self;
        Done { stopped, told, searched, passed_over, ..Done::default() }
    }

    /// Tells what was gathered.
    pub(super) fn flush(&mut self, out: &mut Out<'_>) -> io::Result<()> {
        self.length = 0;
        let gathered = std::mem::take(&mut self.gathered);
        if gathered.is_empty() { Ok(()) } else { out.tell(&FilesReport::Hits(gathered)) }
    }

    /// Whether another hit is wanted; one that is not is why there is more than was told.
    fn takes_another(&mut self) -> bool {
        if self.are_over() {
            return false;
        }
        let over = (self.told >= self.limit).then_some(Stopped::Limit);
        self.stopped = over.or_else(|| (self.bytes >= MOST_HIT_BYTES).then_some(Stopped::Bytes));
        self.stopped.is_none()
    }

    fn add(&mut self, hit: SearchHit, out: &mut Out<'_>) -> io::Result<()> {
        let bytes = hit.text.0.len() + hit.path.as_bytes().len();
        self.bytes += bytes as u64;
        self.length += HIT + 4 * bytes;
        self.told += u64::from(!hit.around);
        self.gathered.push(hit);
        if self.length > GATHERED { self.flush(out) } else { Ok(()) }
    }
}

/// What is found in one file.
pub(super) struct InFile<'a, 'b> {
    findings: &'a mut Findings,
    path: &'a FilePath,
    out: &'a mut Out<'b>,
    count: u64,
    binary: bool,
    /// Why nobody hears it.
    unheard: Option<io::Error>,
}

impl<'a, 'b> InFile<'a, 'b> {
    pub(super) const fn new(findings: &'a mut Findings, path: &'a FilePath, out: &'a mut Out<'b>) -> Self {
        Self { findings, path, out, count: 0, binary: false, unheard: None }
    }

    /// The file was gone through. Gives why nobody hears what was found, if so.
    pub(super) fn finish(self) -> io::Result<Option<io::Error>> {
        let Self { findings, path, out, count, binary, unheard } = self;
        if binary {
            findings.passed_over += 1;
        } else {
            findings.searched += 1;
        }
        if findings.tell != Tell::Lines && count > 0 && unheard.is_none() && findings.takes_another() {
            let count = if findings.tell == Tell::Counts { count } else { 0 };
            let hit = SearchHit { path: path.clone(), line: 0, text: RawText::default(), cut: 0, around: false, count };
            findings.add(hit, out)?;
        }
        Ok(unheard)
    }

    fn line(&mut self, line: Option<u64>, bytes: &[u8], around: bool) -> bool {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let told = &text[..text.len().min(LINE)];
        let cut = (text.len() - told.len()) as u64;
        let hit =
            SearchHit { path: self.path.clone(), line: line.unwrap_or(0), text: RawText(told.to_vec()), cut, around, count: 0 };
        self.unheard = self.findings.add(hit, self.out).err();
        self.unheard.is_none()
    }
}

impl Sink for InFile<'_, '_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        self.count += 1;
        Ok(match self.findings.tell {
            Tell::Lines => self.findings.takes_another() && self.line(found.line_number(), found.bytes(), false),
            Tell::Files => false,
            Tell::Counts => !self.findings.are_over(),
        })
    }

    fn context(&mut self, _: &Searcher, around: &SinkContext<'_>) -> Result<bool, io::Error> {
        Ok(self.findings.tell != Tell::Lines || self.line(around.line_number(), around.bytes(), true))
    }

    fn finish(&mut self, _: &Searcher, finish: &SinkFinish) -> Result<(), io::Error> {
        self.binary = finish.binary_byte_offset().is_some() && self.count == 0;
        Ok(())
    }
}
