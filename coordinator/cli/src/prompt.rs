//! What a turn is begun with: the prompt, what is piped in, pictures, and the schema of the answer.

mod image;
mod schema;

pub use image::images;
pub use schema::schema;

use crate::failure::Failure;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::FileTypeExt;

/// The longest prompt, in bytes: 16 MiB.
const LONGEST: u64 = 16 << 20;

/// Standard input, if it is not a person's terminal.
#[derive(Debug)]
pub struct Piped<R> {
    reader: R,
    /// Whether its writer may keep us waiting, so that the user should know what we wait for.
    may_wait: bool,
}

impl Piped<io::Stdin> {
    /// This process's standard input.
    #[must_use]
    pub fn of_process() -> Option<Self> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return None;
        }
        let kind = File::open("/dev/stdin").and_then(|file| file.metadata()).map(|metadata| metadata.file_type());
        let may_wait = kind.map_or(true, |kind| kind.is_fifo() || kind.is_socket());
        Some(Self { reader: stdin, may_wait })
    }
}

/// The prompt: what is given, what is piped in, or both.
///
/// # Errors
/// There is none, it is too long, or it is not UTF-8.
pub fn prompt(given: Option<&str>, piped: Option<Piped<impl Read>>, notes: &mut impl Write) -> Result<String, Failure> {
    match (given, piped) {
        (Some("-"), piped) => alone(piped, notes),
        (None, Some(piped)) => alone(Some(piped), notes),
        (None, None) => Err(Failure::bad_input("there is no prompt").hint("give it as an argument, or pipe it in")),
        (Some(given), None) => filled(given.to_owned()),
        (Some(given), Some(piped)) => {
            let more = piped.read("Reading additional input from stdin...", notes)?;
            let added =
                if more.trim().is_empty() { String::new() } else { format!("\n\n<stdin>\n{}\n</stdin>", more.trim_end()) };
            filled(format!("{given}{added}"))
        }
    }
}

fn alone(piped: Option<Piped<impl Read>>, notes: &mut impl Write) -> Result<String, Failure> {
    let piped = piped
        .ok_or_else(|| Failure::bad_input("`-` reads the prompt from standard input, which is a terminal").hint("pipe it in"))?;
    filled(piped.read("Reading prompt from stdin...", notes)?)
}

fn filled(prompt: String) -> Result<String, Failure> {
    if prompt.trim().is_empty() {
        return Err(Failure::bad_input("the prompt is empty").hint("give it as an argument, or pipe it in"));
    }
    Ok(prompt)
}

impl<R: Read> Piped<R> {
    fn read(self, note: &str, notes: &mut impl Write) -> Result<String, Failure> {
        if self.may_wait {
            let _ = writeln!(notes, "{note}");
        }
        let mut bytes = Vec::new();
        self.reader
            .take(LONGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::bad_input(format!("standard input cannot be read: {error}")))?;
        if bytes.len() as u64 > LONGEST {
            return Err(Failure::bad_input("standard input has more than 16 MiB")
                .hint("put it into a file, and name the file in the prompt"));
        }
        String::from_utf8(bytes).map_err(|_| {
            Failure::bad_input("standard input is not UTF-8 text").hint("put it into a file, and name the file in the prompt")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(given: Option<&str>, piped: Option<&str>) -> Result<String, Failure> {
        prompt(given, piped.map(|text| Piped { reader: text.as_bytes(), may_wait: true }), &mut io::sink())
    }

    #[test]
    fn a_prompt_is_given_or_piped_or_both() {
        assert_eq!(begun(Some("do"), None).unwrap(), "do");
        assert_eq!(begun(Some("do"), Some(" \n")).unwrap(), "do");
        assert_eq!(begun(Some("do"), Some("a\nb\n")).unwrap(), "do\n\n<stdin>\na\nb\n</stdin>");
        assert_eq!(begun(Some("-"), Some("piped\n")).unwrap(), "piped\n");
        assert_eq!(begun(None, Some("piped")).unwrap(), "piped");
    }

    #[test]
    fn without_a_prompt_the_user_is_told() {
        for (given, piped) in [(None, None), (None, Some("")), (Some(" "), None), (Some("-"), None), (Some("-"), Some(""))] {
            assert_eq!(begun(given, piped).unwrap_err().exit.code(), 2, "{given:?} {piped:?}");
        }
    }

    #[test]
    fn what_is_waited_for_is_said() {
        let mut notes = Vec::new();
        prompt(Some("x"), Some(Piped { reader: &b"y"[..], may_wait: true }), &mut notes).unwrap();
        assert_eq!(notes, b"Reading additional input from stdin...\n");
        let mut notes = Vec::new();
        prompt(Some("x"), Some(Piped { reader: &b""[..], may_wait: false }), &mut notes).unwrap();
        assert_eq!(notes, b"");
    }

    #[test]
    fn input_that_is_no_text_or_too_long_is_refused() {
        let no_text = prompt(None, Some(Piped { reader: &[0xff, 0xfe][..], may_wait: false }), &mut io::sink());
        assert!(no_text.unwrap_err().sentence.contains("not UTF-8"));
        let endless = prompt(None, Some(Piped { reader: io::repeat(b'a'), may_wait: false }), &mut io::sink());
        assert!(endless.unwrap_err().sentence.contains("more than 16 MiB"));
    }
}
