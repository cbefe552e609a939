//! The protocol between a node and the holder of one session, over the session's Unix socket.
//!
//! A frame is a four-byte length (big endian, of what follows), one byte of kind, and the body. Output travels raw behind its
//! sequence number; everything else is JSON, so that a holder of an older release can be understood. Decoding takes bytes and gives
//! values; reading and writing them is the caller's.
//!
//! The node sends [`Request`]s, first of all [`Request::Attach`]; the holder answers with [`Report`]s. Output is sent only as fast as
//! the node reads it.

use crate::launch::{Denial, SessionEnd, TermSize};
use crate::output::seal::Seal;
use crate::output::{Piece, Seq};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version that this build speaks. A node understands holders of this version and of all before it, and leaves one of a newer version
/// alone.
///
/// It grows when a frame changes its meaning, and when a [`Request`] is added: a holder of an older release could not obey that one. A
/// [`Report`] may be added without, since a node passes over those that it does not know.
pub const VERSION: u32 = 1;

/// The longest frame, in bytes. A longer one is a fault of the sender, and ends the connection.
pub const MAX_FRAME: usize = 256 * 1024;

/// The most bytes of output or input in one frame.
pub const MAX_DATA: usize = 64 * 1024;

const LENGTH_BYTES: usize = 4;
/// The length of what [`output_head`] gives: length, kind and sequence number.
pub const OUTPUT_HEAD: usize = LENGTH_BYTES + 1 + 8;

const KIND_OUTPUT: u8 = 1;
const KIND_INPUT: u8 = 2;
const KIND_JSON: u8 = 3;

/// What a node asks of a holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Send output from `from` on, and the end when it comes. It also makes the sender an owner, unless it only looks: a session
    /// without one ends after its ownerless time. Every connection that has made a request, owner or not, is sent [`Report::Ended`]; one that has not may
    /// be about to attach. The connection by which a fork server was asked for the session counts as one that has.
    Attach {
        /// The sender's protocol version.
        version: u32,
        /// The first byte wanted.
        from: Seq,
        /// What else is wanted.
        wants: Wants,
    },
    /// Write to standard input. While the program does not take its input, at most a few hundred KiB are held for it; then the
    /// holder stops reading from the connection that sends more, so what must get through (a kill) goes by another one.
    Input(Bytes),
    /// Close standard input; on a terminal, send the end-of-file character.
    CloseInput,
    /// Change the size of the terminal.
    Resize(TermSize),
    /// Send a signal to the foreground of the session: on a terminal its foreground process group, else the session's group.
    Signal(i32),
    /// End the session's whole tree at once.
    Kill {
        /// Who asks.
        by: String,
    },
    /// The end has been taken note of: the holder of an ended session may go, and with it what it kept. It is ignored while the
    /// session runs.
    Release,
}

/// What a reader wants that older ones do not know. An older holder does not know it either, and gives what it gave them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wants {
    /// [`Report::Sealed`] before the end.
    #[serde(skip_serializing_if = "is_false")]
    pub seal: bool,
    /// What was kept whole, where head and tail have dropped it. Such a reader is never ahead of what the session wrote long ago: it gets
    /// all of it first.
    #[serde(skip_serializing_if = "is_false")]
    pub whole: bool,
    /// To look, and to be no owner by that.
    #[serde(skip_serializing_if = "is_false")]
    pub looks: bool,
}

