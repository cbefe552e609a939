//! Whether what was printed of a session is what it wrote.
//!
//! It is looked at whether somebody asked or not: bytes that are missing or wrong are a failure. A person who asks is told that all is
//! well, too, or why that cannot be known.

use crate::args::LogsArgs;
use crate::failure::{Exit, Failure};
use capstan_types::launch::EndRecord;
use capstan_types::output::seal::{KeptWhole, Seal};
use capstan_types::output::verify::{Verdict, Verifier};
use capstan_types::output::{Piece, Seq};
use std::io::{self, Write};

/// What is known of what was printed.
pub(super) struct Proof {
    verifier: Verifier,
    whole: bool,
    asked: bool,
}

impl Proof {
    pub(super) fn of(args: &LogsArgs) -> Self {
        let most = if args.all || args.verify { u64::MAX } else { EndRecord::MOST_CHAINED };
        Self { verifier: Verifier::new(Seq(args.from), most), whole: args.all, asked: args.verify }
    }

    pub(super) fn piece(&mut self, piece: &Piece) {
        self.verifier.add(piece);
    }

    /// The session has not ended.
    pub(super) fn running(self) -> Result<Exit, Failure> {
        match self.asked {
            true => Err(Failure::failed("the output cannot be verified: the session runs").hint("--follow waits for its end")),
            false => Ok(Exit::Success),
        }
    }

    /// The session has ended, and this is what its holder left.
    pub(super) fn ended(self, seal: Option<&Seal>) -> Result<Exit, Failure> {
        if self.whole || self.asked {
            seal.and_then(|seal| kept(seal, self.whole)).iter().for_each(|sentence| tell(sentence));
        }
        let verdict = self.verifier.end(seal, self.whole);
        match verdict {
            Verdict::Holds { .. } | Verdict::Open(_) if !self.asked => Ok(Exit::Success),
            Verdict::Holds { .. } => {
                tell(&verdict.to_string());
                Ok(Exit::Success)
            }
            Verdict::Open(_) => Err(Failure::failed(verdict)),
            Verdict::Missing { .. } | Verdict::Wrong { .. } | Verdict::TooMuch { .. } => {
                Err(Failure::failed(verdict).hint("look at the disk that holds the node's state"))
            }
        }
    }
}

/// How much was kept whole; nothing where nobody asked for it and none was.
fn kept(seal: &Seal, wanted: bool) -> Option<String> {
    match seal.kept {
        Some(KeptWhole { bytes, sha256, stopped: None, .. }) => {
            Some(format!("all of its {bytes} bytes were kept whole: their SHA-256 is {sha256}"))
        }
        Some(KeptWhole { bytes, sha256, stopped: Some(why), .. }) => {
            let total = seal.total;
            Some(format!("the first {bytes} of its {total} bytes were kept whole, as {why}: their SHA-256 is {sha256}"))
        }
        None => wanted.then(|| "it was not asked to keep its output whole: that is its limit `keep_all`".to_owned()),
    }
}

/// Tells the person at standard error.
pub(super) fn tell(sentence: &str) {
    let _ = writeln!(io::stderr(), "{sentence}");
}
