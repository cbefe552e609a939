//! `capstan files cat`.

use super::{json, path, with};
use crate::args::CatArgs;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::refusal::refused;
use crate::render::text;
use crate::surroundings::Surroundings;
use capstan_types::files::document::{MOST_READ, ReadQuery};
use std::io::{self, IsTerminal, Write};

pub(super) fn run(args: &CatArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let mut query = ReadQuery { path: path(&args.path)?, offset: args.offset, length: 0, hash: args.json };
    let mut left = args.bytes.unwrap_or(u64::MAX);
    let mut page = Page::new(!args.raw && io::stdout().is_terminal());
    with((&args.thread, &args.daemon), surroundings, async |mut client: Client, thread| {
        if args.json {
            // As little of it as can be asked for.
            query.length = 1;
            let (facts, _) = client.read_file(thread, &query).await.map_err(refused)?;
            let _ = json(&mut io::stdout().lock(), &facts);
            return Ok(Exit::Success);
        }
        while left > 0 {
            query.length = left.min(MOST_READ);
            let (_, bytes) = client.read_file(thread, &query).await.map_err(refused)?;
            let count = bytes.len() as u64;
            if page.print(&bytes).is_err() || count == 0 {
                break;
            }
            (query.offset, left) = (query.offset.saturating_add(count), left - count);
        }
        let _ = page.end();
        Ok(Exit::Success)
    })
}

/// Where it is printed. A terminal gets whole clean lines.
struct Page {
    clean: bool,
    line: Vec<u8>,
}

impl Page {
    const fn new(clean: bool) -> Self {
        Self { clean, line: Vec::new() }
    }

    fn print(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.clean {
            return io::stdout().lock().write_all(bytes);
        }
        self.line.extend_from_slice(bytes);
        let whole = self.line.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        // A file without lines is printed as it comes.
        let whole = if whole == 0 && self.line.len() as u64 > MOST_READ { self.line.len() } else { whole };
        let lines: Vec<u8> = self.line.drain(..whole).collect();
        clean(&lines)
    }

    fn end(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.line);
        clean(&rest)?;
        io::stdout().lock().flush()
    }
}

fn clean(bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    text::exact_lines(&String::from_utf8_lossy(bytes)).iter().try_for_each(|line| writeln!(out, "{line}"))
}
