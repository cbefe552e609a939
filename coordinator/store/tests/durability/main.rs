//! What survives: the death of the process, a full disk, a directory that may not be written. Every test here plays with real
//! processes, files and mounts; each runs its own binary again in the role that the test is about.

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod full_disk;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod permission;
#[cfg(test)]
mod role;
