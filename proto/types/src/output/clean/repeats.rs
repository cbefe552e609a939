//! Runs of identical lines, folded where that makes the output shorter.

/// A run of fewer lines is left as it is.
const LEAST: u64 = 3;

/// The last line, and how often it came again.
#[derive(Debug, Default)]
pub struct Repeats {
    last: Option<String>,
    more: u64,
}

impl Repeats {
    /// Takes a complete line in, and adds it to `out` unless it is that of before.
    pub fn line(&mut self, line: String, out: &mut String) {
        if self.last.as_ref() == Some(&line) {
            self.more = self.more.saturating_add(1);
            return;
        }
        self.tell(out);
        out.push_str(&line);
        out.push('\n');
        self.last = Some(line);
    }

    /// Adds what was held back: something else than a complete line follows, or somebody looks.
    pub fn forget(&mut self, out: &mut String) {
        self.tell(out);
        self.last = None;
    }

    fn tell(&mut self, out: &mut String) {
        let (more, last) = (std::mem::take(&mut self.more), self.last.as_deref().unwrap_or_default());
        let note = format!("[the line above {more} more times]\n");
        if more >= LEAST && more.saturating_mul(last.len() as u64 + 1) > note.len() as u64 {
            out.push_str(&note);
        } else {
            (0..more).for_each(|_| {
                out.push_str(last);
                out.push('\n');
            });
        }
    }
}