impl Wants {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the caller is generated")]
    const fn is_nothing(&self) -> bool {
        !self.seal && !self.whole && !self.looks
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the caller is generated")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What a holder tells a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The first frame of a connection.
    Hello {
        /// The holder's protocol version.
        version: u32,
        /// The program's process id.
        pid: u32,
    },
    /// A piece of output.
    Output(Piece),
    /// What was kept of the output; the end follows. Only for those that want it.
    Sealed(Box<Seal>),
    /// The session has ended; no output follows.
    Ended(SessionEnd),
    /// Input was not taken, because standard input is closed or the session has ended.
    InputClosed,
    /// The sandbox refused something. At most a few of a session are told, all before its end.
    Denied(Denial),
}

/// A frame that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is longer than [`MAX_FRAME`].
    #[error("a control frame of {0} bytes is longer than the {MAX_FRAME} allowed")]
    TooLong(usize),
    /// A request has a kind that this release does not know.
    #[error("a control frame has the unknown kind {0}")]
    Kind(u8),
    /// The body does not have the form of its kind.
    #[error("a control frame of kind {kind} is malformed: {reason}")]
    Body {
        /// The kind.
        kind: u8,
        /// What is wrong.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RequestBody {
    Attach {
        version: u32,
        from: Seq,
        #[serde(default, skip_serializing_if = "Wants::is_nothing")]
        wants: Wants,
    },
    CloseInput,
    Resize(TermSize),
    Signal(i32),
    Kill {
        by: String,
    },
    Release,
}

/// The names of [`ReportBody`].
const KNOWN_REPORTS: [&str; 6] = ["hello", "gap", "sealed", "ended", "input-closed", "denied"];

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ReportBody {
    Hello { version: u32, pid: u32 },
    Gap { seq: Seq, bytes: u64 },
    Sealed(Box<Seal>),
    Ended(SessionEnd),
    InputClosed,
    Denied(Denial),
}

impl Request {
    /// Appends the request to `out` as one frame.
    pub fn encode(&self, out: &mut BytesMut) {
        let body = match self {
            Self::Input(bytes) => return put_frame(out, KIND_INPUT, &[bytes]),
            Self::Attach { version, from, wants } => RequestBody::Attach { version: *version, from: *from, wants: *wants },
            Self::CloseInput => RequestBody::CloseInput,
            Self::Resize(size) => RequestBody::Resize(*size),
            Self::Signal(number) => RequestBody::Signal(*number),
            Self::Kill { by } => RequestBody::Kill { by: by.clone() },
            Self::Release => RequestBody::Release,
        };
        put_json(out, &body);
    }

    /// Takes one request from the front of `input`, or nothing when it is not complete.
    ///
    /// # Errors
    /// A frame that is too long, unknown or malformed; the connection cannot go on.
    pub fn decode(input: &mut BytesMut) -> Result<Option<Self>, FrameError> {
        let Some((kind, body)) = take_frame(input)? else {
            return Ok(None);
        };
        match kind {
            KIND_INPUT => Ok(Some(Self::Input(body))),
            KIND_JSON => Ok(Some(match from_json(&body)? {
                RequestBody::Attach { version, from, wants } => Self::Attach { version, from, wants },
                RequestBody::CloseInput => Self::CloseInput,
                RequestBody::Resize(size) => Self::Resize(size),
                RequestBody::Signal(number) => Self::Signal(number),
                RequestBody::Kill { by } => Self::Kill { by },
                RequestBody::Release => Self::Release,
            })),
            other => Err(FrameError::Kind(other)),
        }
    }
}

impl Report {
    /// Appends the report to `out` as one frame.
    pub fn encode(&self, out: &mut BytesMut) {
        let body = match self {
            Self::Output(Piece::Bytes { seq, bytes }) => {
                return put_frame(out, KIND_OUTPUT, &[&seq.0.to_be_bytes(), bytes]);
            }
            Self::Output(Piece::Gap { seq, bytes }) => ReportBody::Gap { seq: *seq, bytes: *bytes },
            Self::Hello { version, pid } => ReportBody::Hello { version: *version, pid: *pid },
            Self::Sealed(seal) => ReportBody::Sealed(seal.clone()),
            Self::Ended(end) => ReportBody::Ended(end.clone()),
            Self::InputClosed => ReportBody::InputClosed,
            Self::Denied(denial) => ReportBody::Denied(denial.clone()),
        };
        put_json(out, &body);
    }

