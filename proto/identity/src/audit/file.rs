//! The file that is written, and those before it.

use super::{Entry, FILES, Line, chain};
use capstan_types::output::digest::Digest;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// When a file is full, in bytes.
const FULL: u64 = 16 << 20;

#[derive(Debug)]
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
    length: u64,
    full: u64,
    seq: u64,
    chain: Digest,
}

impl AuditFile {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        Self::open_of(path, FULL)
    }

    pub(super) fn open_of(path: PathBuf, full: u64) -> io::Result<Self> {
        let file = append_to(&path)?;
        let text = fs::read(&path)?;
        // A crash cut it off; nobody was told of it.
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let length = u64::try_from(whole).unwrap_or(u64::MAX);
        file.set_len(length)?;
        let last = match last_line(&text[..whole])? {
            Some(line) => Some(line),
            None => last_line(&fs::read(numbered(&path, 1)).unwrap_or_default())?,
        };
        let (seq, chain) = last.map_or((0, Digest([0; 32])), |line| (line.seq, line.chain));
        Ok(Self { path, file, length, full, seq, chain })
    }

    pub(super) fn append(&mut self, entry: Entry, missed: u64) -> io::Result<()> {
        if self.length >= self.full {
            self.rotate()?;
        }
        let seq = self.seq + 1;
        let chain = chain::next(self.chain, seq, missed, &entry);
        let mut text = serde_json::to_string(&Line { seq, entry, missed, chain }).map_err(io::Error::other)?;
        text.push('\n');
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // Half a line would spoil the next one.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        (self.seq, self.chain) = (seq, chain);
        self.length += u64::try_from(text.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        for number in (1..FILES).rev() {
            let from = numbered(&self.path, number);
            if from.exists() {
                fs::rename(from, numbered(&self.path, number + 1))?;
            }
        }
        fs::rename(&self.path, numbered(&self.path, 1))?;
        self.file = append_to(&self.path)?;
        self.length = 0;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

fn last_line(text: &[u8]) -> io::Result<Option<Line>> {
    let Some(line) = text.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()) else { return Ok(None) };
    let damaged = |error| io::Error::new(io::ErrorKind::InvalidData, format!("its last line is not an entry: {error}"));
    serde_json::from_slice(line).map(Some).map_err(damaged)
}
