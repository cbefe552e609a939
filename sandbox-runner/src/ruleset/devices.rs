//! The devices that a program may use. All others are hidden: root without capabilities can still open a disk that root owns.

use super::Rules;
use capstan_types::launch::Refusal;
use landlock::PathFd;

/// The directory of devices, of which nothing is granted whole.
pub(crate) const DIRECTORY: &str = "/dev";

/// Harmless to read and to write. `/dev/tty` is whichever terminal the opener has already.
pub(super) const HARMLESS: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// Grants the harmless devices that this host has.
pub(super) fn grant(rules: &Rules) -> Result<(), Refusal> {
    for device in HARMLESS {
        if let Ok(place) = PathFd::new(device) {
            rules.add(place, rules.rights.device)?;
        }
    }
    Ok(())
}
