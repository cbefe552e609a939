//! What went wrong between two members, in one sentence, from an error that passed several libraries.

use capstan_identity::tls::{Refused, alerted};
use std::error::Error;
use std::io;

/// Why a connection could not be used, if that was about certificates: the other side is not believed, or does not believe this one.
#[must_use]
pub fn why_not(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refused) = refused(error) {
            return Some(refused.to_string());
        }
        // Alerts come through libraries that keep the text alone.
        if let Some(sentence) = alerted(&format!("{error} {error:?}")) {
            return Some(sentence.to_owned());
        }
        next = error.source();
    }
    None
}

/// An error of the system's kind does not name what it was made of as its source.
fn refused<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Refused> {
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return Some(refused);
    }
    error.downcast_ref::<io::Error>()?.get_ref()?.downcast_ref::<Refused>()
}
