//! The streams of a session: the program's ends and the holder's.

use crate::holder::Ends;
use crate::kernel::descriptor;
use crate::launch::Streams;
use crate::terminal::Terminal;
use capstan_types::launch::{Stdio, TermSize};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// Both sides of a session's streams.
pub(super) type Pair = (Ends, Streams);

/// Opens what `stdio` asks for, or takes the `terminal` that was opened ahead, if that is what is asked for.
pub(super) fn open(stdio: Stdio, ptmx: Option<&OwnedFd>, terminal: Option<Pair>) -> io::Result<Pair> {
    match (stdio, terminal) {
        (Stdio::Terminal(size), Some((ends, streams))) => {
            ends.terminal.iter().for_each(|terminal| terminal.resize(size));
            Ok((ends, streams))
        }
        (Stdio::Terminal(size), None) => open_terminal(size, ptmx),
        (Stdio::Pipes, _) => {
            let (theirs, ours) = io::pipe()?;
            let ours = File::from(OwnedFd::from(ours));
            descriptor::set_nonblocking(ours.as_fd())?;
            with_output_pipe(Some(ours), theirs.into())
        }
        (Stdio::PipesNoInput, _) => with_output_pipe(None, File::open("/dev/null")?.into()),
    }
}

/// Opens a terminal by the multiplexer `ptmx`, or else by the host's.
pub(super) fn open_terminal(size: TermSize, ptmx: Option<&OwnedFd>) -> io::Result<Pair> {
    let (terminal, slave) = Terminal::open(size, ptmx)?;
    let (output, input) = (terminal.stream()?, terminal.stream()?);
    descriptor::set_nonblocking(output.as_fd())?;
    Ok((Ends { output, input: Some(input), terminal: Some(terminal) }, Streams::Terminal { slave }))
}

/// One pipe for standard output and error, so that what was written first is read first.
fn with_output_pipe(ours: Option<File>, theirs: OwnedFd) -> io::Result<Pair> {
    let (output, write_to) = io::pipe()?;
    let output = File::from(OwnedFd::from(output));
    descriptor::set_nonblocking(output.as_fd())?;
    let streams = Streams::Pipes { input: theirs, output: write_to.into() };
    Ok((Ends { output, input: ours, terminal: None }, streams))
}
