//! What passes within a tunnel, and what TLS in it may name.

use crate::world::{ANSWER, PATIENCE, World, host, proxy, read_until};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

/// The host's side of the next tunnel.
fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn connect(world: &World, port: u16) -> TcpStream {
    let mut stream = world.connect();
    stream.write_all(format!("CONNECT allowed.test:{port} HTTP/1.1\r\nHost: allowed.test\r\n\r\n").as_bytes()).unwrap();
    assert!(read_until(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 200 "));
    stream
}

/// A ClientHello with this name, in one record.
fn hello(name: &str) -> Vec<u8> {
    let counted = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    let list = [&[0][..], &counted(name.as_bytes())].concat();
    let extensions = [&[0, 0][..], &counted(&counted(&list))].concat();
    let body = [&[3, 3][..], &[7; 32], &[0], &counted(&[0x13, 1]), &[1, 0], &counted(&extensions)].concat();
    let message = [&[1, 0][..], &counted(&body)].concat();
    [&[22, 3, 1][..], &counted(&message)].concat()
}

#[test]
fn a_tunnel_carries_both_ways_and_each_end_by_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let world = proxy(&[&format!("private:allowed.test:{port}")]);
    let mut client = connect(&world, port);
    let mut host = accept(&listener);
    host.write_all(b"220 I speak first\r\n").unwrap();
    assert_eq!(read_until(&mut client, "\r\n"), "220 I speak first\r\n");
    let bulk = vec![7; 1 << 20];
    let (sent, mut got) = (bulk.clone(), Vec::new());
    let mut writer = client.try_clone().unwrap();
    let writing = std::thread::spawn(move || {
        writer.write_all(&sent).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    host.read_to_end(&mut got).unwrap();
    writing.join().unwrap();
    assert!(got == bulk);
    host.write_all(b"after your end").unwrap();
    drop(host);
    let mut last = String::new();
    client.read_to_string(&mut last).unwrap();
    assert_eq!(last, "after your end");
}

#[test]
fn a_websocket_passes_within_a_tunnel() {
    let host = host("\r\n\r\n");
    let world = proxy(&[&format!("private:allowed.test:{}", host.port)]);
    let mut client = connect(&world, host.port);
    let upgrade = "GET /chat HTTP/1.1\r\nHost: allowed.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    client.write_all(upgrade.as_bytes()).unwrap();
    assert_eq!(read_until(&mut client, "ok"), ANSWER);
    drop(client);
    assert_eq!(host.heard(), upgrade);
}

#[test]
fn tls_within_a_tunnel_must_name_the_host_of_the_tunnel() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let world = proxy(&[&format!("private:allowed.test:{port}")]);

    let mut client = connect(&world, port);
    let mut host = accept(&listener);
    let (first, second) = (hello("Allowed.test"), b"and what follows");
    // In two pieces, of which the first ends within the record's head.
    client.write_all(&first[..3]).unwrap();
    client.write_all(&first[3..]).unwrap();
    client.write_all(second).unwrap();
    let mut heard = vec![0; first.len() + second.len()];
    host.read_exact(&mut heard).unwrap();
    assert_eq!(heard, [&first[..], second].concat());

    for name in ["evil.test", "allowed.test.", "x.allowed.test", "127.0.0.1"] {
        let mut client = connect(&world, port);
        let mut host = accept(&listener);
        client.write_all(&hello(name)).unwrap();
        let (mut heard, mut said) = (Vec::new(), Vec::new());
        host.read_to_end(&mut heard).unwrap();
        client.read_to_end(&mut said).unwrap();
        assert!(heard.is_empty(), "{name}");
        assert_eq!(said, [21, 3, 1, 0, 2, 2, 112], "{name}");
    }
    assert_eq!(world.denial(), format!("connect to allowed.test:{port} refused: TLS within the tunnel names another host (SNI)"));
    assert!(world.denials.try_recv().is_err());
}
