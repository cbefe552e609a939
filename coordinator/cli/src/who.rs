//! Who types a command.

use crate::failure::Failure;
use crate::surroundings::Surroundings;
use capstan_types::operator::Person;

/// The longest name of a user that is told.
const LONGEST_USER: usize = 64;

/// Who acts, as logs, orders and a session's end tell it.
///
/// # Errors
/// The name is none; it is made of the user's number where theirs is not printable.
pub fn person(surroundings: &Surroundings) -> Result<Person, Failure> {
    let uid = rustix::process::getuid().as_raw();
    let named = surroundings.variable("USER").or_else(|| surroundings.variable("LOGNAME"));
    let user = named.filter(|name| name.len() <= LONGEST_USER && name.chars().all(|c| c.is_ascii_graphic()));
    let text = user.map_or_else(|| format!("uid {uid}"), |user| format!("{user} (uid {uid})"));
    text.parse().map_err(Failure::failed)
}
