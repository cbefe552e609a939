//! The protocol between a node and the holder of one session, over the session's Unix socket.
//!
//! A frame is a four-byte length (big endian, of what follows), one byte of kind, and the body. Output travels raw behind its
//! sequence number; everything else is JSON, so that a holder of an older release can be understood. Decoding takes bytes and gives
//! values; reading and writing them is the caller's.
//!
//! The node sends [`Request`]s, first of all [`Request::Attach`]; the holder answers with [`Report`]s. Output is sent only as fast as
//! the node reads it.

use crate::launch::{Denial, SessionEnd, TermSize};
use crate::output::{Piece, Seq};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// The version that this build speaks. It grows when a frame changes its meaning; new kinds alone do not change it.
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
    /// Send output from `from` on, and the end when it comes. It also makes the sender an owner: a session without one ends after
    /// its ownerless time. Every connection that has made a request, owner or not, is sent [`Report::Ended`]; one that has not may
    /// be about to attach. The connection by which a fork server was asked for the session counts as one that has.
    Attach {
        /// The sender's protocol version.
        version: u32,
        /// The first byte wanted.
        from: Seq,
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
    /// The frame has a kind that this release does not know.
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
    Attach { version: u32, from: Seq },
    CloseInput,
    Resize(TermSize),
    Signal(i32),
    Kill { by: String },
    Release,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ReportBody {
    Hello { version: u32, pid: u32 },
    Gap { seq: Seq, bytes: u64 },
    Ended(SessionEnd),
    InputClosed,
    Denied(Denial),
}

impl Request {
    /// Appends the request to `out` as one frame.
    pub fn encode(&self, out: &mut BytesMut) {
        let body = match self {
            Self::Input(bytes) => return put_frame(out, KIND_INPUT, &[bytes]),
            Self::Attach { version, from } => RequestBody::Attach { version: *version, from: *from },
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
                RequestBody::Attach { version, from } => Self::Attach { version, from },
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
            Self::Ended(end) => ReportBody::Ended(end.clone()),
            Self::InputClosed => ReportBody::InputClosed,
            Self::Denied(denial) => ReportBody::Denied(denial.clone()),
        };
        put_json(out, &body);
    }

    /// Takes one report from the front of `input`, or nothing when it is not complete.
    ///
    /// # Errors
    /// A frame that is too long, unknown or malformed; the connection cannot go on.
    pub fn decode(input: &mut BytesMut) -> Result<Option<Self>, FrameError> {
        let Some((kind, mut body)) = take_frame(input)? else {
            return Ok(None);
        };
        match kind {
            KIND_OUTPUT if body.len() >= 8 => {
                let seq = Seq(body.get_u64());
                Ok(Some(Self::Output(Piece::Bytes { seq, bytes: body })))
            }
            KIND_OUTPUT => Err(FrameError::Body { kind, reason: "it has no sequence number".to_owned() }),
            KIND_JSON => Ok(Some(match from_json(&body)? {
                ReportBody::Hello { version, pid } => Self::Hello { version, pid },
                ReportBody::Gap { seq, bytes } => Self::Output(Piece::Gap { seq, bytes }),
                ReportBody::Ended(end) => Self::Ended(end),
                ReportBody::InputClosed => Self::InputClosed,
                ReportBody::Denied(denial) => Self::Denied(denial),
            })),
            other => Err(FrameError::Kind(other)),
        }
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn requests() -> impl Strategy<Value = Request> {
        prop_oneof![
            any::<(u32, u64)>().prop_map(|(version, from)| Request::Attach { version, from: Seq(from) }),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| Request::Input(bytes.into())),
            Just(Request::CloseInput),
            any::<(u16, u16)>().prop_map(|(rows, cols)| Request::Resize(TermSize { rows, cols })),
            any::<i32>().prop_map(Request::Signal),
            ".{0,20}".prop_map(|by| Request::Kill { by }),
            Just(Request::Release),
        ]
    }

    fn reports() -> impl Strategy<Value = Report> {
        prop_oneof![
            any::<(u32, u32)>().prop_map(|(version, pid)| Report::Hello { version, pid }),
            (any::<u64>(), proptest::collection::vec(any::<u8>(), 0..300))
                .prop_map(|(seq, bytes)| Report::Output(Piece::Bytes { seq: Seq(seq), bytes: bytes.into() })),
            any::<(u64, u64)>().prop_map(|(seq, bytes)| Report::Output(Piece::Gap { seq: Seq(seq), bytes })),
            any::<i32>().prop_map(|code| Report::Ended(SessionEnd::Exited { code })),
            Just(Report::InputClosed),
            (".{0,9}", ".{0,9}").prop_map(|(act, reason)| Report::Denied(Denial { act, reason })),
        ]
    }

    proptest! {
        #[test]
        fn requests_survive_any_cut_of_the_stream(sent in proptest::collection::vec(requests(), 0..8), cut in 1_usize..40) {
            let mut wire = BytesMut::new();
            sent.iter().for_each(|request| request.encode(&mut wire));
            let mut arrived = BytesMut::new();
            let mut received = Vec::new();
            for part in wire.chunks(cut) {
                arrived.extend_from_slice(part);
                while let Some(request) = Request::decode(&mut arrived).unwrap() {
                    received.push(request);
                }
            }
            prop_assert_eq!(received, sent);
            prop_assert!(arrived.is_empty());
        }

        #[test]
        fn reports_survive_the_wire(sent in reports()) {
            let mut wire = BytesMut::new();
            sent.encode(&mut wire);
            prop_assert_eq!(Report::decode(&mut wire).unwrap(), Some(sent));
        }

        #[test]
        fn a_head_and_its_bytes_are_one_report(seq in any::<u64>(), bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (mut whole, piece) = (BytesMut::new(), Piece::Bytes { seq: Seq(seq), bytes: bytes.clone().into() });
            Report::Output(piece).encode(&mut whole);
            prop_assert_eq!([&output_head(Seq(seq), bytes.len())[..], &bytes].concat(), whole);
        }

        #[test]
        fn no_bytes_make_the_decoders_panic(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut wire = BytesMut::from(&noise[..]);
            while let Ok(Some(_)) = Request::decode(&mut wire) {}
            let mut wire = BytesMut::from(&noise[..]);
            while let Ok(Some(_)) = Report::decode(&mut wire) {}
        }
    }

    #[test]
    fn a_frame_past_the_limit_is_refused_before_it_arrives() {
        let mut wire = BytesMut::from(&[0xff, 0xff, 0xff, 0xff, 3][..]);
        assert!(matches!(Request::decode(&mut wire), Err(FrameError::TooLong(_))));
    }
}
