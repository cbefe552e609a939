//! Whoever has no certificate takes no place from those who have one.

use crate::attacker::believes_anybody;
use crate::house::{SOON, Seat};
use capstan_tests::capstan::{Capstan, Home};
use capstan_tests::wait::until_true;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::Read as _;
use std::net::TcpStream;

/// More than a coordinator lets wait at once.
const MANY: usize = 80;

/// Comes in without a certificate, and stays.
fn stranger(address: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let tcp = TcpStream::connect(address).expect("somebody listens");
    let name = ServerName::try_from("member.invalid").expect("a name");
    let connection = ClientConnection::new(believes_anybody(), name).expect("a connection");
    let mut stream = StreamOwned::new(connection, tcp);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).expect("anybody may shake hands");
    }
    stream.sock.set_nonblocking(true).expect("it need not wait");
    stream
}

fn is_open(stream: &mut StreamOwned<ClientConnection, TcpStream>) -> bool {
    let mut some = [0; 64];
    loop {
        match stream.read(&mut some) {
            Ok(1..) => {}
            Ok(0) => return false,
            Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}

#[test]
fn strangers_who_sit_there_keep_no_member_out() {
    let seat = Seat::new();
    let home = Home::new();
    let token = seat.token(&["--role", "client", "--name", "me"]);
    Capstan::new(&home).args(["cluster", "join", &token, &seat.address, "--name", "me"]).run().assert_code(0);
    let mut strangers: Vec<_> = (0..MANY).map(|_| stranger(&seat.address)).collect();
    let mut sit = || strangers.iter_mut().map(is_open).filter(|open| *open).count();
    until_true(SOON, "those past the most are sent away", || sit() <= 64);
    assert!(sit() >= 32, "and those before are not");
    let at = format!("https://{}", seat.address);
    Capstan::new(&home).args(["threads", "list", "--coordinator", &at]).run().assert_code(0);
}
