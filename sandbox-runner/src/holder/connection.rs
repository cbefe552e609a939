//! One connection to the control socket: requests in, reports out, and never a wait.

use super::fresh::Fresh;
use super::pace::Patience;
use crate::kernel::descriptor::{Interest, Ready};
use crate::spool::Spool;
use bytes::{Buf, BytesMut};
use capstan_types::control::{MAX_DATA, MAX_FRAME, OUTPUT_HEAD, Report, Request, Wants, output_head};
use capstan_types::launch::SessionEnd;
use capstan_types::output::border::{LONGEST_UNFINISHED, whole_characters};
use capstan_types::output::seal::Seal;
use capstan_types::output::{Piece, Seq};
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How much may wait to be sent before more output is fetched, or another request is read.
const MOST_WAITING: usize = MAX_DATA;
/// How much may wait to be decoded: the longest frame, its length, and as much again as one read brings.
const MOST_UNREAD: usize = MAX_FRAME + 4;

/// A connected node.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    incoming: BytesMut,
    outgoing: BytesMut,
    /// The next byte of output to send; none until it attaches.
    cursor: Option<Seq>,
    wants: Wants,
    /// Whether it has asked for anything yet.
    spoke: bool,
    /// Input for which there is no room yet. Nothing behind it is obeyed before it.
    held: Option<Request>,
    /// Whether there is output that was not fetched yet.
    behind: bool,
    /// Whether the last bytes are kept from it, since they begin a character that is not finished.
    withholds: bool,
    patience: Patience,
    /// Whether the end is among what was sent or waits to be.
    told_end: bool,
    /// How many of the session's denials were sent.
    denials: usize,
    /// The peer sends nothing more.
    silent: bool,
    /// The peer takes nothing more.
    gone: bool,
}

