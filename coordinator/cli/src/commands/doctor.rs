//! `capstan doctor`: what this host can enforce, and what is missing.

mod findings;
mod gather;
mod table;

pub use findings::Findings;

use crate::args::{ColourChoice, DoctorArgs};
use crate::failure::{Exit, Failure};
use crate::runtime;
use crate::screen::{self, Stream};
use crate::surroundings::Surroundings;
use std::io::{self, Write};

/// Looks, and tells.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &DoctorArgs, surroundings: &Surroundings) -> Result<Exit, Failure> {
    let findings = runtime::block_on(gather::gather(surroundings))?;
    let text = if args.json {
        let json = serde_json::to_string_pretty(&findings);
        json.map_err(|error| Failure::failed(format!("the findings cannot be written as JSON: {error}")))?
    } else {
        table::lines(&findings, screen::ink(ColourChoice::Auto, Stream::Out, surroundings)).join("\n")
    };
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("the output cannot be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(if findings.ready() { Exit::Success } else { Exit::Failed }),
    }
}