    /// Takes one report from the front of `input`, or nothing when it is not complete. Reports of kinds that this release does not know are
    /// passed over.
    ///
    /// # Errors
    /// A frame that is too long or malformed; the connection cannot go on.
    pub fn decode(input: &mut BytesMut) -> Result<Option<Self>, FrameError> {
        while let Some((kind, mut body)) = take_frame(input)? {
            match kind {
                KIND_OUTPUT if body.len() >= 8 => {
                    let seq = Seq(body.get_u64());
                    return Ok(Some(Self::Output(Piece::Bytes { seq, bytes: body })));
                }
                KIND_OUTPUT => return Err(FrameError::Body { kind, reason: "it has no sequence number".to_owned() }),
                KIND_JSON => match from_json::<ReportBody>(&body) {
                    Ok(body) => return Ok(Some(body.into())),
                    Err(_) if is_of_another_release(&body) => {}
                    Err(malformed) => return Err(malformed),
                },
                _ => {}
            }
        }
        Ok(None)
    }
}

impl From<ReportBody> for Report {
    fn from(body: ReportBody) -> Self {
        match body {
            ReportBody::Hello { version, pid } => Self::Hello { version, pid },
            ReportBody::Gap { seq, bytes } => Self::Output(Piece::Gap { seq, bytes }),
            ReportBody::Sealed(seal) => Self::Sealed(seal),
            ReportBody::Ended(end) => Self::Ended(end),
            ReportBody::InputClosed => Self::InputClosed,
            ReportBody::Denied(denial) => Self::Denied(denial),
        }
    }
}

/// Whether the body is a report of a name that this release does not know: a name, or an object with a name for its only key.
fn is_of_another_release(body: &[u8]) -> bool {
    match serde_json::from_slice(body) {
        Ok(Value::String(name)) => !KNOWN_REPORTS.contains(&&*name),
        Ok(Value::Object(fields)) => fields.len() == 1 && fields.keys().all(|name| !KNOWN_REPORTS.contains(&&**name)),
        Ok(_) | Err(_) => false,
    }
}

/// What comes before `length` bytes of output from `seq` on in their frame, for a sender that has them at hand and need not copy them.
#[must_use]
pub fn output_head(seq: Seq, length: usize) -> [u8; OUTPUT_HEAD] {
    let mut head = [0; OUTPUT_HEAD];
    let mut rest = &mut head[..];
    rest.put_u32(u32::try_from(OUTPUT_HEAD - LENGTH_BYTES + length).unwrap_or(u32::MAX));
    rest.put_u8(KIND_OUTPUT);
    rest.put_u64(seq.0);
    head
}

fn put_frame(out: &mut BytesMut, kind: u8, parts: &[&[u8]]) {
    let length = 1 + parts.iter().map(|part| part.len()).sum::<usize>();
    debug_assert!(length <= MAX_FRAME, "a frame of {length} bytes");
    out.reserve(LENGTH_BYTES + length);
    out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    out.put_u8(kind);
    for part in parts {
        out.put_slice(part);
    }
}

fn put_json<T: Serialize>(out: &mut BytesMut, body: &T) {
    // These bodies are plain structs with string keys, which serde_json always writes; an empty body would be refused as malformed.
    put_frame(out, KIND_JSON, &[&serde_json::to_vec(body).unwrap_or_default()]);
}

fn from_json<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, FrameError> {
    serde_json::from_slice(body).map_err(|error| FrameError::Body { kind: KIND_JSON, reason: error.to_string() })
}

fn take_frame(input: &mut BytesMut) -> Result<Option<(u8, Bytes)>, FrameError> {
    let Some(length) = input.first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    if length == 0 {
        return Err(FrameError::Body { kind: 0, reason: "it is empty".to_owned() });
    }
    if input.len() < LENGTH_BYTES + length {
        return Ok(None);
    }
    input.advance(LENGTH_BYTES);
    let mut frame = input.split_to(length).freeze();
    let kind = frame.get_u8();
    Ok(Some((kind, frame)))
}

#[cfg(test)]
mod recorded;

#[cfg(test)]
mod tests;
