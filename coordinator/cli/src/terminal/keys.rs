//! What is typed.

use std::io::{self, Read};
use std::thread;
use tokio::sync::mpsc;

/// Pieces of typing that may wait. Full: the terminal keeps the rest.
const WAITING: usize = 16;

/// The largest piece, in bytes.
const PIECE: usize = 4096;

/// Reads standard input, piece by piece, until it ends. The thread that does so waits in the kernel, where nothing reaches it; it ends at the
/// next piece after the receiver is dropped, or with the process.
#[must_use]
pub fn read() -> mpsc::Receiver<Vec<u8>> {
    let (told, pieces) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut buffer = [0; PIECE];
        while let Ok(count @ 1..) = input.read(&mut buffer) {
            let piece = buffer.get(..count).unwrap_or_default().to_vec();
            if told.blocking_send(piece).is_err() {
                return;
            }
        }
    });
    pieces
}
