use super::*;
use std::net::TcpListener;

fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (near, listener.accept().unwrap().0)
}

/// What a tunnel to port 443 says of a client that says `said` and ends.
fn tunnelled(said: &[u8]) -> (Result<(), Refused>, Vec<u8>) {
    let ((mut client, near), (far, mut host)) = (connected(), connected());
    client.write_all(said).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let to = Authority::parse("allowed.test:443", None).unwrap();
    let bounds = Bounds { idle: Duration::from_secs(5), ..Bounds::default() };
    thread::scope(|scope| {
        let listening = scope.spawn(move || {
            let mut heard = Vec::new();
            let _ = host.read_to_end(&mut heard);
            heard
        });
        let result = tunnel(&near, &far, &to, Vec::new(), &bounds);
        drop(far);
        (result, listening.join().unwrap())
    })
}

#[test]
fn a_tunnel_to_the_port_of_https_carries_nothing_but_tls() {
    let (result, heard) = tunnelled(b"GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n");
    assert!(matches!(result, Err(Refused::Forbidden(_, reason)) if reason.contains("this is not TLS")));
    assert!(heard.is_empty());
    assert_eq!(tunnelled(b""), (Ok(()), Vec::new()));
    assert_eq!(tunnelled(&[22, 3, 1, 0]), (Err(Refused::Gone), Vec::new()));
}
