//! A model's server on a port of this machine: it speaks the Responses API over HTTP, answers from a script, and misbehaves on request.
//!
//! It stands where a provider would stand, so that tests can show what happens when one is slow, cut off, overloaded or wrong. It
//! writes its bytes itself, because no honest HTTP library breaks off in the middle of an event. Invariants: requests are answered
//! in the order in which they come; every request is recorded, those beyond the script too; no wait outlives [`LONGEST_WAIT`] or the
//! server itself.

mod answer;
mod connection;
mod recorded;
mod reply;
mod script;
mod stop;

pub use answer::{Answer, Usage};
pub use recorded::RecordedRequest;
pub use reply::Reply;
pub use script::{Script, Step};
pub use stop::LONGEST_WAIT;

use script::Played;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use stop::Stop;

/// The running server. Dropping it closes every connection and waits for its threads.
#[derive(Debug)]
pub struct ResponsesServer {
    address: SocketAddr,
    played: Arc<Played>,
    stop: Arc<Stop>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    accepting: Option<JoinHandle<()>>,
}

impl ResponsesServer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("this machine has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (played, stop, streams) = (Arc::new(Played::new(script)), Arc::new(Stop::default()), Arc::default());
        let accepting = Some(thread::spawn({
            let (played, stop, streams) = (Arc::clone(&played), Arc::clone(&stop), Arc::clone(&streams));
            move || accept(&listener, &played, &stop, &streams)
        }));
        Self { address, played, stop, streams, accepting }
    }

    /// What a provider's `base_url` is set to.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far, in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.played.requests()
    }

    /// How many connections were opened so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.streams.lock().expect("no thread panics with the list").len()
    }

    /// Fails the test if the script was not played to its end, or if there were requests beyond it.
    ///
    /// # Panics
    /// In those two cases.
    pub fn assert_played(&self) {
        let (steps, requests) = (self.played.steps(), self.requests().len());
        assert_eq!(requests, steps, "the script has {steps} steps, but {requests} requests came");
    }
}

impl Drop for ResponsesServer {
    fn drop(&mut self) {
        self.stop.stop();
        let _ = TcpStream::connect(self.address); // wakes the thread that accepts
        if let Ok(streams) = self.streams.lock() {
            streams.iter().for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        }
        self.accepting.take().map(JoinHandle::join);
    }
}

/// Serves each connection on a thread of its own until the server stops.
fn accept(listener: &TcpListener, played: &Arc<Played>, stop: &Arc<Stop>, streams: &Arc<Mutex<Vec<TcpStream>>>) {
    thread::scope(|scope| {
        for stream in listener.incoming().filter_map(Result::ok) {
            let Ok(mut streams) = streams.lock() else { return };
            if stop.is_stopped() {
                return;
            }
            streams.extend(stream.try_clone());
            let number = streams.len();
            scope.spawn(move || connection::serve(stream, number, played, stop));
        }
    });
}

#[cfg(test)]
mod tests;
