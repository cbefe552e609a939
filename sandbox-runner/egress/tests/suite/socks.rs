//! Requests in SOCKS5, and their replies.

use crate::world::{ANSWER, World, host, proxy};
use std::io::{Read, Write};
use std::net::TcpStream;

fn greeted(world: &World) -> TcpStream {
    let mut stream = world.connect();
    stream.write_all(&[5, 2, 2, 0]).unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [5, 0]);
    stream
}

fn ask(world: &World, kind: u8, host: &[u8], port: u16) -> (TcpStream, u8) {
    let mut stream = greeted(world);
    stream.write_all(&[&[5, 1, 0, kind][..], host, &port.to_be_bytes()].concat()).unwrap();
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).unwrap();
    (stream, reply[1])
}

fn named(name: &str) -> Vec<u8> {
    [&[u8::try_from(name.len()).unwrap()][..], name.as_bytes()].concat()
}

#[test]
fn a_socks_client_reaches_what_the_list_allows() {
    let host = host("\r\n\r\n");
    let world = proxy(&[&format!("private:allowed.test:{}", host.port), &format!("127.0.0.1:{}", host.port)]);
    for (kind, name) in [(3, named("Allowed.test")), (3, named("127.0.0.1")), (1, vec![127, 0, 0, 1])] {
        let (mut stream, code) = ask(&world, kind, &name, host.port);
        assert_eq!(code, 0);
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = vec![0; ANSWER.len()];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, ANSWER.as_bytes());
        drop(stream);
        assert_eq!(host.heard(), "GET / HTTP/1.1\r\n\r\n");
    }
}

#[test]
fn a_socks_client_is_refused_with_reply_2_and_everything_else_with_its_own() {
    let world = proxy(&["allowed.test"]);
    assert_eq!(ask(&world, 3, &named("evil.test"), 443).1, 2);
    assert_eq!(world.denial(), "connect to evil.test:443 refused: not in the list of allowed hosts");
    assert_eq!(ask(&world, 3, &named("allowed.test"), 443).1, 2);
    assert!(world.denial().contains("127.0.0.1, a loopback address"));
    assert_eq!(ask(&world, 1, &[169, 254, 169, 254], 80).1, 2);
    assert_eq!(ask(&world, 4, &[0; 16], 80).1, 2);
    assert_eq!(ask(&world, 3, &named("allowed.test."), 443).1, 2);
    assert_eq!(ask(&world, 3, &named("allowed.test\0evil"), 443).1, 2);
    let mut bind = greeted(&world);
    bind.write_all(&[5, 2, 0, 1, 127, 0, 0, 1, 0, 80]).unwrap();
    let mut reply = [0; 10];
    bind.read_exact(&mut reply).unwrap();
    assert_eq!(reply[1], 7);
}