impl Connection {
    /// A new connection, to which nothing was sent yet.
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            cursor: None,
            wants: Wants::default(),
            spoke: false,
            held: None,
            behind: false,
            withholds: false,
            patience: Patience::new(),
            told_end: false,
            denials: 0,
            silent: false,
            gone: false,
        })
    }

    /// Has the peer told of the end though it has asked for nothing.
    pub(super) const fn listens(&mut self) {
        self.spoke = true;
    }

    /// Makes the peer an owner unless it only looks, and sends output from `from` on.
    pub(super) const fn attach(&mut self, from: Seq, wants: Wants) {
        self.cursor = Some(from);
        self.wants = wants;
        self.told_end = false;
    }

    /// Queues a report.
    pub(super) fn send(&mut self, report: &Report) {
        report.encode(&mut self.outgoing);
    }

    /// Whether the connection is still of use.
    pub(super) const fn is_open(&self) -> bool {
        !self.gone
    }

    /// Whether its peer counts as an owner of the session.
    pub(super) const fn is_owner(&self) -> bool {
        self.reads() && !self.wants.looks
    }

    /// Whether its peer takes output.
    pub(super) const fn reads(&self) -> bool {
        self.cursor.is_some() && !self.gone && !self.silent
    }

    /// Whether the peer has been sent the end, and all before it.
    pub(super) fn knows_the_end(&self) -> bool {
        self.gone || (self.told_end && self.outgoing.is_empty())
    }

    fn is_held_up(&self) -> bool {
        self.held.is_some() || self.outgoing.len() >= MOST_WAITING
    }

    /// What to wait for; nothing for a peer of which nothing can come.
    pub(super) fn waits_for(&self) -> Option<(RawFd, Interest)> {
        let read = !self.silent && !self.is_held_up();
        let write = self.behind || !self.outgoing.is_empty();
        let interest = match (read, write) {
            (true, false) => Interest::Read,
            (true, true) => Interest::ReadWrite,
            (false, true) => Interest::Write,
            // A peer known to be gone would end every wait at once.
            (false, false) if self.silent => return None,
            (false, false) => Interest::HangUp,
        };
        Some((self.stream.as_raw_fd(), interest))
    }

    /// Reads what has come.
    pub(super) fn receive(&mut self, ready: Ready) {
        if self.is_held_up() {
            // It cannot be read yet. But a peer that hung up owns nothing: the session's time without an owner begins.
            self.silent |= ready.hung_up;
            return;
        }
        if !ready.readable || self.incoming.len() >= MOST_UNREAD {
            return;
        }
        let mut part = [0; 16 * 1024];
        match self.stream.read(&mut part) {
            Ok(0) => self.silent = true,
            Ok(count) => self.incoming.extend_from_slice(part.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => self.gone = true,
        }
    }

    /// The next request that has arrived whole. Input waits until there is room for it.
    pub(super) fn next_request(&mut self, input_is_full: bool) -> Option<Request> {
        if self.held.is_none() && !self.is_held_up() && !self.gone {
            self.held = self.decode();
        }
        match &self.held {
            Some(Request::Input(_)) if input_is_full => None,
            Some(_) => self.held.take(),
            None => None,
        }
    }

    fn decode(&mut self) -> Option<Request> {
        match Request::decode(&mut self.incoming) {
            Ok(Some(request)) => {
                self.spoke = true;
                return Some(request);
            }
            // Nothing more can come, so what is left is half a request.
            Ok(None) => self.gone |= self.silent,
            Err(_) => self.gone = true,
        }
        None
    }

    /// How many of the session's denials the peer was sent.
    pub(super) const fn denials_told(&self) -> usize {
        self.denials
    }

    /// Notes that the peer was sent so many.
    pub(super) const fn note_denials(&mut self, told: usize) {
        self.denials = told;
    }

    /// For how long the program may wait for the peer before it writes as much as one read brings; none when the peer would lose nothing,
    /// or takes too little to be waited for.
    pub(super) fn patience(&self, spool: &Spool) -> Option<Duration> {
        let needs = |cursor| if self.wants.whole { spool.past_all(cursor) } else { cursor };
        let at_risk = self.reads() && self.cursor.is_some_and(|cursor| spool.would_cost(needs(cursor), MAX_DATA as u64));
        self.patience.left().filter(|_| at_risk)
    }

    /// The program has waited for the peer.
    pub(super) const fn waited(&mut self, time: Duration) {
        self.patience.spend(time);
    }

    /// Whether the peer waits for the rest of a character.
    pub(super) const fn withholds(&self) -> bool {
        self.withholds
    }

    /// Sends a peer that has had all before it what has just been read, without reading it back.
    pub(super) fn pass_on(&mut self, fresh: &Fresh, total: u64) {
        let Some(cursor) = self.cursor.filter(|_| self.outgoing.is_empty() && !self.gone) else { return };
        let missing = usize::try_from(total.saturating_sub(cursor.0)).unwrap_or(usize::MAX);
        if missing == 0 || missing > fresh.bytes().len() + LONGEST_UNFINISHED {
            return;
        }
        let bytes = fresh.last(missing);
        let bytes = bytes.get(..MAX_DATA).unwrap_or(bytes);
        let bytes = bytes.get(..whole_characters(bytes)).unwrap_or_default();
        if bytes.is_empty() {
            return;
        }
        let head = output_head(cursor, bytes.len());
        let sent = loop {
            match self.stream.write_vectored(&[IoSlice::new(&head), IoSlice::new(bytes)]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // It has no room; or it is gone, which is seen again when the same is sent from the spool.
                Err(_) => return,
                Ok(count) => break count,
            }
        };
        self.cursor = Some(cursor.after(bytes.len() as u64));
        self.patience.earn(sent);
        self.outgoing.extend_from_slice(head.get(sent..).unwrap_or_default());
        self.outgoing.extend_from_slice(bytes.get(sent.saturating_sub(OUTPUT_HEAD)..).unwrap_or_default());
    }

    /// Fetches output to send, and behind the last of it the end.
    ///
    /// `settled`: nothing more is expected for now, and what may be half a character is sent as it is.
    pub(super) fn fill(&mut self, spool: &Spool, settled: bool, end: Option<(&SessionEnd, &Seal)>) {
        self.withholds = false;
        while let Some(cursor) = self.cursor.filter(|_| self.outgoing.len() < MOST_WAITING) {
            let read = if self.wants.whole { spool.read_all(cursor, MAX_DATA) } else { spool.read(cursor, MAX_DATA) };
            let Some(piece) = read else {
                break;
            };
            let last = piece.end().0 == spool.total();
            let piece = match whole(&piece) {
                _ if last && settled => piece,
                Some(whole) => whole,
                None if last => {
                    self.withholds = true;
                    break;
                }
                // The rest of the character was dropped.
                None => piece,
            };
            self.cursor = Some(piece.end());
            self.send(&Report::Output(piece));
        }
        self.behind = !self.withholds && self.cursor.is_some_and(|cursor| cursor.0 < spool.total());
        // One that has not spoken yet may be about to attach, and would take the end for the end of the output.
        let has_all = self.spoke && !self.behind && !self.withholds;
        if let Some((end, seal)) = end.filter(|_| has_all && !self.told_end) {
            if self.wants.seal {
                self.send(&Report::Sealed(Box::new(*seal)));
            }
            self.send(&Report::Ended(end.clone()));
            self.told_end = true;
        }
    }

    /// Sends what the peer takes now.
    pub(super) fn flush(&mut self) {
        while !self.outgoing.is_empty() && !self.gone {
            match self.stream.write(&self.outgoing) {
                Ok(count) => {
                    self.outgoing.advance(count);
                    self.patience.earn(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // It takes nothing more, and owns nothing. What it sent before, such as input that its caller knows to be sent, is obeyed.
                Err(_) => {
                    self.outgoing.clear();
                    self.cursor = None;
                }
            }
        }
    }
}

/// The piece up to the last whole character; `None` when it holds none.
fn whole(piece: &Piece) -> Option<Piece> {
    match piece {
        Piece::Bytes { seq, bytes } => {
            let length = whole_characters(bytes);
            (length > 0).then(|| Piece::Bytes { seq: *seq, bytes: bytes.slice(..length) })
        }
        gap @ Piece::Gap { .. } => Some(gap.clone()),
    }
}
